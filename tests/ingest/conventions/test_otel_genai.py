"""The OTel GenAI convention: current names, deprecated names and events, and MCP spans."""

from decimal import Decimal

import pytest

from tests.ingest.golden import event, read, recorded, text_message, told
from traces.span import Attributes, JSONValue, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")


def test_a_model_call_with_the_current_names() -> None:
    span = recorded("genai_agent")[0]

    call = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000002",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "azure.ai.openai",
        "prompt_name": "forecast",
        "prompt_version": "3",
        "finish_reason": "tool_call",
        "time_to_first_token_ns": 375_000_000,
        "usage": {"input_uncached": 34, "cache_read": 64, "cache_write_5m": 32, "output": 20, "reasoning": 8},
        "reported_cost": Decimal("0.000123"),
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [call], "finish_reason": "tool_call"}],
        "output_bytes": 144,
        "tool_definitions": span.tool_definitions,
        "request_params": {"temperature": 0.2, "max_tokens": 256, "stream": True},
        "vocabulary": "otel_genai",
    }
    assert isinstance(span.tool_definitions, list)
    assert span.attributes is not None
    assert not [
        name for name in span.attributes if name.endswith((".messages", "definitions", "instructions"))
    ]


def test_a_tool_call_that_failed_without_a_status() -> None:
    span = recorded("genai_agent")[1]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000002",
        "name": "execute_tool get_weather",
        "kind": Kind.TOOL,
        "status": Status.ERROR,
        "status_message": "no answer from the weather service",
        "error_type": "TimeoutError",
        "tool_name": "get_weather",
        "tool_call_id": "call_1",
        "input": {"city": "Oslo"},
        "vocabulary": "otel_genai",
        "events": span.events,
    }


def test_an_mcp_call_is_a_tool_and_its_transport_session_nobody_s() -> None:
    assert told(recorded("genai_agent")[2]) == {
        "span_id": "5ba1000000000005",
        "parent_id": "5ba1000000000002",
        "name": "tools/call get_weather",
        "kind": Kind.TOOL,
        "status": Status.UNSET,
        "tool_name": "get_weather",
        "vocabulary": "otel_genai",
    }


def test_the_root_span_of_an_agent() -> None:
    assert told(recorded("genai_agent")[3]) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "invoke_agent Forecaster",
        "kind": Kind.AGENT,
        "status": Status.UNSET,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "feature": "forecast",
        "input_type": "voice",
        "tags": ("beta", "weather"),
        "agent_name": "Forecaster",
        "usage": {"input_uncached": 130, "output": 20},
        "vocabulary": "otel_genai",
    }


def test_the_names_and_events_of_2024() -> None:
    call = {"type": "tool_call", "id": "call_1", "name": "f", "arguments": {"a": 1}}
    result = {"type": "tool_call_response", "id": "call_1", "response": "3 degrees"}
    assert told(recorded("genai_deprecated")[0]) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "chat gpt-4o-mini",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "user_id": "u-17",
        "model": "gpt-4o-mini",
        "request_model": "gpt-4o-mini",
        "provider": "openai",
        "finish_reason": "stop",
        "usage": {"input_uncached": 40, "output": 5},
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [call]},
            {"role": "tool", "parts": [result]},
        ],
        "output": [text_message("assistant", "Rain.") | {"finish_reason": "stop"}],
        "output_bytes": 89,
        "request_params": {"response_format": "json_object"},
        "vocabulary": "otel_genai",
    }


def test_the_single_content_events_of_2023() -> None:
    span = read(
        {"gen_ai.system": "openai"},
        events=(
            event("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "Hi"}]'}),
            event("gen_ai.content.completion", {"gen_ai.completion": "Hello"}),
        ),
    )

    assert (span.input, span.output, span.events) == ([text_message("user", "Hi")], "Hello", None)


def test_content_on_the_details_event_is_found() -> None:
    details: Attributes = {
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]',
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    }
    span = read(
        {"gen_ai.operation.name": "chat"},
        events=(event("gen_ai.client.inference.operation.details", details),),
    )

    assert (span.input, span.events) == ([SYSTEM, text_message("user", "Hi")], None)


