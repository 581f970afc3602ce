"""What the reads say of stored spans: exact whatever the order, the duplicates and the parts they came in."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracehouse.tenancy.scope import Scope, Window
from traces import index_queries, queries
from traces.attribute import Attribute
from traces.cursor import BadCursor
from traces.filters import Order, TraceFilters, conditions
from traces.queries import UsageGroup
from traces.span import Cost, CostState, Event, Kind, Span, Status, Usage

pytestmark = pytest.mark.clickhouse

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
SECOND = 10**9
DAY = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
SCOPE = Scope(1, DAY)
# Ids that no example of a property test has used: they share the table.
FRESH = itertools.count(1000)
Store = Callable[[list[Span]], None]


def span(
    number: int, *, trace: int = 1, parent: int = 1, at: float = 0, lasts: float = 1, **fields: Any
) -> Span:
    start = NOON_NS + int(at * SECOND)
    defaults: dict[str, Any] = {
        "project_id": 1,
        "trace_id": f"{trace:032x}",
        "span_id": f"{number:016x}",
        "parent_id": f"{parent:016x}" if parent else "",
        "start_ns": start,
        "end_ns": start + int(lasts * SECOND),
        "name": f"span {number}",
        "kind": Kind.SPAN,
        "status": Status.UNSET,
    }
    return Span(**{**defaults, **fields})


def llm(number: int, *, cost: str | None = "0.25", tokens: int = 100, **fields: Any) -> Span:
    price = Cost(state=CostState.COMPUTED, total=Decimal(cost)) if cost else Cost(state=CostState.UNPRICED)
    return span(
        number, kind=Kind.LLM, model="m", usage=Usage(input_uncached=tokens, output=10), cost=price, **fields
    )


INVOCATION = [
    span(1, parent=0, lasts=10.2, name="agent.invocation", kind=Kind.AGENT, status=Status.ERROR, user_id="ann",
         organization_id="acme", feature="draft", session_id="s1", tags=("vip", "beta"),
         usage=Usage(input_uncached=200, output=20)),
    llm(2, at=0.1, lasts=2.1, input=[{"role": "user", "parts": [{"type": "text", "content": "Plan it"}]}]),
    span(3, at=2.3, lasts=6.8, kind=Kind.TOOL, tool_name="hubspot_query", output="rows"),
    span(4, at=9.2, lasts=0.9, kind=Kind.TOOL, tool_name="ga4_query"),
    llm(5, at=9.8, lasts=0.4, status=Status.ERROR, status_message="context window exceeded",
        events=(Event(name="exception", time_ns=NOON_NS, attributes={"exception.type": "Overflow"}),)),
]  # fmt: skip


def test_a_trace_is_summed_over_its_model_calls_and_speaks_by_its_root(store_spans: Store) -> None:
    store_spans(INVOCATION)
    [trace] = queries.list_traces(SCOPE, TraceFilters()).traces
    assert (trace.name, trace.status, trace.latency_ms) == ("agent.invocation", "error", 10200.0)
    assert (trace.user_id, trace.organization_id, trace.feature, trace.tags) == (
        "ann",
        "acme",
        "draft",
        ["beta", "vip"],
    )
    assert (trace.span_count, trace.llm_calls, trace.tool_calls, trace.error_count) == (5, 2, 2, 2)
    # The agent span repeats its children's usage and is not added to it.
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (200, 20, Decimal("0.5"))
    assert (trace.models, trace.tools) == (["m"], ["ga4_query", "hubspot_query"])


def test_child_first_root_last_in_three_requests_one_of_them_twice_is_the_same_trace(
    store_spans: Store,
) -> None:
    store_spans([INVOCATION[4], INVOCATION[2]])
    store_spans([INVOCATION[3], INVOCATION[1]])
    store_spans([INVOCATION[4], INVOCATION[2]])
    [before] = queries.list_traces(SCOPE, TraceFilters()).traces
    assert (before.has_root, before.span_count, before.status) == (False, 4, "error")
    store_spans([INVOCATION[0]])
    in_parts = queries.get_trace(SCOPE, INVOCATION[0].trace_id)
    assert in_parts
    assert [stored.name for stored in in_parts.spans] == [
        f"span {n}" if n > 1 else "agent.invocation" for n in range(1, 6)
    ]
    assert (in_parts.trace.span_count, in_parts.trace.cost_usd, in_parts.trace.user_id) == (
        5,
        Decimal("0.5"),
        "ann",
    )


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_number_depends_on_order_duplicates_or_batches(store_spans: Store, data: st.DataObject) -> None:
    trace_id = f"{next(FRESH):032x}"
    whole = [msgspec.structs.replace(one, trace_id=trace_id) for one in INVOCATION]
    copies = [one for one in whole for _ in range(data.draw(st.integers(1, 3)))]
    shuffled = data.draw(st.permutations(copies))
    size = data.draw(st.integers(1, 5))
    for first in range(0, len(shuffled), size):
        store_spans(shuffled[first : first + size])
    detail = queries.get_trace(SCOPE, trace_id)
    assert detail
    assert (detail.trace.span_count, detail.trace.cost_usd, detail.trace.input_tokens) == (
        5,
        Decimal("0.5"),
        200,
    )
    assert (detail.trace.user_id, detail.trace.latency_ms) == ("ann", 10200.0)


def test_an_absent_field_never_wipes_a_present_one_and_the_last_write_wins(store_spans: Store) -> None:
    store_spans([llm(2, input="first", user_id="ann")])
    store_spans(
        [Span(project_id=1, trace_id=f"{1:032x}", span_id=f"{2:016x}", start_ns=NOON_NS, output="later")]
    )
    store_spans(
        [Span(project_id=1, trace_id=f"{1:032x}", span_id=f"{2:016x}", start_ns=NOON_NS, input="second")]
    )
    detail = queries.get_trace(SCOPE, f"{1:032x}")
    assert detail
    [stored] = detail.spans
    assert (stored.input, stored.output, stored.user_id, stored.cost_usd) == (
        "second",
        "later",
        "ann",
        Decimal("0.25"),
    )


def test_parts_of_a_span_on_both_sides_of_midnight_are_one_span(store_spans: Store) -> None:
    late = NOON_NS + 12 * 3600 * SECOND - SECOND
    store_spans([llm(2, start_ns=late, end_ns=late + 5 * SECOND)])
    store_spans(
        [
            Span(
                project_id=1,
                trace_id=f"{1:032x}",
                span_id=f"{2:016x}",
                start_ns=late + 2 * SECOND,
                output="x",
            )
        ]
    )
    [trace] = queries.list_traces(SCOPE.during(Window(NOON, NOON + timedelta(days=2))), TraceFilters()).traces
    assert (trace.span_count, trace.cost_usd) == (1, Decimal("0.25"))


def test_another_project_sees_nothing(store_spans: Store) -> None:
    store_spans(INVOCATION)
    other = Scope(2, DAY)
    assert queries.list_traces(other, TraceFilters()).traces == []
    assert queries.get_trace(other, INVOCATION[0].trace_id) is None
    assert queries.usage(other, UsageGroup.USER) == []
    assert not queries.has_spans(other)


def test_the_same_ids_in_two_projects_are_two_spans(store_spans: Store) -> None:
    store_spans([llm(2), llm(2, project_id=2, cost="9")])
    assert [row.cost_usd for row in queries.usage(SCOPE, UsageGroup.MODEL)] == [Decimal("0.25")]
    assert [row.cost_usd for row in queries.usage(Scope(2, DAY), UsageGroup.MODEL)] == [Decimal(9)]


def test_unpriced_is_not_zero(store_spans: Store) -> None:
    store_spans([llm(2, cost=None), llm(3, trace=2, cost=None), llm(4, trace=2, cost="0.1")])
    by_id = {trace.trace_id: trace for trace in queries.list_traces(SCOPE, TraceFilters()).traces}
    assert (by_id[f"{1:032x}"].cost_usd, by_id[f"{1:032x}"].unpriced_calls) == (None, 1)
    assert (by_id[f"{2:032x}"].cost_usd, by_id[f"{2:032x}"].unpriced_calls) == (Decimal("0.1"), 1)


FILTERED = [
    ({"user_id": "ann"}, [1]),
    ({"session_id": "s2"}, [2]),
    ({"organization_id": "acme"}, [1]),
    ({"feature": "draft"}, [1]),
    ({"environment": "prod"}, [2]),
    ({"status": "error"}, [1]),
    ({"status": "ok"}, [3, 2]),
    ({"name": "agent.invocation"}, [1]),
    ({"model": "m"}, [3, 1]),
    ({"tool": "ga4_query"}, [1]),
    ({"min_latency_ms": 1000}, [3, 2, 1]),
    ({"min_latency_ms": 10_200}, [1]),
    ({"min_cost_usd": Decimal("0.5")}, [1]),
    ({"has_error": True}, [1]),
    ({"has_error": False}, [3, 2]),
    ({"without": ("user_id",)}, [3, 2]),
    ({"without": ("feature", "environment")}, [3]),
    ({"without": ("session_id", "organization_id", "prompt_name")}, []),
    ({"without": ("prompt_name",)}, [1]),
    ({"without": ("model",)}, []),
    ({"without": ("tool",)}, []),
    ({"tags": ("beta", "vip")}, [1]),
    ({"tags": ("beta", "new")}, []),
    ({"prompt_name": "plan"}, [3]),
    ({"prompt_name": "plan", "prompt_version": "7"}, [3]),
    ({"prompt_name": "plan", "prompt_version": "8"}, []),
    ({"attribute": (Attribute("region", "eu"),)}, [3, 2]),
    ({"attribute": (Attribute("region", "eu"), Attribute("http.status", "429"))}, [2]),
    ({"attribute": (Attribute("region", "e"),)}, []),
    ({"attribute": (Attribute("service.name", 'a "b"'),)}, [2]),
    ({"attribute": (Attribute("reasons", "stop"),)}, [2]),
    ({"attribute": (Attribute("long", "x" * 300),)}, [2]),
    ({"attribute": (Attribute("fresh", "true"),)}, [2]),
    ({"attribute": (Attribute("reasons"),)}, [2]),
    ({"attribute": (Attribute("reason"),)}, []),
    ({"q": "PLAN"}, [1]),
    ({"q": "pla"}, []),
    ({"q": "pla*"}, [1]),
    ({"q": "ga4_query"}, []),
    ({"q": "window exceeded"}, [1]),
    ({"q": "exceeded window"}, [1]),
    ({"q": '"window exceeded"'}, [1]),
    ({"q": '"exceeded window"'}, []),
    ({"q": "window-exceeded"}, [1]),
    ({"q": "plan rows exceeded"}, [1]),
    ({"q": "plan snow"}, []),
    ({"q": "overflow"}, [1]),
    ({"q": "100%"}, []),
    ({"q": "%"}, []),
    ({"q": "[{"}, [1]),
    ({"user_id": "ann", "status": "ok"}, []),
]


@pytest.mark.parametrize(("given_filters", "expected"), FILTERED)
def test_a_filter_keeps_the_traces_it_names(
    store_spans: Store, given_filters: dict[str, Any], expected: list[int]
) -> None:
    store_spans(
        [
            *INVOCATION,
            span(
                6, trace=2, parent=0, at=60, session_id="s2", environment="prod", resource={"service.name": 'a "b"'},
                attributes={"region": "eu", "http.status": 429, "reasons": ["stop", "end"], "fresh": True,
                            "long": "x" * 300},
            ),
            llm(7, trace=3, parent=0, at=90, cost="0.1", prompt_name="plan", prompt_version="7",
                attributes={"region": "eu"}),
        ]
    )  # fmt: skip
    found = queries.list_traces(SCOPE, TraceFilters(**given_filters)).traces
    assert [int(trace.trace_id, 16) for trace in found] == expected


def test_a_hostile_value_is_a_value(store_spans: Store) -> None:
    store_spans([span(1, parent=0, user_id="x' OR 1=1 --", name="{n:String}")])
    assert len(queries.list_traces(SCOPE, TraceFilters(user_id="x' OR 1=1 --")).traces) == 1
    assert queries.list_traces(SCOPE, TraceFilters(user_id="' OR ''='")).traces == []
    assert len(queries.list_traces(SCOPE, TraceFilters(name="{n:String}")).traces) == 1


@pytest.mark.parametrize("order", list(Order))
def test_pages_by_cursor_show_every_trace_once_in_order(store_spans: Store, order: Order) -> None:
    # Equal costs, latencies and start times in places, so that ties are cut by the page's edge.
    store_spans(
        [
            llm(1, trace=n, parent=0, at=n // 3, lasts=n % 4, cost=f"0.{n % 3}", tokens=n % 5)
            for n in range(1, 24)
        ]
    )
    whole = queries.list_traces(SCOPE, TraceFilters(), order=order, limit=100).traces
    paged, cursor = [], ""
    while True:
        page = queries.list_traces(SCOPE, TraceFilters(), order=order, limit=5, cursor=cursor)
        paged += page.traces
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert len({trace.trace_id for trace in paged}) == 23
    assert paged == whole


@pytest.mark.parametrize("cursor", ["abc", "e30", "WyItdGltZSIsMSwienoiXQ"])
def test_a_cursor_of_someone_elses_making_is_refused(clickhouse: None, cursor: str) -> None:
    with pytest.raises(BadCursor):
        queries.list_traces(SCOPE, TraceFilters(), cursor=cursor)


def test_a_cursor_of_another_order_is_refused(store_spans: Store) -> None:
    store_spans([llm(1, trace=n, parent=0) for n in (1, 2)])
    cursor = queries.list_traces(SCOPE, TraceFilters(), limit=1).next_cursor
    with pytest.raises(BadCursor):
        queries.list_traces(SCOPE, TraceFilters(), order=Order.DEAREST, cursor=cursor or "")


def test_a_trace_belongs_to_the_window_its_first_span_starts_in(store_spans: Store) -> None:
    store_spans([span(1, parent=0, at=-1, lasts=3), span(2, at=1)])
    before = SCOPE.during(Window(NOON - timedelta(hours=1), NOON))
    after = SCOPE.during(Window(NOON, NOON + timedelta(hours=1)))
    [trace] = queries.list_traces(before, TraceFilters()).traces
    assert trace.span_count == 2
    assert queries.list_traces(after, TraceFilters()).traces == []


def test_usage_counts_a_trace_for_the_user_that_any_span_carries(store_spans: Store) -> None:
    store_spans(
        [
            *INVOCATION,
            llm(6, trace=2, parent=0, cost="3", user_id="bob"),
            llm(7, trace=3, parent=0, cost="0.001"),
        ]
    )
    rows = queries.usage(SCOPE, UsageGroup.USER)
    assert [
        (row.key, row.invocations, row.llm_calls, row.tool_calls, row.cost_usd, row.errors) for row in rows
    ] == [
        ("bob", 1, 1, 0, Decimal(3), 0),
        ("ann", 1, 2, 2, Decimal("0.5"), 1),
        ("", 1, 1, 0, Decimal("0.001"), 0),
    ]
    assert [row.key for row in queries.usage(SCOPE, UsageGroup.USER, limit=1)] == ["bob"]


def test_usage_by_tool_counts_failed_calls(store_spans: Store) -> None:
    store_spans([*INVOCATION, span(6, kind=Kind.TOOL, tool_name="ga4_query", status=Status.ERROR, at=1)])
    rows = {row.key: row for row in queries.usage(SCOPE, UsageGroup.TOOL)}
    assert (rows["ga4_query"].tool_calls, rows["ga4_query"].errors, rows["ga4_query"].invocations) == (
        2,
        1,
        1,
    )
    assert (rows["hubspot_query"].tool_calls, rows["hubspot_query"].errors) == (1, 0)


def test_days_are_the_projects_days(store_spans: Store) -> None:
    store_spans([llm(1, parent=0, at=11.5 * 3600)])
    berlin = Scope(1, DAY, time_zone="Europe/Berlin")
    assert [row.key for row in queries.usage(SCOPE, UsageGroup.DAY)] == ["2026-11-20"]
    assert [row.key for row in queries.usage(berlin, UsageGroup.DAY)] == ["2026-11-21"]
    assert [row.key for row in queries.usage(berlin, UsageGroup.HOUR)] == ["2026-11-20T23:00:00Z"]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 4), st.decimals(0, 10, places=9), st.sampled_from("abc")), max_size=30)
)
def test_groups_sum_to_the_same_total_as_a_plain_recount(
    store_spans: Store, calls: list[tuple[int, Decimal, str]]
) -> None:
    project = next(FRESH)
    store_spans(
        [
            llm(number, project_id=project, trace=trace, cost=f"{cost:f}", feature=feature)
            for number, (trace, cost, feature) in enumerate(calls, start=1)
        ]
    )
    recount = sum((cost for _, cost, _ in calls), Decimal(0))
    for group in UsageGroup:
        rows = queries.usage(Scope(project, DAY), group)
        if group is not UsageGroup.TOOL:
            assert sum((row.cost_usd for row in rows), Decimal(0)) == recount


def test_everything_stored_comes_back_as_it_was(store_spans: Store) -> None:
    whole = span(
        2, status_message="m", error_type="E", user_id="u", environment="prod", release="1", agent_name="a",
        model="m", request_model="r", provider="p", tool_call_id="c", prompt_name="pn", prompt_version="3",
        finish_reason="stop", response_id="msg_1", time_to_first_token_ns=1_500_000,
        usage=Usage(cache_read=5, cache_write_1h=7, output=0),
        input={"n": [1, 2.5, None, True, "ü\n\"\\"]}, output="[not json", output_bytes=9,
        tool_definitions=[{"name": "t"}], request_params={"temperature": 0.2}, attributes={"k": {"deep": [1]}},
        resource={"service.name": "s"}, scope="lib", vocabulary="otel_genai", tags=("x",),
        events=(Event(name="e", time_ns=NOON_NS + 1, attributes={"a": 1}),), redactions={"email": 2},
    )  # fmt: skip
    store_spans([whole])
    detail = queries.get_trace(SCOPE, whole.trace_id)
    assert detail
    [stored] = detail.spans
    for name in ("input", "output", "tool_definitions", "request_params", "attributes", "resource", "redactions",
                 "scope", "status_message", "finish_reason", "response_id", "output_bytes", "vocabulary",
                 "release"):  # fmt: skip
        assert getattr(stored, name) == getattr(whole, name)
    assert (stored.start_ns, stored.latency_ms, stored.time_to_first_token_ms) == (NOON_NS, 1000.0, 1.5)
    assert stored.usage == queries.SpanUsage(12, None, 5, None, 7, 0, None)
    assert stored.events == [{"name": "e", "time": "2026-11-20T12:00:00.000000001Z", "attributes": {"a": 1}}]


@pytest.mark.parametrize(
    "filters", [TraceFilters(), TraceFilters(user_id="u", status="ok", model="m", tool="t")]
)
def test_a_list_reads_no_prompt_bodies(filters: TraceFilters) -> None:
    clauses, _ = conditions(filters)
    rows, traces = index_queries._row_conditions(filters), index_queries._trace_conditions(filters)
    statements = [
        *(
            queries._describe_query(order, tuple(clauses), (), True, exact).sql
            for order in Order
            for exact in (True, False)
        ),
        *(index_queries._bounded(order, tuple(traces)).sql for order in Order if order is not Order.NEWEST),
        index_queries._newest(tuple(rows), True).sql,
        index_queries._strays(tuple(rows), f"OR ({index_queries._LATER} AND {index_queries._EARLIER})").sql,
    ]
    assert not re.search(r"\b(input|output|attributes|events|resource)\b", " ".join(statements))


def test_a_trace_of_which_a_span_was_written_again_is_described_by_what_was_written_last(
    store_spans: Store,
) -> None:
    store_spans([span(1, parent=0, attributes={"a": "old"}), llm(2, cost="0.25")])
    store_spans([span(1, parent=0, attributes={"a": "new"}), llm(2, cost="0.5")])
    for value, found in (("old", 0), ("new", 1)):
        page = queries.list_traces(SCOPE, TraceFilters(attribute=(Attribute("a", value),)))
        assert len(page.traces) == found
    (trace,) = queries.list_traces(SCOPE, TraceFilters()).traces
    assert (trace.span_count, trace.llm_calls, trace.cost_usd) == (2, 1, Decimal("0.5"))
