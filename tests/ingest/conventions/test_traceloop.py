"""OpenLLMetry and the Traceloop SDK: a decorated workflow, and the names of before the OTel convention."""

from typing import Any

import pytest

from ingest.normalize import SPAN_NAME
from tests.ingest.golden import BEGAN_NS, event, ids, read, recorded, recorded_by_id, text_message, told
from traces.span import Attributes, Event, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "The weather in a city."}
WEATHER = {"celsius": 3, "sky": "rain"}
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
RESULT = {"type": "tool_call_response", "id": "call_1", "response": WEATHER}
ANSWER = text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}
CALLER: dict[str, Any] = {
    "user_id": "u-17",
    "session_id": "s-4",
    "organization_id": "acme",
    "feature": "forecast",
    "input_type": "voice",
    "workflow_name": "weather",
    "status": Status.UNSET,
    "vocabulary": "traceloop",
}
GPT = {
    "name": "openai.chat",
    "kind": Kind.LLM,
    "model": "gpt-5-mini-2025-08-07",
    "request_model": "gpt-5-mini",
    "provider": "openai",
    "vocabulary": "otel_genai",
}
ASKING = GPT | {
    "agent_name": "forecaster",
    "tool_definitions": [TOOL | {"type": "function", "parameters": SCHEMA}],
    "request_params": {"temperature": 0.2},
}
CLAUDE = {
    "kind": Kind.LLM,
    "model": "claude-sonnet-4-6",
    "request_model": "claude-sonnet-4-6",
    "provider": "anthropic",
    "request_params": {"max_tokens": 64},
    "status": Status.OK,
    "vocabulary": "otel_genai",
}
OVERLOADED = CLAUDE | {"model": "overloaded", "request_model": "overloaded", "status": Status.ERROR}
CACHED = {"input_uncached": 40, "cache_read": 20, "output": 30}
EXPECTED: list[dict[str, Any]] = [
    ids(1)
    | CALLER
    | {
        "name": "weather",
        "kind": Kind.WORKFLOW,
        "input": {"args": ["OpenAI", "Anthropic"], "kwargs": {}},
        "output": "3 degrees and rain.",
        "output_bytes": 19,
    },
    ids(2, 1)
    | CALLER
    | {
        "name": "forecaster",
        "kind": Kind.AGENT,
        "agent_name": "forecaster",
        "input": {"args": ["OpenAI", "What is the weather in Oslo?"], "kwargs": {}},
        "output": "3 degrees and rain.",
        "output_bytes": 19,
    },
    ids(3, 2)
    | CALLER
    | ASKING
    | {
        "finish_reason": "tool_call",
        "response_id": "chatcmpl-1",
        "usage": {"input_uncached": 31, "cache_read": 20, "output": 18, "reasoning": 8},
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_call"}],
        "output_bytes": 144,
    },
    ids(4, 2)
    | CALLER
    | {
        "name": "get_weather",
        "kind": Kind.TOOL,
        "agent_name": "forecaster",
        "tool_name": "get_weather",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
    },
    ids(5, 2)
    | CALLER
    | ASKING
    | {
        "finish_reason": "stop",
        "response_id": "chatcmpl-2",
        "usage": {"input_uncached": 82, "output": 7},
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [CALL]},
            {"role": "tool", "parts": [RESULT]},
        ],
        "output": [ANSWER],
        "output_bytes": 103,
    },
    ids(6, 1)
    | CALLER
    | {
        "name": "look_up",
        "kind": Kind.WORKFLOW,
        "input": {"args": ["OpenAI", "Anthropic"], "kwargs": {}},
    },
    ids(7, 6)
    | CALLER
    | {
        "name": "openai.embeddings",
        "kind": Kind.EMBEDDING,
        "model": "text-embedding-3-small",
        "request_model": "text-embedding-3-small",
        "provider": "openai",
        "vocabulary": "otel_genai",
        "usage": {"input_uncached": 4, "cache_read": 0},
        "input": [text_message("user", "rain")],
    },
    ids(8, 6)
    | CALLER
    | CLAUDE
    | {
        "name": "anthropic.chat",
        "finish_reason": "tool_call",
        "response_id": "msg_1",
        "usage": CACHED | {"cache_write_5m": 60},
        "input": [SYSTEM, QUESTION],
        "output": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Let me look."}, CALL | {"id": "toolu_1"}],
                "finish_reason": "tool_call",
            }
        ],
        "output_bytes": 186,
        "tool_definitions": [TOOL | {"input_schema": SCHEMA}],
    },
    # Anthropic's own SDK tells of the same call once more, within the instrumentation's span.
    ids(9, 6)
    | CALLER
    | CLAUDE
    | {
        "name": "anthropic.messages.create",
        "finish_reason": "tool_use",
        "response_id": "msg_1",
        "usage": CACHED | {"cache_write_5m": 10, "cache_write_1h": 50},
    },
    ids(10, 6)
    | CALLER
    | OVERLOADED
    | {
        "name": "anthropic.chat",
        "status_message": "Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error',"
        " 'message': 'Overloaded'}}",
        "error_type": "OverloadedError",
        "input": [QUESTION],
    },
    ids(11, 6)
    | CALLER
    | OVERLOADED
    | {"name": "anthropic.messages.create", "error_type": "overloaded_error"},
    ids(12, 6)
    | CALLER
    | GPT
    | {
        "status": Status.OK,
        "finish_reason": "stop",
        "response_id": "chatcmpl-2",
        "time_to_first_token_ns": 1_000_000,
        "usage": {"input_uncached": 82, "output": 7},
        "input": [QUESTION],
        "output": [ANSWER],
        "output_bytes": 103,
    },
]


