"""Laminar: every recorded span, then the rules."""

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


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("laminar")[0]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "5ba1000000000001",
        "name": "openai.chat",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
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
        "request_params": {
            "temperature": 0.2,
            "base_url": (span.attributes or {})["gen_ai.request.base_url"],
        },
        "vocabulary": "laminar",
    }


def test_the_tool_call() -> None:
    span = recorded("laminar")[1]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000001",
        "name": "get_weather",
        "kind": Kind.TOOL,
        "status": Status.UNSET,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "tool_name": "get_weather",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
        "vocabulary": "laminar",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("laminar")[2]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000001",
        "name": "openai.chat",
        "kind": Kind.LLM,
        "status": Status.UNSET,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
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
        "request_params": {
            "temperature": 0.2,
            "base_url": (span.attributes or {})["gen_ai.request.base_url"],
        },
        "vocabulary": "laminar",
    }


def test_a_function() -> None:
    span = recorded("laminar")[3]

    assert told(span) == {
        "span_id": "5ba1000000000001",
        "parent_id": "",
        "name": "forecast",
        "kind": Kind.WORKFLOW,
        "status": Status.UNSET,
        "user_id": "u-17",
        "session_id": "s-4",
        "organization_id": "acme",
        "tags": ("beta",),
        "input": {"question": "What is the weather in Oslo?"},
        "output": "3 degrees and rain.",
        "output_bytes": 19,
        "vocabulary": "laminar",
    }


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("LLM", Kind.LLM),
        ("CACHED", Kind.LLM),
        ("EXECUTOR", Kind.AGENT),
        ("TOOL", Kind.TOOL),
        ("DEFAULT", Kind.WORKFLOW),
        ("PIPELINE", Kind.WORKFLOW),
        ("EVALUATOR", Kind.EVALUATOR),
        ("EVALUATION", Kind.EVALUATOR),
        ("HUMAN_EVALUATOR", Kind.EVALUATOR),
        ("SOMETHING", Kind.SPAN),
    ],
)
def test_the_type_says_the_kind(sent: str, kind: Kind) -> None:
    assert read({"lmnr.span.type": sent}).kind is kind


@pytest.mark.parametrize(
    ("sent", "kept"),
    [('"text"', "text"), ('{"a": 1}', {"a": 1}), ("plain", "plain"), ("null", None), ("{}", None)],
)
def test_content_is_json_text(sent: str, kept: JSONValue) -> None:
    assert read({"lmnr.span.type": "DEFAULT", "lmnr.span.input": sent}).input == kept


def test_structured_messages_beat_its_own_input_on_a_model_call() -> None:
    both: Attributes = {"lmnr.span.input": '"flat"', "gen_ai.input.messages": [QUESTION]}

    assert read(both | {"lmnr.span.type": "LLM"}).input == [QUESTION]
    assert read(both | {"lmnr.span.type": "DEFAULT"}).input == "flat"


def test_the_parts_of_a_cost_are_added_where_no_whole_is_told() -> None:
    parts: Attributes = {
        "lmnr.span.type": "LLM",
        "gen_ai.usage.input_cost": 0.25,
        "gen_ai.usage.output_cost": 0.5,
    }

    assert read(parts).reported_cost == Decimal("0.75")
    assert read(parts | {"gen_ai.usage.cost": 2}).reported_cost == 2


def test_how_long_a_cache_write_lives() -> None:
    span = read(
        {
            "lmnr.span.type": "LLM",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.cache_creation_input_tokens": 60,
            "gen_ai.usage.cache_creation.input_tokens.ephemeral_1h": 50,
        }
    )

    assert span.usage == Usage(input_uncached=40, cache_write_5m=10, cache_write_1h=50)


def test_metadata_of_the_program() -> None:
    prefix = "lmnr.association.properties.metadata."
    span = read({f"{prefix}tenant_id": "acme", f"{prefix}feature": "draft", f"{prefix}input_type": "voice"})

    assert (span.organization_id, span.feature, span.input_type) == ("acme", "draft", "voice")
