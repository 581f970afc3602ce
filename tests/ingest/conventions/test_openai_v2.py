"""OpenTelemetry's own instrumentation of OpenAI, content on the spans: every recorded span, then the rules."""

from tests.ingest.golden import recorded, text_message, told
from traces.span import Kind, Status

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
WEATHER = {"celsius": 3, "sky": "rain"}


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("openai_v2")[0]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "tool_calls",
        "response_id": "chatcmpl-1",
        "usage": {"input_uncached": 51, "output": 18},
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_calls"}],
        "output_bytes": 145,
        "request_params": {"max_tokens": 256},
        "vocabulary": "otel_genai",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("openai_v2")[1]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "stop",
        "response_id": "chatcmpl-2",
        "usage": {"input_uncached": 82, "output": 7},
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [CALL]},
            {"role": "tool", "parts": [{"response": WEATHER, "id": "call_1", "type": "tool_call_response"}]},
        ],
        "output": [text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}],
        "output_bytes": 103,
        "request_params": {"max_tokens": 256},
        "vocabulary": "otel_genai",
    }


def test_a_model_call_that_failed() -> None:
    span = recorded("openai_v2")[2]

    assert told(span) == {
        "span_id": "5ba1000000000008",
        "parent_id": "",
        "name": "chat overloaded",
        "kind": Kind.LLM,
        "status": Status.ERROR,
        "status_message": "Error code: 503 - {'error': {'message': 'Overloaded', 'type': 'server_error', "
        "'code': 'overloaded'}}",
        "error_type": "InternalServerError",
        "model": "overloaded",
        "request_model": "overloaded",
        "provider": "openai",
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "assistant", "parts": [CALL]},
            {"role": "tool", "parts": [{"response": WEATHER, "id": "call_1", "type": "tool_call_response"}]},
        ],
        "vocabulary": "otel_genai",
    }


def test_an_embedding() -> None:
    span = recorded("openai_v2")[3]

    assert told(span) == {
        "span_id": "5ba1000000000006",
        "parent_id": "",
        "name": "embeddings text-embedding-3-small",
        "kind": Kind.EMBEDDING,
        "status": Status.UNSET,
        "model": "text-embedding-3-small",
        "request_model": "text-embedding-3-small",
        "provider": "openai",
        "usage": {"input_uncached": 4},
        "vocabulary": "otel_genai",
    }
