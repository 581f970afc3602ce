"""What stands above the list: how many traces began when, how many failed, how long they took.

Counted from the table `traces` alone, which over-states (see `index_queries`): a filter on a value holds where any
part of the trace ever said it, latency runs from the first start to the last end, and cost counts repeats twice.
`Counts.unsure` says for how many traces the spans might decide otherwise. Scores have a table of their own; those of a
session count for every trace that was ever said to be of it. Words, attributes and prompts stand in the indexes of
`spans`; a look-up there is of the whole window, which pays for a short one only: else, as every filter that the table
knows nothing of, they are named by `left_out` and not counted by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from tracehouse.clickhouse.query import Parameter, Query, Row, run
from tracehouse.tenancy.scope import Scope
from traces import score_filters
from traces.filters import EXTENT_NS, TraceFilters, looked_up
from traces.index_queries import in_spans

MAX_BUCKETS = 400


@dataclass(frozen=True, slots=True)
class Counts:
    traces: int = 0
    failed: int = 0
    unsure: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    """`buckets` by the second they begin; those without a trace are not in it."""

    total: Counts
    buckets: Mapping[int, Counts]


# Filter -> the column that holds every value ever seen. Whoever looks for one user finds few rows, by a set of ids;
# the others may be most of the project, and a set of those would take more memory than grouping them.
_NARROW: Mapping[str, str] = {"user_id": "user_ids", "session_id": "session_ids"}
_WIDE: Mapping[str, str] = {
    "organization_id": "organization_ids",
    "feature": "features",
    "environment": "environments",
    "model": "models",
    "tool": "tools",
    "name": "root_names",
}
_COLUMNS = {**_NARROW, **_WIDE}
_SUMS = {"min_latency_ms", "min_cost_usd"}
_COUNTED = {*_COLUMNS, *_SUMS, "status", "score", "tags"}
_IN_SPANS = {"q", "attribute", "prompt_name", "prompt_version"}
_BOUND = """project_id = {project_id:UInt64}
      AND day BETWEEN {first_day:Date} AND {last_day:Date}"""


def left_out(filters: TraceFilters, *, by_spans: bool) -> list[str]:
    """The chosen filters that `strip` does not count by."""
    # That no span failed cannot be seen here: a row remembers a failure that a later part took back.
    failed = {"has_error"} if filters.has_error else set()
    counted = _COUNTED | failed | (_IN_SPANS if by_spans else set())
    return [name for name in _chosen(filters) if name not in counted]


def indexed_rows(scope: Scope) -> int:
    """About how many traces the window and the day around it hold; cheap, to decide whether to count."""
    return int(run(_SIZE, scope)[0]["rows"])


def strip(scope: Scope, filters: TraceFilters, edges: Sequence[int], *, by_spans: bool) -> Strip:
    """Counts in buckets between `edges`, seconds since the epoch that hold the window.

    `by_spans`: looks words, attributes and prompts up in `spans`. Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    parameters: dict[str, Parameter] = {name: getattr(filters, name) for name in _chosen(filters, _COLUMNS)}
    parameters["edges"] = list(edges)
    if filters.min_latency_ms is not None:
        parameters["min_latency_ns"] = filters.min_latency_ms * 1_000_000
    if filters.min_cost_usd is not None:
        parameters["min_cost_usd"] = f"{filters.min_cost_usd:f}"
    parameters |= {f"tag_{number}": tag for number, tag in enumerate(filters.tags)}
    among = in_spans(filters, exactly=True) if by_spans else []
    if among:
        parameters |= looked_up(filters).parameters
    said = bool(among)
    if filters.score is not None:
        among.append(score_filters.counted(filters.score))
        parameters |= score_filters.parameters_of(filters.score)
    chosen = tuple(_chosen(filters, _COUNTED))
    having = [f"max(has(tags, {{tag_{number}:String}}))" for number in range(len(filters.tags))]
    if filters.has_error:
        having.append("max(any_failed)")
    query = _strip_query(chosen, filters.status, tuple(among), tuple(having), said=said)
    rows = run(query, scope, parameters)
    total = next((_counts(row) for row in rows if row["is_total"]), Counts())
    return Strip(total, {row["bucket"]: _counts(row) for row in rows if not row["is_total"]})


