"""Which traces may belong on a page of a list: reads of the table `traces`, which has a row or few for each trace.

The index never decides. It only over-states: its rows know every value that any stored part of a span ever had, and
sums that count a repeated span twice. So what it finds is a superset, in an order by bounds; the caller reads those
traces' spans and decides exactly (`queries.list_traces`). A trace has more than one row while parts are unmerged, or
when it lies across midnight; conditions on one row hold for the trace when they ask whether something was ever seen.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tracehouse.clickhouse.query import Parameter, Query, QueryTooLarge, run
from tracehouse.tenancy.scope import Scope, Window
from traces.filters import BELONGINGS, EXTENT_NS, Order, TraceFilters, looked_up
from traces.score_filters import candidates

# Traces of which a matching row lies past the place from which a list is read, or does not know when it starts.
MAX_STRAYS = 2_000
# So many are decided by their spans without another look at the index.
FEW_STRAYS = 100
# A page of a list lies in the latest day more often than not, so that is looked through first and then the rest at
# once. What is looked up in `spans` costs more a day: in four times as many days each time.
FIRST_STRETCH = timedelta(days=1)
WIDER = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """`bound`: the sort key of the order, or more where the order descends, or less where it ascends."""

    trace_id: uuid.UUID
    bound: int


_BOUND = """project_id = {project_id:UInt64}
      AND day BETWEEN {first_day:Date} AND {last_day:Date}"""
_START_NS = "toUnixTimestamp64Nano(start_time)"
# A root's latency is no more: its row spans at least the root. Without a root the rows of two days make one latency.
_EXTENT_NS = "ifNull(toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time), 0)"
# From the narrowest to the widest; the first one chosen walks the list, the others are looked up.
_CONDITIONS: Mapping[str, str] = {
    "session_id": "has(session_ids, {session_id:String})",
    "user_id": "has(user_ids, {user_id:String})",
    "organization_id": "has(organization_ids, {organization_id:String})",
    "min_latency_ms": f"({_EXTENT_NS} >= {{min_latency_ns:Int64}} OR NOT has_root)",
    "tool": "has(tools, {tool:String})",
    "model": "has(models, {model:String})",
    "name": "(has(root_names, {name:String}) OR NOT has_root)",
    "feature": "has(features, {feature:String})",
    "environment": "has(environments, {environment:String})",
}
_STATUSES: Mapping[str, str] = {
    "error": "(root_failed OR (NOT has_root AND any_failed))",
    "ok": "(root_passed OR NOT has_root)",
}
_DEAR = f"""trace_id IN
      (
          SELECT trace_id
          FROM traces
          WHERE {_BOUND}
          GROUP BY trace_id
          HAVING sum(cost_bound) >= toDecimal128({{min_cost_usd:String}}, 12)
      )"""  # noqa: S608  # closed parts only
_BOUNDS: Mapping[Order, tuple[str, bool]] = {
    Order.NEWEST: ("toUnixTimestamp64Nano(max(start_time))", False),
    Order.OLDEST: ("toUnixTimestamp64Nano(min(start_time))", True),
    Order.SLOWEST: (EXTENT_NS, False),
    Order.DEAREST: ("toInt64(sum(cost_bound) * 1000000000)", False),
    Order.MOST_TOKENS: ("toInt64(sum(tokens_bound))", False),
}


def newest(
    scope: Scope,
    filters: TraceFilters,
    parameters: Mapping[str, Parameter],
    *,
    before: Candidate | None,
    limit: int,
) -> list[Candidate]:
    """The traces of the window's latest matching rows that come after `before` in the list.

    A row starts when its trace does, or later: no trace that starts after the last row found is left out, but for
    `strays`. A span that matches lies on the day of its trace's row there, so stretches of days can be looked through
    one by one.
    """
    place: dict[str, Parameter] = {}
    if before:
        place = {"place_ns": before.bound, "place_id": str(before.trace_id)}
    query = _newest(tuple(_row_conditions(filters)), before is not None)
    found: list[Candidate] = []
    for stretch in _stretches(scope.window, before, step_by_step=bool(in_spans(filters))):
        left = limit - len(found)
        found += _candidates(scope.during(stretch), query, {**parameters, **place, "limit": left})
        if len(found) == limit:
            break
    return found


def _stretches(window: Window, before: Candidate | None, *, step_by_step: bool) -> Iterator[Window]:
    """The window in stretches, the latest and shortest first, from where the list stands."""
    end, width = window.end, FIRST_STRETCH
    if before:
        # A microsecond more: a window knows no nanoseconds.
        end = min(end, datetime.fromtimestamp(before.bound // 10**9 + 1, UTC))
    is_first = True
    while end > window.start:
        start = max(window.start, end - width) if is_first or step_by_step else window.start
        yield Window(start, end)
        end, width, is_first = start, width * WIDER, False


def strays(
    scope: Scope, filters: TraceFilters, parameters: Mapping[str, Parameter], *, from_ns: int | None
) -> list[uuid.UUID]:
    """Traces whose matching row says no start, or starts at `from_ns` or later while the trace starts before it.

    `from_ns` is None where nothing starts later. Raises `QueryTooLarge` when there are more than `MAX_STRAYS`.
    """
    seen = _seen(filters)
    if not seen:
        return []  # every row of a trace matches, the one that starts with it too
    conditions = (seen[0], *map(_on_any_row, seen[1:]), *_sums(filters))
    if from_ns is None:
        rows = run(_strays(conditions, ""), scope, parameters)
    else:
        bound = {**parameters, "from_ns": from_ns}
        rows = run(_strays(conditions, f"OR ({_LATER})"), scope, bound)
        if len(rows) > FEW_STRAYS:
            # Most of them start later themselves; which ones do not takes a look at a whole day of traces.
            rows = run(_strays(conditions, f"OR ({_LATER} AND {_EARLIER})"), scope, bound)
    if len(rows) > MAX_STRAYS:
        raise QueryTooLarge(
            "Too many traces are still arriving; choose a shorter time range or other filters."
        )
    return [row["trace_id"] for row in rows]


def bounded(
    scope: Scope,
    filters: TraceFilters,
    parameters: Mapping[str, Parameter],
    *,
    order: Order,
    offset: int,
    limit: int,
) -> list[Candidate]:
    """The window's traces in the order of their bounds, for orders other than the newest first."""
    query = in_order_of_bounds(filters, order)
    return _candidates(scope, query, {**parameters, "offset": offset, "limit": limit})


