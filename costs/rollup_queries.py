"""What users, models and features cost: sums over the traces that begin in the scope's window, exact up to now.

Closed hours come from the roll-up, what was written since from the spans (`costs.rolled`). The window may begin and
end anywhere. Days, weeks (from Monday) and months are those of the scope's time zone: `during(scope, first, last)`
makes the window of whole days. Every function raises `QueryTooLarge` and `QueryUnavailable`. Money is Decimal, of
twelve places. What an unpriced call costs is not known and not in a sum; `unpriced_calls` says how many there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from costs import rolled
from costs import rollup_filters as f
from costs.rolled import CostsRead
from tracehouse.clickhouse.query import Parameter
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web import time_range
from traces.filters import TOKENS

MAX_ROWS = 1_000_000
# From which cost on a user stands in which bin of the histogram; below the first are those who cost nothing.
EDGES = tuple(Decimal(digit).scaleb(power) for power in range(-4, 5) for digit in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class Total:
    """Sums of some traces. `failed`: failed traces, or failed calls in sums by model, tool and prompt."""

    invocations: int
    failed: int
    llm_calls: int
    tool_calls: int
    unpriced_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Overall(Total):
    """Of everything in the window; the four kinds of input tokens are `input_tokens`."""

    users: int  # with an id
    input_uncached_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int

    @property
    def cache_hit_share(self) -> float | None:
        return self.cache_read_tokens / self.input_tokens if self.input_tokens else None


@dataclass(frozen=True, slots=True)
class KeyTotal(Total):
    key: str


@dataclass(frozen=True, slots=True)
class StepTotal(Total):
    start: datetime  # of the hour, day, week or month
    users: int


@dataclass(frozen=True, slots=True)
class UserTotal:
    """What one user did and cost in one organization; "" is none."""

    user_id: str
    organization_id: str
    invocations: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced_calls: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Users who cost `low` or more and less than `high`; the first has no `low`, the last no `high`."""

    low: Decimal | None
    high: Decimal | None
    users: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Spread:
    """How cost is spread over the users with an id."""

    users: int
    cost_usd: Decimal
    top_users: int  # the dearest tenth, rounded up
    top_cost_usd: Decimal
    histogram: list[Bin]  # without empty bins at both ends

    @property
    def top_share(self) -> float | None:
        return float(self.top_cost_usd / self.cost_usd) if self.cost_usd else None


