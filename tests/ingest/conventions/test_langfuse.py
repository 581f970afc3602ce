"""The Langfuse vocabulary, as the SDK's own exporter sends it."""

from decimal import Decimal

import pytest

from ingest.normalize import SPAN_NAME, normalize
from tests.ingest.golden import BEGAN_NS, read, record, recorded, text_message, told
from traces.span import Attributes, Kind, Span, Status, Usage

TYPE = "langfuse.observation.type"
USAGE = "langfuse.observation.usage_details"
CALLER = {
    "user_id": "u-17",
    "session_id": "s-4",
    "organization_id": "acme",
    "feature": "forecast",
    "input_type": "voice",
    "tags": ("beta", "weather"),
    "parent_id": "5ba1000000000001",
    "status": Status.UNSET,
    "vocabulary": "langfuse",
}


def generation(attributes: Attributes) -> Span:
    return read({TYPE: "generation", "langfuse.observation.model.name": "gpt-5-mini"} | attributes)


def test_a_generation() -> None:
    span = recorded("langfuse")[1]

    call = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
    assert told(span) == CALLER | {
        "span_id": "5ba1000000000002",
        "name": "ask",
        "kind": Kind.LLM,
        "model": "claude-sonnet-4-6",
        "prompt_name": "forecaster",
        "prompt_version": "3",
        "time_to_first_token_ns": 2_500_000,
        "usage": {
            "input_uncached": 40,
            "cache_read": 20,
            "cache_write_5m": 10,
            "cache_write_1h": 50,
            "output": 30,
            "reasoning": 8,
        },
        "reported_cost": Decimal("0.00057"),
        "input": [text_message("system", "Be brief."), text_message("user", "What is the weather in Oslo?")],
        "output": [{"role": "assistant", "parts": [call]}],
        "output_bytes": 116,
        "request_params": {"temperature": 0.2, "max_tokens": 512},
    }
    assert (span.environment, span.release) == ("staging", "4.2.0")
    assert not [name for name, value in (span.attributes or {}).items() if "Oslo" in str(value)]


def test_an_embedding() -> None:
    assert told(recorded("langfuse")[2]) == CALLER | {
        "span_id": "5ba1000000000003",
        "name": "embed",
        "kind": Kind.EMBEDDING,
        "model": "text-embedding-3-small",
        "usage": {"input_uncached": 2},
        "reported_cost": Decimal("0.00000004"),
        "input": ["rain", "sun"],
    }


def test_a_tool_is_called_by_the_name_of_its_span() -> None:
    assert told(recorded("langfuse")[3]) == CALLER | {
        "span_id": "5ba1000000000004",
        "name": "get_weather",
        "kind": Kind.TOOL,
        "tool_name": "get_weather",
        "input": {"city": "Oslo"},
        "output": {"celsius": 3, "sky": "rain"},
        "output_bytes": 26,
    }


def test_a_retriever() -> None:
    assert told(recorded("langfuse")[4]) == CALLER | {
        "span_id": "5ba1000000000005",
        "name": "search",
        "kind": Kind.RETRIEVER,
        "input": "rain in Oslo",
        "output": [{"id": "d0", "content": "Wet."}],
        "output_bytes": 30,
    }


@pytest.mark.parametrize(
    ("place", "name", "kind"),
    [
        (5, "a chain", Kind.WORKFLOW),
        (6, "a guardrail", Kind.GUARDRAIL),
        (7, "a evaluator", Kind.EVALUATOR),
        (8, "a span", Kind.SPAN),
    ],
)
def test_steps_without_content(place: int, name: str, kind: Kind) -> None:
    assert told(recorded("langfuse")[place]) == CALLER | {
        "span_id": f"5ba10000000000{place + 1:02x}",
        "name": name,
        "kind": kind,
    }


def test_an_event() -> None:
    span = recorded("langfuse")[9]

    assert told(span) == CALLER | {
        "span_id": "5ba100000000000a",
        "name": "cached",
        "kind": Kind.EVENT,
        "input": "hit",
    }


