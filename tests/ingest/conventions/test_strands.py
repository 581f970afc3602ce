"""Strands Agents: every recorded span, then the rules."""

from tests.ingest.golden import event, read, recorded, text_message, told
from traces.span import Attributes, Kind, Span, Status

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
WEATHER = {"celsius": 3, "sky": "rain"}


def milliseconds(span: Span) -> int:
    found = (span.attributes or {})["gen_ai.server.time_to_first_token"]
    assert isinstance(found, int)
    return found


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("strands")[0]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000003",
        "name": "chat",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "model": "gpt-5-mini",
        "request_model": "gpt-5-mini",
        "finish_reason": "tool_use",
        "time_to_first_token_ns": milliseconds(span) * 1_000_000,
        "usage": {"input_uncached": 31, "cache_read": 20, "output": 18},
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_use"}],
        "output_bytes": 143,
        "vocabulary": "strands",
    }


def test_the_tool_call() -> None:
    span = recorded("strands")[1]

    assert told(span) == {
        "span_id": "5ba1000000000005",
        "parent_id": "5ba1000000000003",
        "name": "execute_tool get_weather",
        "kind": Kind.TOOL,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "tool_name": "get_weather",
        "tool_call_id": "call_1",
        "input": {"city": "Oslo"},
        "output": [{"json": WEATHER}],
        "output_bytes": 37,
        "vocabulary": "strands",
    }


def test_a_cycle_of_the_agent_is_no_model_call() -> None:
    span = recorded("strands")[2]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000002",
        "name": "execute_event_loop_cycle",
        "kind": Kind.SPAN,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "input": [QUESTION],
        "output": [{"role": "assistant", "parts": [CALL]}],
        "output_bytes": 116,
        "vocabulary": "strands",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("strands")[3]

    assert told(span) == {
        "span_id": "5ba1000000000007",
        "parent_id": "5ba1000000000006",
        "name": "chat",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "model": "gpt-5-mini",
        "request_model": "gpt-5-mini",
        "finish_reason": "end_turn",
        "time_to_first_token_ns": milliseconds(span) * 1_000_000,
        "usage": {"input_uncached": 82, "output": 7},
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [CALL]},
            {
                "role": "tool",
                "parts": [
                    {
                        "type": "tool_call_response",
                        "status": "success",
                        "response": [{"json": WEATHER}],
                        "id": "call_1",
                    }
                ],
            },
        ],
        "output": [text_message("assistant", "3 degrees and rain.") | {"finish_reason": "end_turn"}],
        "output_bytes": 107,
        "vocabulary": "strands",
    }


def test_the_cycle_that_answers() -> None:
    span = recorded("strands")[4]

    assert told(span) == {
        "span_id": "5ba1000000000006",
        "parent_id": "5ba1000000000002",
        "name": "execute_event_loop_cycle",
        "kind": Kind.SPAN,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "input": [
            QUESTION,
            {"role": "assistant", "parts": [CALL]},
            {
                "role": "tool",
                "parts": [
                    {
                        "type": "tool_call_response",
                        "status": "success",
                        "response": [{"json": WEATHER}],
                        "id": "call_1",
                    }
                ],
            },
        ],
        "vocabulary": "strands",
    }


def test_the_agent() -> None:
    span = recorded("strands")[5]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "invoke_agent forecaster",
        "kind": Kind.AGENT,
        "status": Status.OK,
        "user_id": "u-17",
        "session_id": "s-4",
        "agent_name": "forecaster",
        "model": "gpt-5-mini",
        "request_model": "gpt-5-mini",
        "finish_reason": "end_turn",
        "usage": {"input_uncached": 113, "cache_read": 20, "cache_write_5m": 0, "output": 25},
        "input": [SYSTEM, QUESTION],
        "output": [text_message("assistant", "3 degrees and rain.\n") | {"finish_reason": "end_turn"}],
        "output_bytes": 109,
        "tool_definitions": ["get_weather"],
        "vocabulary": "strands",
    }


TOOL: Attributes = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.provider.name": "strands-agents",
    "gen_ai.tool.name": "get_weather",
}


def test_a_framework_is_no_provider() -> None:
    assert read({"gen_ai.system": "strands-agents", "gen_ai.operation.name": "chat"}).provider is None


def test_only_its_own_spans_count_in_milliseconds() -> None:
    delay: Attributes = {"gen_ai.server.time_to_first_token": 250}

    assert read(delay | {"gen_ai.system": "strands-agents"}).time_to_first_token_ns == 250_000_000
    assert read(delay | {"gen_ai.system": "openai"}).time_to_first_token_ns == 250_000_000_000


def test_a_tool_s_input_and_output_in_the_current_event() -> None:
    call = {"role": "tool", "parts": [CALL]}
    result = {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "call_1", "response": [WEATHER]}],
    }
    span = read(
        TOOL,
        events=(
            event("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": [call]}),
            event("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": [result]}),
        ),
    )

    assert (span.input, span.output, span.events) == ({"city": "Oslo"}, [WEATHER], None)


def test_a_tool_s_input_and_output_in_messages_on_the_span() -> None:
    span = read(TOOL | {"gen_ai.input.messages": [{"role": "tool", "parts": [CALL]}]})

    assert (span.input, span.attributes) == ({"city": "Oslo"}, TOOL)


def test_a_tool_that_answers_with_an_error_has_failed() -> None:
    span = read(TOOL | {"gen_ai.tool.status": "error"})

    assert (span.status, span.error_type) == (Status.ERROR, "tool_error")
    assert read(TOOL | {"gen_ai.tool.status": "success"}).status is Status.UNSET


def test_definitions_of_tools_come_before_their_names() -> None:
    sent: Attributes = {"gen_ai.system": "strands-agents", "gen_ai.agent.tools": '["find"]'}

    assert read(sent).tool_definitions == ["find"]
    assert read(sent | {"gen_ai.tool.definitions": '[{"name": "find"}]'}).tool_definitions == [
        {"name": "find"}
    ]
