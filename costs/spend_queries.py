"""What the project, its features and its users cost day by day, as far as a day of theirs is worth a judgement."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from enum import StrEnum

from costs import rolled, rollup_queries
from costs.rolled import CostsRead
from tracehouse.clickhouse.query import Parameter
from tracehouse.tenancy.scope import Scope

# Days of all series together.
MAX_ROWS = 100_000


class Series(StrEnum):
    """What is added up day by day."""

    PROJECT = "project"
    USER = "user"
    FEATURE = "feature"


def by_day(
    scope: Scope,
    series: Series,
    first_day: date,
    last_day: date,
    *,
    judged_from: date,
    at_least: Decimal,
) -> dict[str, dict[date, Decimal]]:
    """What each cost by day; only those who cost `at_least` so much on some day from `judged_from` on.

    Past `MAX_ROWS` days the dearest are kept. Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    bound: dict[str, Parameter] = {"judged_from": judged_from.isoformat(), "at_least": f"{at_least:f}"}
    found: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
    for row in rolled.read(_BY_DAY[series], rollup_queries.during(scope, first_day, last_day), bound):
        found[row["key"]][row["day"]] = row["spent"]
    return dict(found)


def _by_day(series: Series, key: str, columns: tuple[str, ...]) -> CostsRead:
    return CostsRead(
        f"costs.{series}_by_day",
        (*columns, "cost_usd"),
        f"""
SELECT
    key,
    day,
    spent
FROM
(
    SELECT
        key,
        day,
        spent,
        max(if(day >= {{judged_from:Date}}, spent, 0)) OVER (PARTITION BY key) AS most
    FROM
    (
        SELECT
            {key} AS key,
            toDate(costs.start_time, {{time_zone:String}}) AS day,
            sum(costs.cost_usd) AS spent
        FROM costs
        GROUP BY key, day
    )
)
WHERE most >= toDecimal128({{at_least:String}}, 12)
ORDER BY most DESC, key, day
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
    )


_BY_DAY = {
    Series.PROJECT: _by_day(Series.PROJECT, "''", ()),
    Series.USER: _by_day(Series.USER, "costs.user_id", ("user_id",)),
    Series.FEATURE: _by_day(Series.FEATURE, "costs.feature", ("feature",)),
}
