"""Reads of the cost overview, in few passes over what traces cost: sums between moments, which windows add up.

Every number is of the traces that begin in a window, and money is Decimal; see `costs.rollup_queries`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache

from costs.periods import Compared
from costs.rolled import Asked, CostsRead
from costs.rollup_queries import EDGES, Bin, Dimension, bins
from tracehouse.clickhouse.query import Parameter, Row
from tracehouse.tenancy.scope import Window
from traces.filters import TOKENS

TOP = 10
MAX_ROWS = 100_000
_INPUTS = TOKENS[:-1]


@dataclass(frozen=True, slots=True)
class Sums:
    invocations: int = 0
    failed: int = 0
    calls: int = 0  # of models; by tool those of the tool
    unpriced_calls: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0  # not known by model, tool and prompt
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    @property
    def cost_each(self) -> Decimal | None:
        return self.cost_usd / self.invocations if self.invocations else None

    @property
    def cache_hit_share(self) -> float | None:
        return self.cache_read_tokens / self.input_tokens if self.input_tokens else None

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


NAMES = tuple(one.name for one in fields(Sums))
# Sums from each moment on, up to the next one that was asked for.
Timeline = Mapping[int, Sums]


@dataclass(frozen=True, slots=True)
class Part:
    """One key of a breakdown, dearest first; "" is what has none. `keys`: how many there are at all."""

    key: str
    keys: int
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The first parts, and all others as one. Sums by model, tool and prompt are over the calls."""

    parts: list[Part]
    others: Timeline


@dataclass(frozen=True, slots=True)
class Spender:
    """One of those who cost most in a window, and what they cost in the one before."""

    user_id: str
    invocations: int
    unpriced_calls: int
    cost_usd: Decimal
    cost_before: Decimal


@dataclass(frozen=True, slots=True)
class Tenth:
    """The dearest tenth (rounded up) of the users with an id in one window."""

    users: int
    cost_usd: Decimal
    top_users: int
    top_cost_usd: Decimal

    @property
    def share(self) -> float | None:
        return float(self.top_cost_usd / self.cost_usd) if self.cost_usd else None


@dataclass(frozen=True, slots=True)
class Users:
    """Of the range and of today who cost most; of the range, today, the week and the month the dearest tenth."""

    top: list[Spender]
    top_today: list[Spender]
    tenths: list[Tenth]
    histogram: list[Bin]


def total(timeline: Timeline, window: Window) -> Sums:
    """Of one of the windows whose start and end were asked for."""
    start, end = _seconds(window)
    return sum((one for bound, one in timeline.items() if start <= bound < end), Sums())


def added(timelines: Iterable[Timeline]) -> Timeline:
    found: defaultdict[int, Sums] = defaultdict(Sums)
    for timeline in timelines:
        for bound, one in timeline.items():
            found[bound] += one
    return found


def is_by_trace(dimension: Dimension) -> bool:
    """Whether every trace has just one key, so that the parts add up to everything."""
    return dimension not in _BY_CALL


def everything(windows: Sequence[Window]) -> Asked:
    bounds = _bounds(windows)
    return Asked(_EVERYTHING, _hull(windows), {"bounds": bounds}, bounds)


def timeline_of(rows: Iterable[Row]) -> Timeline:
    return {row["bound"]: Sums(**{name: row[name] for name in NAMES}) for row in rows}


def breakdown(
    compared: Compared, dimension: Dimension, *, windows: Sequence[Window] = (), limit: int
) -> Asked:
    """The `limit` keys that cost most in the range; `windows` are what will be added up besides."""
    asked = [compared.now, compared.before, *windows]
    bounds = _bounds(asked)
    return Asked(
        _breakdown(dimension),
        _hull(asked),
        {
            "bounds": bounds,
            **_moments("now", compared.now),
            **_moments("before", compared.before),
            "limit": limit,
        },
        bounds,
    )


def breakdown_of(rows: Sequence[Row], limit: int) -> Breakdown:
    grouped: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["group_"]].append(row)
    others = timeline_of(grouped.pop(limit, []))
    parts = [Part(few[0]["name"], few[0]["keys"], timeline_of(few)) for _, few in sorted(grouped.items())]
    return Breakdown(parts, others)


def users(compared: Compared, today: Compared, week: Window, month: Window) -> Asked:
    bound: dict[str, Parameter] = {}
    windows = [compared.now, today.now, week, month, compared.before, today.before]
    for place, window in enumerate(windows):
        bound |= _moments(f"window_{place}", window)
    return Asked(_USERS, _hull(windows), bound)


