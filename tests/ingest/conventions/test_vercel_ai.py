"""The Vercel AI SDK: version 4's names, the same names as version 7 sends them, and version 7's OTel names."""

from typing import Any

import pytest

from ingest.normalize import SPAN_NAME
from tests.ingest.golden import event, ids, read, recorded, recorded_by_id, text_message, told
from traces.span import Attributes, Kind, Status, Usage

QUESTION = text_message("user", "What is the weather in Oslo?")
SYSTEM = text_message("system", "Be brief.")
CALL = {"type": "tool_call", "id": "toolu_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
LET_ME_LOOK = {"role": "assistant", "parts": [{"type": "text", "content": "Let me look."}, CALL]}
WEATHER = {"celsius": 3, "sky": "rain"}
RESULT = {"type": "tool_call_response", "id": "toolu_1", "response": WEATHER}
NAMED_RESULT = RESULT | {"name": "get_weather"}
ANSWER = text_message("assistant", "3 degrees and rain.")
THOUGHT = {"type": "reasoning", "content": "The tool said rain."}
THOUGHT_ANSWER = {"role": "assistant", "parts": [THOUGHT, *ANSWER["parts"]]}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
    "$schema": "http://json-schema.org/draft-07/schema#",
}
TOOL = {"type": "function", "name": "get_weather", "description": "The weather in a city."}
PLAIN: dict[str, Any] = {"status": Status.UNSET, "vocabulary": "vercel_ai"}
CALLER = {
    "user_id": "u-17",
    "session_id": "s-4",
    "organization_id": "acme",
    "feature": "forecast",
    "tags": ("beta", "weather"),
}
CLAUDE = {"model": "claude-sonnet-4-6", "request_model": "claude-sonnet-4-6", "provider": "anthropic"}
EMBEDDER = {
    "model": "text-embedding-3-small",
    "request_model": "text-embedding-3-small",
    "provider": "openai",
}
OVERLOADED = {
    "model": "overloaded",
    "request_model": "overloaded",
    "provider": "anthropic",
    "status": Status.ERROR,
    "status_message": "Overloaded",
    "error_type": "AI_APICallError",
}
FIRST_USAGE = {
    "input_uncached": 40,
    "cache_read": 20,
    "cache_write_5m": 10,
    "cache_write_1h": 50,
    "output": 30,
}


def legacy(operation: str, kind: Kind) -> dict[str, Any]:
    return PLAIN | {"name": f"forecaster {operation}", "agent_name": "forecaster", "kind": kind}


def assert_recorded(payload: str, expected: dict[str, Any]) -> None:
    """But for the events, which stay as they were sent."""
    found = told(recorded_by_id(payload)[expected["span_id"][-2:]])
    assert {name: value for name, value in found.items() if name != "events"} == expected


