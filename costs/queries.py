"""Reads about prices: the ledger of unpriced calls, the stored calls that a re-pricing looks at, names to offer."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from costs.book import CACHED_ANSWER
from costs.repricing import StoredCall
from tracehouse.clickhouse.query import Parameter, Query, Row, aware, run
from tracehouse.tenancy.scope import Scope
from traces import filters as f
from traces.span import CostState, Kind, Span, Status, Usage

MAX_MODELS = 1_000
MAX_CHOICES = 200
PAGE = 5_000
# Of the traces that a page of calls lies in: more than they hold.
MAX_TOLD_TWICE = 1_000_000
NO_TRACE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """Calls of one model in the window that have no price. Times are of their first and last start."""

    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Names:
    """What the window's spans call things, most used first."""

    models: list[str]
    providers: list[str]
    tools: list[str]


@dataclass(frozen=True, slots=True)
class Calls:
    """Which calls: of a model or a tool, by its whole name or how it begins; any provider when empty."""

    is_tool: bool
    name: str
    is_prefix: bool = False
    provider: str = ""


def unpriced_models(scope: Scope, *, limit: int = 200) -> list[UnpricedModel]:
    """The ledger: most calls first. Raises `QueryTooLarge`, `QueryUnavailable`."""
    rows = run(_UNPRICED, scope, {"limit": min(limit, MAX_MODELS)})
    return [
        UnpricedModel(first_seen=aware(row.pop("first_seen_")), last_seen=aware(row.pop("last_seen_")), **row)
        for row in rows
    ]


def names(scope: Scope) -> Names:
    """For the menus of forms. Raises `QueryTooLarge`, `QueryUnavailable`."""
    found = run(_NAMES, scope)
    return Names(**found[0]) if found else Names([], [], [])


def days_with_spans(scope: Scope) -> list[date]:
    """The days (UTC) of the window, or right beside it, on which any span starts."""
    return [row["day"] for row in run(_DAYS, scope)]


def calls_page(scope: Scope, calls: Calls, *, after: tuple[str, str] | None, limit: int) -> list[StoredCall]:
    """Stored calls that our prices decide about, in the order of their keys, from behind `after` on.

    Left out: what the client priced itself and what a cache answered. Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    trace_id, span_id = after or (NO_TRACE, "0")
    bound: dict[str, Parameter] = {
        "name": calls.name.lower() if not calls.is_tool else calls.name,
        "provider": calls.provider,
        "after_trace": trace_id,
        "after_span": int(span_id, 16),
        "limit": limit,
    }
    rows = run(_calls_query(calls.is_tool, calls.is_prefix, bool(calls.provider)), scope, bound)
    trace_ids = list(dict.fromkeys(str(row["trace_id"]) for row in rows))
    told_twice = set[tuple[uuid.UUID, int]]()
    if trace_ids and not calls.is_tool:
        found = run(_TOLD_TWICE, scope, {"trace_ids": trace_ids})
        told_twice = {(row["trace_id"], row["span_id"]) for row in found}
    return [
        _stored_call(row, scope.project_id, counts=(row["trace_id"], row["span_id"]) not in told_twice)
        for row in rows
    ]


_IN_WINDOW = """start_time >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
  AND start_time < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')"""
_FROM = f"""FROM spans FINAL
WHERE project_id = {{project_id:UInt64}}
  AND day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
  AND {_IN_WINDOW}"""
_MODEL = "ifNull(nullIf(model, ''), ifNull(request_model, ''))"


def _told_twice(chosen: str) -> str:
    """The spans, of traces that meet `chosen`, in whose place another one is counted (docs/decisions/0016)."""
    doubtful = f"""AND part.trace_id IN
      (
          SELECT trace_id
          FROM spans
          WHERE project_id = {{project_id:UInt64}}
            AND day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
            AND {chosen}
            AND {f.BILLED}
          GROUP BY trace_id
          HAVING {f.may_repeat(False)}
      )"""  # noqa: S608  # closed parts only
    return f"""
SELECT
    trace_id,
    span_id
FROM {f.calls(f.SUMMED, doubtful, exact=True)}
WHERE counted_in != 0"""  # noqa: S608  # closed parts only


_HAS_UNPRICED = """trace_id IN
            (
                SELECT trace_id
                FROM spans
                WHERE project_id = {project_id:UInt64}
                  AND day BETWEEN {first_day:Date} AND {last_day:Date}
                  AND cost_state = 'unpriced'
            )"""
