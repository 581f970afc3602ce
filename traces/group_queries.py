"""Sessions, users and organizations: the traces of a window summed by what they belong to, a page at a time.

As in lists of traces (docs/decisions/0009), the table `traces` gives candidates in the order of bounds, and the spans
of those few decide exactly. A trace counts for the one session, user and organization it belongs to, and only where it
matches the filters: what a group says is what the list of its traces says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, partial

from tracehouse.clickhouse.query import Parameter, Query, Row, aware, run
from tracehouse.tenancy.scope import Scope
from traces import cursor as cursors
from traces import filters as f
from traces import index_queries as index
from traces.cursor import BadCursor
from traces.deadline import Deadline
from traces.filters import TraceFilters
from traces.queries import EVERY_TRACE, IN_WINDOW, MAX_PAGE, columns_for

# Candidates read beyond the page's length, and at most at once: each is summed over all of its traces.
EXTRA_CANDIDATES = 5
MAX_CANDIDATES = 1_000
# Values named of a group that has many (users of a session, features of a user); how many there are is counted.
MAX_NAMED = 20


class Grouping(StrEnum):
    """What traces belong to; the value is the filter's name too."""

    SESSION = "session_id"
    USER = "user_id"
    ORGANIZATION = "organization_id"

    @property
    def indexed(self) -> str:
        """The column of the table `traces` that has every value ever seen."""
        return f"{self.value}s"

    def only(self, key: str) -> TraceFilters:
        """What narrows a list of traces to those of one group."""
        match self:
            case Grouping.SESSION:
                return TraceFilters(session_id=key)
            case Grouping.USER:
                return TraceFilters(user_id=key)
            case Grouping.ORGANIZATION:
                return TraceFilters(organization_id=key)


class GroupOrder(StrEnum):
    LATEST = "-time"
    DEAREST = "-cost"
    MOST_TOKENS = "-tokens"
    MOST_TRACES = "-traces"
    MOST_FAILED = "-errors"


