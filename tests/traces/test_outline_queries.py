"""Reads of the trace page: the outline without bodies, a step with what stands beside it, text."""

import secrets
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from tracehouse.tenancy.scope import Scope
from traces import outline_queries, queries, tool_calls
from traces.outline_queries import OutlineSpan, find_text, get_outline, get_span
from traces.span import Event, Kind, Span, Status, Usage

pytestmark = pytest.mark.clickhouse

NOON_NS = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 10**9
SCOPE, ELSEWHERE = Scope(1), Scope(2)
TRACE = f"{7:032x}"
ROOT = f"{1:016x}"
Store = Callable[[list[Span]], None]


def span(number: int, *, at_ms: int = 0, **told: Any) -> Span:
    start = NOON_NS + at_ms * 10**6
    defaults: dict[str, Any] = {
        "project_id": 1,
        "trace_id": TRACE,
        "span_id": f"{number:016x}",
        "parent_id": ROOT if number > 1 else "",
        "start_ns": start,
        "end_ns": start + 10**8,
        "name": f"step {number}",
        "kind": Kind.SPAN,
        "status": Status.OK,
    }
    return Span(**{**defaults, **told})


def call(number: int, call_id: str, **told: Any) -> Span:
    asked = {"type": "tool_call", "id": call_id, "name": "search", "arguments": {"n": number}}
    return span(number, kind=Kind.LLM, output=[{"role": "assistant", "parts": [asked]}], **told)


def test_the_outline_says_of_each_span_what_the_whole_trace_says(store_spans: Store) -> None:
    thrown = Event(name="exception", time_ns=NOON_NS, attributes={"exception.message": "no quota\nat line 1"})
    silent = span(3, at_ms=2, status=Status.ERROR, error_type="Quota", events=(thrown,))
    typed = span(4, at_ms=3, status=Status.ERROR, error_type="Timeout")
    used = Usage(input_uncached=40, cache_read=2, output=8)
    store_spans([call(2, "a", at_ms=1, usage=used, model="m"), typed, silent])
    store_spans([span(1, name="root", status=Status.ERROR, status_message="stopped")])
    outline, whole = get_outline(SCOPE, TRACE), queries.get_trace(SCOPE, TRACE)
    assert outline
    assert whole
    assert (outline.trace, outline.truncated) == (whole.trace, False)
    shared = [field.name for field in fields(OutlineSpan) if field.name not in {"failure", "tokens"}]
    assert [[getattr(one, name) for name in shared] for one in outline.spans] == [
        [getattr(one, name) for name in shared] for one in whole.spans
    ]
    assert [one.tokens for one in outline.spans] == [None, 50, None, None]
    assert [one.failure for one in outline.spans] == ["stopped", "", "no quota", "Timeout"]


def test_an_outline_ends_at_its_limit_and_says_so(
    store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_spans([span(number, at_ms=number) for number in range(1, 6)])
    monkeypatch.setattr(outline_queries, "MAX_SPANS", 4)
    outline = get_outline(SCOPE, TRACE)
    assert outline
    assert [one.name for one in outline.spans] == ["step 1", "step 2", "step 3", "step 4"]
    assert outline.truncated
    assert outline.trace.span_count == 5


def test_a_step_comes_with_the_calls_nearest_to_it(store_spans: Store) -> None:
    pairs = [
        (
            call(2 * n, f"c{n}", at_ms=20 * n),
            span(
                2 * n + 1,
                at_ms=20 * n + 10,
                kind=Kind.TOOL,
                tool_name="search",
                tool_call_id=f"c{n}",
                output=f"r{n}",
            ),
        )
        for n in range(1, 101)
    ]
    store_spans([span(1), *(one for pair in pairs for one in pair)])
    found = get_span(SCOPE, TRACE, pairs[49][0].span_id)
    assert found
    assert found.span.name == "step 100"
    assert len(found.neighbours) == outline_queries.MAX_NEIGHBOURS + 1
    assert found.span in found.neighbours
    ran = tool_calls.by_model_call(found.neighbours)[found.span.span_id]
    assert [done.result for done in ran.executed] == ["r50"]


def test_bodies_beside_a_step_end_at_their_limit_and_never_before_the_step(
    store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = queries._THESE_SPANS.sql.replace(f"< {queries.MAX_BODIES}", "< 1000")
    monkeypatch.setattr(queries, "_THESE_SPANS", queries.Query("traces.these_spans", sql))
    large = "x" * 600
    store_spans([span(n, at_ms=n, kind=Kind.TOOL, output=large) for n in range(1, 6)])
    found = get_span(SCOPE, TRACE, f"{4:016x}")
    assert found
    assert (found.span.name, len(found.neighbours)) == ("step 4", 2)


def test_text_is_found_where_it_stands(store_spans: Store) -> None:
    store_spans(
        [
            span(1, name="Harvest run"),
            span(2, at_ms=1, kind=Kind.TOOL, tool_name="harvester", input="nothing"),
            span(
                3,
                at_ms=2,
                kind=Kind.LLM,
                input=[{"role": "user", "parts": [{"content": 'say "harvest"\nnow'}]}],
            ),
            span(4, at_ms=3, output="the HARVEST is in"),
            span(5, at_ms=4, status=Status.ERROR, status_message="no harvest"),
            span(6, at_ms=5, output="unrelated"),
        ]
    )
    found = find_text(SCOPE, TRACE, " harvest ")
    assert list(found.values()) == ["name", "tool", "input", "output", "error"]
    assert find_text(SCOPE, TRACE, 'say "harvest"\nnow') == {f"{3:016x}": "input"}
    assert find_text(SCOPE, TRACE, "") == {}


def test_text_is_found_in_everything_else_that_a_step_shows(store_spans: Store) -> None:
    store_spans(
        [
            span(
                1,
                attributes={
                    "order.id": "A-77",
                    "http.status": 503,
                    "deep": {"list": ["x", 'a "quoted" one']},
                },
            ),
            span(2, at_ms=1, kind=Kind.TOOL, tool_call_id="call_A-77"),
            span(3, at_ms=2, kind=Kind.LLM, request_params={"stop": ["A-77"], "temperature": 0.25}),
            span(4, at_ms=3, kind=Kind.LLM, tool_definitions=[{"name": "A-77"}], prompt_name="greeting"),
        ]
    )
    ids = [f"{number:016x}" for number in range(1, 5)]
    places = ["attributes", "details", "parameters", "tools offered"]
    assert find_text(SCOPE, TRACE, "a-77") == dict(zip(ids, places, strict=True))
    for text, number, place in (
        ("503", 1, "attributes"),
        ("Order.Id", 1, "attributes"),
        ('a "quoted" one', 1, "attributes"),
        ("0.25", 3, "parameters"),
        ("greeting", 4, "details"),
        (ids[1], 2, "details"),
    ):
        assert find_text(SCOPE, TRACE, text) == {ids[number - 1]: place}
    assert find_text(SCOPE, TRACE, "order.i") == {}


def test_another_project_and_what_is_no_id_find_nothing(store_spans: Store) -> None:
    store_spans([span(1, name="ours")])
    for scope, trace_id in ((ELSEWHERE, TRACE), (SCOPE, secrets.token_hex(16)), (SCOPE, "nonsense")):
        assert get_outline(scope, trace_id) is None
        assert get_span(scope, trace_id, ROOT) is None
        assert find_text(scope, trace_id, "ours") == {}
    assert get_span(SCOPE, TRACE, "f" * 16) is None
    assert get_span(SCOPE, TRACE, "not hex at all!!") is None
