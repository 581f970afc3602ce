"""Every read of spans: a constant or a builder of closed parts, a function, a row type.

All reads go through `filters.spans`: a span written in parts, or twice, is one row with the last present value of
each field. A trace lies in a window when its earliest span starts in it; partitions of a day more on both sides are
read, so that a trace across midnight is whole. Lists never read `input`, `output` or `attributes` (only filters
that ask about them do, of the traces that an index named).
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from tracehouse.clickhouse.query import Parameter, Query, Row, aware, run, run_together
from tracehouse.tenancy.scope import Scope
from traces import cursor as cursors
from traces import filters as f
from traces import index_queries as index
from traces.cursor import BadCursor
from traces.deadline import Deadline
from traces.filters import Order, TraceFilters, Value
from traces.index_queries import Candidate
from traces.logged import read as read_entries
from traces.logged import with_own_events
from traces.nesting import decoded
from traces.redactions import added
from traces.span import JSONValue

MAX_PAGE = 200
MAX_SPANS = 20_000
# Bytes of content read for one step and what stands beside it.
MAX_BODIES = 8_000_000
MAX_USAGE_ROWS = 10_000
MAX_CHOICES = 100
# Tags, models and tools of one trace, each: more than a trace has that means them.
MAX_NAMES = 1_000
# Candidates read beyond the page's length, since few of them turn out not to match; and at most at once.
EXTRA_CANDIDATES = 10
MAX_CANDIDATES = 2_000
# Orders other than the newest first group the whole window anew for each read of candidates: these are read for later.
LOOK_AHEAD = 10
# Traces that one read describes.
MAX_DESCRIBED = 10_000
EVERY_TRACE = TraceFilters()


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace as a list shows it. Times aware, in UTC; ids lower-case hex; absent text is ""."""

    trace_id: str
    name: str
    status: str  # "ok" or "error": the root's, or while it has not arrived whether any span failed
    has_root: bool
    is_open: bool  # its root has arrived without an end: it still runs, or was cut off
    start_time: datetime
    end_time: datetime
    latency_ms: float
    user_id: str
    session_id: str
    organization_id: str
    feature: str
    environment: str
    release: str
    input_type: str
    tags: list[str]
    models: list[str]
    tools: list[str]
    span_count: int
    llm_calls: int
    tool_calls: int
    error_count: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None  # None when no call has a price and at least one should have
    unpriced_calls: int


@dataclass(frozen=True, slots=True)
class SpanUsage:
    input: int
    input_uncached: int | None
    cache_read: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    output: int | None
    reasoning: int | None


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One span as stored. `parent_id` is None for a root. Content is parsed JSON, or text as sent."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    status_message: str
    error_type: str
    start_time: datetime
    end_time: datetime
    start_ns: int
    latency_ms: float
    model: str
    request_model: str
    provider: str
    agent_name: str
    workflow_name: str
    tool_name: str
    tool_call_id: str
    prompt_name: str
    prompt_version: str
    finish_reason: str
    response_id: str
    time_to_first_token_ms: float | None
    user_id: str
    session_id: str
    organization_id: str
    feature: str
    environment: str
    release: str
    input_type: str
    tags: list[str]
    usage: SpanUsage | None
    cost_usd: Decimal | None
    reported_cost_usd: Decimal | None
    cost_state: str  # "computed", "reported", "unpriced" or "" where nothing is billed
    cost_source: str
    counted_in: str  # the span of the same call that is counted in place of this one, "" for none
    input: JSONValue
    output: JSONValue
    output_bytes: int | None
    tool_definitions: JSONValue
    request_params: dict[str, JSONValue]
    attributes: dict[str, JSONValue]
    resource: dict[str, JSONValue]
    scope: str
    vocabulary: str
    events: list[JSONValue]
    links: list[JSONValue]
    redactions: dict[str, int]
    is_open: bool = False  # its end has not arrived; until then it lasts no time


@dataclass(frozen=True, slots=True)
class TracePage:
    traces: list[Trace]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SpanPlace:
    """Where a span stands among those of its trace, by start."""

    start_ns: int
    span_id: int


BEFORE_ALL = SpanPlace(-(2**63), 0)


@dataclass(frozen=True, slots=True)
class TraceDetail:
    trace: Trace
    spans: list[StoredSpan]
    truncated: bool  # the trace has more than MAX_SPANS spans; the first are here


