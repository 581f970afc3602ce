"""Pydantic AI and Logfire: every recorded span, then the rules."""

from decimal import Decimal

import msgspec
import pytest

from ingest.normalize import normalize
from tests.ingest.golden import event, read, record, recorded, text_message, told
from traces.span import Attributes, JSONValue, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
WEATHER = {"celsius": 3, "sky": "rain"}
WEATHER_TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("pydantic_ai")[0]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000002",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "session_id": (span.attributes or {})["gen_ai.conversation.id"],
        "agent_name": "forecaster",
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "tool_call",
        "response_id": "chatcmpl-1",
        "usage": {"input_uncached": 31, "cache_read": 20, "output": 18, "reasoning": 8},
        "reported_cost": Decimal("0.000044250000"),
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_call"}],
        "output_bytes": 144,
        "tool_definitions": [WEATHER_TOOL],
        "request_params": {"max_tokens": 256},
        "vocabulary": "pydantic_ai",
    }


def test_the_tool_call() -> None:
    span = recorded("pydantic_ai")[1]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000002",
        "name": "running tool: get_weather",
        "kind": Kind.TOOL,
        "status": Status.UNSET,
        "session_id": (span.attributes or {})["gen_ai.conversation.id"],
        "agent_name": "forecaster",
        "tool_name": "get_weather",
        "tool_call_id": "call_1",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
        "vocabulary": "pydantic_ai",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("pydantic_ai")[2]

    assert told(span) == {
        "span_id": "5ba1000000000005",
        "parent_id": "5ba1000000000002",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "session_id": (span.attributes or {})["gen_ai.conversation.id"],
        "agent_name": "forecaster",
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "stop",
        "response_id": "chatcmpl-2",
        "usage": {"input_uncached": 82, "output": 7},
        "reported_cost": Decimal("0.000034500000"),
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [CALL], "finish_reason": "tool_call"},
            {
                "role": "user",
                "parts": [
                    {"type": "tool_call_response", "id": "call_1", "name": "get_weather", "response": WEATHER}
                ],
            },
        ],
        "output": [text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}],
        "output_bytes": 103,
        "tool_definitions": [WEATHER_TOOL],
        "request_params": {"max_tokens": 256},
        "vocabulary": "pydantic_ai",
    }


def test_the_agent_shows_what_its_calls_used_together() -> None:
    span = recorded("pydantic_ai")[3]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "5ba1000000000001",
        "name": "forecaster run",
        "kind": Kind.AGENT,
        "status": Status.UNSET,
        "session_id": (span.attributes or {})["gen_ai.conversation.id"],
        "agent_name": "forecaster",
        "usage": {"input_uncached": 113, "cache_read": 20, "output": 25, "reasoning": 8},
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [CALL], "finish_reason": "tool_call"},
            {
                "role": "user",
                "parts": [
                    {"type": "tool_call_response", "id": "call_1", "name": "get_weather", "response": WEATHER}
                ],
            },
            text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"},
        ],
        "output": "3 degrees and rain.",
        "output_bytes": 19,
        "vocabulary": "pydantic_ai",
    }


def test_a_log_is_an_event() -> None:
    span = recorded("pydantic_ai")[4]

    assert told(span) == {
        "span_id": "5ba1000000000006",
        "parent_id": "5ba1000000000001",
        "name": "served",
        "kind": Kind.EVENT,
        "status": Status.UNSET,
        "vocabulary": "pydantic_ai",
    }


def test_a_span_of_logfire_s_own() -> None:
    span = recorded("pydantic_ai")[5]

    assert told(span) == {
        "span_id": "5ba1000000000001",
        "parent_id": "",
        "name": "forecast for Oslo",
        "kind": Kind.SPAN,
        "status": Status.UNSET,
        "tags": ("beta", "weather"),
        "vocabulary": "pydantic_ai",
    }


OLD_EVENTS: list[JSONValue] = [
    {"event.name": "gen_ai.system.message", "role": "system", "content": "Be brief."},
    {"event.name": "gen_ai.user.message", "content": "What is the weather in Oslo?", "role": "user"},
    {"event.name": "gen_ai.tool.message", "role": "tool", "id": "call_1", "content": "rain"},
    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "Rain."}},
    "no event",
]
RESULT = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "rain"}]}
ANSWER = text_message("assistant", "Rain.")


