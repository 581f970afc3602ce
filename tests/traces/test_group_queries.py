"""Sessions, users and organizations sum exactly the traces that belong to them, in order, page by page."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.traces.test_list import MIDNIGHT, as_span, merged, root_first
from tests.traces.test_list import spans as parts_of_spans
from tracehouse.tenancy.scope import Scope, Window
from traces import group_queries, queries
from traces.cursor import BadCursor
from traces.filters import TraceFilters
from traces.group_queries import Group, Grouping, GroupOrder
from traces.queries import UsageGroup
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = pytest.mark.clickhouse
FRESH = itertools.count(70_000)
Store = Callable[[list[Span]], None]
NASTY = [
    "a/b",
    "a\\b",
    "it's",
    'say "hi"',
    "{q:String}",
    "x\ty\nz",
    "ü ✓",
    "..",
    "%2F",
    "<b>",
    "?a=b&c#d",
    " ",
]


def scope_of(project: int, start: float = -60, end: float = 60) -> Scope:
    return Scope(project, Window(MIDNIGHT + timedelta(seconds=start), MIDNIGHT + timedelta(seconds=end)))


def call(project: int, trace: int, *, at: float = 0, cost: str | None = "0.25", **fields: Any) -> Span:
    """A trace of one span, a model call."""
    start = int((MIDNIGHT + timedelta(seconds=at)).timestamp() * 10**9)
    price = Cost(state=CostState.COMPUTED, total=Decimal(cost)) if cost else Cost(state=CostState.UNPRICED)
    given_fields: dict[str, Any] = {
        "span_id": f"{1:016x}",
        "parent_id": "",
        "start_ns": start,
        "end_ns": start + 10**9,
        "name": "chat",
        "kind": Kind.LLM,
        "status": Status.OK,
        "usage": Usage(input_uncached=100, output=10),
        "cost": price,
    }
    return Span(project_id=project, trace_id=f"{trace:032x}", **{**given_fields, **fields})


def all_pages(scope: Scope, grouping: Grouping, limit: int, **asked: Any) -> list[Group]:
    found: list[Group] = []
    cursor = ""
    while True:
        page = group_queries.list_groups(scope, grouping, limit=limit, cursor=cursor, **asked)
        found += page.groups
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def test_a_session_sums_its_traces_and_names_whom_it_is_of(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans(
        [
            call(project, 1, session_id="s", user_id="ann", organization_id="acme", feature="draft"),
            call(project, 2, at=5, session_id="s", user_id="bo", status=Status.ERROR, cost=None),
            call(project, 3, at=9, session_id="t", user_id="ann"),
            call(project, 4),
        ]
    )
    t, s = group_queries.list_groups(scope_of(project), Grouping.SESSION).groups
    assert (t.key, s.key, s.traces, s.errors, s.llm_calls) == ("t", "s", 2, 1, 2)
    assert (s.user_ids, s.organization_ids, s.features) == (["ann", "bo"], ["acme"], ["draft"])
    assert (s.input_tokens, s.output_tokens, s.cost_usd, s.unpriced_calls) == (200, 20, Decimal("0.25"), 1)
    assert (s.first_time, s.last_time) == (MIDNIGHT, MIDNIGHT + timedelta(seconds=5))
    assert s.end_time == MIDNIGHT + timedelta(seconds=6)
    assert group_queries.get_group(scope_of(project), Grouping.SESSION, "s") == s
    ann, bo = group_queries.list_groups(scope_of(project), Grouping.USER).groups
    assert (ann.key, ann.traces, ann.sessions, bo.key, bo.cost_usd) == ("ann", 2, 2, "bo", None)


def test_of_many_users_some_are_named_and_all_are_counted(store_spans: Store) -> None:
    project, many = next(FRESH), group_queries.MAX_NAMED + 3
    store_spans(
        [
            call(
                project, one, session_id="s", user_id=f"u{one}", organization_id=f"o{one}", feature=f"f{one}"
            )
            for one in range(1, many + 1)
        ]
    )
    [session] = group_queries.list_groups(scope_of(project), Grouping.SESSION).groups
    assert (session.users, session.organizations, session.feature_count) == (many, many, many)
    assert len(session.user_ids) == len(set(session.user_ids)) == group_queries.MAX_NAMED


def test_filters_narrow_what_is_summed(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans(
        [
            call(project, 1, session_id="s", feature="draft"),
            call(project, 2, session_id="s", feature="query", status=Status.ERROR),
            call(project, 3, session_id="t", feature="query"),
        ]
    )

    def found(**asked: Any) -> list[tuple[str, int]]:
        groups = group_queries.list_groups(
            scope_of(project), Grouping.SESSION, filters=TraceFilters(**asked)
        ).groups
        return [(group.key, group.traces) for group in groups]

    assert found(feature="draft") == [("s", 1)]
    assert found(status="error") == [("s", 1)]
    assert found(session_id="t") == [("t", 1)]
    assert found(min_cost_usd=Decimal(1)) == []
    assert found(q="CHAT") == [("t", 1), ("s", 2)]


def test_any_text_is_a_key(store_spans: Store) -> None:
    project, grouping = next(FRESH), Grouping.SESSION
    store_spans([call(project, at, session_id=key) for at, key in enumerate(NASTY, start=1)])
    found = all_pages(scope_of(project), grouping, 7)
    assert sorted(group.key for group in found) == sorted(NASTY)
    for key in NASTY:
        group = group_queries.get_group(scope_of(project), grouping, key)
        assert group
        assert (group.key, group.traces) == (key, 1)


def test_no_key_and_an_unknown_one_are_nobody(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans([call(project, 1)])
    assert group_queries.list_groups(scope_of(project), Grouping.USER).groups == []
    assert group_queries.get_group(scope_of(project), Grouping.USER, "") is None
    assert group_queries.get_group(scope_of(project), Grouping.USER, "nobody") is None


@pytest.mark.parametrize("cursor", ["abc", "e30", "WyJ1c2VyX2lkIiwiLWNvc3QiLDEsImEiXQ"])
def test_a_cursor_of_another_list_is_refused(clickhouse: None, cursor: str) -> None:
    with pytest.raises(BadCursor):
        group_queries.list_groups(scope_of(1), Grouping.USER, cursor=cursor)


def test_users_are_what_usage_says_and_what_their_list_of_traces_says(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans(
        [
            call(
                project,
                trace,
                at=trace,
                cost=None if trace % 5 == 0 else f"0.{trace}",
                user_id=f"u{trace % 3}",
                model=f"m{trace % 2}",
                status=Status.ERROR if trace % 4 == 0 else Status.OK,
            )
            for trace in range(1, 20)
        ]
    )
    scope = scope_of(project)
    by_user = {row.key: row for row in queries.usage(scope, UsageGroup.USER)}
    for user in group_queries.list_groups(scope, Grouping.USER).groups:
        row = by_user[user.key]
        assert (user.traces, user.errors, user.llm_calls) == (row.invocations, row.errors, row.llm_calls)
        assert (user.cost_usd, user.unpriced_calls) == (row.cost_usd, row.unpriced_calls)
        assert (user.input_tokens, user.output_tokens) == (row.input_tokens, row.output_tokens)
        traces = queries.list_traces(scope, Grouping.USER.only(user.key)).traces
        assert (len(traces), sum(trace.status == "error" for trace in traces)) == (user.traces, user.errors)
        assert sum(trace.cost_usd or 0 for trace in traces) == user.cost_usd
        for group in (UsageGroup.MODEL, UsageGroup.DAY, UsageGroup.FEATURE):
            narrowed = queries.usage(scope, group, filters=Grouping.USER.only(user.key))
            assert sum(part.cost_usd for part in narrowed) == user.cost_usd
            assert sum(part.invocations for part in narrowed) == user.traces


@dataclass(frozen=True)
class Recounted:
    traces: int
    failed: int
    cost: Decimal
    tokens: int
    last: datetime

    def sort_key(self, order: GroupOrder) -> Any:
        return {
            GroupOrder.LATEST: self.last,
            GroupOrder.DEAREST: self.cost,
            GroupOrder.MOST_TOKENS: self.tokens,
            GroupOrder.MOST_TRACES: self.traces,
            GroupOrder.MOST_FAILED: self.failed,
        }[order]


def recounted(parts: Sequence[Span], window: tuple[int, int]) -> dict[str, Recounted]:
    """Users as a plain loop over the spans finds them."""
    traces: dict[str, list[Span]] = {}
    for span in merged(parts):
        traces.setdefault(span.trace_id, []).append(span)
    users: dict[str, list[list[Span]]] = {}
    for spans in traces.values():
        start = min(span.start_ns or 0 for span in spans) // 10**9 - int(MIDNIGHT.timestamp())
        user = next((span.user_id for span in root_first(spans) if span.user_id), None)
        if user and window[0] <= start < window[1]:
            users.setdefault(user, []).append(spans)
    return {user: _summed(of_user) for user, of_user in users.items()}


def _summed(traces: Sequence[Sequence[Span]]) -> Recounted:
    spans = [span for trace in traces for span in trace]
    failed = 0
    for trace in traces:
        top = root_first(trace)[0]
        speaking = [top] if top.parent_id == "" else trace
        failed += any(span.status is Status.ERROR for span in speaking)
    last = max(min(span.start_ns or 0 for span in trace) for trace in traces)
    return Recounted(
        traces=len(traces),
        failed=failed,
        cost=sum((s.cost.total for s in spans if s.cost and s.cost.total), Decimal(0)),
        tokens=sum(s.usage.input + (s.usage.output or 0) for s in spans),
        last=MIDNIGHT + timedelta(seconds=last // 10**9 - int(MIDNIGHT.timestamp())),
    )


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_spans=st.lists(parts_of_spans, min_size=1, max_size=9),
    order=st.sampled_from(list(GroupOrder)),
    limit=st.integers(1, 2),
    window=st.sampled_from([(-10, 10), (0, 10), (-10, 0)]),
)
def test_pages_equal_a_plain_recount_whatever_the_parts_repeats_and_midnights(
    store_spans: Store,
    given_spans: list[dict[str, Any]],
    order: GroupOrder,
    limit: int,
    window: tuple[int, int],
) -> None:
    project = next(FRESH)
    starts: dict[tuple[int, int], int] = {}
    for one in given_spans:
        one["at"] = starts.setdefault((one["trace"], one["number"]), one["at"])
    in_turn = sorted(given_spans, key=lambda one: one["batch"])
    for _, batch in itertools.groupby(in_turn, lambda one: one["batch"]):
        store_spans([as_span(project, one) for one in batch])
    expected = recounted([as_span(project, one) for one in in_turn], window)
    found = all_pages(scope_of(project, *window), Grouping.USER, limit, order=order)
    assert {
        group.key: Recounted(
            group.traces,
            group.errors,
            group.cost_usd or Decimal(0),
            group.input_tokens + group.output_tokens,
            group.last_time,
        )
        for group in found
    } == expected
    assert [group.key for group in found] == sorted(
        expected, key=lambda user: (expected[user].sort_key(order), user), reverse=True
    )