@pytest.mark.parametrize("expected", EXPECTED)
def test_a_decorated_workflow(expected: dict[str, Any]) -> None:
    found = told(recorded_by_id("traceloop")[expected["span_id"][-2:]])

    assert {name: value for name, value in found.items() if name != "events"} == expected


def test_every_recorded_span_is_looked_at_above() -> None:
    assert {span.span_id for span in recorded("traceloop")} == {one["span_id"] for one in EXPECTED}


def test_the_name_of_the_span_itself_is_kept() -> None:
    assert (recorded_by_id("traceloop")["04"].attributes or {})[SPAN_NAME] == "get_weather.tool"


def test_content_that_lives_in_a_field_is_not_stored_a_second_time() -> None:
    for span in recorded("traceloop"):
        assert not [name for name, value in (span.attributes or {}).items() if "Oslo" in str(value)]


OLD: Attributes = {
    "llm.request.type": "chat",
    "gen_ai.system": "Anthropic",
    "gen_ai.request.model": "claude-sonnet-4-6",
    "gen_ai.prompt.10.role": "tool",
    "gen_ai.prompt.10.content": "[1, 2]",
    "gen_ai.prompt.10.tool_call_id": "c1",
    "gen_ai.prompt.2.role": "user",
    "gen_ai.prompt.2.content": '[{"type": "text", "text": "Rain?"}]',
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Looking.",
    "gen_ai.completion.0.finish_reason": "tool_calls",
    "gen_ai.completion.0.tool_calls.0.id": "c2",
    "gen_ai.completion.0.tool_calls.0.name": "find",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"a": 1}',
    "llm.request.functions.0.name": "find",
    "llm.request.functions.0.parameters": '{"type": "object"}',
}


def test_messages_spread_over_names() -> None:
    span = read(OLD)

    assert (span.kind, span.provider, span.finish_reason) == (Kind.LLM, "anthropic", "tool_calls")
    assert span.input == [
        text_message("user", "Rain?"),
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": [1, 2]}]},
    ]
    assert span.output == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "Looking."},
                {"type": "tool_call", "id": "c2", "name": "find", "arguments": {"a": 1}},
            ],
            "finish_reason": "tool_calls",
        }
    ]
    assert span.tool_definitions == [{"name": "find", "parameters": {"type": "object"}}]
    assert set(span.attributes or {}) == {"llm.request.type", "gen_ai.system", "gen_ai.request.model"}


def test_messages_of_the_otel_convention_beat_those_spread_over_names() -> None:
    span = read(OLD | {"gen_ai.input.messages": [text_message("user", "new")]})

    assert span.input == [text_message("user", "new")]


def test_the_oldest_names_of_usage() -> None:
    counts: Attributes = {
        "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 20,
        "llm.usage.total_tokens": 120,
        "gen_ai.usage.cache_read_input_tokens": 60,
        "llm.usage.reasoning_tokens": 5,
    }

    assert read(OLD | counts).usage == Usage(input_uncached=40, cache_read=60, output=20, reasoning=5)


def test_old_names_of_request_parameters() -> None:
    span = read(OLD | {"llm.top_k": 4, "llm.chat.stop_sequences": ["x"], "gen_ai.request.temperature": 0.5})

    assert span.request_params == {"top_k": 4, "stop_sequences": ["x"], "temperature": 0.5}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("chat", Kind.LLM),
        ("completion", Kind.LLM),
        ("embedding", Kind.EMBEDDING),
        ("rerank", Kind.RERANKER),
        ("unknown", Kind.SPAN),
    ],
)
def test_the_kind_of_a_request(kind: str, expected: Kind) -> None:
    assert read({"llm.request.type": kind}).kind is expected


