"""Reads of whole spans as the REST API answers them: the store writes its columns as they stand in the answer."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, TypeAlias

from tracehouse.clickhouse.query import Parameter, Query, run_in_blocks
from tracehouse.tenancy.scope import Scope
from traces import answer, queries
from traces import cursor as cursors
from traces import filters as f
from traces.answer import NO_FIELDS, NO_ITEMS, SpanAnswer
from traces.cursor import BadCursor
from traces.outline_queries import parse_span_id
from traces.queries import MAX_SPANS, OF_STRETCH, STORED, SpanPlace, Trace

# A span and the nanosecond of its start.
Started: TypeAlias = tuple[int, SpanAnswer]
Block: TypeAlias = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    trace: Trace
    spans: list[SpanAnswer]  # by start time
    next_cursor: str | None  # where the spans go on; None where these are the last


def get_trace(scope: Scope, trace_id: str, *, cursor: str = "") -> TraceAnswer | None:
    """The trace and its first MAX_SPANS spans, or those that follow the place of the cursor.

    Raises `BadCursor`, `QueryTooLarge`, `QueryUnavailable`.
    """
    parsed = queries.parse_trace_id(trace_id)
    if parsed is None:
        return None
    place = _decode_cursor(parsed, cursor) if cursor else None
    with ThreadPoolExecutor(1, thread_name_prefix="clickhouse-read") as threads:
        described = threads.submit(queries.header, scope, parsed)
        found, more = _stretch(scope, parsed, place)
        header = described.result()
    if header is None or (not found and place is None):
        return None
    next_cursor = _encode_cursor(parsed, found[-1]) if more else None
    spans = whole(found, dict(header["told_twice"]))
    return TraceAnswer(queries.trace_of(header), spans, next_cursor)


def _stretch(scope: Scope, trace_id: uuid.UUID, place: SpanPlace | None) -> tuple[list[Started], bool]:
    """The spans after a place, or the first ones, up to MAX_SPANS by start; and whether there are more."""
    if place is None:
        found = _read(_SPANS, scope, {"trace_ids": [str(trace_id)], "most": MAX_SPANS + 1})
        if len(found) <= MAX_SPANS:
            return found, False
    # One more than is answered tells whether there is more, and is dropped.
    found = _read(_STRETCH, scope, queries.after(trace_id, place or queries.BEFORE_ALL, most=MAX_SPANS + 1))
    return found[:MAX_SPANS], len(found) > MAX_SPANS


def _encode_cursor(trace_id: uuid.UUID, last: Started) -> str:
    return cursors.encode((trace_id.hex, last[0], last[1].span_id))


def _decode_cursor(trace_id: uuid.UUID, cursor: str) -> SpanPlace:
    of, start_ns, span_id = cursors.decode(cursor, tuple[str, int, str])
    number = parse_span_id(span_id)
    if of != trace_id.hex or number is None or not -(2**63) <= start_ns < 2**63:
        raise BadCursor("The cursor is not of this trace; start again without it.")
    return SpanPlace(start_ns, number)


def _read(query: Query, scope: Scope, bound: Mapping[str, Parameter]) -> list[Started]:
    """The spans by start time: each block is made spans while the store reads the next."""
    found = list(chain.from_iterable(map(started, run_in_blocks(query, scope, bound))))
    return sorted(found, key=lambda one: (one[0], one[1].span_id))


def whole(found: Sequence[Started], counted_in: Mapping[int, int]) -> list[SpanAnswer]:
    """The spans of one trace, with what they say of each other."""
    answer.join_tools(found)
    for _, span in found if counted_in else ():
        if other := counted_in.get(int(span.span_id, 16)):
            span.counted_in = f"{other:016x}"
    return [span for _, span in found]


def started(block: Block) -> Iterator[Started]:
    """The spans of a block of columns that `COLUMNS` name."""
    told: dict[str, Any] = dict(zip(_COLUMNS, block, strict=True))
    starts, entries = told.pop("start_ns"), told.pop("log_entries")
    says = told["input"], told["output"]
    told |= {
        "usage": map(answer.usage, zip(*(told.pop(name) for name in _BUCKETS), strict=True)),
        "counted_in": repeat(None),
        "input": map(answer.content, told["input"]),
        "output": map(answer.content, told["output"]),
        "tool_definitions": map(answer.definitions, told["tool_definitions"]),
        **{name: map(answer.structure, told[name], repeat(absent)) for name, absent in _STRUCTURES.items()},
    }
    spans = list(map(SpanAnswer, *(told[name] for name in _FIELDS)))
    for place, logged in enumerate(entries):
        if logged:
            says_input, says_output = (column[place] is not None for column in says)
            answer.add_logged(spans[place], logged, says_input=says_input, says_output=says_output)
    return zip(starts, spans, strict=True)


_FIELDS = SpanAnswer.__struct_fields__[: -len(SpanAnswer.__struct_defaults__)]
_STRUCTURES = {
    "tags": NO_ITEMS,
    "request_params": NO_FIELDS,
    "attributes": NO_FIELDS,
    "resource": NO_FIELDS,
    "events": NO_ITEMS,
    "links": NO_ITEMS,
    "redactions": NO_FIELDS,
}
_BUCKETS = (*f.TOKENS, "reasoning_tokens")
_ENDED = "ifNull(span.end_time, span.start_time)"


def _moment(sql: str) -> str:
    return f"formatDateTime(toDateTime64({sql}, 6, 'UTC'), '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')"


def _hex(sql: str) -> str:
    return f"lower(leftPad(hex({sql}), 16, '0'))"


# What is not a text in the answer, or not null when it is empty. Money: the store writes no trailing zeros.
_WRITTEN = {
    "start_ns": "toUnixTimestamp64Nano(span.start_time)",
    "span_id": _hex("span.span_id"),
    "parent_id": f"if(span.parent_id = 0, NULL, {_hex('span.parent_id')})",
    "start_time": _moment("span.start_time"),
    "end_time": _moment(_ENDED),
    "latency_ms": f"(toUnixTimestamp64Nano({_ENDED}) - toUnixTimestamp64Nano(span.start_time)) / 1e6",
    "is_open": "CAST(span.end_time IS NULL AS Bool)",
    "time_to_first_token_ms": "span.time_to_first_token_ns / 1e6",
    "cost_usd": "if(span.cost_state = 'unpriced', NULL, toString(span.cost_usd))",
    "reported_cost_usd": "toString(span.reported_cost_usd)",
    "output_bytes": "if(span.output IS NULL, NULL, span.output_bytes)",
    **{name: f"ifNull(span.{name}, '')" for name in ("name", "kind", "status")},
    **{
        name: f"span.{name}"
        for name in (*_BUCKETS, *_STRUCTURES, "input", "output", "tool_definitions", "log_entries")
    },
}
_COLUMNS: Mapping[str, str] = {
    **_WRITTEN,
    **{
        name: f"nullIf(span.{name}, '')" for name in _FIELDS if name not in {*_WRITTEN, "usage", "counted_in"}
    },
}
# What `started` takes, of a table `span` of whole spans with the columns `STORED`.
SELECTED = ",\n    ".join(_COLUMNS.values())

_READ = f"""
SELECT
    {SELECTED}
FROM {f.spans(STORED, f.OF_TRACES)} AS span"""  # noqa: S608  # closed parts only
# In the order of the table, which the store need not put whole rows into: 100 ms of 400 for ten thousand.
_SPANS = Query(
    "traces.answer",
    f"""{_READ}
LIMIT {{most:UInt32}}
SETTINGS optimize_aggregation_in_order = 1""",
)
_STRETCH = Query(
    "traces.answer_stretch",
    f"""
SELECT
    {SELECTED}
FROM {f.spans(STORED, OF_STRETCH)} AS span
LIMIT {{most:UInt32}}""",  # noqa: S608  # closed parts only
)