AI4: list[dict[str, Any]] = [
    ids(2, 1)
    | legacy("ai.generateText.doGenerate", Kind.LLM)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "tool-calls",
        "response_id": "msg_1",
        # Version 4 does not tell how long a cache write lives.
        "usage": {"input_uncached": 40, "cache_read": 20, "cache_write_5m": 60, "output": 30},
        "input": [SYSTEM, QUESTION],
        "output": [LET_ME_LOOK],
        "output_bytes": 158,
        "tool_definitions": [TOOL | {"parameters": SCHEMA}],
        "request_params": {"temperature": 0.2, "maxTokens": 64, "maxRetries": 2},
    },
    ids(3, 1)
    | legacy("ai.toolCall", Kind.TOOL)
    | {
        "tool_name": "get_weather",
        "tool_call_id": "toolu_1",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
    },
    ids(4, 1)
    | legacy("ai.generateText.doGenerate", Kind.LLM)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "response_id": "msg_1",
        "usage": {"input_uncached": 25, "cache_read": 80, "output": 12},
        "input": [SYSTEM, QUESTION, LET_ME_LOOK, {"role": "tool", "parts": [NAMED_RESULT]}],
        "output": [ANSWER],
        "output_bytes": 80,
        "tool_definitions": [TOOL | {"parameters": SCHEMA}],
        "request_params": {"temperature": 0.2, "maxTokens": 64, "maxRetries": 2},
    },
    ids(1)
    | legacy("ai.generateText", Kind.AGENT)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "usage": {"input_uncached": 25, "cache_read": 80, "output": 12},
        "input": [SYSTEM, QUESTION],
        "output": [ANSWER],
        "output_bytes": 80,
        "request_params": {"temperature": 0.2, "maxTokens": 64, "maxRetries": 2, "maxSteps": 2},
    },
    ids(6, 5)
    | legacy("ai.streamText.doStream", Kind.LLM)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "response_id": "msg_1",
        "time_to_first_token_ns": 11_500_000,
        "usage": {"input_uncached": 9, "output": 6},
        "input": [QUESTION],
        "output": [ANSWER],
        "output_bytes": 80,
        "request_params": {"maxTokens": 64, "maxRetries": 2},
    },
    ids(5)
    | legacy("ai.streamText", Kind.AGENT)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "usage": {"input_uncached": 9, "output": 6},
        "input": [QUESTION],
        "output": [ANSWER],
        "output_bytes": 80,
        "request_params": {"maxTokens": 64, "maxRetries": 2, "maxSteps": 1},
    },
    ids(8, 7)
    | legacy("ai.embed.doEmbed", Kind.EMBEDDING)
    | CALLER
    | EMBEDDER
    | {
        "usage": {"input_uncached": 4},
        "input": "rain",
        "output": [[0.25, 0.5]],
        "output_bytes": 12,
        "request_params": {"maxRetries": 2},
    },
    ids(7)
    | legacy("ai.embed", Kind.SPAN)
    | CALLER
    | EMBEDDER
    | {
        "usage": {"input_uncached": 4},
        "input": "rain",
        "output": [0.25, 0.5],
        "output_bytes": 10,
        "request_params": {"maxRetries": 2},
    },
    ids(10, 9)
    | legacy("ai.generateText.doGenerate", Kind.LLM)
    | CALLER
    | OVERLOADED
    | {"input": [QUESTION], "request_params": {"maxRetries": 0}},
    ids(9)
    | legacy("ai.generateText", Kind.AGENT)
    | CALLER
    | OVERLOADED
    | {"input": [QUESTION], "request_params": {"maxRetries": 0, "maxSteps": 1}},
]
LEGACY_PARAMS = {"maxOutputTokens": 64, "temperature": 0.2, "maxRetries": 2}
LEGACY: list[dict[str, Any]] = [
    ids(3, 2)
    | legacy("ai.toolCall", Kind.TOOL)
    | CALLER
    | {
        "tool_name": "get_weather",
        "tool_call_id": "toolu_1",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
    },
    ids(2, 1)
    | legacy("ai.generateText.doGenerate", Kind.LLM)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "tool-calls",
        "response_id": "msg_1",
        "usage": FIRST_USAGE,
        "input": [SYSTEM, QUESTION],
        "output": [LET_ME_LOOK],
        "output_bytes": 158,
        "tool_definitions": [TOOL | {"inputSchema": SCHEMA}],
        "request_params": LEGACY_PARAMS,
    },
    ids(4, 1)
    | legacy("ai.generateText.doGenerate", Kind.LLM)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "response_id": "msg_1",
        "usage": {"input_uncached": 25, "cache_read": 80, "cache_write_5m": 0, "output": 12},
        "input": [SYSTEM, QUESTION, LET_ME_LOOK, {"role": "tool", "parts": [NAMED_RESULT]}],
        "output": [THOUGHT_ANSWER],
        "output_bytes": 133,
        "tool_definitions": [TOOL | {"inputSchema": SCHEMA}],
        "request_params": LEGACY_PARAMS,
    },
    ids(1)
    | legacy("ai.generateText", Kind.AGENT)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "usage": {"input_uncached": 65, "cache_read": 100, "cache_write_5m": 60, "output": 42},
        "input": [SYSTEM, QUESTION],
        "output": [{"role": "assistant", "parts": [*THOUGHT_ANSWER["parts"], CALL]}],
        "output_bytes": 218,
        "request_params": LEGACY_PARAMS,
    },
    ids(6, 5)
    | legacy("ai.streamText.doStream", Kind.LLM)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "response_id": "msg_1",
        "time_to_first_token_ns": 11_500_000,
        "usage": {"input_uncached": 9, "cache_read": 0, "cache_write_5m": 0, "output": 6},
        "input": [QUESTION],
        "output": [ANSWER],
        "output_bytes": 80,
        "request_params": {"maxOutputTokens": 64, "maxRetries": 2},
    },
    ids(5)
    | legacy("ai.streamText", Kind.AGENT)
    | CALLER
    | CLAUDE
    | {
        "finish_reason": "stop",
        "usage": {"input_uncached": 9, "cache_read": 0, "cache_write_5m": 0, "output": 6},
        "input": [QUESTION],
        "output": [ANSWER],
        "output_bytes": 80,
        "request_params": {"maxOutputTokens": 64, "maxRetries": 2},
    },
]
OTEL_PARAMS = {"max_tokens": 64, "temperature": 0.2}
CHAT = PLAIN | CLAUDE | {"name": "chat claude-sonnet-4-6", "kind": Kind.LLM}
STEP = PLAIN | CALLER | {"kind": Kind.AGENT}
AGENT = STEP | CLAUDE | {"name": "invoke_agent claude-sonnet-4-6", "agent_name": "forecaster"}
OTEL_ANSWER = ANSWER | {"finish_reason": "stop"}
OTEL: list[dict[str, Any]] = [
    ids(3, 2)
    | CHAT
    | {
        "finish_reason": "tool-calls",
        "response_id": "msg_1",
        "usage": FIRST_USAGE,
        "input": [SYSTEM, QUESTION],
        "output": [LET_ME_LOOK | {"finish_reason": "tool_call"}],
        "output_bytes": 186,
        "tool_definitions": [TOOL | {"inputSchema": SCHEMA}],
        "request_params": OTEL_PARAMS,
    },
    ids(4, 2)
    | PLAIN
    | {
        "name": "execute_tool get_weather",
        "kind": Kind.TOOL,
        "tool_name": "get_weather",
        "tool_call_id": "toolu_1",
        "input": {"city": "Oslo"},
        "output": WEATHER,
        "output_bytes": 26,
    },
    ids(2, 1) | STEP | {"name": "step 1"},
    ids(6, 5)
    | CHAT
    | {
        "finish_reason": "stop",
        "response_id": "msg_1",
        "usage": {"input_uncached": 25, "cache_read": 80, "cache_write_5m": 0, "output": 12},
        "input": [SYSTEM, QUESTION, LET_ME_LOOK, {"role": "tool", "parts": [RESULT]}],
        "output": [THOUGHT_ANSWER | {"finish_reason": "stop"}],
        "output_bytes": 156,
        "tool_definitions": [TOOL | {"inputSchema": SCHEMA}],
        "request_params": OTEL_PARAMS,
    },
    ids(1)
    | AGENT
    | {
        "finish_reason": "stop",
        "usage": {"input_uncached": 65, "cache_read": 100, "cache_write_5m": 60, "output": 42},
        "input": [SYSTEM, QUESTION],
        "output": [
            {
                "role": "assistant",
                "parts": [*THOUGHT_ANSWER["parts"], CALL, RESULT],
                "finish_reason": "stop",
            }
        ],
        "output_bytes": 324,
        "request_params": OTEL_PARAMS,
    },
    ids(5, 1) | STEP | {"name": "step 2"},
    ids(8, 7) | STEP | {"name": "step 1"},
    ids(9, 8)
    | CHAT
    | {
        "finish_reason": "stop",
        "response_id": "msg_1",
        "time_to_first_token_ns": 11_500_000,
        "usage": {"input_uncached": 9, "cache_read": 0, "cache_write_5m": 0, "output": 6},
        "input": [QUESTION],
        "output": [OTEL_ANSWER],
        "output_bytes": 103,
        "request_params": {"max_tokens": 64},
    },
    ids(7)
    | AGENT
    | {
        "finish_reason": "stop",
        "usage": {"input_uncached": 9, "cache_read": 0, "cache_write_5m": 0, "output": 6},
        "input": [QUESTION],
        "output": [OTEL_ANSWER],
        "output_bytes": 103,
        "request_params": {"max_tokens": 64},
    },
    ids(11, 10)
    | PLAIN
    | CALLER
    | EMBEDDER
    | {
        "name": "embeddings text-embedding-3-small",
        "kind": Kind.EMBEDDING,
        "usage": {"input_uncached": 4},
        "input": "rain",
        "output": [[0.25, 0.5]],
        "output_bytes": 12,
    },
    ids(10)
    | PLAIN
    | CALLER
    | EMBEDDER
    | {
        "name": "embeddings text-embedding-3-small",
        "kind": Kind.SPAN,
        "input": "rain",
        "output": [0.25, 0.5],
        "output_bytes": 10,
    },
    ids(14, 13) | CHAT | OVERLOADED | {"name": "chat overloaded", "input": [QUESTION]},
    ids(13, 12)
    | STEP
    | {
        "name": "step 1",
        "status": Status.ERROR,
        "status_message": "Overloaded",
        "error_type": "AI_APICallError",
    },
    ids(12) | AGENT | OVERLOADED | {"name": "invoke_agent overloaded", "input": [QUESTION]},
]