@dataclass(frozen=True, slots=True)
class WholeTrace:
    """`spans`: all of them by start, however many; read as one goes, which may raise as reading does."""

    trace: Trace
    spans: Iterator[StoredSpan]


class UsageGroup(StrEnum):
    USER = "user_id"
    ORGANIZATION = "organization_id"
    FEATURE = "feature"
    MODEL = "model"
    TOOL = "tool"
    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Sums of one group. `errors`: failed invocations, or failed calls when grouped by model or tool."""

    key: str
    invocations: int
    llm_calls: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced_calls: int
    errors: int

    @property
    def priced_usd(self) -> Decimal | None:
        """None when nothing has a price and something should."""
        return self.cost_usd if self.cost_usd or not self.unpriced_calls else None


# Every column of a span that a trace's page shows.
STORED = (
    "parent_id",
    "start_time",
    "end_time",
    "time_to_first_token_ns",
    "tags",
    *f.TOKENS,
    "reasoning_tokens",
    "cost_usd",
    "reported_cost_usd",
    "input",
    "output",
    "output_bytes",
    "tool_definitions",
    "request_params",
    "attributes",
    "resource",
    "events",
    "links",
    "log_entries",
    "redactions",
    "name",
    "kind",
    "status",
    "status_message",
    "error_type",
    "user_id",
    "session_id",
    "organization_id",
    "feature",
    "environment",
    "release",
    "input_type",
    "model",
    "request_model",
    "provider",
    "agent_name",
    "workflow_name",
    "tool_name",
    "tool_call_id",
    "prompt_name",
    "prompt_version",
    "finish_reason",
    "response_id",
    "cost_state",
    "cost_source",
    "scope",
    "vocabulary",
)
IN_WINDOW = f"""{f.STARTED} >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
   AND {f.STARTED} < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')"""


def list_traces(
    scope: Scope,
    filters: TraceFilters,
    *,
    order: Order = Order.NEWEST,
    limit: int = 50,
    cursor: str = "",
) -> TracePage:
    """A page of traces. Raises `BadCursor`, `QueryTooLarge`, `QueryUnavailable`."""
    wanted = min(limit, MAX_PAGE)
    after = _decode_cursor(order, cursor) if cursor else None
    found = _Listing(scope, filters, order, after).first(wanted + 1)
    return TracePage(
        traces=[trace_of(row) for row in found[:wanted]],
        next_cursor=_encode_cursor(order, found[wanted - 1]) if len(found) > wanted else None,
    )


def get_trace(scope: Scope, trace_id: str) -> TraceDetail | None:
    """A trace with its first MAX_SPANS spans by start time, or None. Raises `QueryTooLarge`, `QueryUnavailable`."""
    whole = get_whole_trace(scope, trace_id)
    if whole is None:
        return None
    found = list(islice(whole.spans, MAX_SPANS + 1))
    return TraceDetail(trace=whole.trace, spans=found[:MAX_SPANS], truncated=len(found) > MAX_SPANS)


def get_whole_trace(scope: Scope, trace_id: str) -> WholeTrace | None:
    """A trace with all its spans, or None. Raises `QueryTooLarge`, `QueryUnavailable`."""
    parsed = parse_trace_id(trace_id)
    if parsed is None:
        return None
    bound = after(parsed, BEFORE_ALL, most=MAX_SPANS)
    headers, rows = run_together(scope, (_DESCRIBE, bound), (_TRACE_SPANS, bound))
    header = _sure(scope, headers, bound)
    if header is None or not rows:
        return None
    return WholeTrace(trace_of(header), _from_here(scope, parsed, rows, dict(header["told_twice"])))


def _from_here(
    scope: Scope, trace_id: uuid.UUID, rows: list[Row], counted_in: Mapping[int, int]
) -> Iterator[StoredSpan]:
    """These spans, and then those that follow, MAX_SPANS at a time."""
    while rows:
        yield from (stored_span(row, counted_in) for row in rows)
        last = SpanPlace(rows[-1]["start_ns"], rows[-1]["span_id"])
        is_end = len(rows) < MAX_SPANS
        rows = [] if is_end else run(_TRACE_SPANS, scope, after(trace_id, last, most=MAX_SPANS))


def after(trace_id: uuid.UUID, place: SpanPlace, *, most: int) -> dict[str, Parameter]:
    """What `OF_STRETCH` names."""
    return {
        "trace_ids": [str(trace_id)],
        "after_ns": place.start_ns,
        "after_span": place.span_id,
        "most": most,
    }


