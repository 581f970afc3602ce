"""Reads for the page of one trace: its outline without bodies, one span among its neighbours, and text search.

A trace may hold 20,000 spans and hundreds of megabytes of prompts. The outline reads only the columns that a row of the
tree shows; bodies are read for the step that is shown and for the few calls it needs beside it.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice

import msgspec

from tracehouse.clickhouse.query import Query, Row, aware, run
from tracehouse.tenancy.scope import Scope, Window
from traces import filters as f
from traces import queries
from traces.queries import MAX_SPANS, StoredSpan, Trace, parse_trace_id

# Calls whose bodies are read with a span: they answer which tool ran what a model asked for.
MAX_NEIGHBOURS = 60
# Failed spans without a status message of which the exception is read.
MAX_EXPLAINED = 200
MAX_SEARCHED = 200


@dataclass(frozen=True, slots=True)
class OutlineSpan:
    """What a row of the tree shows of a span. `parent_id` is None for a root; absent text is ""."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    failure: str  # what a failed span says of it, in one line; "" when it says nothing
    start_ns: int
    latency_ms: float
    model: str
    tool_name: str
    prompt_name: str
    prompt_version: str
    tokens: int | None
    cost_usd: Decimal | None
    cost_state: str
    is_open: bool = False  # its end has not arrived


@dataclass(frozen=True, slots=True)
class Outline:
    trace: Trace
    spans: list[OutlineSpan]
    truncated: bool  # the trace has more than MAX_SPANS spans; the first are here


@dataclass(frozen=True, slots=True)
class SpanInTrace:
    span: StoredSpan
    neighbours: list[StoredSpan]  # it and the calls nearest to it, by start time
    are_all: bool  # these are all calls of the trace


def get_outline(scope: Scope, trace_id: str) -> Outline | None:
    """The rows of a trace by start time, or None. Raises `QueryTooLarge`, `QueryUnavailable`."""
    parsed = parse_trace_id(trace_id)
    if parsed is None:
        return None
    trace, rows = queries.describe_with(scope, parsed, _OUTLINE)
    if trace is None or not rows:
        return None
    days = _days_of(scope, rows)
    return Outline(trace, _explained(days, parsed, rows[:MAX_SPANS]), len(rows) > MAX_SPANS)


def get_span(scope: Scope, trace_id: str, span_id: str) -> SpanInTrace | None:
    """A span, whole, and the calls nearest to it in the tree and in time. Raises as `get_outline`."""
    parsed, wanted = parse_trace_id(trace_id), parse_span_id(span_id)
    if parsed is None or wanted is None:
        return None
    near = run(_NEIGHBOURS, scope, {"trace_ids": [str(parsed)], "span_id": wanted})
    if not near:
        return None
    spans = queries.get_spans(_days_of(scope, near), parsed, [row["span_id"] for row in near])
    found = next((span for span in spans if span.span_id == f"{wanted:016x}"), None)
    are_all = len(near) <= MAX_NEIGHBOURS and len(spans) == len(near)
    return SpanInTrace(found, spans, are_all) if found else None


def find_text(scope: Scope, trace_id: str, text: str) -> dict[str, str]:
    """Where a text stands in the spans of a trace, in any case: "name", "input" and so on by span id, by start time."""
    parsed = parse_trace_id(trace_id)
    text = text.strip()[:MAX_SEARCHED]
    if parsed is None or not text:
        return {}
    # Content is stored as JSON, where quotes and line ends are escaped.
    needles = list(dict.fromkeys([text, msgspec.json.encode(text).decode()[1:-1]]))
    rows = run(_FIND, scope, {"trace_ids": [str(parsed)], "needles": needles})
    return {f"{row['span_id']:016x}": row["place"] for row in rows}


def names(scope: Scope, trace_id: str, span_ids: Sequence[str]) -> dict[str, str]:
    """The names of those of these spans that are there, by id."""
    parsed = parse_trace_id(trace_id)
    wanted = [number for one in span_ids if (number := parse_span_id(one)) is not None]
    if parsed is None or not wanted:
        return {}
    rows = run(_NAMES, scope, {"trace_ids": [str(parsed)], "span_ids": wanted})
    return {f"{row['span_id']:016x}": row["name"] or "" for row in rows}


def parse_span_id(text: str) -> int | None:
    try:
        return int(text, 16) if len(text) == 16 else None
    except ValueError:
        return None


def failures(scope: Scope, trace_id: uuid.UUID, silent: Iterable[int]) -> dict[str, str]:
    """What the first MAX_EXPLAINED of failed spans without a message say of it by their exceptions, by id."""
    asked = list(islice(silent, MAX_EXPLAINED))
    found = queries.get_spans(scope, trace_id, asked) if asked else []
    return {span.span_id: failure_line(span) for span in found}


def failure_line(span: StoredSpan) -> str:
    """What failed, in the one line a row has."""
    return _first_line(span.status_message, *_exception_messages(span), span.error_type)


def _explained(scope: Scope, trace_id: uuid.UUID, rows: Sequence[Row]) -> list[OutlineSpan]:
    """The rows as spans; failed ones without a message of their own say that of their exception."""
    silent = (row["span_id"] for row in rows if row["status"] == "error" and not row["status_message"])
    told = failures(scope, trace_id, silent)
    spans = [_outline_span(row) for row in rows]
    return [replace(span, failure=told[span.span_id]) if span.span_id in told else span for span in spans]


def _exception_messages(span: StoredSpan) -> Iterator[str]:
    for event in span.events:
        attributes = event.get("attributes") if isinstance(event, dict) else None
        message = attributes.get("exception.message") if isinstance(attributes, dict) else None
        if isinstance(message, str):
            yield message


