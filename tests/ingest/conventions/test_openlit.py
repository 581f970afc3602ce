"""OpenLIT: every recorded span, then the rules."""

from decimal import Decimal

from tests.ingest.golden import event, read, recorded, text_message, told
from traces.span import Attributes, Kind, Span, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
WEATHER = {"celsius": 3, "sky": "rain"}


def nanoseconds_to_first_token(span: Span) -> int:
    seconds = (span.attributes or {})["gen_ai.server.time_to_first_token"]
    assert isinstance(seconds, float)
    return round(seconds * 1_000_000_000)


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("openlit")[0]

    assert told(span) == {
        "span_id": "5ba1000000000001",
        "parent_id": "",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "organization_id": "acme",
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "tool_calls",
        "response_id": "chatcmpl-1",
        "time_to_first_token_ns": nanoseconds_to_first_token(span),
        "usage": {"input_uncached": 31, "cache_read": 20, "cache_write_5m": 0, "output": 18},
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_call"}],
        "output_bytes": 144,
        "request_params": {
            "stream": False,
            "seed": 0,
            "frequency_penalty": 0.0,
            "max_tokens": 256,
            "presence_penalty": 0.0,
            "temperature": 1.0,
            "top_p": 1.0,
            "user": "u-17",
            "output.type": "text",
        },
        "vocabulary": "openlit",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("openlit")[1]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "chat gpt-5-mini",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "organization_id": "acme",
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "stop",
        "response_id": "chatcmpl-2",
        "time_to_first_token_ns": nanoseconds_to_first_token(span),
        "usage": {"input_uncached": 82, "cache_read": 0, "cache_write_5m": 0, "output": 7},
        "input": [
            SYSTEM,
            QUESTION,
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": WEATHER}]},
        ],
        "output": [text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}],
        "output_bytes": 103,
        "request_params": {
            "stream": True,
            "seed": 0,
            "frequency_penalty": 0.0,
            "max_tokens": 256,
            "presence_penalty": 0.0,
            "temperature": 1.0,
            "top_p": 1.0,
            "user": "u-17",
            "output.type": "text",
        },
        "vocabulary": "openlit",
    }


def test_an_embedding() -> None:
    span = recorded("openlit")[2]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "",
        "name": "embeddings text-embedding-3-small",
        "kind": Kind.EMBEDDING,
        "status": Status.OK,
        "organization_id": "acme",
        "model": "text-embedding-3-small",
        "request_model": "text-embedding-3-small",
        "provider": "openai",
        "time_to_first_token_ns": nanoseconds_to_first_token(span),
        "usage": {"input_uncached": 4},
        "input": [{"role": "user", "parts": [{"type": "text", "content": "rain in Oslo"}]}],
        "request_params": {"stream": False, "encoding_formats": ["float"], "user": ""},
        "vocabulary": "openlit",
    }


RESOURCE: Attributes = {"telemetry.sdk.name": "openlit"}
CHAT: Attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}


def test_the_sdk_s_name_marks_every_span_of_its_program() -> None:
    assert read(CHAT, resource=RESOURCE).vocabulary == "openlit"
    assert read({"http.route": "/"}, resource=RESOURCE).vocabulary == "openlit"


def test_a_cost_of_nothing_is_a_price_that_it_does_not_know() -> None:
    free = CHAT | {"gen_ai.usage.cost": 0}

    assert read(free, resource=RESOURCE).reported_cost is None
    assert read(free).reported_cost == 0
    assert read(CHAT | {"gen_ai.usage.cost": 0.25}, resource=RESOURCE).reported_cost == Decimal("0.25")


def test_a_tool_that_a_model_asks_for_is_not_the_model_call_s_own() -> None:
    asked = CHAT | {"gen_ai.tool.name": "get_weather", "gen_ai.tool.call.id": "call_1"}
    span = read(asked, resource=RESOURCE)

    assert (span.kind, span.tool_name, span.tool_call_id) == (Kind.LLM, None, None)


def test_cached_tokens_in_the_details_of_the_prompt() -> None:
    details = "gen_ai.usage.prompt_tokens_details."
    span = read(
        CHAT
        | {
            "gen_ai.usage.input_tokens": 100,
            f"{details}cached_tokens": 20,
            f"{details}cache_creation_tokens": 30,
            "gen_ai.usage.completion_tokens_details.reasoning_tokens": 4,
            "gen_ai.usage.output_tokens": 9,
        },
        resource=RESOURCE,
    )

    assert span.usage == Usage(input_uncached=50, cache_read=20, cache_write_5m=30, output=9, reasoning=4)


def test_a_workflow_tags_and_an_error_of_the_framework() -> None:
    span = read(
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "pipeline",
            "gen_ai.workflow.input": '{"question": "What?"}',
            "gen_ai.workflow.output": "Rain.",
            "gen_ai.framework.tags": ["beta"],
            "gen_ai.framework.error.type": "ValueError",
            "gen_ai.framework.error.message": "no city",
            "gen_ai.environment": "staging",
            "openlit.agent.version_hash": "28be",
        },
        resource=RESOURCE,
    )

    assert (span.kind, span.workflow_name) == (Kind.WORKFLOW, "pipeline")
    assert (span.input, span.output, span.tags) == ({"question": "What?"}, "Rain.", ("beta",))
    assert (span.status, span.error_type, span.status_message) == (Status.ERROR, "ValueError", "no city")
    assert (span.environment, span.release) == ("staging", "28be")


def test_the_user_of_the_request_is_used_where_the_program_names_nobody() -> None:
    request = CHAT | {"gen_ai.request.user": "r"}

    assert read(request, resource=RESOURCE).user_id == "r"
    assert read(request | {"user.id": "u-17"}, resource=RESOURCE).user_id == "u-17"


def test_messages_in_an_old_event_come_before_the_input_of_a_workflow() -> None:
    said = (event("gen_ai.content.prompt", {"gen_ai.prompt": "asked"}),)
    workflow = {"gen_ai.operation.name": "chat", "gen_ai.workflow.input": "flow"}

    assert read(workflow, resource=RESOURCE, events=said).input == "asked"
    assert read(workflow, resource=RESOURCE).input == "flow"
