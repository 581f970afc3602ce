"""The OpenInference convention, as the Anthropic instrumentation sends it and as people set it by hand."""

from decimal import Decimal

import pytest

from ingest.normalize import EVALUATION
from tests.ingest.golden import event, read, recorded, text_message, told
from traces.span import Attributes, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
CALL = {"type": "tool_call", "id": "toolu_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
LET_ME_LOOK = {"role": "assistant", "parts": [{"type": "text", "content": "Let me look."}, CALL]}
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
CALLER = {
    "user_id": "u-17",
    "session_id": "s-4",
    "organization_id": "acme",
    "feature": "forecast",
    "input_type": "voice",
    "tags": ("beta", "weather"),
    "prompt_version": "v3",
}
CLAUDE = {
    "model": "claude-sonnet-4-6",
    "request_model": "claude-sonnet-4-6",
    "provider": "anthropic",
    "vocabulary": "openinference",
}


def test_a_model_call_that_asks_for_a_tool() -> None:
    span = recorded("anthropic_tool_use")[0]

    assert told(span) == CALLER | CLAUDE | {
        "span_id": "5ba1000000000003",
        "parent_id": "5ba1000000000002",
        "name": "messages.create",
        "kind": Kind.LLM,
        "status": Status.OK,
        "finish_reason": "tool_use",
        "response_id": "msg_1",
        "usage": {
            "input_uncached": 40,
            "cache_read": 20,
            "cache_write_5m": 10,
            "cache_write_1h": 50,
            "output": 30,
        },
        "input": [SYSTEM, QUESTION],
        "output": [LET_ME_LOOK],
        "output_bytes": 158,
        "tool_definitions": TOOLS,
        "request_params": {"max_tokens": 512},
    }


def test_a_model_call_that_answers_from_a_tool_result() -> None:
    span = recorded("anthropic_tool_use")[1]

    result = {"type": "tool_call_response", "id": "toolu_1", "response": {"celsius": 3, "sky": "rain"}}
    thought = {"type": "reasoning", "content": "The tool said rain.", "signature": "c2ln"}
    assert told(span) == CALLER | CLAUDE | {
        "span_id": "5ba1000000000005",
        "parent_id": "5ba1000000000002",
        "name": "messages.create",
        "kind": Kind.LLM,
        "status": Status.OK,
        "finish_reason": "end_turn",
        "response_id": "msg_1",
        "usage": {"input_uncached": 25, "cache_read": 80, "output": 12},
        "input": [SYSTEM, QUESTION, LET_ME_LOOK, {"role": "tool", "parts": [result]}],
        "output": [
            {"role": "assistant", "parts": [thought, {"type": "text", "content": "3 degrees and rain."}]}
        ],
        "output_bytes": 152,
        "tool_definitions": TOOLS,
        "request_params": {"max_tokens": 512},
    }


def test_a_tool_call() -> None:
    assert told(recorded("anthropic_tool_use")[2]) == CALLER | {
        "span_id": "5ba1000000000004",
        "parent_id": "5ba1000000000002",
        "name": "get_weather",
        "kind": Kind.TOOL,
        "status": Status.OK,
        "tool_name": "get_weather",
        "tool_call_id": "toolu_1",
        "input": {"city": "Oslo"},
        "output": {"celsius": 3, "sky": "rain"},
        "output_bytes": 26,
        "vocabulary": "openinference",
    }


def test_the_root_span_of_an_agent() -> None:
    span = recorded("anthropic_tool_use")[3]

    assert told(span) == CALLER | {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "forecast",
        "kind": Kind.AGENT,
        "status": Status.OK,
        "input": "What is the weather in Oslo?",
        "output": "3 degrees and rain.",
        "output_bytes": 19,
        "vocabulary": "openinference",
    }
    assert (span.environment, span.release) == ("staging", "4.2.0")


def test_a_streamed_answer() -> None:
    assert told(recorded("anthropic_stream")[0]) == CLAUDE | {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "messages.stream",
        "kind": Kind.LLM,
        "status": Status.OK,
        "finish_reason": "end_turn",
        "response_id": "msg_1",
        "usage": {"input_uncached": 9, "output": 6},
        "input": [QUESTION],
        "output": [text_message("assistant", "3 degrees and rain.")],
        "output_bytes": 80,
        "request_params": {"max_tokens": 64, "stream": True},
    }


def test_a_call_that_the_provider_refused() -> None:
    span = recorded("anthropic_error")[0]

    message = (
        "Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}"
    )
    assert told(span) == CLAUDE | {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "messages.create",
        "kind": Kind.LLM,
        "status": Status.ERROR,
        "status_message": message,
        "error_type": "anthropic.OverloadedError",
        "model": "overloaded",
        "request_model": "overloaded",
        "input": [QUESTION],
        "request_params": {"max_tokens": 64},
        "events": span.events,
    }
    assert [event.name for event in span.events or ()] == ["exception"]


def test_names_of_both_conventions_on_one_span_count_once() -> None:
    span = recorded("anthropic_both_names")[0]

    assert told(span) == CLAUDE | {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "messages.create",
        "kind": Kind.LLM,
        "status": Status.OK,
        "finish_reason": "tool_use",
        "response_id": "msg_1",
        "usage": {
            "input_uncached": 40,
            "cache_read": 20,
            "cache_write_5m": 10,
            "cache_write_1h": 50,
            "output": 30,
        },
        "input": [QUESTION],
        "output": [LET_ME_LOOK],
        "output_bytes": 158,
        "tool_definitions": TOOLS,
        "request_params": {"max_tokens": 64},
    }


def test_content_that_lives_in_a_field_is_not_stored_a_second_time() -> None:
    attributes = recorded("anthropic_both_names")[0].attributes or {}

    assert not [name for name, value in attributes.items() if "Oslo" in str(value)]
    assert attributes["llm.token_count.prompt"] == 120


def test_an_embedding() -> None:
    span = recorded("openinference_retrieval")[0]

    assert told(span) == {
        "span_id": "5ba1000000000002",
        "parent_id": "",
        "name": "embed",
        "kind": Kind.EMBEDDING,
        "status": Status.UNSET,
        "model": "text-embedding-3-small",
        "provider": "azure.ai.openai",
        "usage": {"input_uncached": 2},
        "reported_cost": Decimal("0.00000004"),
        "input": ["rain", "sun"],
        "request_params": {"dimensions": 256},
        "vocabulary": "openinference",
    }


def test_a_retrieval_is_its_question_and_the_documents_it_found() -> None:
    span = recorded("openinference_retrieval")[1]

    assert (span.kind, span.input) == (Kind.RETRIEVER, "rain in Oslo")
    assert span.output == [
        {"id": "d0", "score": 0.5, "content": "Wet.", "metadata": {"page": 1}},
        {"id": "d1", "score": 0.5, "content": "Dry.", "metadata": {"page": 1}},
    ]


def test_a_reranking_is_a_query_with_documents_and_the_documents_it_kept() -> None:
    span = recorded("openinference_retrieval")[2]

    wet = {"id": "d0", "score": 0.5, "content": "Wet.", "metadata": {"page": 1}}
    dry = {"id": "d1", "score": 0.5, "content": "Dry.", "metadata": {"page": 1}}
    assert (span.kind, span.model) == (Kind.RERANKER, "rerank-v3.5")
    assert span.input == {"query": "rain", "documents": [wet, dry]}
    assert span.output == [wet]


def test_messages_beat_the_flat_value_on_model_calls_only() -> None:
    both: Attributes = {
        "input.value": "flat",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "structured",
    }

    assert read({"openinference.span.kind": "LLM"} | both).input == [text_message("user", "structured")]
    assert read({"openinference.span.kind": "AGENT"} | both).input == "flat"


def test_messages_stand_in_the_order_of_their_index_not_of_their_arrival() -> None:
    span = read(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.10.message.content": "last",
            "llm.input_messages.2.message.content": "second",
            "llm.input_messages.0.message.content": "first",
        }
    )

    assert span.input == [text_message("user", said) for said in ("first", "second", "last")]