def test_the_scope_alone_marks_a_span() -> None:
    sent = msgspec.structs.replace(record({"agent_name": "a", "model_name": "m"}), scope="pydantic-ai")

    assert normalize(sent, project_id=7).agent_name == "a"


def test_events_of_one_call_are_its_prompt_and_its_answer() -> None:
    span = read({"gen_ai.operation.name": "chat", "logfire.msg": "chat", "events": OLD_EVENTS})

    assert (span.input, span.output) == ([SYSTEM, QUESTION, RESULT], [ANSWER])
    assert "events" not in (span.attributes or {})


def test_an_agent_of_2025_is_an_agent_and_its_model_no_model_call() -> None:
    span = read(
        {
            "agent_name": "forecaster",
            "model_name": "gpt-4o",
            "logfire.msg": "forecaster run",
            "all_messages_events": OLD_EVENTS,
            "final_result": "Rain.",
            "gen_ai.usage.input_tokens": 103,
            "gen_ai.usage.output_tokens": 5,
        }
    )

    assert (span.kind, span.agent_name, span.model) == (Kind.AGENT, "forecaster", None)
    assert (span.input, span.output) == ([SYSTEM, QUESTION, RESULT], "Rain.")
    assert span.usage == Usage(input_uncached=103, output=5)


def test_the_program_s_session_beats_the_one_made_up_for_a_run() -> None:
    made_up: Attributes = {"logfire.msg": "m", "gen_ai.conversation.id": "run"}

    assert read(made_up).session_id == "run"
    assert read(made_up | {"session.id": "s-4"}).session_id == "s-4"


@pytest.mark.parametrize(
    ("arguments", "result"),
    [("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"), ("tool_arguments", "tool_response")],
)
def test_a_tool_call_in_new_and_in_old_names(arguments: str, result: str) -> None:
    span = read({"logfire.msg": "m", "gen_ai.tool.name": "f", arguments: '{"a": 1}', result: '{"b": 2}'})

    assert (span.kind, span.tool_name, span.input, span.output) == (Kind.TOOL, "f", {"a": 1}, {"b": 2})


def test_logfire_s_own_instrumentation_of_a_client() -> None:
    span = read(
        {
            "logfire.msg": "Chat Completion with 'gpt-4o'",
            "gen_ai.request.model": "gpt-4o",
            "request_data": {
                "messages": [{"role": "user", "content": "What is the weather in Oslo?"}],
                "model": "gpt-4o",
                "temperature": 0.2,
                "tools": [WEATHER_TOOL],
            },
            "response_data": {"message": {"role": "assistant", "content": "Rain."}, "usage": {"n": 1}},
        }
    )

    assert (span.kind, span.input, span.output) == (Kind.LLM, [QUESTION], [ANSWER])
    assert (span.request_params, span.tool_definitions) == ({"temperature": 0.2}, [WEATHER_TOOL])


def test_a_stream_recorded_by_logfire_and_a_plain_prompt() -> None:
    streamed = read(
        {"logfire.msg": "m", "response_data": {"combined_chunk_content": "Rain.", "chunk_count": 2}}
    )

    assert streamed.output == "Rain."
    assert read({"logfire.msg": "m", "prompt": "What?"}).input == "What?"


def test_what_a_model_was_offered_where_the_convention_is_silent() -> None:
    called: JSONValue = {"function_tools": [{"name": "f"}], "output_mode": "text", "allow_text_output": True}
    span = read({"pydantic_ai.x": 1, "gen_ai.operation.name": "chat", "model_request_parameters": called})

    assert span.tool_definitions == [{"name": "f"}]
    assert span.request_params == {"output_mode": "text", "allow_text_output": True}


def test_google_s_two_apis_are_told_apart_by_their_hosts() -> None:
    google: Attributes = {"pydantic_ai.x": 1, "gen_ai.operation.name": "chat", "gen_ai.system": "google"}
    hosts = ("generativelanguage.googleapis.com", "us-aiplatform.googleapis.com")

    assert [read(google | {"server.address": host}).provider for host in hosts] == [
        "gcp.gemini",
        "gcp.vertex_ai",
    ]


def test_a_fingerprint_tells_exceptions_apart_where_their_type_is_withheld() -> None:
    sent: Attributes = {"logfire.exception.fingerprint": "ab12", "pydantic_ai.x": 1}

    assert read(sent).error_type == "ab12"
    assert read(sent, events=(event("exception", {"exception.type": "E"}),)).error_type == "E"