def test_the_kind_of_the_decorator_comes_first() -> None:
    assert read({"traceloop.span.kind": "TOOL", "llm.request.type": "chat"}).kind is Kind.TOOL
    assert read({"traceloop.span.kind": "task"}).kind is Kind.WORKFLOW
    assert read({"traceloop.span.kind": "unknown"}).kind is Kind.SPAN


def test_arguments_by_position_stay_beside_those_by_name() -> None:
    def called(args: list[Any], kwargs: Attributes) -> Any:
        return read({"traceloop.entity.input": {"args": args, "kwargs": kwargs}}).input

    assert called([], {"city": "Oslo"}) == {"city": "Oslo"}
    assert called(["Oslo"], {"days": 2}) == {"args": ["Oslo"], "kwargs": {"days": 2}}
    assert called([], {}) is None


def test_the_caller_among_the_association_properties() -> None:
    base = "traceloop.association.properties"
    span = read({f"{base}.chat_id": "chat", f"{base}.customer_id": "c", "llm.user": "u"})

    assert (span.session_id, span.organization_id, span.user_id) == ("chat", "c", "u")
    assert read({f"{base}.session_id": "s", f"{base}.thread_id": "t"}).session_id == "s"


def test_a_managed_prompt() -> None:
    span = read({"traceloop.prompt.key": "forecaster", "traceloop.prompt.version_name": "v3"})

    assert (span.prompt_name, span.prompt_version) == ("forecaster", "v3")


def test_the_version_of_an_entity_is_a_release_where_the_service_has_none() -> None:
    assert read({"traceloop.entity.version": 2}).release == "2"
    assert read({"traceloop.entity.version": 2}, resource={"service.version": "9"}).release == "9"


def test_a_vector_store_s_query_is_a_retrieval_of_the_documents_in_its_events() -> None:
    found = tuple(event("db.query.result", {"db.query.result.id": name}) for name in ("a", "b"))
    span = read({"db.system": "chroma", "db.operation": "query"}, events=found)

    assert (span.kind, span.vocabulary) == (Kind.RETRIEVER, "traceloop")
    assert span.output == [{"db.query.result.id": "a"}, {"db.query.result.id": "b"}]
    assert span.events is None
    assert read({"db.system": "chroma", "db.operation": "upsert"}).kind is Kind.SPAN
    assert read({"db.system": "postgresql", "db.operation": "SELECT"}).vocabulary is None


def test_a_chunk_from_before_the_start_tells_nothing() -> None:
    chunk = Event(name="llm.content.completion.chunk", time_ns=BEGAN_NS - 1)

    assert read({"llm.request.type": "chat"}, events=(chunk,)).time_to_first_token_ns is None


def test_mcp_arguments_and_answers() -> None:
    span = read(
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "find",
            "mcp.request.argument": '{"q": 1}',
            "mcp.response.value": '["a"]',
        }
    )

    assert (span.tool_name, span.input, span.output) == ("find", {"q": 1}, ["a"])


@pytest.mark.parametrize(
    "variables",
    [
        {"traceloop.prompt.template_variables": '{"city": "Oslo"}'},
        {"traceloop.prompt.template_variables.city": "Oslo"},
    ],
)
def test_the_variables_of_a_managed_prompt_get_the_otel_names(variables: Attributes) -> None:
    span = read({"traceloop.prompt.key": "weather"} | variables)

    assert span.prompt_name == "weather"
    assert span.attributes == {"traceloop.prompt.key": "weather", "gen_ai.prompt.variable.city": "Oslo"}


def test_definitions_of_tools_come_before_functions_in_the_old_names() -> None:
    sent: Attributes = {"llm.request.functions.0.name": "old", "traceloop.span.kind": "task"}

    assert read(sent).tool_definitions == [{"name": "old"}]
    assert read(sent | {"gen_ai.tool.definitions": '[{"name": "new"}]'}).tool_definitions == [{"name": "new"}]


def test_what_others_number_in_the_same_place_is_no_message_of_this_convention() -> None:
    span = read({"gen_ai.prompt.0.message.content": "Hi", "langsmith.trace.name": "run"})

    assert (span.vocabulary, span.input) == ("otel_genai", [text_message("user", "Hi")])
