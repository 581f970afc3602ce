"""The plain JSON shape: what a span becomes, and an error for each field that says where and what."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.book import PriceBook
from ingest.otlp.decode import Malformed
from ingest.plain import Outcome, Terms, read
from ingest.plain_shape import GivenSpan
from tests.ingest.golden import BEGAN_NS, text_message
from traces.span import Kind, Span, Status, Usage

DAY_NS = 86_400 * 10**9
TERMS = Terms(project_id=7, now_ns=BEGAN_NS, earliest_ns=BEGAN_NS - 400 * DAY_NS, latest_ns=BEGAN_NS + DAY_NS)
TRACE, SPAN = "AB" * 16, "cd" * 8
STARTED = "2025-11-24T09:59:50.000000001Z"
STARTED_NS = BEGAN_NS - 10 * 10**9 + 1


def sent(*spans: Any) -> list[Outcome]:
    return read(json.dumps({"spans": spans}).encode(), TERMS)


def became(**fields: Any) -> Span:
    [outcome] = sent({"name": "step", **fields})
    assert outcome.errors == []
    assert outcome.span is not None
    return outcome.span


def errors(**fields: Any) -> dict[str, str]:
    [outcome] = sent({"name": "step", **fields})
    assert outcome.span is None
    return {error.field: error.message for error in outcome.errors}


def test_a_name_is_enough_and_ids_are_made() -> None:
    first, second = sent({"name": "a"}, {"name": "b"})
    assert first.span is not None
    assert (len(first.span.trace_id), len(first.span.span_id)) == (32, 16)
    assert first.trace_id != second.trace_id
    assert (first.span.parent_id, first.span.kind, first.span.status) == ("", Kind.SPAN, Status.UNSET)
    assert (first.span.start_ns, first.span.end_ns) == (BEGAN_NS, BEGAN_NS)


WHOLE: dict[str, Any] = {
    "name": "chat",
    "trace_id": TRACE,
    "span_id": SPAN,
    "parent_id": "EF" * 8,
    "kind": "llm",
    "start_time": STARTED,
    "end_time": "2025-11-24T11:00:00+01:00",
    "status": "error",
    "status_message": "cut",
    "error_type": "Overflow",
    "user_id": "u",
    "session_id": "s",
    "organization_id": "o",
    "feature": "f",
    "input_type": "text",
    "environment": "prod",
    "release": "1",
    "tags": ["a", "b"],
    "agent_name": "an",
    "workflow_name": "wn",
    "model": "claude-sonnet-4-5",
    "request_model": "rm",
    "provider": "anthropic",
    "tool_name": "tn",
    "tool_call_id": "tc",
    "prompt_name": "pn",
    "prompt_version": "3",
    "finish_reason": "stop",
    "response_id": "msg_1",
    "time_to_first_token_ms": 1.5,
    "usage": {"input_tokens": 100, "cache_read_tokens": 30, "cache_write_tokens": 20,
              "cache_write_1h_tokens": 5, "output_tokens": 10, "reasoning_tokens": 4},
    "cost_usd": "0.000000000123",
    "input": [{"role": "user", "content": "Hi"}],
    "output": "Hello",
    "tool_definitions": [{"name": "t"}],
    "request_params": {"temperature": 0.2},
    "attributes": {"k": {"deep": [1]}},
    "events": [{"name": "e", "time": STARTED, "attributes": {"a": 1}}, {"name": "bare"}],
}  # fmt: skip


def test_every_field_arrives() -> None:
    assert WHOLE.keys() == {field.name for field in msgspec.structs.fields(GivenSpan)} - {"duration_ms"}
    span = became(**WHOLE)
    same = WHOLE.keys() - {"trace_id", "parent_id", "start_time", "end_time", "time_to_first_token_ms", "usage",
                           "cost_usd", "input", "events", "tags"}  # fmt: skip
    assert {name: getattr(span, name) for name in same} == {name: WHOLE[name] for name in same}
    assert (span.trace_id, span.parent_id, span.tags) == (TRACE.lower(), "ef" * 8, ("a", "b"))
    assert (span.start_ns, span.end_ns, span.time_to_first_token_ns) == (STARTED_NS, BEGAN_NS, 1_500_000)
    assert span.usage == Usage(
        input_uncached=50, cache_read=30, cache_write_5m=15, cache_write_1h=5, output=10, reasoning=4
    )
    assert span.reported_cost == Decimal("0.000000000123")
    assert (span.input, span.output_bytes) == ([text_message("user", "Hi")], 5)
    assert span.events is not None
    assert [(event.name, event.time_ns) for event in span.events] == [("e", STARTED_NS), ("bare", STARTED_NS)]
    assert (span.project_id, span.vocabulary) == (7, "plain")


def test_null_is_absent() -> None:
    [outcome] = sent({"name": "step"} | dict.fromkeys(WHOLE.keys() - {"name"}))
    assert outcome.errors == []


@pytest.mark.parametrize(
    "moment",
    [1763978390, 1763978390.0, 1763978390000, 1763978390000000, 1763978390 * 10**9,
     "2025-11-24T09:59:50Z", "2025-11-24t09:59:50.0z", "2025-11-24 11:59:50+02:00"],
)  # fmt: skip
def test_a_time_is_read_in_each_of_its_spellings(moment: object) -> None:
    assert became(start_time=moment).start_ns == BEGAN_NS - 10 * 10**9


def test_a_duration_stands_for_the_end() -> None:
    span = became(start_time=STARTED, duration_ms=1.5)
    assert (span.start_ns, span.end_ns) == (STARTED_NS, STARTED_NS + 1_500_000)
    assert became(duration_ms=2000).start_ns == BEGAN_NS - 2 * 10**9
    assert became(start_time=STARTED).end_ns is None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"tool_name": "t"}, Kind.TOOL),
        ({"model": "m", "usage": {"output_tokens": 1}}, Kind.LLM),
        ({"model": "m", "input": [{"role": "user", "content": "x"}]}, Kind.LLM),
        ({"model": "m"}, Kind.SPAN),
    ],
)
def test_a_kind_that_is_not_given_is_told_by_the_rest(fields: dict[str, Any], kind: Kind) -> None:
    assert became(**fields).kind is kind


def test_an_error_message_means_an_error() -> None:
    assert became(status_message="boom").status is Status.ERROR
    assert became(status_message="fine", status="ok").status is Status.OK


def test_a_tools_arguments_are_not_taken_for_messages() -> None:
    arguments = {"role": "admin", "content": "x"}
    assert became(kind="tool", input=arguments).input == arguments


def test_a_model_named_here_has_a_price() -> None:
    span = became(model="claude-sonnet-4-5", provider="anthropic", usage={"input_tokens": 1})
    assert PriceBook().rates(span.model, span.provider, BEGAN_NS) is not None


MUST = "spans[0]."
NOT_A_TIME = "must be a time: RFC 3339 text with a zone, or a number since 1970"
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": 3}, "name", "must be text"),
    ({"trace_id": "xyz"}, "trace_id", "must be 32 hex digits (the dashes of a UUID are fine)"),
    ({"trace_id": "0" * 32}, "trace_id", "must not be all zeros"),
    ({"span_id": "abc"}, "span_id", "must be 16 hex digits"),
    ({"span_id": SPAN}, "start_time", "is required with a span_id: a span sent again keeps its start"),
    (
        {"parent_id": SPAN},
        "trace_id",
        "is required with a parent_id: the trace that both belong to",
    ),
    (
        {"trace_id": TRACE, "span_id": SPAN, "parent_id": SPAN, "start_time": STARTED},
        "parent_id",
        "must not be the span itself",
    ),
    ({"kind": "secret"}, "kind", f"must be one of {', '.join(Kind)}"),
    ({"status": "secret"}, "status", "must be one of unset, ok, error"),
    ({"start_time": "secret"}, "start_time", NOT_A_TIME),
    ({"start_time": True}, "start_time", NOT_A_TIME),
    ({"start_time": "2025-11-24T09:59:50"}, "start_time", NOT_A_TIME),
    ({"start_time": -5}, "start_time", NOT_A_TIME),
    ({"start_time": "1999-11-24T09:59:50Z"}, "start_time", "is too long ago"),
    ({"start_time": "2999-11-24T09:59:50Z"}, "start_time", "is more than a day in the future"),
    ({"start_time": STARTED, "end_time": "2025-11-23T00:00:00Z"}, "end_time", "is before start_time"),
    ({"start_time": STARTED, "end_time": STARTED, "duration_ms": 0}, "duration_ms", "must not stand beside end_time"),
    ({"start_time": STARTED, "duration_ms": 1e11}, "duration_ms", "ends the span more than a day in the future"),
    ({"duration_ms": -1}, "duration_ms", "must be a number of 0 or more"),
    ({"tags": "secret"}, "tags", "must be a list of texts"),
    ({"usage": 3}, "usage", "must be an object"),
    ({"usage": {"input_tokens": "secret"}}, "usage.input_tokens", "must be a whole number of 0 or more"),
    ({"usage": {"input_tokens": -1}}, "usage.input_tokens", "must be a whole number of 0 or more"),
    ({"usage": {"prompt_tokens": 1}}, "usage.prompt_tokens", "unknown field; did you mean input_tokens?"),
    ({"usage": {"zz": 1}}, "usage.zz", "unknown field"),
    ({"metadata": {}}, "metadata", "unknown field; did you mean attributes?"),
    ({"usage": {"inputtokens": 1}}, "usage.inputtokens", "unknown field; did you mean input_tokens?"),
    (
        {"usage": {"input_tokens": 10, "cache_read_tokens": 8, "cache_write_tokens": 8}},
        "usage.cache_write_tokens",
        "is a part of input_tokens and cannot be more",
    ),
    (
        {"usage": {"cache_read_tokens": 8}},
        "usage.input_tokens",
        "is required with cache_read_tokens, which is a part of it",
    ),
    (
        {"usage": {"output_tokens": 1, "reasoning_tokens": 2}},
        "usage.reasoning_tokens",
        "is a part of output_tokens and cannot be more",
    ),
    ({"cost_usd": "secret"}, "cost_usd", "must be US dollars of 0 or more, as a number or a decimal text"),
    ({"cost_usd": -1}, "cost_usd", "must be US dollars of 0 or more, as a number or a decimal text"),
    ({"attributes": ["secret"]}, "attributes", "must be an object"),
    ({"events": {}}, "events", "must be a list of objects"),
    ({"events": [{"name": "e"}, {"nam": "e"}]}, "events[1].nam", "unknown field; did you mean name?"),
    ({"events": [{"name": "e", "time": "secret"}]}, "events[0].time", NOT_A_TIME),
    ({"userid": "secret"}, "userid", "unknown field; did you mean user_id?"),
    ({"zzz": "secret"}, "zzz", "unknown field; put it into attributes"),
    ({"jane@example.com": 1}, "?", "unknown field; put it into attributes"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "message"), WRONG)
def test_an_error_names_the_field_and_what_it_must_be(
    fields: dict[str, Any], field: str, message: str
) -> None:
    found = errors(**fields)
    assert found[MUST + field] == message
    assert "secret" not in json.dumps(list(found.values()))


def test_every_wrong_field_is_told_at_once() -> None:
    found = errors(kind="x", usage={"input_tokens": "y", "zz": 1}, events=[{"time": []}], tags=3)
    assert found.keys() == {
        MUST + name
        for name in ("kind", "usage.input_tokens", "usage.zz", "events[0].name", "events[0].time", "tags")
    }


def test_a_span_without_a_name_and_one_that_is_none_are_refused_in_their_places() -> None:
    good, nameless, none = sent({"name": "a"}, {}, "secret")
    assert good.errors == []
    assert [(error.field, error.message) for error in nameless.errors] == [("spans[1].name", "is required")]
    assert [(error.field, error.message) for error in none.errors] == [("spans[2]", "must be an object")]


def test_a_span_that_comes_twice_is_refused_the_second_time() -> None:
    one = {"name": "a", "trace_id": TRACE, "span_id": SPAN, "start_time": STARTED}
    first, second = sent(one, one | {"span_id": SPAN.upper()})
    assert (first.errors, second.span) == ([], None)
    assert second.errors[0].field == "spans[1].span_id"


def test_ids_of_a_refused_span_come_back_as_they_were_meant() -> None:
    [outcome] = sent({"name": "a", "trace_id": TRACE, "cost_usd": -1})
    assert (outcome.trace_id, outcome.span_id) == (TRACE.lower(), None)


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(80):
        deep = [deep]
    assert errors(input=deep) == {"spans[0]": "is nested deeper than 64 levels"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"[1]", 'not {"spans": [...]}'),
        (b'{"spans": {}}', 'not {"spans": [...]}'),
        (b'{"spans": [], "more": 1}', "fields beside spans"),
        (b'{"spans": [' + b"{}," * 10_000 + b"{}]}", "more than 10,000 spans"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_body_of_another_shape_is_malformed(body: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason.replace("[", r"\[").replace("{", r"\{").replace(".", r"\.")):
        read(body, TERMS)


def test_half_an_emoji_does_not_cost_the_batch() -> None:
    [outcome] = read(b'{"spans": [{"name": "cut \\ud83d"}]}', TERMS)
    assert outcome.span is not None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELD_NAMES = st.sampled_from([field.name for field in msgspec.structs.fields(GivenSpan)] + ["x"])


@settings(max_examples=400)
@given(st.lists(st.dictionaries(FIELD_NAMES, JSON | st.sampled_from(list(WHOLE.values())), max_size=8)))
def test_whatever_the_fields_hold_a_span_is_taken_or_told_what_is_wrong(spans: list[dict[str, Any]]) -> None:
    for outcome in sent(*spans):
        assert (outcome.span is None) == bool(outcome.errors)
