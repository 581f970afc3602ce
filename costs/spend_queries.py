"""Sums of the roll-up by feature and by day of the project's zone, in SQL of PostgreSQL."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from django.db import connection

from costs import days
from tracehouse.tenancy.scope import Scope
from tracehouse.web import time_range

MAX_SERIES = 2_000


class Series(StrEnum):
    """What is added up day by day."""

    PROJECT = "project"
    USER = "user"
    FEATURE = "feature"


@dataclass(frozen=True, slots=True)
class FeatureTotal:
    """What one feature did and cost; "" is none."""

    feature: str
    invocations: int
    failed: int
    unpriced_calls: int
    cost_usd: Decimal


def feature_totals(scope: Scope, first_day: date, last_day: date) -> list[FeatureTotal]:
    """Every feature with an invocation on these days, dearest first."""
    with connection.cursor() as cursor:
        cursor.execute(_FEATURES, _bound(scope, first_day, last_day))
        return [FeatureTotal(*row) for row in cursor.fetchall()]


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

    Of more than `MAX_SERIES` the dearest are kept.
    """
    bound = {
        **_bound(scope, first_day, last_day),
        "judged_from": judged_from,
        "at_least": at_least,
        "most": MAX_SERIES,
    }
    found: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY[series], bound)
        for key, day, spent in cursor.fetchall():
            found[key][day] = spent
    return dict(found)


def _bound(scope: Scope, first_day: date, last_day: date) -> dict[str, str | int | date | datetime | Decimal]:
    zone = time_range.zone_of(scope.time_zone)
    start, end = days.start_of(first_day, zone), days.start_of(last_day + days.ONE, zone)
    return {
        "project": scope.project_id,
        "start": start,
        "end": end,
        "first_date": start.date(),
        "last_date": end.date(),
        "zone": _name(zone),
    }


def _name(zone: tzinfo) -> str:
    return str(getattr(zone, "key", "UTC"))


_BEGAN = "(date + hour * interval '1 hour') AT TIME ZONE 'UTC'"
_IN_WINDOW = f"""project_id = %(project)s
      AND date BETWEEN %(first_date)s AND %(last_date)s
      AND {_BEGAN} >= %(start)s
      AND {_BEGAN} < %(end)s"""

_FEATURES = f"""
SELECT
    feature.key,
    sum((feature.value ->> 'invocations')::bigint)::bigint,
    sum((feature.value ->> 'failed')::bigint)::bigint,
    sum((feature.value ->> 'unpriced_calls')::bigint)::bigint,
    sum((feature.value ->> 'cost_usd')::numeric) AS cost
FROM user_costs
CROSS JOIN LATERAL jsonb_each(by_feature) AS feature
WHERE {_IN_WINDOW}
GROUP BY feature.key
ORDER BY cost DESC, feature.key"""  # noqa: S608  # closed parts only


def _daily(key: str, spent: str, joined: str = "") -> str:
    return f"""
WITH daily AS (
    SELECT
        {key} AS key,
        ({_BEGAN} AT TIME ZONE %(zone)s)::date AS day,
        sum({spent}) AS spent
    FROM user_costs
    {joined}
    WHERE {_IN_WINDOW}
    GROUP BY 1, 2
),
judged AS (
    SELECT key
    FROM daily
    WHERE day >= %(judged_from)s
      AND spent >= %(at_least)s
    GROUP BY key
    ORDER BY max(spent) DESC, key
    LIMIT %(most)s
)
SELECT
    key,
    day,
    spent
FROM daily
JOIN judged USING (key)
ORDER BY key, day"""  # noqa: S608  # closed parts only


_BY_DAY = {
    Series.PROJECT: _daily("''::text", "total_cost_usd"),
    Series.USER: _daily("user_id", "total_cost_usd"),
    Series.FEATURE: _daily(
        "feature.key",
        "(feature.value ->> 'cost_usd')::numeric",
        "CROSS JOIN LATERAL jsonb_each(by_feature) AS feature",
    ),
}