def test_a_tool_that_failed() -> None:
    assert told(recorded("langfuse")[10]) == CALLER | {
        "span_id": "5ba100000000000b",
        "name": "look up",
        "kind": Kind.TOOL,
        "tool_name": "look up",
        "status": Status.ERROR,
        "status_message": "No such city",
    }


def test_the_root_is_shown_under_the_name_of_its_trace() -> None:
    span = recorded("langfuse")[0]

    assert told(span) == CALLER | {
        "span_id": "5ba1000000000001",
        "parent_id": "",
        "name": "Weather question",
        "kind": Kind.AGENT,
        "agent_name": "forecast",
        "input": "What is the weather in Oslo?",
        "output": "3 degrees and rain.",
        "output_bytes": 19,
    }
    assert (span.attributes or {})[SPAN_NAME] == "forecast"


def test_every_recorded_span_is_looked_at_above() -> None:
    assert len(recorded("langfuse")) == 11


def test_the_keys_of_usage_are_disjoint_and_a_total_changes_nothing() -> None:
    details = '{"input": 10, "input_cached_tokens": 90, "input_audio_tokens": 5, "output": 7, "total": 999}'

    assert generation({USAGE: details}).usage == Usage(input_uncached=15, cache_read=90, output=7)


def test_output_leaves_the_reasoning_out() -> None:
    usage = generation({USAGE: {"input": 1, "output": 5, "output_reasoning_tokens": 3}}).usage

    assert usage == Usage(input_uncached=1, output=8, reasoning=3)


def test_cache_writes_of_an_untold_lifetime_live_five_minutes() -> None:
    assert generation({USAGE: {"input": 1, "input_cache_creation": 9}}).usage == Usage(
        input_uncached=1, cache_write_5m=9
    )


def test_a_cache_write_is_not_counted_both_whole_and_in_parts() -> None:
    parts = {"input_cache_creation_5m": 4, "input_cache_creation_1h": 6}

    assert generation({USAGE: {**parts, "cache_creation_input_tokens": 10}}).usage == Usage(
        cache_write_5m=4, cache_write_1h=6
    )
    assert generation({USAGE: {**parts, "cache_creation_input_tokens": 3}}).usage == Usage(
        cache_write_5m=7, cache_write_1h=6
    )


