"""All traces of a window that match, however many, in order and in bounded memory: what an export reads.

Pages of a list begin each time where the one before ended. A walk asks the index once for the ids of all candidates
(24 bytes each), and then decides and describes them in stretches. On 250,000 traces of a day and a half: 8,600 traces a
second on one processor in 65 MB; pages of 200 gave 850, and 50 in other orders; one query needed more than 1.5 GB.
"""

import uuid
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tracehouse.clickhouse.query import Parameter, Query, run, run_in_blocks
from tracehouse.tenancy.scope import Scope, Window
from traces import filters as f
from traces import index_queries as index
from traces import queries
from traces.answer import SpanAnswer
from traces.answer_queries import SELECTED, Started, started, whole
from traces.filters import Order, TraceFilters
from traces.queries import MAX_SPANS, Trace, trace_of

# Traces that are described at once. They lie scattered over a day's spans, so fewer at once read as much, more often.
STRETCH = queries.MAX_DESCRIBED
# Traces that are held because one not yet read may come before them. Past so many the order is only nearly right.
MAX_WAITING = 50_000
# Bytes of content read at once, unless one trace alone has more.
MAX_CONTENT = 32_000_000
Place: TypeAlias = tuple[
    int, tuple[int, int]
]  # in the order: the sort key, and the id as the store orders it


@dataclass(slots=True)
class Candidates:
    """Traces that may match, in the order of their bounds (see `index_queries`), packed."""

    most: int
    ids: bytearray = field(default_factory=bytearray)
    bounds: "array[int]" = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return min(len(self.bounds), self.most)

    @property
    def are_cut(self) -> bool:
        """There are more than `most`, which are left out."""
        return len(self.bounds) > self.most

    def id_at(self, number: int) -> uuid.UUID:
        return uuid.UUID(bytes=bytes(self.ids[number * 16 : number * 16 + 16]))

    def place_at(self, number: int) -> Place | None:
        """Where the candidate stands, or None past the last."""
        return _place(self.bounds[number], self.id_at(number)) if number < len(self) else None


def candidates(scope: Scope, filters: TraceFilters, order: Order, *, most: int) -> Candidates:
    """Raises `QueryTooLarge`, `QueryUnavailable`."""
    found = Candidates(most)
    bound = {**f.conditions(filters)[1], "offset": 0, "limit": most + 1}
    for ids, bounds in run_in_blocks(index.in_order_of_bounds(filters, order), scope, bound):
        found.ids += b"".join(one.bytes for one in ids)
        found.bounds.extend(bounds)
    return found


def walk(
    scope: Scope, filters: TraceFilters, order: Order, found: Candidates, *, stretch: int = STRETCH
) -> Iterator[list[Trace]]:
    """The traces among the candidates that do match, in order, in lists of various lengths.

    A trace has found its place once it comes before the bound of every candidate not yet read. Raises
    `QueryTooLarge`, `QueryUnavailable`.
    """
    ascending = f.ORDER_KEYS[order][1]
    waiting: list[tuple[Place, Trace]] = []
    for first in range(0, len(found), stretch):
        ids = [found.id_at(number) for number in range(first, min(first + stretch, len(found)))]
        rows = queries.describe(scope, order, filters, ids, gently=True)
        waiting += [(_place(row["sort_key"], row["trace_id"]), trace_of(row)) for row in rows]
        waiting.sort(key=lambda one: one[0], reverse=not ascending)
        ready = _ready(waiting, found.place_at(first + stretch), ascending)
        if ready:
            yield [trace for _, trace in waiting[:ready]]
            del waiting[:ready]


def _ready(waiting: Sequence[tuple[Place, Trace]], frontier: Place | None, ascending: bool) -> int:
    """How many of those in order have found their place."""
    if frontier is None:
        return len(waiting)
    placed = sum(place < frontier if ascending else place > frontier for place, _ in waiting)
    return max(placed, len(waiting) - MAX_WAITING)


def _place(key: int, trace_id: uuid.UUID) -> Place:
    return key, index.in_store_order(trace_id)


def spans_of(scope: Scope, traces: Sequence[Trace]) -> dict[str, list[SpanAnswer]]:
    """All spans of the first of these traces, by trace id: as many as have `MAX_CONTENT` of content, at least one.

    Of a trace with more than `MAX_SPANS` spans the first are read. Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    days = Window(min(one.start_time for one in traces), max(one.end_time for one in traces))
    bound: Mapping[str, Parameter] = {"trace_ids": [str(uuid.UUID(one.trace_id)) for one in traces]}
    told_twice = run(_TOLD_TWICE_OF, scope.during(days), bound, gently=True)
    counted_in: dict[uuid.UUID, dict[int, int]] = {}
    for row in told_twice:
        counted_in.setdefault(row["trace_id"], {})[row["span_id"]] = row["counted_in"]
    found: dict[uuid.UUID, list[Started]] = {}
    for trace_ids, *block in run_in_blocks(_SPANS_OF, scope.during(days), bound, gently=True):
        for trace_id, span in zip(trace_ids, started(block), strict=True):
            found.setdefault(trace_id, []).append(span)
    return {trace_id.hex: whole(spans, counted_in.get(trace_id, {})) for trace_id, spans in found.items()}


_SPANS_OF = Query(
    "traces.spans_of",
    f"""
WITH
    in_turn AS
    (
        SELECT
            *,
            indexOf({{trace_ids:Array(UUID)}}, trace_id) AS turn,
            sum(ifNull(length(input), 0) + ifNull(length(output), 0) + ifNull(length(attributes), 0)
                + length(toString(log_entries)))
                OVER (ORDER BY turn RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bytes_with_it,
            row_number() OVER (PARTITION BY turn ORDER BY start_time, span_id) AS number_in_trace
        FROM {f.spans(queries.STORED, f.OF_TRACES)}
    )
SELECT
    span.trace_id,
    {SELECTED}
FROM in_turn AS span
WHERE (bytes_with_it <= {MAX_CONTENT} OR turn = 1)
  AND number_in_trace <= {MAX_SPANS}
ORDER BY span.turn, span.start_time, span.span_id
LIMIT 1000000""",  # noqa: S608  # closed parts only
)

_TOLD_TWICE_OF = Query(
    "traces.told_twice_of",
    f"""
SELECT
    trace_id,
    span_id,
    counted_in
FROM {f.calls(f.SUMMED, f.OF_TRACES, exact=True)}
WHERE counted_in != 0
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)
