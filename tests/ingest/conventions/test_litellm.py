"""LiteLLM's OpenTelemetry callback: every recorded span, then the rules."""

from decimal import Decimal

import pytest

from tests.ingest.golden import read, recorded, text_message, told
from traces.span import Attributes, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("litellm")[0]

    assert told(span) == {
        "span_id": "5ba1000000000001",
        "parent_id": "",
        "name": "litellm_request",
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "u-17",
        "organization_id": "acme",
        "model": "gpt-5-mini-2025-08-07",
        "request_model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "tool_calls",
        "response_id": "chatcmpl-1",
        "usage": {"input_uncached": 31, "cache_read": 20, "output": 18, "reasoning": 8},
        "reported_cost": Decimal("0.000044250000"),
        "input": [QUESTION],
        "output": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "id": None, "name": "get_weather", "arguments": {"city": "Oslo"}}
                ],
                "finish_reason": "tool_calls",
            }
        ],
        "output_bytes": 141,
        "tool_definitions": [
            {
                "name": "get_weather",
                "description": "The weather in a city.",
                "parameters": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                },
            }
        ],
        "vocabulary": "litellm",
    }


def test_the_raw_request_is_no_second_call() -> None:
    span = recorded("litellm")[1]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "5ba1000000000001",
        "name": "raw_gen_ai_request",
        "kind": Kind.SPAN,
        "status": Status.OK,
    }


def test_a_model_call_that_failed() -> None:
    span = recorded("litellm")[2]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "",
        "name": "litellm_request",
        "kind": Kind.LLM,
        "status": Status.ERROR,
        "status_message": "litellm.ServiceUnavailableError: ServiceUnavailableError: OpenAIException - "
        "Overloaded",
        "error_type": "ServiceUnavailableError",
        "response_id": "aab9587f-b730-4d2c-9470-8cdcca786072",
        "user_id": "u-17",
        "organization_id": "acme",
        "model": "overloaded",
        "request_model": "overloaded",
        "provider": "openai",
        "input": [QUESTION],
        "vocabulary": "litellm",
        "events": span.events,
    }


CHAT: Attributes = {"gen_ai.operation.name": "chat", "litellm.call_id": "c"}


def test_who_asked_comes_before_who_owns_the_key() -> None:
    owned = CHAT | {"metadata.user_api_key_user_id": "owner"}

    assert read(owned).user_id == "owner"
    assert read(owned | {"user.id": "u-17"}).user_id == "u-17"
    assert read(owned | {"user.id": "u-17", "litellm.end_user.id": "end"}).user_id == "end"


@pytest.mark.parametrize(
    "name",
    [
        "litellm.team.id",
        "litellm.team.alias",
        "metadata.user_api_key_org_id",
        "metadata.user_api_key_team_id",
    ],
)
def test_a_team_is_the_organization(name: str) -> None:
    assert read(CHAT | {name: "acme", "metadata.user_api_key_user_id": ""}).organization_id == "acme"


@pytest.mark.parametrize("name", ["litellm.cost.total", "gen_ai.cost.total_cost"])
def test_the_cost_in_new_and_in_old_names(name: str) -> None:
    assert read(CHAT | {name: 0.25}).reported_cost == Decimal("0.25")


def test_the_model_that_was_sent_to_the_provider_beats_the_name_that_only_the_proxy_knows() -> None:
    sent = CHAT | {"gen_ai.system": "openai", "gen_ai.request.model": "our-best"}

    assert read(sent | {"litellm.provider.model": "openai/gpt-5-mini"}).model == "gpt-5-mini"
    assert read(sent | {"litellm.provider.model": "meta/llama-4"}).model == "meta/llama-4"
    assert read(sent | {"litellm.provider.model": "a", "gen_ai.response.model": "b"}).model == "b"


def test_cached_tokens_are_not_told_twice() -> None:
    cached = CHAT | {
        "gen_ai.usage.input_tokens": 51,
        "gen_ai.usage.cache_read.input_tokens": 10,
        "metadata.usage_object": "{'prompt_tokens': 51, 'prompt_tokens_details': {'cached_tokens': 20}}",
    }

    assert read(cached).usage == Usage(input_uncached=41, cache_read=10)


def test_anthropic_s_cache_in_the_usage_as_the_provider_sent_it() -> None:
    sent = (
        "{'completion_tokens': 30, 'prompt_tokens': 120, 'total_tokens': 150, 'cache_creation_input_tokens': 60, "
        "'cache_read_input_tokens': 20, 'cache_creation_token_details': {'ephemeral_5m_input_tokens': 10, "
        "'ephemeral_1h_input_tokens': 50}}"
    )

    assert read(CHAT | {"metadata.usage_object": sent}).usage == Usage(
        input_uncached=40, cache_read=20, cache_write_5m=10, cache_write_1h=50, output=30
    )


def test_a_guardrail_and_the_provider_s_error() -> None:
    span = read(
        {
            "litellm.guardrail.name": "no-secrets",
            "litellm.provider.error.code": "429",
            "error.message": "slow down",
        }
    )

    assert (span.kind, span.status) == (Kind.GUARDRAIL, Status.ERROR)
    assert (span.error_type, span.status_message) == ("429", "slow down")


def test_metadata_of_the_program() -> None:
    metadata: Attributes = {
        "litellm.metadata.session_id": "s-4",
        "metadata.feature": "draft",
        "metadata.tags": "a, b",
    }
    span = read(CHAT | metadata)

    assert (span.session_id, span.feature, span.tags) == ("s-4", "draft", ("a", "b"))


def test_hidden_parameters_alone_mark_a_span() -> None:
    assert read({"hidden_params": "{}", "litellm.team.id": "t"}).vocabulary == "litellm"
    assert read({"hidden_params": "{}"}).vocabulary == "litellm"


@pytest.mark.parametrize(
    "names",
    [
        ("litellm.cost.input", "litellm.cost.output"),
        ("litellm.cost.input_cost", "litellm.cost.output_cost"),
        ("gen_ai.cost.input_cost", "gen_ai.cost.output_cost"),
    ],
)
def test_a_cost_without_a_total_is_the_sum_of_its_sides(names: tuple[str, str]) -> None:
    beside: Attributes = {"gen_ai.cost.discount_amount": 9, "litellm.cost.margin_percent": 9}

    assert read(CHAT | beside | {names[0]: 0.25, names[1]: "0.5"}).reported_cost == Decimal("0.75")