def _first_line(*texts: str) -> str:
    said = next((text.strip() for text in texts if text.strip()), "failed without a message")
    return said.partition("\n")[0][:MAX_LINE]


def _days_of(scope: Scope, rows: Sequence[Row]) -> Scope:
    """The scope narrowed to the days of these spans."""
    start = min(row["start_time"] for row in rows)
    end = max(row["end_time"] or row["start_time"] for row in rows)
    return scope.during(Window(aware(start), max(aware(start), aware(end))))


MAX_LINE = 300
_NO_TOKENS = [None] * len(f.TOKENS)
_TEXTS = ("name", "kind", "status", "model", "tool_name", "prompt_name", "prompt_version", "cost_state")
_ROW = ("parent_id", "start_time", "end_time", "status_message", "error_type", "cost_usd", *f.TOKENS, *_TEXTS)

_OUTLINE = Query(
    "traces.outline",
    f"""
SELECT
    *,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(end_time) AS end_ns
FROM {f.spans(_ROW, f.OF_TRACES)}
ORDER BY start_time, span_id
LIMIT {MAX_SPANS + 1}""",  # noqa: S608  # closed parts only
)

_NEIGHBOURS = Query(
    "traces.neighbours",
    f"""
WITH beside AS
(
    SELECT
        *,
        anyIf(parent_id, span_id = {{span_id:UInt64}}) OVER () AS its_parent,
        anyIf(start_time, span_id = {{span_id:UInt64}}) OVER () AS its_start
    FROM {f.spans(("parent_id", "start_time", "end_time", "kind"), f.OF_TRACES)}
)
SELECT
    span_id,
    start_time,
    end_time
FROM beside
WHERE span_id = {{span_id:UInt64}}
   OR (its_start IS NOT NULL AND kind IN ('llm', 'tool'))
ORDER BY
    span_id = {{span_id:UInt64}} DESC,
    parent_id = {{span_id:UInt64}} OR span_id = its_parent OR (parent_id = its_parent AND its_parent != 0) DESC,
    abs(toUnixTimestamp64Nano(start_time) - toUnixTimestamp64Nano(its_start)),
    span_id
LIMIT {MAX_NEIGHBOURS + 1}""",  # noqa: S608  # closed parts only
)

_NAMES = Query(
    "traces.names",
    f"""
SELECT
    span_id,
    name
FROM {f.spans(("name",), f"{f.OF_TRACES} AND has({{span_ids:Array(UInt64)}}, part.span_id)")}
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)


def _has(column: str) -> str:
    return f"multiSearchAnyCaseInsensitiveUTF8(ifNull({column}, ''), {{needles:Array(String)}})"


def _has_value(column: str) -> str:
    """A value of an object has the text, or one has it for a name. Within names it would be found everywhere."""
    return f"""arrayExists(
            pair -> {_has("pair.2")} OR lowerUTF8(pair.1) = lowerUTF8({{needles:Array(String)}}[1]),
            JSONExtractKeysAndValuesRaw(ifNull({column}, '')))"""


# What a step says about itself beside its content, and its id.
_ABOUT = (
    "request_model",
    "provider",
    "tool_call_id",
    "agent_name",
    "workflow_name",
    "prompt_name",
    "prompt_version",
    "finish_reason",
    "response_id",
)
_DETAILS = f"""concatWithSeparator(
            '\\n', lower(leftPad(hex(span_id), 16, '0')), {", ".join(f"ifNull({name}, '')" for name in _ABOUT)})"""

_FIND = Query(
    "traces.find",
    f"""
SELECT
    span_id,
    multiIf(
        {_has("name")}, 'name',
        {_has("tool_name")}, 'tool',
        {_has("model")}, 'model',
        {_has("status_message")} OR {_has("error_type")}, 'error',
        {_has("input")}, 'input',
        {_has("output")}, 'output',
        {_has("events")}, 'events',
        arrayExists(entry -> {_has("entry")}, mapValues(log_entries)), 'logs',
        {_has(_DETAILS)}, 'details',
        {_has("tool_definitions")}, 'tools offered',
        {_has_value("request_params")}, 'parameters',
        {_has_value("attributes")}, 'attributes',
        '') AS place
FROM {
        f.spans(
            (
                "start_time",
                "name",
                "tool_name",
                "model",
                "status_message",
                "error_type",
                "input",
                "output",
                "events",
                "log_entries",
                *_ABOUT,
                "tool_definitions",
                "request_params",
                "attributes",
            ),
            f.OF_TRACES,
        )
    }
WHERE place != ''
ORDER BY start_time, span_id
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)


def _outline_span(row: Row) -> OutlineSpan:
    failed = row["status"] == "error"
    counts = [row[column] for column in f.TOKENS]
    return OutlineSpan(
        span_id=f"{row['span_id']:016x}",
        parent_id=f"{row['parent_id']:016x}" if row["parent_id"] else None,
        name=row["name"] or "",
        kind=row["kind"] or "",
        status=row["status"] or "",
        failure=_first_line(row["status_message"] or "", row["error_type"] or "") if failed else "",
        start_ns=row["start_ns"],
        latency_ms=((row["end_ns"] or row["start_ns"]) - row["start_ns"]) / 1e6,
        model=row["model"] or "",
        tool_name=row["tool_name"] or "",
        prompt_name=row["prompt_name"] or "",
        prompt_version=row["prompt_version"] or "",
        tokens=None if counts == _NO_TOKENS else sum(count or 0 for count in counts),
        cost_usd=row["cost_usd"] if row["cost_state"] != "unpriced" else None,
        cost_state=row["cost_state"] or "",
        is_open=row["end_ns"] is None,
    )