def test_current_names_beat_deprecated_ones() -> None:
    span = read(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.prompt_tokens": 1,
            "gen_ai.usage.input_tokens": 2,
            "gen_ai.system": "openai",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.prompt": "old",
            "gen_ai.input.messages": [text_message("user", "new")],
        }
    )

    assert (span.usage.input, span.provider, span.input) == (2, "anthropic", [text_message("user", "new")])
    assert (span.attributes or {})["gen_ai.prompt"] == "old"


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("chat", Kind.LLM),
        ("Generate_Content", Kind.LLM),
        ("invoke_agent", Kind.AGENT),
        ("execute_tool", Kind.TOOL),
        ("embeddings", Kind.EMBEDDING),
        ("retrieval", Kind.RETRIEVER),
        ("rerank", Kind.RERANKER),
        ("invoke_workflow", Kind.WORKFLOW),
        ("search_memory", Kind.MEMORY),
        ("something_new", Kind.SPAN),
    ],
)
def test_the_operation_says_the_kind(operation: str, kind: Kind) -> None:
    assert read({"gen_ai.operation.name": operation}).kind is kind


def test_a_tool_name_marks_a_tool_only_without_an_operation() -> None:
    assert read({"gen_ai.tool.name": "find"}).kind is Kind.TOOL
    assert read({"gen_ai.tool.name": "find", "gen_ai.operation.name": "chat"}).kind is Kind.LLM
    assert read(name="tool.find").kind is Kind.SPAN


def test_a_model_alone_does_not_make_a_model_call() -> None:
    assert read({"gen_ai.request.model": "m"}).kind is Kind.SPAN
    assert read({"gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 1}).kind is Kind.LLM


def test_other_message_shapes_become_the_stored_one() -> None:
    messages: JSONValue = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": {"type": "url"}}],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "u", "name": "g", "input": {}}}]},
    ]

    assert read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages}).input == [
        {
            "role": "user",
            "parts": [{"type": "text", "content": "Hi"}, {"type": "image", "source": {"type": "url"}}],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}}],
        },
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "t", "response": "ok"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "u", "name": "g", "arguments": {}}]},
    ]


def test_arguments_and_results_sent_as_text_inside_parts_become_structure() -> None:
    parts: JSONValue = [
        {"type": "tool_call", "id": "t", "name": "f", "arguments": '{"a": 1}'},
        {"type": "tool_call_response", "id": "t", "result": "[1]"},
    ]
    span = read(
        {"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"role": "assistant", "parts": parts}]}
    )

    assert span.input == [
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}},
                {"type": "tool_call_response", "id": "t", "response": [1]},
            ],
        }
    ]


def test_a_session_set_by_the_program_beats_a_conversation_made_up_by_a_framework() -> None:
    made_up: Attributes = {"gen_ai.conversation.id": "run-1"}

    assert read(made_up).session_id == "run-1"
    assert read(made_up | {"session.id": "s-4"}).session_id == "s-4"


def test_finish_reasons_are_joined_or_taken_from_the_answer() -> None:
    answer = [text_message("assistant", "a") | {"finish_reason": "length"}]

    assert read({"gen_ai.response.finish_reasons": ["stop", "length"]}).finish_reason == "stop,length"
    assert read({"gen_ai.output.messages": answer}).finish_reason == "length"


def test_one_hour_cache_writes_are_kept_apart() -> None:
    span = read(
        {
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.cache_write.input_tokens": 60,
            "gen_ai.usage.cache_write.input_tokens.ephemeral_1h": 50,
        }
    )

    assert span.usage == Usage(input_uncached=40, cache_write_5m=10, cache_write_1h=50)


MCP: Attributes = {"mcp.method.name": "tools/call"}
MCP_RESULT: JSONValue = {"content": [{"type": "text", "text": "3 degrees"}], "isError": False}