@dataclass(frozen=True, slots=True)
class Group:
    """The sums of one session, user or organization. Times aware, in UTC."""

    key: str
    traces: int
    errors: int  # failed traces
    first_time: datetime  # of the first trace's start, the last trace's start, the last end
    last_time: datetime
    end_time: datetime
    sessions: int
    users: int
    organizations: int
    feature_count: int
    user_ids: list[str]
    organization_ids: list[str]
    features: list[str]
    llm_calls: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None  # None when no call has a price and at least one should have
    unpriced_calls: int

    @property
    def other_users(self) -> int:
        """Besides the first that is named; the others count the same way."""
        return self.users - 1

    @property
    def other_organizations(self) -> int:
        return self.organizations - 1

    @property
    def other_features(self) -> int:
        return self.feature_count - 1

    @property
    def length_ms(self) -> float:
        """From the start of the first trace to the end of the last."""
        return (self.end_time - self.first_time) / timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class GroupPage:
    groups: list[Group]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group stands in a list: by its sort key, or by a bound that is no less."""

    value: int
    key: str


def list_groups(
    scope: Scope,
    grouping: Grouping,
    *,
    filters: TraceFilters = EVERY_TRACE,
    order: GroupOrder = GroupOrder.LATEST,
    limit: int = 50,
    cursor: str = "",
) -> GroupPage:
    """A page of groups that have a name. Raises `BadCursor`, `QueryTooLarge`, `QueryUnavailable`."""
    wanted = min(limit, MAX_PAGE)
    after = _decode_cursor(grouping, order, cursor) if cursor else None
    found = _Walk(scope, grouping, filters, order, after).first(wanted + 1)
    return GroupPage(
        groups=[_group(row) for row in found[:wanted]],
        next_cursor=_encode_cursor(grouping, order, found[wanted - 1]) if len(found) > wanted else None,
    )


def get_group(
    scope: Scope, grouping: Grouping, key: str, *, filters: TraceFilters = EVERY_TRACE
) -> Group | None:
    """One group, or None when no trace of it is in the window. Raises `QueryTooLarge`, `QueryUnavailable`."""
    if not key:
        return None
    clauses, parameters = f.conditions(filters)
    rows = _summed(
        scope,
        lambda exact: _sums(grouping, GroupOrder.LATEST, tuple(clauses), False, exact),
        {**parameters, "group_keys": [key], "limit": 1},
    )
    return _group(rows[0]) if rows else None


def _summed(scope: Scope, sums: Callable[[bool], Query], parameters: Mapping[str, Parameter]) -> list[Row]:
    """The rows of `sums`, looked at closely where a call may be told twice."""
    rows = run(sums(False), scope, parameters)
    unsure = [row["group_key"] for row in rows if row["may_repeat"]]
    if not unsure:
        return rows
    sure = [row for row in rows if not row["may_repeat"]]
    return sure + run(sums(True), scope, {**parameters, "group_keys": unsure})


class _Walk:
    """One walk along a list: candidates in the order of their bounds, each summed exactly from its spans.

    1. Take the next candidates. 2. Sum them. 3. Those that come before every group not yet seen have found their
    place. 4. Repeat with more until the page is full, there are no more, or time is up.
    """

    def __init__(
        self, scope: Scope, grouping: Grouping, filters: TraceFilters, order: GroupOrder, after: _Place | None
    ) -> None:
        clauses, self._parameters = f.conditions(filters)
        self._scope, self._after = scope, after
        self._candidates = _candidates(grouping, order, index.matching(filters))
        self._sums = partial(_sums, grouping, order, tuple(clauses), after is not None)
        self._bounds: dict[str, int] = {}
        self._rows: dict[str, Row] = {}
        self._deadline = Deadline()
        self._what = f"{grouping.name.lower()}s"

    def first(self, wanted: int) -> list[Row]:
        """The first groups after the cursor, in order."""
        taken, step = 0, wanted + EXTRA_CANDIDATES
        while True:
            batch = self._next(taken, step)
            self._read([one.key for one in batch])
            self._bounds |= {one.key: one.value for one in batch}
            if len(batch) < step:
                return _in_order(self._rows.values())[:wanted]
            placed = [row for row in self._rows.values() if self._has_its_place(row, batch[-1].value)]
            if len(placed) >= wanted:
                return _in_order(placed)[:wanted]
            taken, step = taken + step, min(step * 2, MAX_CANDIDATES)
            self._deadline.check(looked_through=taken, found=len(self._rows), what=self._what)

    def _next(self, taken: int, step: int) -> list[_Place]:
        bound: dict[str, Parameter] = {**self._parameters, "offset": taken, "limit": step}
        rows = run(self._candidates, self._scope, bound)
        return [_Place(row["bound"], row["group_key"]) for row in rows]

    def _read(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        place: dict[str, Parameter] = {}
        if self._after:
            place = {"cursor_value": self._after.value, "cursor_key": self._after.key}
        bound = {**self._parameters, **place, "group_keys": keys, "limit": len(keys)}
        self._rows |= {row["group_key"]: row for row in _summed(self._scope, self._sums, bound)}

    def _has_its_place(self, row: Row, frontier: int) -> bool:
        value: int = row["sort_key"]
        return value > frontier or value == frontier == self._bounds[row["group_key"]]


def _in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["sort_key"], row["group_key"]), reverse=True)


_BOUND = """project_id = {project_id:UInt64}
      AND day BETWEEN {first_day:Date} AND {last_day:Date}"""
# Order -> (the sort key over exact traces, a bound of it over rows of the index joined by trace)
_ORDERS: Mapping[GroupOrder, tuple[str, str]] = {
    GroupOrder.LATEST: ("toUnixTimestamp64Nano(max(started))", "toUnixTimestamp64Nano(max(began))"),
    GroupOrder.DEAREST: (
        "toInt64(sum(ifNull(cost_, 0)) * 1000000000)",
        "toInt64(sum(cost_bound_) * 1000000000)",
    ),
    GroupOrder.MOST_TOKENS: (
        "toInt64(sum(ifNull(input_tokens_, 0)) + sum(ifNull(output_tokens_, 0)))",
        "toInt64(sum(tokens_bound_))",
    ),
    GroupOrder.MOST_TRACES: ("toInt64(count())", "toInt64(count())"),
    GroupOrder.MOST_FAILED: ("toInt64(sum(failed))", "toInt64(sum(may_have_failed))"),
}


@lru_cache(maxsize=256)
def _candidates(grouping: Grouping, order: GroupOrder, conditions: str) -> Query:
    """Groups by a bound of their sort key: every trace counts for each it was ever said to belong to."""
    return Query(
        f"groups.{grouping}.candidates",
        f"""
WITH indexed AS
(
    SELECT
        min(start_time) AS began,
        groupUniqArrayArray({grouping.indexed}) AS group_keys_,
        sum(cost_bound) AS cost_bound_,
        sum(tokens_bound) AS tokens_bound_,
        max(root_failed) OR (NOT max(has_root) AND max(any_failed)) AS may_have_failed
    FROM traces
    WHERE {_BOUND}
      {conditions}
    GROUP BY trace_id
    HAVING began >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
       AND began < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')
)
SELECT
    group_key,
    {_ORDERS[order][1]} AS bound
FROM indexed
ARRAY JOIN group_keys_ AS group_key
GROUP BY group_key
ORDER BY
    bound DESC,
    group_key DESC
LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}""",  # noqa: S608  # closed parts only
    )


@lru_cache(maxsize=256)
def _sums(grouping: Grouping, order: GroupOrder, clauses: tuple[str, ...], after: bool, exact: bool) -> Query:
    """The sums of `group_keys`. Not `exact`, a group that may need a closer look is there wherever its place is."""
    conditions = "\n       AND ".join(("group_key IN {group_keys:Array(String)}", IN_WINDOW, *clauses))
    place = (
        "HAVING may_repeat OR (sort_key, group_key) < ({cursor_value:Int64}, {cursor_key:String})"
        if after
        else ""
    )
    narrowed = f"""AND part.trace_id IN
      (
          SELECT trace_id
          FROM traces
          WHERE {_BOUND}
            AND arrayExists(one -> one IN {{group_keys:Array(String)}}, {grouping.indexed})
      )"""  # noqa: S608  # closed parts only
    return Query(
        f"groups.{grouping}.sums",
        f"""
WITH per_trace AS
(
    SELECT
        ifNull({f.belongs(grouping)}, '') AS group_key,
        ifNull({f.belongs("session_id")}, '') AS session_id_,
        ifNull({f.belongs("user_id")}, '') AS user_id_,
        ifNull({f.belongs("organization_id")}, '') AS organization_id_,
        ifNull({f.belongs("feature")}, '') AS feature_,
        {f.STARTED} AS started,
        max(end_time) AS ended,
        {f.STATUS} = 'error' AS failed,
        {f.LLM_CALLS} AS llm_calls_,
        countIf(kind = 'tool') AS tool_calls_,
        {f.INPUT_TOKENS} AS input_tokens_,
        {f.OUTPUT_TOKENS} AS output_tokens_,
        {f.COST} AS cost_,
        {f.UNPRICED_CALLS} AS unpriced,
        {f.may_repeat(exact)} AS repeats
    FROM {f.calls(columns_for(clauses), narrowed, exact=exact)}
    GROUP BY trace_id
    HAVING {conditions}
)
SELECT
    group_key,
    {_ORDERS[order][0]} AS sort_key,
    count() AS traces,
    sum(failed) AS errors,
    min(started) AS first_time,
    max(started) AS last_time,
    max(ended) AS end_time,
    uniqExactIf(session_id_, session_id_ != '') AS sessions,
    uniqExactIf(user_id_, user_id_ != '') AS users,
    uniqExactIf(organization_id_, organization_id_ != '') AS organizations,
    uniqExactIf(feature_, feature_ != '') AS feature_count,
    arraySort(groupUniqArrayIf({MAX_NAMED})(user_id_, user_id_ != '')) AS user_ids,
    arraySort(groupUniqArrayIf({MAX_NAMED})(organization_id_, organization_id_ != '')) AS organization_ids,
    arraySort(groupUniqArrayIf({MAX_NAMED})(feature_, feature_ != '')) AS features,
    sum(llm_calls_) AS llm_calls,
    sum(tool_calls_) AS tool_calls,
    sum(ifNull(input_tokens_, 0)) AS input_tokens,
    sum(ifNull(output_tokens_, 0)) AS output_tokens,
    sum(cost_) AS cost,
    sum(unpriced) AS unpriced_calls,
    max(repeats) AS may_repeat
FROM per_trace
GROUP BY group_key
{place}
ORDER BY
    sort_key DESC,
    group_key DESC
LIMIT {{limit:UInt32}}""",  # noqa: S608  # closed parts only
    )


def _group(row: Row) -> Group:
    priced = row["cost"] is not None or not row["unpriced_calls"]
    return Group(
        key=row["group_key"],
        traces=row["traces"],
        errors=row["errors"],
        first_time=aware(row["first_time"]),
        last_time=aware(row["last_time"]),
        end_time=aware(row["end_time"] or row["last_time"]),
        sessions=row["sessions"],
        users=row["users"],
        organizations=row["organizations"],
        feature_count=row["feature_count"],
        user_ids=list(row["user_ids"]),
        organization_ids=list(row["organization_ids"]),
        features=list(row["features"]),
        llm_calls=row["llm_calls"],
        tool_calls=row["tool_calls"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cost_usd=(row["cost"] or Decimal(0)) if priced else None,
        unpriced_calls=row["unpriced_calls"],
    )


def _encode_cursor(grouping: Grouping, order: GroupOrder, row: Row) -> str:
    return cursors.encode((grouping.value, order.value, row["sort_key"], row["group_key"]))


def _decode_cursor(grouping: Grouping, order: GroupOrder, cursor: str) -> _Place:
    of, made_for, value, key = cursors.decode(cursor, tuple[str, str, int, str])
    if (of, made_for) != (grouping.value, order.value):
        raise BadCursor("The cursor belongs to another list, or to one in another order; start without it.")
    return _Place(value, key)
