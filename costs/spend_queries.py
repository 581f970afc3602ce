"""What the project, its features and its users cost day by day, as far as a day of theirs is worth a judgement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from costs import days, rolled, rollup_queries
from costs.rolled import Asked, CostsRead
from costs.rollup_queries import Dimension
from tracehouse.clickhouse.query import Parameter, Row
from tracehouse.tenancy.scope import Scope
from tracehouse.web import time_range

# Users with all their days, and features.
MAX_KEYS = 5_000


class Series(StrEnum):
    """What is added up day by day."""

    PROJECT = "project"
    USER = "user"
    FEATURE = "feature"


Spending: TypeAlias = Mapping[str, Mapping[date, Decimal]]  # by key and day


def by_day(
    scope: Scope, first_day: date, last_day: date, *, judged_from: date, at_least: Decimal
) -> Mapping[Series, Spending]:
    """What each cost by day; only those who cost `at_least` so much on some day from `judged_from` on.

    Past `MAX_KEYS` users or features the dearest are kept. Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    within = rollup_queries.during(scope, first_day, last_day)
    bound: dict[str, Parameter] = {"judged_from": judged_from.isoformat(), "at_least": f"{at_least:f}"}
    zone = time_range.zone_of(scope.time_zone)
    starts = [int(days.start_of(day, zone).timestamp()) for day in days.days_between(first_day, last_day)]
    asked = Asked(_USERS, within.window, bound), Asked(_OTHERS, within.window, bound, starts)
    return _by_series(row for rows in rolled.read_together(scope, *asked) for row in rows)


def _by_series(rows: Iterable[Row]) -> Mapping[Series, Spending]:
    found: defaultdict[Series, dict[str, Mapping[date, Decimal]]] = defaultdict(dict)
    for row in rows:
        found[Series(row["series"])][row["key"]] = dict(row["spent"])
    return {series: found[series] for series in Series}


def _worth_a_judgement(sums_by_day: str) -> str:
    """Of rows of a series, a key, a day and what that cost: a row a key, if it cost enough on some day."""
    return f"""
SELECT
    series,
    key,
    arraySort(groupArray((day, cost))) AS spent,
    maxIf(cost, day >= {{judged_from:Date}}) AS most
FROM
({sums_by_day}
)
GROUP BY
    series,
    key
HAVING most >= toDecimal128({{at_least:String}}, 12)
ORDER BY
    most DESC,
    key
LIMIT {MAX_KEYS}"""  # noqa: S608  # closed parts only


_USERS = CostsRead(
    "costs.users_by_day",
    ("user_id", "cost_usd"),
    _worth_a_judgement(f"""
    SELECT
        '{Series.USER}' AS series,
        costs.user_id AS key,
        toDate(costs.start_time, {{time_zone:String}}) AS day,
        sum(costs.cost_usd) AS cost
    FROM costs
    GROUP BY
        key,
        day"""),  # noqa: S608  # closed parts only
)
# Every trace has one feature: their sums are those of the project too.
_OTHERS = CostsRead(
    "costs.features_by_day",
    (),
    _worth_a_judgement(f"""
    SELECT
        series,
        if(series = '{Series.FEATURE}', feature, '') AS key,
        day,
        sum(of_feature) AS cost
    FROM
    (
        SELECT
            toString(sums.key) AS feature,
            toDate(toDateTime(sums.second, {{time_zone:String}})) AS day,
            sum(sums.cost_usd) AS of_feature
        FROM sums
        GROUP BY
            feature,
            day
    )
    ARRAY JOIN ['{Series.PROJECT}', '{Series.FEATURE}'] AS series
    GROUP BY
        series,
        key,
        day"""),  # noqa: S608  # closed parts only
    sums_by=Dimension.FEATURE,
)