class Step(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Dimension(StrEnum):
    USER = "user_id"
    ORGANIZATION = "organization_id"
    FEATURE = "feature"
    MODEL = "model"
    TOOL = "tool"
    PROMPT = "prompt"  # its name, and where it has one a line break and its version


def during(scope: Scope, first_day: date, last_day: date) -> Scope:
    """The scope from the start of the first day to the end of the last, in its time zone."""
    zone = time_range.zone_of(scope.time_zone)
    start = datetime.combine(first_day, time(), zone)
    end = datetime.combine(last_day + timedelta(days=1), time(), zone)
    return scope.during(Window(start.astimezone(UTC), end.astimezone(UTC)))


def overall(scope: Scope) -> Overall:
    (row,) = rolled.read(_OVERALL, scope)
    return Overall(**row)


def by_step(scope: Scope, step: Step) -> list[StepTotal]:
    """Over time; a step without any trace is left out."""
    rows = rolled.read(_by_step(step), scope)
    return [StepTotal(start=datetime.fromtimestamp(row.pop("start_"), UTC), **row) for row in rows]


def by_key(scope: Scope, dimension: Dimension, *, limit: int = 100) -> list[KeyTotal]:
    """By who or what it was, dearest first; "" is what has none. By user: the top spenders.

    By model, tool and prompt a sum is over the calls, and `invocations` are the traces with such a call; tools that
    have no price cost nothing.
    """
    return [KeyTotal(**row) for row in rolled.read(_by_key(dimension), scope, {"limit": limit})]


def spread(scope: Scope) -> Spread:
    """The dearest tenth of the users with their share, and how many users cost how much."""
    rows = rolled.read(_SPREAD, scope, {"edges": [f"{edge:f}" for edge in EDGES]})
    return Spread(
        users=sum(row["users"] for row in rows),
        cost_usd=_sum(row["cost_usd"] for row in rows),
        top_users=sum(row["top_users"] for row in rows),
        top_cost_usd=_sum(row["top_cost_usd"] for row in rows),
        histogram=bins({row["bin"]: (row["users"], row["cost_usd"]) for row in rows}),
    )


def bins(found: Mapping[int, tuple[int, Decimal]]) -> list[Bin]:
    """Users and their cost by the number of edges that they reach, without empty bins at both ends."""
    places = range(min(found), max(found) + 1) if found else range(0)
    return [_bin(place, *found.get(place, (0, Decimal(0)))) for place in places]


def user_totals(scope: Scope, first_day: date, last_day: date) -> list[UserTotal]:
    """Every user and organization with an invocation on these days, both included; dearest first."""
    return [UserTotal(**row) for row in rolled.read(_USER_TOTALS, during(scope, first_day, last_day))]


def users_page(scope: Scope, *, after: tuple[str, str] | None = None, limit: int = 1_000) -> list[UserTotal]:
    """Users and organizations of the scope's window in the order of their ids, those behind `after`."""
    if after is None:
        return [UserTotal(**row) for row in rolled.read(_USERS_IN_ORDER, scope, {"limit": limit})]
    bound: dict[str, Parameter] = {"after_user": after[0], "after_organization": after[1], "limit": limit}
    return [UserTotal(**row) for row in rolled.read(_USERS_AFTER, scope, bound)]


def users_in_order(scope: Scope, *, limit: int = MAX_ROWS) -> Iterator[UserTotal]:
    """Every user and organization of the scope's window in the order of their ids, few of them in memory at once."""
    for block in rolled.read_in_blocks(_USERS_IN_ORDER, scope, {"limit": limit}):
        yield from (UserTotal(*values) for values in zip(*block, strict=True))


def _bin(place: int, users: int, cost_usd: Decimal) -> Bin:
    return Bin(
        low=EDGES[place - 1] if place else None,
        high=EDGES[place] if place < len(EDGES) else None,
        users=users,
        cost_usd=cost_usd,
    )


def _sum(amounts: Any) -> Decimal:
    return sum(amounts, Decimal(0))


_COUNTED = ("failed", "llm_calls", "tool_calls", "unpriced_calls", *TOKENS, "cost_usd")
_SUMS = f"""count() AS invocations,
    sum(costs.failed) AS failed,
    sum(costs.llm_calls) AS llm_calls,
    sum(costs.tool_calls) AS tool_calls,
    sum(costs.unpriced_calls) AS unpriced_calls,
    sum({" + ".join(f"costs.{name}" for name in TOKENS[:-1])}) AS input_tokens,
    sum(costs.output_tokens) AS output_tokens,
    sum(costs.cost_usd) AS cost_usd"""
_USERS = "uniqExactIf(costs.user_id, costs.user_id != '') AS users"

_OVERALL = CostsRead(
    "costs.overall",
    ("user_id", *_COUNTED),
    f"""
SELECT
    {_SUMS},
    {_USERS},
    sum(costs.input_uncached_tokens) AS input_uncached_tokens,
    sum(costs.cache_read_tokens) AS cache_read_tokens,
    sum(costs.cache_write_5m_tokens) AS cache_write_5m_tokens,
    sum(costs.cache_write_1h_tokens) AS cache_write_1h_tokens
FROM costs
LIMIT 1""",  # noqa: S608  # closed parts only
)
STARTS = {
    Step.HOUR: "toStartOfHour(costs.start_time, {time_zone:String})",
    Step.DAY: "toStartOfDay(costs.start_time, {time_zone:String})",
    Step.WEEK: "toDateTime(toMonday(costs.start_time, {time_zone:String}), {time_zone:String})",
    Step.MONTH: "toDateTime(toStartOfMonth(costs.start_time, {time_zone:String}), {time_zone:String})",
}


@cache
def _by_step(step: Step) -> CostsRead:
    return CostsRead(
        f"costs.by_{step}",
        ("user_id", *_COUNTED),
        f"""
SELECT
    toUnixTimestamp({STARTS[step]}) AS start_,
    {_SUMS},
    {_USERS}
FROM costs
GROUP BY start_
ORDER BY start_
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
    )


@cache
def _by_key(dimension: Dimension) -> CostsRead:
    return _by_user() if dimension is Dimension.USER else _by_sums(dimension)


def _by_user() -> CostsRead:
    return CostsRead(
        "costs.by_user_id",
        ("user_id", *_COUNTED),
        f"""
SELECT
    costs.user_id AS key,
    {_SUMS}
FROM costs
GROUP BY key
ORDER BY cost_usd DESC, invocations DESC, key
LIMIT {{limit:UInt32}}""",  # noqa: S608  # closed parts only
    )


def _by_sums(dimension: Dimension) -> CostsRead:
    names = ("invocations", *f.SPLIT)
    added = ",\n    ".join(f"sum(sums.{name}) AS {name}" for name in names)
    return CostsRead(
        f"costs.by_{dimension}",
        (),
        f"""
SELECT
    sums.key AS key,
    {added}
FROM sums
GROUP BY key
ORDER BY cost_usd DESC, invocations DESC, key
LIMIT {{limit:UInt32}}""",  # noqa: S608  # closed parts only
        sums_by=dimension,
    )


_SPREAD = CostsRead(
    "costs.spread",
    ("user_id", "cost_usd"),
    """
SELECT
    arrayCount(edge -> cost >= toDecimal128(edge, 12), {edges:Array(String)}) AS bin,
    count() AS users,
    sum(cost) AS cost_usd,
    countIf(place <= ceil(all_users / 10)) AS top_users,
    sumIf(cost, place <= ceil(all_users / 10)) AS top_cost_usd
FROM
(
    SELECT
        sum(costs.cost_usd) AS cost,
        row_number() OVER (ORDER BY cost DESC, user_id) AS place,
        count() OVER () AS all_users
    FROM costs
    WHERE user_id != ''
    GROUP BY user_id
)
GROUP BY bin
ORDER BY bin
LIMIT 1000""",
)


def _user_totals(name: str, condition: str, order: Sequence[str], limit: str = "{limit:UInt32}") -> CostsRead:
    return CostsRead(
        name,
        ("user_id", "organization_id", *_COUNTED),
        f"""
SELECT
    user_id,
    organization_id,
    count() AS invocations,
    sum(costs.failed) AS failed,
    sum({" + ".join(f"costs.{name}" for name in TOKENS[:-1])}) AS input_tokens,
    sum(costs.output_tokens) AS output_tokens,
    sum(costs.cost_usd) AS cost_usd,
    sum(costs.unpriced_calls) AS unpriced_calls
FROM costs
{condition}
GROUP BY user_id, organization_id
ORDER BY {", ".join(order)}
LIMIT {limit}""",  # noqa: S608  # closed parts only
    )


_USER_TOTALS = _user_totals(
    "costs.user_totals", "", ("cost_usd DESC", "user_id", "organization_id"), f"{MAX_ROWS}"
)
_USERS_IN_ORDER = _user_totals("costs.users_in_order", "", ("user_id", "organization_id"))
_USERS_AFTER = _user_totals(
    "costs.users_after",
    "WHERE (user_id, toString(organization_id)) > ({after_user:String}, {after_organization:String})",
    ("user_id", "organization_id"),
)