def describe_with(scope: Scope, trace_id: uuid.UUID, query: Query) -> tuple[Trace | None, list[Row]]:
    """A trace as a list shows it, and what another read says of it, asked for together."""
    bound = {"trace_ids": [str(trace_id)]}
    headers, rows = run_together(scope, (_DESCRIBE, bound), (query, bound))
    header = _sure(scope, headers, bound)
    return trace_of(header) if header else None, rows


def header(scope: Scope, trace_id: uuid.UUID) -> Row | None:
    """What `trace_of` takes, and `told_twice`: which spans another one is counted in place of."""
    bound = {"trace_ids": [str(trace_id)]}
    return _sure(scope, run(_DESCRIBE, scope, bound), bound)


def _sure(scope: Scope, headers: list[Row], bound: Mapping[str, Parameter]) -> Row | None:
    if headers and headers[0]["is_unsure"]:
        headers = run(_DESCRIBE_EXACTLY, scope, bound)
    return headers[0] if headers else None


def get_spans(scope: Scope, trace_id: uuid.UUID, span_ids: Sequence[int]) -> list[StoredSpan]:
    """Spans of a trace, whole, by start time: those of `span_ids` until their bodies reach MAX_BODIES, at least one."""
    bound: dict[str, Parameter] = {"trace_ids": [str(trace_id)], "span_ids": span_ids}
    rows, told_twice = run_together(scope, (_THESE_SPANS, bound), (_TOLD_TWICE, bound))
    counted_in = {row["span_id"]: row["counted_in"] for row in told_twice}
    return [stored_span(row, counted_in) for row in rows]


def has_spans(scope: Scope) -> bool:
    """Whether the project ever received a span."""
    return bool(run(_HAS_SPANS, scope))


def has_scores(scope: Scope) -> bool:
    """Whether the project has a score of anything."""
    return bool(run(_HAS_SCORES, scope))


def usage(
    scope: Scope, group: UsageGroup, *, filters: TraceFilters = EVERY_TRACE, limit: int = 100
) -> list[UsageRow]:
    """Sums by group over the traces that start in the window and match, dearest first.

    A trace counts for the user, organization and feature it belongs to, whichever span carries them.
    """
    clauses, parameters = f.conditions(filters)
    build = _usage_by_span if group in _SPAN_KEYS else _usage_by_trace
    given = group, tuple(clauses), index.of_matching(filters)
    bound = {**parameters, "limit": min(limit, MAX_USAGE_ROWS), "time_zone": scope.time_zone}
    # Sums by trace tell in passing whether they are exact.
    asked = group is UsageGroup.MODEL or (group is UsageGroup.TOOL and clauses)
    exact = bool(asked and run(_may_repeat(given[-1]), scope, parameters))
    rows = run(build(*given, exact=exact), scope, bound)
    doubts = [row.pop("may_repeat") for row in rows]
    if any(doubts):
        rows = run(build(*given, exact=True), scope, bound)
        for row in rows:
            del row["may_repeat"]
    return [
        UsageRow(
            output_tokens=row.pop("output_tokens_sum"), cost_usd=row.pop("cost_sum") or Decimal(0), **row
        )
        for row in rows
    ]


def choices(scope: Scope) -> dict[str, list[str]]:
    """Values met in the window, for the filter menus: environments, features, models, tools, names, tags."""
    rows = run(_CHOICES, scope)
    return {name: sorted(values) for name, values in rows[0].items()} if rows else {}


def parse_trace_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) in {32, 36} else None
    except ValueError:
        return None


def describe(
    scope: Scope,
    order: Order,
    filters: TraceFilters,
    trace_ids: Sequence[uuid.UUID],
    *,
    after: Candidate | None = None,
    just_found: bool = False,
    gently: bool = False,
) -> list[Row]:
    """Those of the traces that start in the window and match, decided by their spans; in no order.

    `after`: and that come after it in a list. `just_found`: by the index, a moment ago.
    """
    clauses, parameters = f.conditions(filters, of_these=True)
    quick, _ = f.conditions(filters, of_these=True, unsaid=just_found)
    unread = f.looked_up(filters).unread if just_found else ()
    bound: dict[str, Parameter] = {**parameters, "trace_ids": [str(trace_id) for trace_id in trace_ids]}
    if after:
        bound |= {"cursor_value": after.bound, "cursor_trace": str(after.trace_id)}
    query = _describe_query(order, tuple(quick), unread, after is not None, False)
    rows = run(query, scope, bound, gently=gently)
    unsure = [str(row["trace_id"]) for row in rows if row["is_unsure"]]
    if unsure:
        rows = [row for row in rows if not row["is_unsure"]]
        query = _describe_query(order, tuple(clauses), (), after is not None, True)
        rows += run(query, scope, {**bound, "trace_ids": unsure}, gently=gently)
    return rows