@pytest.mark.parametrize("expected", AI4)
def test_version_4(expected: dict[str, Any]) -> None:
    assert_recorded("vercel_ai4", expected)


@pytest.mark.parametrize("expected", LEGACY)
def test_the_same_names_from_version_7(expected: dict[str, Any]) -> None:
    assert_recorded("vercel_legacy", expected)


@pytest.mark.parametrize("expected", OTEL)
def test_the_otel_names_of_version_7(expected: dict[str, Any]) -> None:
    assert_recorded("vercel_otel", expected)


@pytest.mark.parametrize(
    ("payload", "expected"), [("vercel_ai4", AI4), ("vercel_legacy", LEGACY), ("vercel_otel", OTEL)]
)
def test_every_recorded_span_is_looked_at_above(payload: str, expected: list[dict[str, Any]]) -> None:
    assert {span.span_id for span in recorded(payload)} == {one["span_id"] for one in expected}


def test_the_name_of_the_span_itself_is_kept() -> None:
    span = recorded_by_id("vercel_ai4")["02"]

    assert (span.attributes or {})[SPAN_NAME] == "ai.generateText.doGenerate"


def test_content_that_lives_in_a_field_is_not_stored_a_second_time() -> None:
    for span in (*recorded("vercel_ai4"), *recorded("vercel_legacy"), *recorded("vercel_otel")):
        assert not [name for name, value in (span.attributes or {}).items() if "Oslo" in str(value)]