def test_calls_outside_the_contents_follow_them() -> None:
    base = "llm.output_messages.0.message"
    span = read(
        {
            "openinference.span.kind": "LLM",
            f"{base}.role": "assistant",
            f"{base}.content": "Looking.",
            f"{base}.tool_calls.0.tool_call.id": "c1",
            f"{base}.tool_calls.0.tool_call.function.name": "find",
            f"{base}.tool_calls.0.tool_call.function.arguments": '{"a": 1}',
            f"{base}.function_call_name": "old_find",
            f"{base}.function_call_arguments_json": "{broken",
        }
    )

    assert span.output == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "Looking."},
                {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"a": 1}},
                {"type": "tool_call", "id": None, "name": "old_find", "arguments": "{broken"},
            ],
        }
    ]


def test_images_are_a_reference_or_their_bytes() -> None:
    base = "llm.input_messages.0.message.contents"
    span = read(
        {
            "openinference.span.kind": "LLM",
            f"{base}.0.message_content.type": "image",
            f"{base}.0.message_content.image.image.url": "https://example.com/a.png",
            f"{base}.1.message_content.type": "image",
            f"{base}.1.message_content.image.image.url": "data:image/png;base64,iVBO",
        }
    )

    assert span.input == [
        {
            "role": "user",
            "parts": [
                {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBO"},
            ],
        }
    ]


def test_a_block_of_the_provider_s_own_type_stays_as_it_is() -> None:
    base = "llm.output_messages.0.message.contents.0.message_content"
    span = read(
        {
            "openinference.span.kind": "LLM",
            f"{base}.type": "web_search_tool_result",
            f"{base}.text": '{"type": "web_search_tool_result", "content": [{"url": "u"}]}',
        }
    )

    block = {"type": "web_search_tool_result", "content": [{"url": "u"}]}
    assert span.output == [{"role": "assistant", "parts": [block]}]


def test_plain_text_that_looks_like_json_stays_text() -> None:
    span = read(
        {
            "openinference.span.kind": "CHAIN",
            "input.value": '{"a": 1}',
            "input.mime_type": "text/plain",
            "output.value": '"done"',
            "output.mime_type": "application/json",
        }
    )

    assert (span.kind, span.input, span.output) == (Kind.WORKFLOW, '{"a": 1}', "done")


def test_withheld_content_is_absent() -> None:
    span = read({"openinference.span.kind": "TOOL", "input.value": "__REDACTED__", "output.value": "{}"})

    assert (span.input, span.output, span.output_bytes) == (None, None, None)


def test_a_span_set_by_hand_without_a_kind_is_a_model_call_when_it_used_tokens() -> None:
    span = read({"llm.model_name": "m", "llm.token_count.prompt": "12", "llm.token_count.completion": 3.0})

    assert (span.kind, span.usage) == (Kind.LLM, Usage(input_uncached=12, output=3))


def test_the_first_token_is_when_the_instrumentation_marked_it() -> None:
    span = read({"openinference.span.kind": "LLM"}, events=(event("First Token Stream Event", {}),))

    assert span.time_to_first_token_ns == 2


def test_unknown_kinds_are_plain_spans() -> None:
    assert read({"openinference.span.kind": "unknown", "input.value": "x"}).kind is Kind.SPAN
    assert read({"openinference.span.kind": "decision"}).kind is Kind.SPAN


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ({"total": 0.5, "prompt": 0.1}, "0.5"),
        ({"prompt": 0.1, "completion": "0.2"}, "0.3"),
        ({"prompt": 0.1, "completion_details.output": 0.2, "completion_details.reasoning": 0.05}, "0.35"),
        ({"prompt_details.input": 0.1}, "0.1"),
        ({"total": "unknown"}, None),
    ],
)
def test_a_cost_that_is_told_in_parts(told: Attributes, cost: str | None) -> None:
    span = read(
        {"openinference.span.kind": "LLM"} | {f"llm.cost.{name}": value for name, value in told.items()}
    )

    assert span.reported_cost == (Decimal(cost) if cost else None)


