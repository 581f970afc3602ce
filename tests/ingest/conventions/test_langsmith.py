"""LangSmith's OpenTelemetry mode: every recorded span, then the rules."""

from decimal import Decimal

import pytest

from tests.ingest.golden import read, recorded, text_message, told
from traces.span import Attributes, JSONValue, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
WEATHER = {"celsius": 3, "sky": "rain"}
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_a_chain() -> None:
    span = recorded("langsmith")[0]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "forecast",
        "kind": Kind.WORKFLOW,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "tags": ("beta", "weather"),
        "input": {"question": "What is the weather in Oslo?"},
        "output": {"output": "3 degrees and rain."},
        "output_bytes": 32,
        "vocabulary": "langsmith",
    }


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("langsmith")[1]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000002",
        "name": "ChatOpenAI",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "tags": ("beta", "weather"),
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "tool_calls",
        "response_id": "chatcmpl-1",
        "usage": {"input_uncached": 31, "cache_read": 20, "output": 18, "reasoning": 8},
        "input": [QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_calls"}],
        "output_bytes": 145,
        "tool_definitions": [WEATHER_TOOL],
        "request_params": {"temperature": 0.2},
        "vocabulary": "langsmith",
    }


def test_the_tool_call() -> None:
    span = recorded("langsmith")[2]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000002",
        "name": "get_weather",
        "kind": Kind.TOOL,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "tags": ("beta", "weather"),
        "tool_name": "get_weather",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
        "vocabulary": "langsmith",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("langsmith")[3]

    assert told(span) == {
        "span_id": "5ba1000000000005",
        "parent_id": "5ba1000000000002",
        "name": "ChatOpenAI",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "tags": ("beta", "weather"),
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "stop",
        "response_id": "chatcmpl-2",
        "usage": {"input_uncached": 82, "output": 7},
        "input": [
            QUESTION,
            {"role": "assistant", "parts": [CALL]},
            {
                "role": "tool",
                "parts": [
                    {
                        "type": "tool_call_response",
                        "id": "call_1",
                        "response": "{'celsius': 3, 'sky': 'rain'}",
                    }
                ],
            },
        ],
        "output": [text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}],
        "output_bytes": 103,
        "tool_definitions": [WEATHER_TOOL],
        "request_params": {"temperature": 0.2},
        "vocabulary": "langsmith",
    }


def test_a_retriever_that_failed_without_its_stack_trace() -> None:
    span = recorded("langsmith")[4]

    assert told(span) == {
        "span_id": "5ba1000000000007",
        "parent_id": "",
        "name": "search",
        "kind": Kind.RETRIEVER,
        "status": Status.ERROR,
        "status_message": "TimeoutError('no answer from the index')",
        "error_type": "Exception",
        "input": {"query": "rain"},
        "output": {"output": None},
        "output_bytes": 15,
        "vocabulary": "langsmith",
        "events": span.events,
    }


LLM: Attributes = {"langsmith.span.kind": "llm"}


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("llm", Kind.LLM),
        ("tool", Kind.TOOL),
        ("embedding", Kind.EMBEDDING),
        ("retriever", Kind.RETRIEVER),
        ("chain", Kind.WORKFLOW),
        ("parser", Kind.WORKFLOW),
        ("prompt", Kind.PROMPT),
        ("something", Kind.SPAN),
    ],
)
def test_the_span_kind_says_the_kind(sent: str, kind: Kind) -> None:
    assert read({"langsmith.span.kind": sent}).kind is kind


def test_the_run_s_name_is_shown_and_its_project_is_nobody_s_session() -> None:
    span = read(
        LLM
        | {
            "langsmith.trace.name": "run",
            "langsmith.trace.session_id": "p",
            "langsmith.trace.session_name": "q",
        }
    )

    assert (span.name, span.session_id) == ("run", None)


