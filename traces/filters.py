"""The closed list of trace filters: each a SQL condition over one trace's spans, with typed parameters.

Conditions go into HAVING: they are about the trace (its user, whether it failed), never about one row of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int

# The span that speaks for its trace: the root, or while that has not arrived the earliest span.
RANK = "tuple(ifNull(parent_id, 1) != 0, start_time, span_id)"
BILLED = "kind IN ('llm', 'embedding', 'reranker')"
HAS_ROOT = "countIf(parent_id = 0) > 0"
STARTED = "min(start_time)"
STATUS = f"""multiIf(
        {HAS_ROOT}, if(argMin(status, {RANK}) = 'error', 'error', 'ok'),
        countIf(status = 'error') > 0, 'error',
        'ok')"""
LATENCY_NS = f"""if(
        {HAS_ROOT},
        argMin(toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time), {RANK}),
        toUnixTimestamp64Nano(max(end_time)) - toUnixTimestamp64Nano(min(start_time)))"""
# Calls that are billed, and tools that have a price. What an unpriced call once cost is not summed: see 0006.
COSTED = "kind IN ('llm', 'embedding', 'reranker', 'tool') AND cost_state != 'unpriced'"
COST = f"sumIf(cost_usd, {COSTED})"
INPUT_TOKENS = f"""sumIf(
        ifNull(input_uncached_tokens, 0) + ifNull(cache_read_tokens, 0)
            + ifNull(cache_write_5m_tokens, 0) + ifNull(cache_write_1h_tokens, 0),
        {BILLED})"""
OUTPUT_TOKENS = f"sumIf(ifNull(output_tokens, 0), {BILLED})"


def spans(columns: Iterable[str], narrowed: str = "") -> str:
    """A subquery of whole spans: every read's FROM. `narrowed` are further conditions on the stored `part`s.

    A span lies in the table in parts (docs/decisions/0001) until they are merged; here each column is the last
    value written, whatever day's partition a part lies in. FINAL would do the same and was ten times slower for
    few traces: it reads every partition, because it must not prune by a column outside of the key. PREWHERE is said,
    because finding out by statistics which conditions belong there took longer than the read of a trace. What log
    records alone have told of a span is left out until the span itself is there and says when it began.
    """
    picked = ",\n        ".join(f"{_whole(column)} AS {column}" for column in columns)
    return f"""(
    SELECT
        part.trace_id AS trace_id,
        part.span_id AS span_id,
        {picked}
    FROM spans AS part
    PREWHERE part.project_id = {{project_id:UInt64}}
      AND part.day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
      {narrowed}
    GROUP BY
        part.trace_id,
        part.span_id
    HAVING count(part.start_time) > 0
)"""  # noqa: S608  # closed parts only


# Conditions on parts for `spans`: those of `trace_ids`; and the same, read from no other days than the traces have
# spans in and a day on both sides, which pays for a page of traces, not for one.
OF_TRACES = "AND part.trace_id IN {trace_ids:Array(UUID)}"
OF_TRACES_ON_THEIR_DAYS = f"""{OF_TRACES}
      AND part.day IN
      (
          SELECT DISTINCT arrayJoin([trace.day - 1, trace.day, trace.day + 1])
          FROM traces AS trace
          PREWHERE trace.project_id = {{project_id:UInt64}}
            AND trace.trace_id IN {{trace_ids:Array(UUID)}}
      )"""  # noqa: S608  # closed parts only


def _whole(column: str) -> str:
    """The column of a whole span: what was written last, but entries of log records are all kept."""
    if column == "log_entries":
        return f"maxMap(part.{column})"
    return f"argMax(part.{column}, part.updated_at)"


def belongs(column: str) -> str:
    """What the trace belongs to: the root's value, else that of the earliest span that carries one."""
    return f"argMinIf({column}, {RANK}, {column} != '')"


class Order(StrEnum):
    NEWEST = "-time"
    OLDEST = "time"
    SLOWEST = "-latency"
    DEAREST = "-cost"
    MOST_TOKENS = "-tokens"


# Order -> (whole-number sort key, ascending)
ORDER_KEYS: Mapping[Order, tuple[str, bool]] = {
    Order.NEWEST: (f"toUnixTimestamp64Nano({STARTED})", False),
    Order.OLDEST: (f"toUnixTimestamp64Nano({STARTED})", True),
    Order.SLOWEST: (f"toInt64({LATENCY_NS})", False),
    Order.DEAREST: (f"toInt64(ifNull({COST}, 0) * 1000000000)", False),
    Order.MOST_TOKENS: (f"toInt64(ifNull({INPUT_TOKENS} + {OUTPUT_TOKENS}, 0))", False),
}


@dataclass(frozen=True, slots=True)
class TraceFilters:
    """What a list of traces is narrowed to; an empty field does not narrow."""

    user_id: str = ""
    session_id: str = ""
    organization_id: str = ""
    feature: str = ""
    environment: str = ""
    status: str = ""  # "ok" or "error"
    name: str = ""
    model: str = ""
    tool: str = ""
    min_latency_ms: int | None = None
    min_cost_usd: Decimal | None = None
    q: str = ""

    @property
    def any(self) -> bool:
        return self != TraceFilters()


_EQUALITIES: Mapping[str, str] = {
    "user_id": f"{belongs('user_id')} = {{user_id:String}}",
    "session_id": f"{belongs('session_id')} = {{session_id:String}}",
    "organization_id": f"{belongs('organization_id')} = {{organization_id:String}}",
    "feature": f"{belongs('feature')} = {{feature:String}}",
    "environment": f"{belongs('environment')} = {{environment:String}}",
    "status": f"{STATUS} = {{status:String}}",
    "name": f"argMin(name, {RANK}) = {{name:String}}",
    "model": "countIf(model = {model:String}) > 0",
    "tool": "countIf(tool_name = {tool:String}) > 0",
    "q": """countIf(
        positionCaseInsensitiveUTF8(ifNull(name, ''), {q:String}) > 0
        OR positionCaseInsensitiveUTF8(ifNull(status_message, ''), {q:String}) > 0
        OR positionCaseInsensitiveUTF8(ifNull(input, ''), {q:String}) > 0
        OR positionCaseInsensitiveUTF8(ifNull(output, ''), {q:String}) > 0
        OR arrayExists(
            entry -> positionCaseInsensitiveUTF8(entry, {q:String}) > 0, mapValues(log_entries))) > 0""",
}


def conditions(filters: TraceFilters) -> tuple[list[str], dict[str, Value]]:
    """The HAVING conditions of `filters` and the parameters they name."""
    clauses: list[str] = []
    parameters: dict[str, Value] = {}
    for field, clause in _EQUALITIES.items():
        if value := getattr(filters, field):
            clauses.append(clause)
            parameters[field] = value
    if filters.min_latency_ms is not None:
        clauses.append(f"{LATENCY_NS} >= {{min_latency_ns:Int64}}")
        parameters["min_latency_ns"] = filters.min_latency_ms * 1_000_000
    if filters.min_cost_usd is not None:
        clauses.append(f"{COST} >= toDecimal128({{min_cost_usd:String}}, 12)")
        parameters["min_cost_usd"] = f"{filters.min_cost_usd:f}"
    return clauses, parameters