class _Listing:
    """One walk along a list: candidates in the order of their bounds, each decided exactly by its spans.

    1. Take the next candidates. 2. Read their spans; keep those that match. 3. Those that come before every trace not
    yet seen have found their place. 4. Repeat with more until the page is full, there are no more, or time is up.
    """

    def __init__(self, scope: Scope, filters: TraceFilters, order: Order, after: Candidate | None) -> None:
        self._scope, self._filters, self._order, self._after = scope, filters, order, after
        self._parameters = f.conditions(filters, of_these=True)[1]
        self._ascending = f.ORDER_KEYS[order][1]
        self._bounds: dict[uuid.UUID, int] = {}
        self._ahead: list[Candidate] = []
        self._is_all_ahead = False
        self._rows: dict[uuid.UUID, Row] = {}
        self._deadline = Deadline()

    def first(self, wanted: int) -> list[Row]:
        """The first traces after the cursor, in order."""
        last, taken, step = None, 0, wanted + EXTRA_CANDIDATES
        with ThreadPoolExecutor(1, thread_name_prefix="clickhouse-read") as meanwhile:
            strays = meanwhile.submit(self._strays) if self._order is Order.NEWEST else None
            batch = self._next(last, taken, step)
        if strays:
            self._read(strays.result())
        while True:
            self._read([one.trace_id for one in batch if one.trace_id not in self._bounds], just_found=True)
            self._bounds |= {one.trace_id: one.bound for one in batch}
            if len(batch) < step:
                return self._in_order(self._rows.values())[:wanted]
            last, taken, step = batch[-1], taken + step, min(step * 2, MAX_CANDIDATES)
            placed = [row for row in self._rows.values() if self._has_its_place(row, last.bound)]
            if len(placed) >= wanted:
                return self._in_order(placed)[:wanted]
            self._deadline.check(looked_through=taken, found=len(self._rows), what="traces")
            batch = self._next(last, taken, step)

    def _next(self, last: Candidate | None, taken: int, step: int) -> list[Candidate]:
        if self._order is Order.NEWEST:
            before = last or self._after
            return index.newest(self._scope, self._filters, self._parameters, before=before, limit=step)
        if len(self._ahead) < step and not self._is_all_ahead:
            limit = step * LOOK_AHEAD
            self._ahead = index.bounded(
                self._scope, self._filters, self._parameters, order=self._order, offset=taken, limit=limit
            )
            self._is_all_ahead = len(self._ahead) < limit
        batch, self._ahead = self._ahead[:step], self._ahead[step:]
        return batch

    def _strays(self) -> list[uuid.UUID]:
        if self._after:
            from_ns: int | None = self._after.bound
        else:
            end = self._scope.window.end
            from_ns = int(end.timestamp() * 1_000_000) * 1000 if end < datetime.now(UTC) else None
        return index.strays(self._scope, self._filters, self._parameters, from_ns=from_ns)

    def _read(self, trace_ids: Sequence[uuid.UUID], *, just_found: bool = False) -> None:
        if not trace_ids:
            return
        found = describe(
            self._scope, self._order, self._filters, trace_ids, after=self._after, just_found=just_found
        )
        self._rows |= {row["trace_id"]: row for row in found}

    def _has_its_place(self, row: Row, frontier: int) -> bool:
        key: int = row["sort_key"]
        if key == frontier:
            return self._bounds.get(row["trace_id"]) == key
        return key < frontier if self._ascending else key > frontier

    def _in_order(self, rows: Iterable[Row]) -> list[Row]:
        return sorted(
            rows,
            key=lambda row: (row["sort_key"], index.in_store_order(row["trace_id"])),
            reverse=not self._ascending,
        )


