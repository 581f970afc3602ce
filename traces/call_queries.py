"""Reads of the calls of one trace: every span without its content, and the answers of model calls for the graph."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracehouse.clickhouse.query import Query, Row, run
from tracehouse.tenancy.scope import Scope
from traces import filters as f
from traces.logged import read as read_entries
from traces.queries import MAX_SPANS, parse_trace_id, stored_content
from traces.span import JSONValue

# Bytes of answers read for one graph; what models asked for in later ones is told by the tree alone.
MAX_ANSWERS = 8_000_000
# And model calls whose answers are asked for at once: their ids stand in the address of the query.
MAX_ASKERS = 2_000


@dataclass(frozen=True, slots=True)
class CallSpan:
    """A span as the graph and the choice of prompts need it. `parent_id` is None for a root; absent text is ""."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    status_message: str
    error_type: str
    start_ns: int
    latency_ms: float
    model: str = ""
    agent_name: str = ""
    session_id: str = ""
    tool_name: str = ""
    tool_call_id: str = ""
    output_bytes: int | None = None
    input: JSONValue = None  # never read
    output: JSONValue = None  # of a model call, once it was read
    is_open: bool = False  # its end has not arrived


def get_calls(scope: Scope, trace_id: str) -> list[CallSpan]:
    """The spans of a trace by start time, without content. Raises `QueryTooLarge`, `QueryUnavailable`."""
    parsed = parse_trace_id(trace_id)
    if parsed is None:
        return []
    return [_call(row) for row in run(_CALLS, scope, {"trace_ids": [str(parsed)]})]


def with_answers(scope: Scope, trace_id: str, calls: Sequence[CallSpan]) -> list[CallSpan]:
    """The calls with what their models answered: the first MAX_ASKERS, up to MAX_ANSWERS. Raises as `get_calls`."""
    parsed = parse_trace_id(trace_id)
    asked = [int(call.span_id, 16) for call in calls if call.kind == "llm"][:MAX_ASKERS]
    if parsed is None or not asked:
        return list(calls)
    rows = run(_ANSWERS, scope, {"trace_ids": [str(parsed)], "span_ids": asked})
    answers = {f"{row['span_id']:016x}": _answer(row) for row in rows}
    return [replace(call, output=answers.get(call.span_id)) for call in calls]


_TEXTS = (
    "name",
    "kind",
    "status",
    "status_message",
    "error_type",
    "model",
    "agent_name",
    "session_id",
    "tool_name",
    "tool_call_id",
)
_CALLS = Query(
    "traces.calls",
    f"""
SELECT
    *,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(end_time) AS end_ns
FROM {f.spans(("parent_id", "start_time", "end_time", "output_bytes", *_TEXTS), f.OF_TRACES)}
ORDER BY start_time, span_id
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)

# Of log records only those that hold an answer, or a whole call.
_ANSWERS = Query(
    "traces.answers",
    f"""
SELECT
    span_id,
    output,
    mapFilter(
        (key, entry) -> JSONExtractString(entry, 'kind') IN ('output', 'details'),
        log_entries
    ) AS answer_entries,
    sum(ifNull(length(output), 0) + length(toString(log_entries)))
        OVER (
            ORDER BY indexOf({{span_ids:Array(UInt64)}}, span_id)
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
FROM {
        f.spans(
            ("output", "log_entries"),
            f"{f.OF_TRACES} AND part.span_id IN {{span_ids:Array(UInt64)}}",
        )
    }
QUALIFY ifNull(bytes_before, 0) < {MAX_ANSWERS}
LIMIT {MAX_SPANS}""",  # noqa: S608  # closed parts only
)


def _call(row: Row) -> CallSpan:
    start_ns, end_ns = row["start_ns"], row["end_ns"] or row["start_ns"]
    return CallSpan(
        span_id=f"{row['span_id']:016x}",
        parent_id=f"{row['parent_id']:016x}" if row["parent_id"] else None,
        start_ns=start_ns,
        latency_ms=(end_ns - start_ns) / 1e6,
        is_open=row["end_ns"] is None,
        output_bytes=row["output_bytes"],
        **{name: row[name] or "" for name in _TEXTS},
    )


def _answer(row: Row) -> JSONValue:
    text: str | None = row["output"]
    if text is None:
        return read_entries(row["answer_entries"]).output
    return stored_content(text)