def llm(attributes: Attributes) -> Usage:
    return read({"ai.operationId": "ai.generateText.doGenerate"} | attributes).usage


def test_before_the_details_anthropic_s_count_excluded_the_cache_and_openai_s_included_it() -> None:
    counts: Attributes = {"ai.usage.inputTokens": 1000, "ai.usage.cachedInputTokens": 80}

    assert llm(counts | {"ai.model.provider": "anthropic.messages"}) == Usage(
        input_uncached=1000, cache_read=80
    )
    assert llm(counts | {"ai.model.provider": "amazon-bedrock"}) == Usage(input_uncached=1000, cache_read=80)
    assert llm(counts | {"ai.model.provider": "openai.chat"}) == Usage(input_uncached=920, cache_read=80)


def test_with_the_details_every_count_includes_the_cache() -> None:
    usage = llm(
        {
            "ai.model.provider": "anthropic.messages",
            "ai.usage.inputTokens": 1000,
            "ai.usage.inputTokenDetails.noCacheTokens": 920,
            "ai.usage.inputTokenDetails.cacheReadTokens": 80,
        }
    )

    assert usage == Usage(input_uncached=920, cache_read=80)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            '{"openai": {"cachedPromptTokens": 80, "reasoningTokens": 5}}',
            Usage(input_uncached=20, cache_read=80, output=9, reasoning=5),
        ),
        (
            {"bedrock": {"usage": {"cacheReadInputTokens": 30, "cacheWriteInputTokens": 20}}},
            Usage(input_uncached=50, cache_read=30, cache_write_5m=20, output=9),
        ),
        ('{"google": {"safetyTokens": []}}', Usage(input_uncached=100, output=9)),
        ("{broken tokens", Usage(input_uncached=100, output=9)),
    ],
)
def test_what_only_the_provider_s_metadata_tells(metadata: str | Attributes, expected: Usage) -> None:
    counts: Attributes = {"ai.usage.promptTokens": 100, "ai.usage.completionTokens": 9}

    assert llm(counts | {"ai.response.providerMetadata": metadata}) == expected