def test_usage_handed_on_from_openai_includes_its_parts() -> None:
    chat: Attributes = {
        "prompt_tokens": 50,
        "completion_tokens": 20,
        "total_tokens": 70,
        "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }
    responses: Attributes = {
        "input_tokens": 50,
        "output_tokens": 20,
        "total_tokens": 70,
        "input_tokens_details": {"cached_tokens": 30},
        "output_tokens_details": {"reasoning_tokens": 8},
    }
    expected = Usage(input_uncached=20, cache_read=30, output=20, reasoning=8)

    assert [generation({USAGE: sent}).usage for sent in (chat, responses)] == [expected, expected]


def test_the_input_follows_from_a_total() -> None:
    assert generation({USAGE: {"total": 20, "output": 5}}).usage == Usage(input_uncached=15, output=5)
    assert generation({USAGE: {"total": 20}}).usage == Usage()


def test_a_cost_is_its_total_else_the_sum_of_its_parts() -> None:
    name = "langfuse.observation.cost_details"

    assert generation({name: {"total": 3, "input": 1}}).reported_cost == 3
    assert generation({name: {"input": 1, "output": "0.5"}}).reported_cost == Decimal("1.5")
    assert generation({name: {"input": "much"}}).reported_cost is None


def test_an_early_sdk_s_span_with_a_model_and_usage_is_a_generation() -> None:
    called: Attributes = {TYPE: "span", "langfuse.observation.model.name": "m"}

    assert read(called | {USAGE: {"input": 1}}).kind is Kind.LLM
    assert read(called).kind is Kind.SPAN


def test_content_of_the_trace_belongs_to_its_root() -> None:
    said: Attributes = {"langfuse.trace.input": '{"q": 1}', "langfuse.trace.output": "a"}
    child = read(said, parent_id="c" * 16)
    forced = read(said | {"langfuse.internal.as_root": True}, parent_id="c" * 16)

    assert (read(said).input, read(said).output) == ({"q": 1}, "a")
    assert (child.input, child.output) == (None, None)
    assert (forced.input, forced.output) == ({"q": 1}, "a")
    assert read(said | {"langfuse.observation.input": "own"}).input == "own"


def test_tools_inside_a_request_are_its_tool_definitions() -> None:
    sent: Attributes = {"messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "f"}]}
    span = generation({"langfuse.observation.input": sent})
    odd = generation({"langfuse.observation.input": {**sent, "tool_choice": "auto"}})

    assert (span.input, span.tool_definitions) == ([text_message("user", "hi")], [{"name": "f"}])
    assert (odd.input, odd.tool_definitions) == ({**sent, "tool_choice": "auto"}, None)


def test_a_caller_named_only_in_metadata() -> None:
    span = read(
        {
            TYPE: "span",
            "langfuse.trace.metadata.langfuse_user_id": "u",
            "langfuse.observation.metadata.langfuse_session_id": '"s"',
            "langfuse.metadata.langfuse_tags": '["a", "b"]',
            "langfuse.trace.metadata": '{"tenant_id": 42, "feature": "search"}',
        }
    )

    assert (span.user_id, span.session_id, span.tags) == ("u", "s", ("a", "b"))
    assert (span.organization_id, span.feature) == ("42", "search")


def test_langfuse_s_own_names_of_the_caller_come_first() -> None:
    span = read({TYPE: "span", "langfuse.user.id": "a", "user.id": "b", "langfuse.session.id": "c"})

    assert (span.user_id, span.session_id) == ("a", "c")


def test_metadata_of_the_trace_comes_before_the_observation_s() -> None:
    span = read(
        {
            "langfuse.observation.metadata.feature": "step",
            "langfuse.trace.metadata.feature": "whole",
        }
    )

    assert span.feature == "whole"


@pytest.mark.parametrize(
    "sent",
    ['"2025-11-24T10:00:00.000500Z"', '"\\"2025-11-24T10:00:00.0005Z\\""', "2025-11-24T11:00:00.0005+01:00"],
)
def test_the_first_token_is_a_time_in_any_of_its_spellings(sent: str) -> None:
    assert BEGAN_NS == 1_763_978_400_000_000_000  # 2025-11-24T10:00:00Z
    span = generation({"langfuse.observation.completion_start_time": sent})

    assert span.time_to_first_token_ns == 500_000


@pytest.mark.parametrize("sent", ["soon", "2025-11-24T09:59:59Z", "", 17, '"', "9" * 50])
def test_a_first_token_at_no_time_is_absent(sent: str | int) -> None:
    assert generation({"langfuse.observation.completion_start_time": sent}).time_to_first_token_ns is None


def test_a_level_may_say_that_it_failed_without_words() -> None:
    level = "langfuse.observation.level"

    assert read({level: "error"}).status is Status.ERROR
    assert read({level: "WARNING", "langfuse.observation.status_message": "slow"}).status is Status.UNSET


def test_the_span_s_environment_and_release_beat_the_resource_s() -> None:
    resource: Attributes = {"langfuse.environment": "r", "langfuse.release": "1", "service.version": "0"}
    sent = record({TYPE: "span", "langfuse.environment": "s", "langfuse.version": "v"}, resource=resource)
    span = normalize(sent, project_id=7)
    plain = read({"http.route": "/"}, resource={"langfuse.environment": "r", "langfuse.release": "1"})

    assert (span.environment, span.release) == ("s", "1")
    assert (plain.environment, plain.release) == ("r", "1")


def test_a_span_of_another_vendor_in_a_langfuse_trace_keeps_its_own_kind() -> None:
    span = read({"langfuse.environment": "prod", "openinference.span.kind": "LLM", "llm.model_name": "m"})

    assert (span.kind, span.model, span.environment) == (Kind.LLM, "m", "prod")


def test_what_the_program_says_went_wrong_beats_the_status() -> None:
    said: Attributes = {
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "over the limit",
    }

    assert read(said, status_code=2, status_message="429").status_message == "over the limit"