def in_order_of_bounds(filters: TraceFilters, order: Order) -> Query:
    """Rows of `trace_id` and `bound`; it takes the parameters of the filters, `offset` and `limit`."""
    return _bounded(order, tuple(_trace_conditions(filters)))


def matching(filters: TraceFilters) -> str:
    """Conditions on rows of the table `traces`, after those of its project and window; "" without filters."""
    return _all(*_trace_conditions(filters))


def of_matching(filters: TraceFilters) -> str:
    """A condition on parts of spans, for `filters.spans`: those of traces that may match; "" without filters."""
    conditions = matching(filters)
    if not conditions:
        return ""
    return f"""AND part.trace_id IN
      (
          SELECT trace_id
          FROM traces
          WHERE {_BOUND}
          {conditions}
      )"""  # noqa: S608  # closed parts only


def _candidates(scope: Scope, query: Query, parameters: Mapping[str, Parameter]) -> list[Candidate]:
    return [Candidate(row["trace_id"], row["bound"]) for row in run(query, scope, parameters)]


def _row_conditions(filters: TraceFilters) -> list[str]:
    """One condition on the row itself; the rest on any row of its trace, since parts may know different things."""
    walked, *others = _seen(filters) or [""]
    conditions = [walked, *map(_on_any_row, others), *_of_whole_traces(filters), *in_spans(filters)]
    return [condition for condition in conditions if condition]


def _trace_conditions(filters: TraceFilters) -> list[str]:
    return [*map(_on_any_row, _seen(filters)), *_of_whole_traces(filters), *in_spans(filters)]


def _seen(filters: TraceFilters) -> list[str]:
    tags = [f"has(tags, {{tag_{number}:String}})" for number in range(len(filters.tags))]
    chosen = [clause for field, clause in _CONDITIONS.items() if getattr(filters, field) not in ("", None)]
    nameless = [f"empty({names})" for names in _lacked(filters)]
    # That no span failed cannot be seen here: a row remembers a failure that a later part took back.
    failed = ["any_failed"] if filters.has_error else []
    return [*tags, *chosen, *nameless, *failed, *([_STATUSES[filters.status]] if filters.status else [])]


def _of_whole_traces(filters: TraceFilters) -> list[str]:
    return [*_sums(filters), *map(_nameless, _lacked(filters))]


def _lacked(filters: TraceFilters) -> list[str]:
    return [f"{name}s" for name in filters.without if name in BELONGINGS]