def _chosen(filters: TraceFilters, among: Mapping[str, str] | set[str] | None = None) -> list[str]:
    names = [field.name for field in fields(filters) if getattr(filters, field.name) != field.default]
    return names if among is None else [name for name in names if name in among]


def _counts(row: Row) -> Counts:
    if not row["traces"]:
        return Counts()
    p50, p99 = row["latencies"]
    return Counts(row["traces"], row["failed"], row["unsure"], p50 / 1e6, p99 / 1e6)


_SIZE = Query(
    "traces.indexed_rows",
    f"""
SELECT count() AS rows
FROM traces
WHERE {_BOUND}
LIMIT 1""",  # noqa: S608  # closed parts only
)


@lru_cache(maxsize=256)
def _strip_query(
    chosen: tuple[str, ...], status: str, among: tuple[str, ...], of_rows: tuple[str, ...], *, said: bool
) -> Query:
    """`among`: further conditions on trace ids; `said` where parts of spans answer some of them; `of_rows`: conditions
    on all rows of a trace."""
    narrow = [*among, *(_among(name) for name in chosen if name in _NARROW)]
    having = [*of_rows, *(_holds(name) for name in chosen if name in _WIDE)]
    # A part that says what is looked for may have been written over since.
    both = "(max(root_failed) AND max(root_passed))"
    unsure = ["1"] if said or of_rows else [both, *map(_many_values, chosen)]
    if "min_latency_ms" in chosen:
        having.append(f"{EXTENT_NS} >= {{min_latency_ns:Int64}}")
    if "min_cost_usd" in chosen:
        having.append("sum(cost_bound) >= toDecimal128({min_cost_usd:String}, 12)")
    if status:
        having.append("has_failed" if status == "error" else "NOT has_failed")
    return Query(
        "traces.strip",
        f"""
WITH per_trace AS
(
    SELECT
        min(start_time) AS started,
        {EXTENT_NS} AS latency_ns,
        if(max(has_root), max(root_failed), max(any_failed)) = 1 AS has_failed,
        {" OR ".join(filter(None, unsure))} AS is_unsure
    FROM traces
    WHERE {_BOUND}
      {_all(narrow)}
    GROUP BY trace_id
    HAVING started >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
       AND started < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')
       {_all(having)}
)
SELECT
    roundDown(intDiv(toUnixTimestamp64Nano(assumeNotNull(started)), 1000000000), {{edges:Array(Int64)}}) AS bucket,
    grouping(bucket) AS is_total,
    count() AS traces,
    countIf(has_failed) AS failed,
    countIf(is_unsure) AS unsure,
    quantilesExact(0.5, 0.99)(latency_ns) AS latencies
FROM per_trace
GROUP BY GROUPING SETS ((bucket), ())
ORDER BY bucket
LIMIT {MAX_BUCKETS + 1}""",  # noqa: S608  # closed parts only
    )


def _among(name: str) -> str:
    return f"""trace_id IN
      (
          SELECT trace_id
          FROM traces
          WHERE {_BOUND}
            AND has({_NARROW[name]}, {{{name}:String}})
      )"""  # noqa: S608  # closed parts only


def _holds(name: str) -> str:
    seen = f"max(has({_WIDE[name]}, {{{name}:String}}))"
    # A trace is named by its root; before that has come, only the spans know.
    return f"({seen} OR NOT max(has_root))" if name == "name" else seen


def _many_values(name: str) -> str:
    """When the spans might decide otherwise: they know which of the values the trace goes by."""
    if name in _SUMS:
        return "1"
    column = "session_ids" if name == "score" else _COLUMNS.get(name)
    if column is None:
        return ""
    many = f"length(groupUniqArrayArray({column})) > 1"
    return f"{many} OR NOT max(has_root)" if name == "name" else many


def _all(conditions: list[str]) -> str:
    return "\n       ".join(f"AND {condition}" for condition in conditions)