@pytest.mark.parametrize(
    "operation", [{}, {"gen_ai.operation.name": "execute_tool"}, {"gen_ai.operation.name": "mcp"}]
)
def test_an_mcp_call_is_a_tool_call_with_and_without_an_operation(operation: Attributes) -> None:
    span = read(
        MCP
        | operation
        | {
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
            "gen_ai.tool.call.result": MCP_RESULT,
        },
        name="tools/call get_weather",
    )

    assert (span.kind, span.tool_name, span.status) == (Kind.TOOL, "get_weather", Status.UNSET)
    assert (span.input, span.output) == ({"city": "Oslo"}, MCP_RESULT)


def test_an_mcp_request_and_answer_that_were_kept_whole() -> None:
    request = '{"method": "tools/call", "params": {"name": "get_weather", "arguments": {"city": "Oslo"}}}'
    span = read(
        MCP | {"mcp.request.argument": request, "mcp.response.value": MCP_RESULT}, name="tools/call.mcp"
    )

    assert (span.kind, span.tool_name) == (Kind.TOOL, "get_weather")
    assert (span.input, span.output, span.attributes) == ({"city": "Oslo"}, MCP_RESULT, MCP)


def test_an_mcp_request_without_arguments_is_kept_as_it_is() -> None:
    listed: Attributes = {"mcp.method.name": "tools/list", "mcp.request.argument": '{"method": "tools/list"}'}
    span = read(listed, name="tools/list")

    assert (span.kind, span.tool_name, span.input) == (Kind.SPAN, None, {"method": "tools/list"})


def test_a_tool_that_says_inside_its_answer_that_it_failed_has_failed() -> None:
    failed: JSONValue = {"content": [{"type": "text", "text": "no such city"}], "isError": True}
    span = read(MCP | {"gen_ai.tool.call.result": failed}, name="tools/call get_weather")

    assert (span.status, span.error_type) == (Status.ERROR, "tool_error")


def test_an_mcp_prompt_is_named_by_its_attribute_or_its_span() -> None:
    method: Attributes = {"mcp.method.name": "prompts/get"}
    told_by_name = read(method, name="prompts/get forecast")

    assert (told_by_name.kind, told_by_name.prompt_name, told_by_name.tool_name) == (
        Kind.PROMPT,
        "forecast",
        None,
    )
    assert read(method | {"gen_ai.prompt.name": "other"}, name="prompts/get forecast").prompt_name == "other"


def test_a_transport_s_session_is_nobody_s() -> None:
    assert read(MCP | {"mcp.session.id": "transport"}).session_id is None


def test_a_cache_that_is_told_by_modality_or_by_lifetime_alone() -> None:
    counts: Attributes = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 1}
    by_modality: Attributes = {
        "gen_ai.usage.text.cache_read.input_tokens": 600,
        "gen_ai.usage.image.cache_read.input_tokens": "200",
        "gen_ai.usage.audio.cache_read.input_tokens": "unknown",
    }
    by_lifetime: Attributes = {
        "gen_ai.usage.cache_creation.input_tokens.ephemeral_5m": 30,
        "gen_ai.usage.cache_creation.input_tokens.ephemeral_1h": 50,
    }
    whole: Attributes = {"gen_ai.usage.cache_read.input_tokens": 700}

    assert read(counts | by_modality).usage == Usage(input_uncached=200, cache_read=800, output=1)
    assert read(counts | by_modality | whole).usage == Usage(input_uncached=300, cache_read=700, output=1)
    assert read(counts | by_lifetime).usage == Usage(
        input_uncached=920, cache_write_5m=30, cache_write_1h=50, output=1
    )
    unread: Attributes = {"gen_ai.usage.text.cache_read.input_tokens": "?"}
    assert read(counts | unread).usage == Usage(input_uncached=1000, output=1)


def test_the_variables_of_a_prompt_stay_among_the_attributes() -> None:
    sent: Attributes = {"gen_ai.operation.name": "chat", "gen_ai.prompt.variable.city": "Oslo"}

    assert read(sent).attributes == sent
