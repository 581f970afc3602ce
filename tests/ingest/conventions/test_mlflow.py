"""MLflow's tracing: every recorded span, then the rules."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.golden import read, recorded, text_message, told
from traces.span import Attributes, Kind, Span, Status, Usage

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
    span = recorded("mlflow")[0]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "5ba1000000000001",
        "name": "Completions",
        "kind": Kind.LLM,
        "status": Status.OK,
        "model": "gpt-5-mini-2025-08-07",
        "finish_reason": "tool_calls",
        "response_id": "chatcmpl-1",
        "usage": {"input_uncached": 31, "cache_read": 20, "output": 18},
        "input": [QUESTION],
        "output": [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_calls"}],
        "output_bytes": 145,
        "tool_definitions": [WEATHER_TOOL],
        "request_params": {"temperature": 0.2},
        "vocabulary": "mlflow",
    }


def test_the_tool_call() -> None:
    span = recorded("mlflow")[1]

    assert told(span) == {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000001",
        "name": "get_weather",
        "kind": Kind.TOOL,
        "status": Status.OK,
        "tool_name": "get_weather",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
        "vocabulary": "mlflow",
    }


def test_the_model_call_that_answers() -> None:
    span = recorded("mlflow")[2]

    assert told(span) == {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000001",
        "name": "Completions",
        "kind": Kind.LLM,
        "status": Status.OK,
        "model": "gpt-5-mini-2025-08-07",
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
        "vocabulary": "mlflow",
    }


def test_the_agent() -> None:
    span = recorded("mlflow")[3]

    assert told(span) == {
        "span_id": "5ba1000000000001",
        "parent_id": "",
        "name": "forecast",
        "kind": Kind.AGENT,
        "status": Status.OK,
        "organization_id": "acme",
        "tags": ("organization_id:acme", "tier:gold"),
        "input": {"question": "What is the weather in Oslo?"},
        "output": "3 degrees and rain.",
        "output_bytes": 19,
        "vocabulary": "mlflow",
    }


def mlflow(kind: str = "CHAT_MODEL", *, name: str = "span", **said: Any) -> Span:
    """A span as MLflow sends it: every value as JSON text."""
    attributes: Attributes = {name.replace("__", "."): json.dumps(value) for name, value in said.items()}
    return read({"mlflow.spanType": json.dumps(kind)} | attributes, name=name)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("LLM", Kind.LLM),
        ("chat_model", Kind.LLM),
        ("AGENT", Kind.AGENT),
        ("TOOL", Kind.TOOL),
        ("EMBEDDING", Kind.EMBEDDING),
        ("RETRIEVER", Kind.RETRIEVER),
        ("RERANKER", Kind.RERANKER),
        ("CHAIN", Kind.WORKFLOW),
        ("TASK", Kind.WORKFLOW),
        ("GUARDRAIL", Kind.GUARDRAIL),
        ("EVALUATOR", Kind.EVALUATOR),
        ("MEMORY", Kind.MEMORY),
        ("PARSER", Kind.SPAN),
        ("UNKNOWN", Kind.SPAN),
        ("SOMETHING", Kind.SPAN),
    ],
)
def test_the_type_says_the_kind(sent: str, kind: Kind) -> None:
    assert mlflow(sent).kind is kind


def test_quotes_around_names_are_taken_off() -> None:
    span = mlflow(
        mlflow__llm__model="claude-sonnet-4-6",
        mlflow__llm__provider="amazon-bedrock",
        user__id="u-17",
        session__id="s-4",
    )

    assert (span.model, span.provider, span.user_id, span.session_id) == (
        "claude-sonnet-4-6",
        "aws.bedrock",
        "u-17",
        "s-4",
    )


def test_whom_a_trace_is_for_in_mlflow_s_own_names() -> None:
    span = mlflow("AGENT", mlflow__trace__user="u-17", mlflow__trace__session="s-4")

    assert (span.user_id, span.session_id) == ("u-17", "s-4")


def test_cached_tokens_are_a_part_of_the_input_and_an_hour_s_a_part_of_those_written() -> None:
    span = mlflow(
        mlflow__chat__tokenUsage={
            "input_tokens": 100,
            "output_tokens": 5,
            "total_tokens": 105,
            "cache_read_input_tokens": 20,
            "cache_creation_input_tokens": 60,
            "cache_creation_input_tokens_above_1hr": 50,
        }
    )

    assert span.usage == Usage(
        input_uncached=20, cache_read=20, cache_write_5m=10, cache_write_1h=50, output=5
    )


def test_the_cost_and_the_first_linked_prompt() -> None:
    span = mlflow(
        mlflow__llm__cost={"input_cost": 0.001, "output_cost": 0.002, "total_cost": 0.003},
        mlflow__linkedPrompts=[{"name": "forecast", "version": "3"}, {"name": "other", "version": "1"}],
    )

    assert (span.reported_cost, span.prompt_name, span.prompt_version) == (Decimal("0.003"), "forecast", "3")


def test_a_text_that_looks_like_json_stays_the_text_it_was() -> None:
    span = mlflow("TOOL", mlflow__spanInputs='{"a": 1}', mlflow__spanOutputs="")

    assert (span.input, span.output) == ('{"a": 1}', None)


def test_a_span_without_a_name_is_called_by_its_function() -> None:
    assert mlflow("AGENT", name="", mlflow__spanFunctionName="forecast").name == "forecast"
    assert mlflow("AGENT", mlflow__spanFunctionName="forecast").name == "span"


def test_openinference_names_on_the_same_span_come_first() -> None:
    span = read(
        {
            "mlflow.spanType": '"LLM"',
            "mlflow.spanInputs": '"b"',
            "openinference.span.kind": "CHAIN",
            "input.value": "a",
        }
    )

    assert (span.kind, span.input, span.vocabulary) == (Kind.WORKFLOW, "a", "openinference")


def test_a_cost_without_a_total_is_the_sum_of_its_parts() -> None:
    span = read({"mlflow.llm.cost": '{"input_cost": 0.001, "output_cost": 0.002}'})

    assert span.reported_cost == Decimal("0.003")


def test_a_span_without_a_kind_may_name_its_model() -> None:
    assert read({"mlflow.llm.model": '"m"'}).model == "m"
