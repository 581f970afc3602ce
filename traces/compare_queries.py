"""Reads for two traces side by side: their steps without bodies, two steps whole, and which trace to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

import msgspec

from tracehouse.clickhouse.query import Query, Row
from tracehouse.tenancy.scope import Scope, Window
from traces import filters as f
from traces import outline_queries, queries
from traces.compare import Step
from traces.filters import TraceFilters
from traces.logged import read as read_entries
from traces.queries import MAX_SPANS, StoredSpan, Trace, parse_trace_id, stored_content
from traces.span import JSONValue

# How far around a trace others to compare it with are looked for, and how many are offered.
AROUND = timedelta(days=30)
MAX_OFFERED = 5
# Parameters of a tool that are longer are compared as they were written, not as structure.
MAX_PARAMETERS = 20_000


@dataclass(frozen=True, slots=True)
class Side:
    trace: Trace
    steps: list[Step]
    truncated: bool  # the trace has more than MAX_SPANS spans; the first are here

    @property
    def tokens(self) -> int:
        """Steps that say what they used."""
        return sum(step.tokens is not None for step in self.steps)

    @property
    def costs(self) -> int:
        """Steps that have a cost, or a price that is missing."""
        return sum(bool(step.cost_state) for step in self.steps)

    @property
    def days(self) -> Window:
        return Window(self.trace.start_time, self.trace.end_time)


def get_side(scope: Scope, trace_id: str) -> Side | None:
    """A trace with its steps, or None. Raises `QueryTooLarge`, `QueryUnavailable`."""
    parsed = parse_trace_id(trace_id)
    if parsed is None:
        return None
    trace, rows = queries.describe_with(scope, parsed, _STEPS)
    if trace is None:
        return None
    silent = (row["span_id"] for row in rows if row["status"] == "error" and not row["status_message"])
    days = scope.during(Window(trace.start_time, trace.end_time))
    told = outline_queries.failures(days, parsed, silent)
    return Side(trace, [_step(row, told) for row in rows[:MAX_SPANS]], len(rows) > MAX_SPANS)


def get_span(scope: Scope, side: Side, step: Step | None) -> StoredSpan | None:
    """The step with its content; None without one. Raises `QueryTooLarge`, `QueryUnavailable`."""
    parsed = parse_trace_id(side.trace.trace_id)
    if step is None or parsed is None:
        return None
    found = queries.get_spans(scope.during(side.days), parsed, [int(step.span_id, 16)])
    return found[0] if found else None


def offered(scope: Scope, trace: Trace) -> list[Trace]:
    """Traces of the same name and feature with the other outcome: the last ones before it, else the first after."""
    filters = TraceFilters(
        name=trace.name, feature=trace.feature, status="ok" if trace.status == "error" else "error"
    )
    before = scope.during(Window(trace.start_time - AROUND, trace.start_time))
    after = scope.during(Window(trace.start_time, trace.start_time + AROUND))
    return (
        queries.list_traces(before, filters, limit=MAX_OFFERED).traces
        or queries.list_traces(after, filters, order=f.Order.OLDEST, limit=MAX_OFFERED).traces
    )


_TEXTS = ("name", "kind", "status", "model", "tool_name", "cost_state")
_COLUMNS = (
    *_TEXTS,
    *f.TOKENS,
    "parent_id",
    "start_time",
    "end_time",
    "status_message",
    "error_type",
    "prompt_name",
    "prompt_version",
    "cost_usd",
    "request_params",
    "tool_definitions",
    "input",
    "output",
    "log_entries",
)
_STEPS = Query(
    "compare.steps",
    f"""
SELECT
    * EXCEPT (tool_definitions, input, output, log_entries),
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(end_time) AS end_ns,
    if(kind = 'tool' AND length(input) <= {MAX_PARAMETERS}, input, NULL) AS tool_input,
    cityHash64(tool_definitions) AS offered_hash,
    cityHash64(input) AS input_hash,
    cityHash64(output) AS output_hash,
    if(input IS NULL OR output IS NULL, log_entries, map()) AS logged
FROM {f.spans(_COLUMNS, f.OF_TRACES)}
ORDER BY start_time, span_id
LIMIT {MAX_SPANS + 1}""",  # noqa: S608  # closed parts only
)


def _step(row: Row, told: Mapping[str, str]) -> Step:
    span_id = f"{row['span_id']:016x}"
    counts = [row[column] for column in f.TOKENS]
    logged = read_entries(row["logged"])
    asked = _mark(row["input_hash"], logged.input)
    is_tool = row["kind"] == "tool"
    message, error_type = row["status_message"] or told.get(span_id, ""), row["error_type"] or ""
    return Step(
        span_id=span_id,
        parent_id=f"{row['parent_id']:016x}" if row["parent_id"] else None,
        start_ns=row["start_ns"],
        latency_ms=((row["end_ns"] or row["start_ns"]) - row["start_ns"]) / 1e6,
        is_open=row["end_ns"] is None,
        **{name: row[name] or "" for name in _TEXTS},
        failure=(message or error_type).strip().partition("\n")[0],
        prompt=f"{row['prompt_name'] or ''} {row['prompt_version'] or ''}".strip(),
        tokens=None if all(count is None for count in counts) else sum(count or 0 for count in counts),
        cost_usd=row["cost_usd"] if row["cost_state"] != "unpriced" else None,
        error=_hash([message, error_type]) if row["status"] == "error" else "",
        offered=_mark(row["offered_hash"], logged.tool_definitions),
        # What a tool is asked are its parameters.
        parameters=_canonical(row["tool_input"]) or asked if is_tool else _canonical(row["request_params"]),
        asked="" if is_tool else asked,
        answered=_mark(row["output_hash"], logged.output),
    )


def _mark(stored: int | None, logged: JSONValue) -> str:
    """Stands for content: that of the span itself, else what log records told."""
    if stored is not None:
        return str(stored)
    return "" if logged is None else _hash(logged)


def _canonical(text: str | None) -> str:
    """Stands for structure, in whatever order its names were written."""
    content = stored_content(text)
    return "" if content in (None, "", {}, []) else _hash(content)


def _hash(content: JSONValue) -> str:
    return blake2b(msgspec.json.encode(content, order="sorted"), digest_size=8).hexdigest()
