"""Google's Agent Development Kit, in its own names and in the OTel names that replaced them."""

from typing import Any

from tests.ingest.golden import ids, read, recorded, text_message, told
from traces.span import Attributes, Kind, Status

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", 'Be brief.\n\nYou are an agent. Your internal name is "forecaster".')
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
WEATHER = {"celsius": 3, "sky": "rain"}
RESULT = {"type": "tool_call_response", "id": "call_1", "response": WEATHER}
SCHEMA = {
    "properties": {"city": {"title": "City", "type": "string"}},
    "required": ["city"],
    "title": "get_weatherParams",
    "type": "object",
}
TOOL = {"name": "get_weather", "description": "The weather in a city."}
PLAIN: dict[str, Any] = {"status": Status.UNSET, "vocabulary": "google_adk"}
GEMINI = {
    "model": "gemini-2.5-flash",
    "request_model": "gemini-2.5-flash",
    "finish_reason": "stop",
    "session_id": "s-4",
    "request_params": {"top_p": 0.9, "max_tokens": 256},
}
FIRST_USAGE = {"input_uncached": 31, "cache_read": 20, "output": 18, "reasoning": 8}
LATER_USAGE = {"input_uncached": 82, "output": 7}


MODEL_CALL = PLAIN | GEMINI | {"name": "generate_content gemini-2.5-flash", "agent_name": "forecaster"}
TOOL_CALL = PLAIN | {
    "name": "execute_tool get_weather",
    "kind": Kind.TOOL,
    "agent_name": "forecaster",
    "tool_name": "get_weather",
    "tool_call_id": "call_1",
    "input": {"city": "Oslo"},
    "output": WEATHER,
    "output_bytes": 26,
}
AGENT = PLAIN | {
    "name": "invoke_agent forecaster",
    "kind": Kind.AGENT,
    "agent_name": "forecaster",
    "session_id": "s-4",
}


def test_the_otel_names() -> None:
    tool = TOOL | {"parameters": SCHEMA, "type": "function"}
    billed = MODEL_CALL | {"kind": Kind.LLM, "provider": "gcp.gemini", "tool_definitions": [tool]}

    assert [told(span) for span in recorded("google_adk")] == [
        ids(4, 3)
        | billed
        | {
            "usage": FIRST_USAGE,
            "input": [SYSTEM, QUESTION],
            "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "stop"}],
            "output_bytes": 139,
        },
        ids(5, 3) | TOOL_CALL,
        ids(6, 3)
        | billed
        | {
            "usage": LATER_USAGE,
            "input": [
                SYSTEM,
                QUESTION,
                {"role": "assistant", "parts": [CALL]},
                {"role": "user", "parts": [RESULT]},
            ],
            "output": [text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}],
            "output_bytes": 103,
        },
        ids(3, 2) | AGENT,
        ids(2)
        | PLAIN
        | {
            "name": "invoke_workflow forecaster",
            "kind": Kind.WORKFLOW,
            "session_id": "s-4",
            "workflow_name": "forecaster",
        },
    ]


def test_its_own_names() -> None:
    repeated = MODEL_CALL | {"kind": Kind.SPAN, "provider": "gcp.gemini"}
    billed = (
        PLAIN
        | GEMINI
        | {
            "name": "call_llm",
            "kind": Kind.LLM,
            "provider": "gcp.gen_ai",
            "tool_definitions": [TOOL | {"parameters_json_schema": SCHEMA}],
        }
    )

    assert [told(span) for span in recorded("google_adk_old")] == [
        ids(5, 4) | repeated | {"usage": FIRST_USAGE},
        ids(6, 3) | TOOL_CALL,
        ids(4, 3)
        | billed
        | {
            "usage": FIRST_USAGE,
            "input": [SYSTEM, QUESTION],
            "output": [{"role": "assistant", "parts": [CALL]}],
            "output_bytes": 116,
        },
        ids(8, 7) | repeated | {"usage": LATER_USAGE},
        ids(7, 3)
        | billed
        | {
            "usage": LATER_USAGE,
            "input": [
                SYSTEM,
                QUESTION,
                {"role": "assistant", "parts": [CALL]},
                {"role": "user", "parts": [RESULT | {"name": "get_weather"}]},
            ],
            "output": [text_message("assistant", "3 degrees and rain.")],
            "output_bytes": 80,
        },
        ids(3, 2) | AGENT,
        ids(2) | PLAIN | {"name": "invocation", "kind": Kind.WORKFLOW},
    ]


def test_of_a_call_that_two_spans_tell_of_one_is_billed() -> None:
    billed = [span.name for span in recorded("google_adk_old") if span.kind is Kind.LLM]

    assert billed == ["call_llm", "call_llm"]


def test_content_that_lives_in_a_field_is_not_stored_a_second_time() -> None:
    for span in (*recorded("google_adk_old"), *recorded("google_adk")):
        assert not [name for name, value in (span.attributes or {}).items() if "Oslo" in str(value)]


def test_the_model_tells_who_was_called_where_the_kit_signs_with_its_own_name() -> None:
    def provider(model: str) -> str | None:
        return read(
            {"gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": model}, scope="gcp.vertex.agent"
        ).provider

    assert provider("anthropic/claude-sonnet-4-6") == "anthropic"
    assert provider("projects/p/locations/l/endpoints/1") is None
    assert provider("gemini-2.5-pro") == "gcp.gen_ai"
    assert provider("house-model") is None


def test_nothing_said_falls_through_to_the_otel_names() -> None:
    span = read(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.call.arguments": '{"a": 1}',
            "gen_ai.tool.call.result": "done",
            "gcp.vertex.agent.llm_request": "{}",
            "gcp.vertex.agent.llm_response": "{}",
            "gcp.vertex.agent.tool_call_args": "N/A",
            "gcp.vertex.agent.tool_response": "{}",
        }
    )

    assert (span.kind, span.input, span.output) == (Kind.TOOL, {"a": 1}, "done")


def test_a_request_of_another_shape_is_kept_whole() -> None:
    odd: Attributes = {
        "gcp.vertex.agent.llm_request": '{"contents": "x"}',
        "gcp.vertex.agent.llm_response": '{"error_code": "429"}',
    }
    span = read(odd, name="call_llm")

    assert (span.kind, span.input, span.output) == (Kind.LLM, {"contents": "x"}, {"error_code": "429"})


def test_thoughts_and_instructions_in_parts() -> None:
    span = read(
        {
            "gcp.vertex.agent.llm_request": {
                "config": {"system_instruction": {"parts": [{"text": "Be brief."}]}},
                "contents": [{"parts": [{"text": "Rain?"}]}],
            },
            "gcp.vertex.agent.llm_response": {
                "content": {"role": "model", "parts": [{"text": "Hm.", "thought": True}, {"text": "Yes."}]}
            },
        }
    )

    assert span.input == [text_message("system", "Be brief."), text_message("user", "Rain?")]
    assert span.output == [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Yes."}],
        }
    ]


def test_an_agent_of_the_first_versions() -> None:
    span = read(name="agent_run [forecaster]", scope="gcp.vertex.agent")

    assert (span.kind, span.agent_name) == (Kind.AGENT, "forecaster")