# What the description of a trace reads of its spans.
_LISTED = (
    "parent_id",
    "start_time",
    "end_time",
    "name",
    "kind",
    "status",
    "user_id",
    "session_id",
    "organization_id",
    "feature",
    "environment",
    "release",
    "input_type",
    "tags",
    "model",
    "tool_name",
    *f.TOKENS,
    "cost_usd",
    "cost_state",
)


def columns_for(conditions: Iterable[str]) -> tuple[str, ...]:
    """The columns that sums over traces read, and what conditions of filters need besides."""
    said = "\n".join(conditions)
    return (*_LISTED, *(name for name in f.UNLISTED if re.search(rf"\b{name}\b", said)))


def _describe_sql(sort_key: str, having: Sequence[str], narrowed: str = f.OF_TRACES, *, exact: bool) -> str:
    """One row a trace, of `trace_ids`, under names that no column has.

    Not `exact`, each stored part is a span and each span counts; a trace that needs a closer look is then here whatever
    the conditions, and says so.
    """
    conditions = "\n   AND ".join(having or ["1"])
    columns = columns_for(having)
    source = f.calls(columns, narrowed, exact=True) if exact else f.parts((*columns, *f.TELLING), narrowed)
    unsure = "0" if exact else f"({f.IN_PARTS} OR {f.may_repeat(False)})"
    return f"""
SELECT
    trace_id,
    {sort_key} AS sort_key,
    argMin(name, {f.RANK}) AS name_,
    {f.STATUS} AS status_,
    {f.HAS_ROOT} AS has_root,
    {f.IS_OPEN} AS is_open,
    min(start_time) AS start_time_,
    max(end_time) AS end_time_,
    {f.LATENCY_NS} AS latency_ns,
    {f.belongs("user_id")} AS user_id_,
    {f.belongs("session_id")} AS session_id_,
    {f.belongs("organization_id")} AS organization_id_,
    {f.belongs("feature")} AS feature_,
    {f.belongs("environment")} AS environment_,
    {f.belongs("release")} AS release_,
    {f.belongs("input_type")} AS input_type_,
    arraySort(groupUniqArrayArray({MAX_NAMES})(JSONExtract(ifNull(tags, '[]'), 'Array(String)'))) AS tags_,
    arraySort(groupUniqArrayIf({MAX_NAMES})(assumeNotNull(model), {f.BILLED} AND model != '')) AS models,
    arraySort(groupUniqArrayIf({MAX_NAMES})(assumeNotNull(tool_name), kind = 'tool' AND tool_name != '')) AS tools,
    count() AS span_count,
    {f.LLM_CALLS} AS llm_calls,
    countIf(kind = 'tool') AS tool_calls,
    countIf(status = 'error') AS error_count,
    {f.INPUT_TOKENS} AS input_tokens_,
    {f.OUTPUT_TOKENS} AS output_tokens_,
    {f.COST} AS cost,
    {f.UNPRICED_CALLS} AS unpriced_calls,
    groupArrayIf((span_id, counted_in), counted_in != 0) AS told_twice,
    {unsure} AS is_unsure
FROM {source}
GROUP BY trace_id
HAVING start_time_ IS NOT NULL AND (is_unsure OR {conditions})
LIMIT {MAX_DESCRIBED}"""  # noqa: S608  # closed parts only


@lru_cache(maxsize=256)
def _describe_query(
    order: Order, clauses: tuple[str, ...], unread: tuple[str, ...], after: bool, exact: bool
) -> Query:
    key, ascending = f.ORDER_KEYS[order]
    sign = ">" if ascending else "<"
    place = [f"({key}, trace_id) {sign} ({{cursor_value:Int64}}, {{cursor_trace:UUID}})"] if after else []
    having = [IN_WINDOW, *clauses, *place]
    narrowed = "\n      ".join((f.OF_TRACES, *map(f.of_parts, unread)))
    return Query("traces.describe", _describe_sql(key, having, narrowed, exact=exact))


_DESCRIBE = Query("traces.describe", _describe_sql("0", [], exact=False))
_DESCRIBE_EXACTLY = Query("traces.describe", _describe_sql("0", [], exact=True))