def test_a_kind_that_is_said_to_be_unknown_is_a_span_whatever_others_call_it() -> None:
    assert read({"openinference.span.kind": "UNKNOWN", "gen_ai.operation.name": "chat"}).kind is Kind.SPAN


def test_a_reranking_is_asked_by_its_value_or_else_by_query_and_documents() -> None:
    asked: Attributes = {
        "openinference.span.kind": "RERANKER",
        "reranker.query": "rain",
        "reranker.input_documents.0.document.content": "Wet.",
    }

    assert read(asked).input == {"query": "rain", "documents": [{"content": "Wet."}]}
    assert read(asked | {"input.value": "rain?"}).input == "rain?"


def test_the_vendor_names_a_prompt_without_an_id() -> None:
    kind: Attributes = {"openinference.span.kind": "PROMPT", "prompt.vendor": "hub"}

    assert read(kind).prompt_name == "hub"
    assert read(kind | {"prompt.id": "greeting"}).prompt_name == "greeting"


def test_the_variables_of_a_prompt_get_the_otel_names() -> None:
    span = read(
        {
            "llm.prompt_template.template": "Weather in {city}?",
            "llm.prompt_template.variables": '{"city": "Oslo", "days": 2}',
            "gen_ai.prompt.variable.days": 3,
        }
    )

    assert span.attributes == {
        "llm.prompt_template.template": "Weather in {city}?",
        "gen_ai.prompt.variable.city": "Oslo",
        "gen_ai.prompt.variable.days": 3,
    }


def test_results_of_evaluations_become_the_otel_event_of_one() -> None:
    span = read(
        {
            "openinference.span.kind": "LLM",
            "annotations.0.annotation.name": "helpful",
            "annotations.0.annotation.score": 0.9,
            "annotations.0.annotation.annotator_kind": "LLM",
            "trace.evaluations.0.evaluation.name": "correct",
            "trace.evaluations.0.evaluation.label": "no",
            "trace.evaluations.0.evaluation.explanation": "It snows.",
        }
    )

    assert [(one.name, one.attributes) for one in span.events or ()] == [
        (
            EVALUATION,
            {
                "evaluation.about": "span",
                "gen_ai.evaluation.name": "helpful",
                "gen_ai.evaluation.score.value": 0.9,
                "evaluation.annotator_kind": "LLM",
            },
        ),
        (
            EVALUATION,
            {
                "evaluation.about": "trace",
                "gen_ai.evaluation.name": "correct",
                "gen_ai.evaluation.score.label": "no",
                "gen_ai.evaluation.explanation": "It snows.",
            },
        ),
    ]
    assert span.attributes == {"openinference.span.kind": "LLM"}