def _nameless(names: str) -> str:
    """No row of the trace has a name. One that a later part made empty is remembered too: such a trace is not found."""
    return f"""trace_id IN
      (
          SELECT trace_id
          FROM traces
          WHERE {_BOUND}
            AND {_on_any_row(f"empty({names})")}
          GROUP BY trace_id
          HAVING NOT max(notEmpty({names}))
      )"""  # noqa: S608  # closed parts only


def _sums(filters: TraceFilters) -> list[str]:
    dear = [_DEAR] if filters.min_cost_usd is not None else []
    return [*dear, *([candidates(filters.score)] if filters.score is not None else [])]


def in_spans(filters: TraceFilters, *, exactly: bool = False) -> list[str]:
    """Conditions on trace ids that the indexes of `spans` answer: for the words searched, attributes and prompts.

    `exactly`: nobody looks at what the traces say after that.
    """
    found = looked_up(filters)
    said = found.said + (found.unread if exactly else ())
    return [*([_of_spans(*said)] if said else []), *map(_of_spans, found.told)]


def _of_spans(*conditions: str) -> str:
    """Each condition holds for some part. A part is read once for all of them."""
    if len(conditions) == 1:
        return f"""trace_id IN
      (
          SELECT trace_id
          FROM spans
          WHERE {_BOUND}
            AND {conditions[0]}
      )"""  # noqa: S608  # closed parts only
    each = " AND ".join(f"max({condition})" for condition in conditions)
    return f"""trace_id IN
      (
          SELECT trace_id
          FROM spans
          WHERE {_BOUND}
            AND ({" OR ".join(conditions)})
          GROUP BY trace_id
          HAVING {each}
      )"""  # noqa: S608  # closed parts only


def _on_any_row(condition: str) -> str:
    return f"""trace_id IN
      (
          SELECT trace_id
          FROM traces
          WHERE {_BOUND}
            AND {condition}
      )"""  # noqa: S608  # closed parts only


@lru_cache(maxsize=256)
def _newest(conditions: tuple[str, ...], after: bool) -> Query:
    place = [f"({_START_NS}, trace_id) < ({{place_ns:Int64}}, {{place_id:UUID}})"] if after else []
    return Query(
        "traces.newest",
        f"""
SELECT
    trace_id,
    {_START_NS} AS bound
FROM traces
WHERE {_BOUND}
      AND start_time >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
      AND start_time < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')
      {_all(*place, *conditions)}
ORDER BY
    bound DESC,
    trace_id DESC
LIMIT {{limit:UInt32}}""",  # noqa: S608  # closed parts only
    )


_LATER = """start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
          AND start_time < fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') + toIntervalDay(1)"""
_EARLIER = f"""trace_id IN
          (
              SELECT trace_id
              FROM traces
              WHERE {_BOUND}
                AND start_time >= fromUnixTimestamp64Nano({{from_ns:Int64}}, 'UTC') - toIntervalDay(1)
                AND start_time < fromUnixTimestamp64Nano({{from_ns:Int64}}, 'UTC')
          )"""  # noqa: S608  # closed parts only


@lru_cache(maxsize=256)
def _strays(conditions: tuple[str, ...], later: str) -> Query:
    return Query(
        "traces.strays",
        f"""
SELECT DISTINCT trace_id
FROM traces
PREWHERE start_time IS NULL {later}
WHERE {_BOUND}
      {_all(*conditions)}
LIMIT {MAX_STRAYS + 1}""",  # noqa: S608  # closed parts only
    )


@lru_cache(maxsize=256)
def _bounded(order: Order, conditions: tuple[str, ...]) -> Query:
    bound, ascending = _BOUNDS[order]
    direction = "ASC" if ascending else "DESC"
    return Query(
        "traces.bounded",
        f"""
SELECT
    trace_id,
    {bound} AS bound
FROM traces
WHERE {_BOUND}
      {_all(*conditions)}
GROUP BY trace_id
HAVING max(start_time) >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
   AND min(start_time) < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')
ORDER BY
    bound {direction},
    trace_id {direction}
LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}""",  # noqa: S608  # closed parts only
    )


def _all(*conditions: str) -> str:
    return "\n      ".join(f"AND {condition}" for condition in conditions)


def in_store_order(trace_id: uuid.UUID) -> tuple[int, int]:
    """ClickHouse orders UUIDs by their second half first."""
    return trace_id.int & (2**64 - 1), trace_id.int >> 64