def users_of(rows: Sequence[Row]) -> Users:
    (row,) = rows
    return Users(
        top=[_spender(one) for one in row["top_0"]],
        top_today=[_spender(one) for one in row["top_1"]],
        tenths=[
            Tenth(
                row[f"users_{place}"],
                row[f"cost_{place}"],
                -(-row[f"users_{place}"] // 10),
                row[f"tenth_{place}"],
            )
            for place in range(TENTHS)
        ],
        histogram=bins({place: (count, cost) for place, count, cost in zip(*row["histogram"], strict=True)}),
    )


def _spender(found: tuple[Decimal, str, int, int, Decimal]) -> Spender:
    owed, user_id, invocations, unpriced_calls, cost_before = found
    return Spender(user_id, invocations, unpriced_calls, -owed, cost_before)


def _hull(windows: Sequence[Window]) -> Window:
    return Window(min(one.start for one in windows), max(one.end for one in windows))


def _bounds(windows: Iterable[Window]) -> list[int]:
    return sorted({second for one in windows for second in _seconds(one)})


def _seconds(window: Window) -> tuple[int, int]:
    return int(window.start.timestamp()), int(window.end.timestamp())


def _moments(name: str, window: Window) -> dict[str, Parameter]:
    start, end = _seconds(window)
    return {f"{name}_from": start, f"{name}_to": end}


def _within(second: str, name: str) -> str:
    return f"({second} >= {{{name}_from:UInt32}} AND {second} < {{{name}_to:UInt32}})"


_SECOND = "toUnixTimestamp(costs.start_time)"
_BOUND = "roundDown(second, {bounds:Array(UInt32)})"
_CALLS_OF = {Dimension.TOOL: "tool_calls"}
_BY_CALL = (Dimension.MODEL, Dimension.TOOL, Dimension.PROMPT)


def _summed(dimension: Dimension) -> str:
    read = {name: name for name in NAMES} | {"calls": _CALLS_OF.get(dimension, "llm_calls")}
    return ",\n                ".join(f"sum(sums.{read[name]}) AS {name}" for name in NAMES)


_EVERYTHING = CostsRead(
    "costs.everything",
    (),
    f"""
SELECT
    {_BOUND} AS bound,
    {_summed(Dimension.FEATURE)}
FROM sums
GROUP BY bound
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
    sums_by=Dimension.FEATURE,
)


@cache
def _breakdown(dimension: Dimension) -> CostsRead:
    again = ",\n    ".join(f"sum(one.{place}) AS {name}" for place, name in enumerate(NAMES, 2))
    return CostsRead(
        f"costs.breakdown_by_{dimension}",
        (),
        f"""
SELECT
    least(place, {{limit:UInt32}}) AS group_,
    if(group_ < {{limit:UInt32}}, any(key_), '') AS name,
    any(keys_) AS keys,
    one.1 AS bound,
    {again}
FROM
(
    SELECT
        key_,
        steps,
        count() OVER () AS keys_,
        row_number() OVER (ORDER BY cost_now DESC, invocations_now DESC, cost_before DESC, key_) - 1 AS place
    FROM
    (
        SELECT
            key_,
            groupArray(({", ".join(("bound_", *NAMES))})) AS steps,
            sumIf(cost_usd, {_within("bound_", "now")}) AS cost_now,
            sumIf(invocations, {_within("bound_", "now")}) AS invocations_now,
            sumIf(cost_usd, {_within("bound_", "before")}) AS cost_before
        FROM
        (
            SELECT
                toString(key) AS key_,
                {_BOUND} AS bound_,
                {_summed(dimension)}
            FROM sums
            GROUP BY
                key,
                bound_
        )
        GROUP BY key_
        HAVING invocations_now > 0 OR cost_before > 0
    )
)
ARRAY JOIN steps AS one
GROUP BY
    group_,
    bound
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
        sums_by=dimension,
    )


# Of the range, today, the week and the month; then of the stretches before the range and before today.
TENTHS = 4


def _of_window(place: int) -> str:
    within = _within(_SECOND, f"window_{place}")
    return f"""sumIf(costs.cost_usd, {within}) AS cost_in_{place},
        countIf({within}) AS traces_in_{place}"""


def _top(place: int, before: int) -> str:
    return f"""groupArraySortedIf({TOP})(
        (-cost_in_{place}, user_id, traces_in_{place}, unpriced_in_{place}, cost_in_{before}),
        traces_in_{place} > 0) AS top_{place}"""


def _tenth(place: int) -> str:
    return f"""countIf(traces_in_{place} > 0) AS users_{place},
    sum(cost_in_{place}) AS cost_{place},
    arraySum(arraySlice(
        arrayReverseSort(groupArrayIf(cost_in_{place}, traces_in_{place} > 0)),
        1,
        intDiv(users_{place} + 9, 10))) AS tenth_{place}"""


_TENTHS = ",\n    ".join(map(_tenth, range(TENTHS)))
_WINDOWS = ",\n        ".join(map(_of_window, range(6)))
_EDGES = ", ".join(f"toDecimal128('{edge:f}', 12)" for edge in EDGES)
_USERS = CostsRead(
    "costs.users",
    ("user_id", "unpriced_calls", "cost_usd"),
    f"""
SELECT
    {_top(0, 4)},
    {_top(1, 5)},
    {_TENTHS},
    sumMapIf(
        [toUInt8(arrayCount(edge -> cost_in_0 >= edge, [{_EDGES}]))],
        [toUInt64(1)],
        [cost_in_0],
        traces_in_0 > 0) AS histogram
FROM
(
    SELECT
        costs.user_id AS user_id,
        sumIf(costs.unpriced_calls, {_within(_SECOND, "window_0")}) AS unpriced_in_0,
        sumIf(costs.unpriced_calls, {_within(_SECOND, "window_1")}) AS unpriced_in_1,
        {_WINDOWS}
    FROM costs
    WHERE costs.user_id != ''
    GROUP BY user_id
)
LIMIT 1""",  # noqa: S608  # closed parts only
)