def test_a_structured_answer_is_an_object() -> None:
    span = read({"ai.operationId": "ai.generateObject.doGenerate", "ai.response.object": '{"celsius": 3}'})

    assert (span.kind, span.output) == (Kind.LLM, {"celsius": 3})


def test_the_names_of_version_3() -> None:
    span = read(
        {
            "operation.name": "ai.generateText.doGenerate f",
            "ai.result.text": "Rain.",
            "ai.result.toolCalls": '[{"toolCallId": "1", "toolName": "f", "args": "{}"}]',
            "ai.stream.msToFirstChunk": 2,
        }
    )

    call = {"type": "tool_call", "id": "1", "name": "f", "arguments": {}}
    assert (span.kind, span.time_to_first_token_ns) == (Kind.LLM, 2_000_000)
    assert span.output == [{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}, call]}]


def test_the_first_chunk_may_be_told_by_an_event_alone() -> None:
    span = read({"ai.operationId": "ai.streamText.doStream"}, events=(event("ai.stream.firstChunk", {}),))

    assert span.time_to_first_token_ns == 2


def test_a_tool_that_answers_in_words() -> None:
    span = read(
        {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "f", "ai.toolCall.result": '"3 degrees"'}
    )

    assert (span.kind, span.output) == (Kind.TOOL, "3 degrees")


def test_a_reranking() -> None:
    documents: Attributes = {"ai.documents": ['"Wet."', '{"page": 1}']}
    ranking: Attributes = {"ai.ranking": ['{"index": 1, "relevanceScore": 0.5}']}
    inner = read({"ai.operationId": "ai.rerank.doRerank"} | documents | ranking)

    assert (inner.kind, inner.input) == (Kind.RERANKER, ["Wet.", {"page": 1}])
    assert inner.output == [{"index": 1, "relevanceScore": 0.5}]
    assert read({"ai.operationId": "ai.rerank"} | documents).kind is Kind.SPAN


def test_a_prompt_of_langfuse_in_the_metadata() -> None:
    span = read({"ai.telemetry.metadata.langfusePrompt": '{"name": "forecaster", "version": 3}'})

    assert (span.prompt_name, span.prompt_version) == ("forecaster", "3")


def test_a_prompt_that_is_text() -> None:
    asked = read({"ai.operationId": "ai.generateText", "ai.prompt": '{"prompt": "Rain?"}'})

    assert asked.input == [text_message("user", "Rain?")]
    assert read({"ai.operationId": "ai.generateText", "ai.prompt": "Rain?"}).input == "Rain?"


@pytest.mark.parametrize(
    ("provider", "canonical"),
    [
        ("openai.responses", "openai"),
        ("azure-openai.chat", "azure.ai.openai"),
        ("google.generative-ai", "gcp.gemini"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("vertex.anthropic.messages", "gcp.vertex_ai"),
        ("amazon-bedrock", "aws.bedrock"),
    ],
)
def test_who_bills_is_what_the_provider_s_name_starts_with(provider: str, canonical: str) -> None:
    assert read({"ai.model.provider": provider}).provider == canonical


def test_names_that_merely_start_alike_are_not_this_sdk_s() -> None:
    assert read({"ai.company": "acme", "operation.name": "aisle"}).vocabulary is None
    assert read({"operation.name": "ai.generateText"}).kind is Kind.AGENT


def test_a_reranking_of_version_7_counts_on_the_inner_span() -> None:
    outer: Attributes = {"gen_ai.operation.name": "rerank", "gen_ai.request.model": "m"}

    def kind(attributes: Attributes, **told: Any) -> Kind | None:
        return read(attributes, scope="gen_ai", **told).kind

    assert kind(outer) is Kind.SPAN
    assert kind(outer | {"gen_ai.usage.input_tokens": 4}) is Kind.RERANKER
    assert kind(outer | {"ai.ranking": ['{"index": 1}']}) is Kind.RERANKER
    assert kind(outer, status_code=2) is Kind.RERANKER
    assert read(outer).kind is Kind.RERANKER


def test_version_7_tells_the_cache_in_the_otel_names_of_today() -> None:
    span = read(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.cache_write.input_tokens": 60,
            "gen_ai.usage.reasoning.output_tokens": 5,
        },
        scope="gen_ai",
    )

    assert span.usage == Usage(input_uncached=40, cache_write_5m=60, output=9, reasoning=5)
