"""The dearest tenth of the users in each day, week or month, and their share of what all users cost in it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from costs import days, rolled
from costs.dashboard_queries import Tenth
from costs.day_range import DayRange
from costs.rolled import CostsRead
from costs.rollup_queries import STARTS, Step
from tracehouse.tenancy.scope import Scope
from tracehouse.web import time_range

STEPS = (Step.DAY, Step.WEEK, Step.MONTH)


@dataclass(frozen=True, slots=True)
class StepTenth:
    """Of one day, week or month, as far as it lies in the days that were asked for."""

    days: DayRange
    tenth: Tenth


def tenths(scope: Scope, chosen: DayRange, step: Step) -> list[StepTenth]:
    """Oldest first; what nobody with an id used anything in is left out. Raises `QueryTooLarge`, `QueryUnavailable`."""
    zone = time_range.zone_of(scope.time_zone)
    rows = rolled.read(_tenths(step), scope.during(chosen.whole(zone)))
    return [
        StepTenth(
            days=_within(chosen, datetime.fromtimestamp(row["start_"], UTC).astimezone(zone).date(), step),
            tenth=Tenth(row["users"], row["cost_usd"], row["top_users"], row["top_cost_usd"]),
        )
        for row in rows
    ]


def _within(chosen: DayRange, first: date, step: Step) -> DayRange:
    if step is Step.MONTH:
        last, label = days.first_of_next_month(first) - days.ONE, f"{first:%b %Y}"
    else:
        last = first + timedelta(days=6 if step is Step.WEEK else 0)
        label = f"{'Week of ' if step is Step.WEEK else ''}{first:%a} {first.day} {first:%b}"
    return DayRange(max(first, chosen.first), min(last, chosen.last), "", label)


@cache
def _tenths(step: Step) -> CostsRead:
    return CostsRead(
        f"costs.tenths_by_{step}",
        ("user_id", "cost_usd"),
        f"""
SELECT
    start_,
    count() AS users,
    sum(cost) AS cost_usd,
    intDiv(users + 9, 10) AS top_users,
    arraySum(arraySlice(arrayReverseSort(groupArray(cost)), 1, top_users)) AS top_cost_usd
FROM
(
    SELECT
        toUnixTimestamp({STARTS[step]}) AS start_,
        sum(costs.cost_usd) AS cost
    FROM costs
    WHERE costs.user_id != ''
    GROUP BY
        start_,
        costs.user_id
)
GROUP BY start_
ORDER BY start_
LIMIT 1000""",  # noqa: S608  # closed parts only
    )