_TOLD_TWICE = Query(
    "traces.told_twice",
    f"""
SELECT
    span_id,
    counted_in
FROM {f.calls(f.SUMMED, f.OF_TRACES, exact=True)}
WHERE counted_in != 0
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)

# A condition on parts, for `filters.spans`: those of the `most` spans of a trace that follow a place by start. Which
# ones they are is found out without reading a body.
OF_STRETCH = f"""{f.OF_TRACES}
      AND part.span_id IN
      (
          SELECT span_id
          FROM {f.spans(("start_time",), f.OF_TRACES)}
          WHERE (toUnixTimestamp64Nano(assumeNotNull(start_time)), span_id)
              > ({{after_ns:Int64}}, {{after_span:UInt64}})
          ORDER BY start_time, span_id
          LIMIT {{most:UInt32}}
      )"""  # noqa: S608  # closed parts only

_TRACE_SPANS = Query(
    "traces.spans",
    f"""
SELECT
    *,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(end_time) AS end_ns
FROM {f.spans(STORED, OF_STRETCH)}
ORDER BY start_time, span_id
LIMIT {{most:UInt32}}""",  # noqa: S608  # closed parts only
)

_THESE_SPANS = Query(
    "traces.these_spans",
    f"""
WITH in_turn AS
(
    SELECT
        *,
        sum(ifNull(length(input), 0) + ifNull(length(output), 0) + length(toString(log_entries)))
            OVER (
                ORDER BY indexOf({{span_ids:Array(UInt64)}}, span_id)
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS bytes_before
    FROM {
        f.spans(
            STORED,
            f"{f.OF_TRACES} AND has({{span_ids:Array(UInt64)}}, part.span_id)",
        )
    }
)
SELECT
    *,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(end_time) AS end_ns
FROM in_turn
WHERE ifNull(bytes_before, 0) < {MAX_BODIES}
ORDER BY start_time, span_id
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)

_HAS_SPANS = Query(
    "traces.has_spans",
    """
SELECT 1
FROM spans
WHERE project_id = {project_id:UInt64}
  AND day BETWEEN {first_day:Date} AND {last_day:Date}
  AND start_time IS NOT NULL
LIMIT 1""",
)

_HAS_SCORES = Query(
    "scores.has_any",
    """
SELECT 1
FROM scores
WHERE project_id = {project_id:UInt64}
  AND day BETWEEN {first_day:Date} AND {last_day:Date}
  AND NOT deleted
LIMIT 1""",
)

_CHOICES = Query(
    "traces.choices",
    f"""
SELECT
    groupUniqArrayArray({MAX_CHOICES})(environments) AS environment,
    groupUniqArrayArray({MAX_CHOICES})(features) AS feature,
    groupUniqArrayArray({MAX_CHOICES})(models) AS model,
    groupUniqArrayArray({MAX_CHOICES})(tools) AS tool,
    groupUniqArrayArray({MAX_CHOICES})(root_names) AS name,
    groupUniqArrayArray({MAX_CHOICES})(tags) AS tags
FROM traces
WHERE project_id = {{project_id:UInt64}}
  AND day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
LIMIT 1""",  # noqa: S608  # closed parts only
)

# Keys of one span, not of its trace: a trace may use several models and tools.
_SPAN_KEYS = {
    UsageGroup.MODEL: ("model", f.COUNTED),
    UsageGroup.TOOL: ("tool_name", "kind = 'tool'"),
}
_TRACE_KEYS = {
    UsageGroup.USER: f"ifNull({f.belongs('user_id')}, '')",
    UsageGroup.ORGANIZATION: f"ifNull({f.belongs('organization_id')}, '')",
    UsageGroup.FEATURE: f"ifNull({f.belongs('feature')}, '')",
    UsageGroup.DAY: f"toString(toDate({f.STARTED}, {{time_zone:String}}))",
    UsageGroup.HOUR: f"formatDateTime(toStartOfHour({f.STARTED}), '%Y-%m-%dT%H:00:00Z', 'UTC')",
}


@lru_cache(maxsize=256)
def _usage_by_trace(group: UsageGroup, clauses: tuple[str, ...], narrowed: str, *, exact: bool) -> Query:
    conditions = "\n       AND ".join((IN_WINDOW, *clauses))
    return Query(
        f"usage.{group}",
        f"""
WITH per_trace AS
(
    SELECT
        {_TRACE_KEYS[group]} AS key,
        {f.LLM_CALLS} AS llm_calls_,
        countIf(kind = 'tool') AS tool_calls_,
        {f.INPUT_TOKENS} AS input_tokens_,
        {f.OUTPUT_TOKENS} AS output_tokens_,
        {f.COST} AS cost,
        {f.UNPRICED_CALLS} AS unpriced,
        {f.STATUS} = 'error' AS failed,
        {f.may_repeat(exact)} AS repeats
    FROM {f.calls(columns_for(clauses), narrowed, exact=exact)}
    GROUP BY trace_id
    HAVING {conditions}
)
SELECT
    key,
    count() AS invocations,
    sum(llm_calls_) AS llm_calls,
    sum(tool_calls_) AS tool_calls,
    sum(ifNull(input_tokens_, 0)) AS input_tokens,
    sum(ifNull(output_tokens_, 0)) AS output_tokens_sum,
    sum(ifNull(cost, 0)) AS cost_sum,
    sum(unpriced) AS unpriced_calls,
    sum(failed) AS errors,
    max(repeats) AS may_repeat
FROM per_trace
GROUP BY key
ORDER BY cost_sum DESC, invocations DESC, key
LIMIT {{limit:UInt32}}""",  # noqa: S608
    )


@lru_cache(maxsize=256)
def _may_repeat(narrowed: str) -> Query:
    """Whether any trace has a call that two spans may tell. Parts are looked at, not spans: a superset, and faster."""
    return Query(
        "usage.may_repeat",
        f"""
SELECT 1
FROM spans AS part
PREWHERE part.project_id = {{project_id:UInt64}}
  AND part.day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
  {narrowed}
WHERE {f.BILLED}
GROUP BY part.trace_id
HAVING {f.may_repeat(False)}
LIMIT 1""",  # noqa: S608  # closed parts only
    )


@lru_cache(maxsize=256)
def _usage_by_span(group: UsageGroup, clauses: tuple[str, ...], narrowed: str, *, exact: bool) -> Query:
    column, condition = _SPAN_KEYS[group]
    matching = f"AND trace_id IN ({_matching(clauses, narrowed, exact=exact)})" if clauses else ""
    return Query(
        f"usage.{group}",
        f"""
WITH in_window AS
(
    SELECT
        *,
        min(start_time) OVER (PARTITION BY trace_id) AS trace_start
    FROM {f.calls(_LISTED, narrowed, exact=exact)}
)
SELECT
    ifNull({column}, '') AS key,
    uniqExact(trace_id) AS invocations,
    countIf(kind = 'llm') AS llm_calls,
    countIf(kind = 'tool') AS tool_calls,
    ifNull({f.INPUT_TOKENS}, 0) AS input_tokens,
    ifNull({f.OUTPUT_TOKENS}, 0) AS output_tokens_sum,
    ifNull({f.COST}, 0) AS cost_sum,
    countIf(cost_state = 'unpriced') AS unpriced_calls,
    countIf(status = 'error') AS errors,
    0 AS may_repeat
FROM in_window
WHERE trace_start >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
  AND trace_start < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')
  AND {condition}
  {matching}
GROUP BY key
ORDER BY cost_sum DESC, invocations DESC, key
LIMIT {{limit:UInt32}}""",  # noqa: S608
    )


def _matching(clauses: Sequence[str], narrowed: str, *, exact: bool, wanted: str = "trace_id") -> str:
    conditions = "\n       AND ".join(clauses)
    return f"""
    SELECT {wanted}
    FROM {f.calls(columns_for(clauses), narrowed, exact=exact)}
    GROUP BY trace_id
    HAVING {conditions}"""  # noqa: S608  # closed parts only


def matching(filters: TraceFilters, *, sessions: bool = False) -> tuple[str, dict[str, Value]]:
    """A subquery of the ids of the window's traces that match, and its parameters: to read what is said of them.

    `sessions`: of the sessions they belong to instead, once for each trace; "" for none.
    """
    clauses, parameters = f.conditions(filters)
    wanted = f"ifNull({f.belongs('session_id')}, '')" if sessions else "trace_id"
    exact = filters.counts_calls
    found = _matching((IN_WINDOW, *clauses), index.of_matching(filters), exact=exact, wanted=wanted)
    return found, parameters


def _encode_cursor(order: Order, row: Row) -> str:
    return cursors.encode((order.value, row["sort_key"], row["trace_id"].hex))


def _decode_cursor(order: Order, cursor: str) -> Candidate:
    made_for, value, trace_id = cursors.decode(cursor, tuple[str, int, str])
    parsed = parse_trace_id(trace_id)
    if made_for != order.value or parsed is None:
        raise BadCursor("The cursor belongs to a list in another order; start again without it.")
    return Candidate(parsed, value)


def trace_of(row: Row) -> Trace:
    priced = row["cost"] is not None or not row["unpriced_calls"]
    return Trace(
        trace_id=row["trace_id"].hex,
        name=row["name_"] or "",
        status=row["status_"],
        has_root=bool(row["has_root"]),
        is_open=bool(row["is_open"]),
        start_time=aware(row["start_time_"]),
        end_time=aware(row["end_time_"] or row["start_time_"]),
        latency_ms=(row["latency_ns"] or 0) / 1e6,
        **{name: row[f"{name}_"] or "" for name in _TRACE_TEXTS},
        tags=list(row["tags_"]),
        models=list(row["models"]),
        tools=list(row["tools"]),
        span_count=row["span_count"],
        llm_calls=row["llm_calls"],
        tool_calls=row["tool_calls"],
        error_count=row["error_count"],
        input_tokens=row["input_tokens_"] or 0,
        output_tokens=row["output_tokens_"] or 0,
        cost_usd=(row["cost"] or Decimal(0)) if priced else None,
        unpriced_calls=row["unpriced_calls"],
    )


_TRACE_TEXTS = (
    "user_id",
    "session_id",
    "organization_id",
    "feature",
    "environment",
    "release",
    "input_type",
)
_SPAN_TEXTS = (
    *_TRACE_TEXTS,
    "name",
    "kind",
    "status",
    "status_message",
    "error_type",
    "model",
    "request_model",
    "provider",
    "agent_name",
    "workflow_name",
    "tool_name",
    "tool_call_id",
    "prompt_name",
    "prompt_version",
    "finish_reason",
    "response_id",
    "cost_state",
    "cost_source",
    "scope",
    "vocabulary",
)


def stored_span(row: Row, counted_in: Mapping[int, int]) -> StoredSpan:
    start_ns, end_ns = row["start_ns"], row["end_ns"] or row["start_ns"]
    first_token = row["time_to_first_token_ns"]
    logged = read_entries(row["log_entries"])
    attributes = _json(row["attributes"], {})
    output = stored_content(row["output"])
    if output is None:
        output = logged.output
    return StoredSpan(
        span_id=f"{row['span_id']:016x}",
        parent_id=f"{row['parent_id']:016x}" if row["parent_id"] else None,
        start_time=aware(row["start_time"]),
        end_time=aware(row["end_time"] or row["start_time"]),
        start_ns=start_ns,
        latency_ms=(end_ns - start_ns) / 1e6,
        is_open=row["end_ns"] is None,
        time_to_first_token_ms=first_token / 1e6 if first_token is not None else None,
        **{name: row[name] or "" for name in _SPAN_TEXTS},
        counted_in=f"{counted_in[row['span_id']]:016x}" if row["span_id"] in counted_in else "",
        tags=_json(row["tags"], []),
        usage=_usage(row),
        cost_usd=row["cost_usd"] if row["cost_state"] != "unpriced" else None,
        reported_cost_usd=row["reported_cost_usd"],
        input=stored_content(row["input"]) if row["input"] is not None else logged.input,
        output=output,
        output_bytes=row["output_bytes"] if row["output"] is not None else logged.output_bytes,
        tool_definitions=stored_content(row["tool_definitions"]) or logged.tool_definitions,
        request_params=_json(row["request_params"], {}),
        attributes=attributes,
        resource=_json(row["resource"], {}),
        events=with_own_events(logged, _json(row["events"], []), attributes),
        links=_json(row["links"], []),
        redactions=added(_json(row["redactions"], {}), logged.redactions),
    )


_TOKEN_COLUMNS = {
    "input_uncached": "input_uncached_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
    "reasoning": "reasoning_tokens",
}


def _usage(row: Row) -> SpanUsage | None:
    counts = {name: row[column] for name, column in _TOKEN_COLUMNS.items()}
    if all(count is None for count in counts.values()):
        return None
    parts = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h")
    return SpanUsage(input=sum(counts[part] or 0 for part in parts), **counts)


def _json(text: str | None, absent: Any) -> Any:
    return msgspec.json.decode(text) if text else absent


def stored_content(text: str | None) -> JSONValue:
    """Structured content comes back as structure; anything that is not a JSON object or list is text."""
    if text and text[0] in "[{":
        try:
            return decoded(text)
        except msgspec.DecodeError:
            return text
    return text