_TOLD_TWICE = Query(
    "costs.told_twice", f"{_told_twice('trace_id IN {trace_ids:Array(UUID)}')}\nLIMIT {MAX_TOLD_TWICE}"
)

_UNPRICED = Query(
    "costs.unpriced",
    f"""
WITH 0 AS counted_in
SELECT
    ifNull(provider, '') AS provider,
    {_MODEL} AS model,
    count() AS calls,
    ifNull({f.INPUT_TOKENS}, 0) AS input_tokens,
    ifNull({f.OUTPUT_TOKENS}, 0) AS output_tokens,
    min(start_time) AS first_seen_,
    max(start_time) AS last_seen_
{_FROM}
  AND {f.BILLED}
  AND cost_state = 'unpriced'
  AND (trace_id, span_id) NOT IN
  (
      {_told_twice(_HAS_UNPRICED)}
  )
GROUP BY provider, model
ORDER BY calls DESC, model, provider
LIMIT {{limit:UInt32}}""",
)

_NAMES = Query(
    "costs.names",
    f"""
SELECT
    topKIf({MAX_CHOICES})({_MODEL}, {f.BILLED} AND {_MODEL} != '') AS models,
    topKIf({MAX_CHOICES})(ifNull(provider, ''), {f.BILLED} AND provider != '') AS providers,
    topKIf({MAX_CHOICES})(ifNull(tool_name, ''), kind = 'tool' AND tool_name != '') AS tools
FROM spans
WHERE project_id = {{project_id:UInt64}}
  AND day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
LIMIT 1""",  # noqa: S608  # closed parts only
)


_DAYS = Query(
    "costs.days",
    """
SELECT day
FROM spans
WHERE project_id = {project_id:UInt64}
  AND day BETWEEN {first_day:Date} AND {last_day:Date}
GROUP BY day
ORDER BY day
LIMIT 100000""",
)


@cache
def _calls_query(is_tool: bool, is_prefix: bool, of_provider: bool) -> Query:
    name = "ifNull(tool_name, '')" if is_tool else f"lowerUTF8({_MODEL})"
    conditions = [
        "kind = 'tool'" if is_tool else f.BILLED,
        f"startsWith({name}, {{name:String}})" if is_prefix else f"{name} = {{name:String}}",
        *(["provider = {provider:String}"] if of_provider else []),
    ]
    return Query(
        "costs.calls",
        f"""
SELECT
    trace_id,
    span_id,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(end_time) AS end_ns,
    kind,
    status,
    provider,
    model,
    request_model,
    tool_name,
    input_uncached_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    output_tokens,
    reasoning_tokens,
    cost_usd,
    cost_state
{_FROM}
  AND trace_id >= {{after_trace:UUID}}
  AND (trace_id, span_id) > ({{after_trace:UUID}}, {{after_span:UInt64}})
  AND {" AND ".join(conditions)}
  AND reported_cost_usd IS NULL
  AND ifNull(cost_state, '') != 'reported'
  AND ifNull(cost_source, '') != '{CACHED_ANSWER}'
ORDER BY trace_id, span_id
LIMIT {{limit:UInt32}}""",  # closed parts only
    )


def _stored_call(row: Row, project_id: int, *, counts: bool) -> StoredCall:
    state = row["cost_state"]
    span = Span(
        project_id=project_id,
        trace_id=row["trace_id"].hex,
        span_id=f"{row['span_id']:016x}",
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        kind=Kind(row["kind"]),
        status=Status(row["status"]) if row["status"] else None,
        provider=row["provider"] or None,
        model=row["model"] or None,
        request_model=row["request_model"] or None,
        tool_name=row["tool_name"] or None,
        usage=Usage(
            input_uncached=row["input_uncached_tokens"],
            cache_read=row["cache_read_tokens"],
            cache_write_5m=row["cache_write_5m_tokens"],
            cache_write_1h=row["cache_write_1h_tokens"],
            output=row["output_tokens"],
            reasoning=row["reasoning_tokens"],
        ),
    )
    priced = state is not None and state != CostState.UNPRICED
    return StoredCall(
        span, CostState(state) if state else None, _money(row["cost_usd"]) if priced else None, counts
    )


def _money(value: Decimal | None) -> Decimal:
    return value if value is not None else Decimal(0)