@pytest.mark.parametrize("key", ["session_id", "thread_id", "conversation_id"])
def test_a_session_in_the_metadata(key: str) -> None:
    assert read(LLM | {f"langsmith.metadata.{key}": "s-4"}).session_id == "s-4"


def test_a_model_and_a_provider_told_only_in_the_metadata() -> None:
    metadata: Attributes = {
        "langsmith.metadata.ls_model_name": "m",
        "langsmith.metadata.ls_provider": "anthropic",
    }

    span = read(LLM | metadata)

    assert (span.model, span.provider) == ("m", "anthropic")
    assert read(LLM | metadata | {"gen_ai.system": "langchain"}).provider == "anthropic"
    assert read(LLM | metadata | {"gen_ai.request.model": "n"}).model == "n"


@pytest.mark.parametrize(
    "details",
    [
        "{'cache_read': 20, 'cache_creation': 30}",
        '{"cache_read": 20, "cache_creation": 30}',
        {"cache_read": 20, "cache_creation": 30},
    ],
)
def test_the_cached_parts_of_the_input(details: JSONValue) -> None:
    span = read(
        LLM
        | {
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.input_token_details": details,
            "gen_ai.usage.output_token_details": "{'reasoning': 4}",
        }
    )

    assert span.usage == Usage(input_uncached=50, cache_read=20, cache_write_5m=30, output=9, reasoning=4)


def test_usage_and_cost_that_langsmith_keeps_itself() -> None:
    kept = '{"input_tokens": 10, "output_tokens": 2, "input_token_details": {"cache_read": 4}, "total_cost": 0.5}'
    span = read(LLM | {"langsmith.usage_metadata": kept})

    assert (span.usage, span.reported_cost) == (
        Usage(input_uncached=6, cache_read=4, output=2),
        Decimal("0.5"),
    )


def test_dumps_of_langchain_become_messages() -> None:
    def dump(kind: str, **kwargs: JSONValue) -> JSONValue:
        return {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", kind],
            "kwargs": kwargs,
        }

    call: JSONValue = {"name": "get_weather", "args": {"city": "Oslo"}, "id": "call_1", "type": "tool_call"}
    said = dump("AIMessage", content="", tool_calls=[call])
    span = read(
        LLM
        | {
            "gen_ai.prompt": {"messages": [[dump("HumanMessage", content="What is the weather in Oslo?")]]},
            "gen_ai.completion": {"generations": [[{"text": "", "message": said}]]},
        }
    )

    assert (span.input, span.output) == ([QUESTION], [{"role": "assistant", "parts": [CALL]}])


def test_messages_spread_over_names() -> None:
    span = read(
        LLM
        | {
            "gen_ai.prompt.0.message.role": "user",
            "gen_ai.prompt.0.message.content": "What is the weather in Oslo?",
            "gen_ai.completion.0.message.content": "Rain.",
        }
    )

    assert (span.input, span.output) == ([QUESTION], [text_message("assistant", "Rain.")])
    assert span.attributes == LLM


def test_messages_of_the_convention_beat_the_recorded_request() -> None:
    span = read(LLM | {"gen_ai.prompt": "raw", "gen_ai.input.messages": [QUESTION]})

    assert span.input == [QUESTION]


def test_a_cost_without_a_total_is_the_sum_of_its_parts() -> None:
    metadata = '{"input_tokens": 1, "input_cost": 0.001, "output_cost": "0.002"}'

    assert read({"langsmith.usage_metadata": metadata}).reported_cost == Decimal("0.003")


def test_a_tool_s_call_is_its_own_content_first() -> None:
    span = read(
        {
            "langsmith.span.kind": "tool",
            "gen_ai.prompt": '{"a": 1}',
            "gen_ai.completion": '{"b": 2}',
            "gen_ai.tool.call.arguments": '{"other": 1}',
            "gen_ai.tool.call.result": "other",
        }
    )

    assert (span.input, span.output) == ({"a": 1}, {"b": 2})
