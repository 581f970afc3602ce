"""Anomalies of a day or a week: what cost more than its own week before lets expect, by project, feature and user."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from costs import spend_queries, spikes
from costs.spend_queries import Series
from costs.spikes import Judgement, Verdict
from tracehouse.tenancy.scope import Scope


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One series on one day. `key` is "" for the project, and for what names no user or feature."""

    series: Series
    key: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Of some days: `spikes`, farthest above their mean first, and `newcomers`: too little to judge them by, dearest
    first.
    """

    first_day: date
    last_day: date
    spikes: list[Anomaly]
    newcomers: list[Anomaly]


def anomalies(scope: Scope, first_day: date, last_day: date) -> Anomalies:
    """Each day from the first to the last is judged by the seven days before it. Days are days in the scope's zone.

    Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    spending = spend_queries.by_day(
        scope,
        first_day - timedelta(days=spikes.WINDOW_DAYS),
        last_day,
        judged_from=first_day,
        at_least=spikes.MIN_USD,
    )
    found = [
        one
        for series, spent in spending.items()
        for key, amounts in spent.items()
        for one in _judged(series, key, amounts, first_day)
    ]
    return Anomalies(
        first_day,
        last_day,
        sorted(_with(found, Verdict.SPIKE), key=lambda one: -one.judgement.excess),
        sorted(_with(found, Verdict.TOO_NEW), key=lambda one: -one.judgement.spent),
    )


def _judged(series: Series, key: str, amounts: Mapping[date, Decimal], first_day: date) -> Iterable[Anomaly]:
    """Each day that is large enough to be either."""
    for day, amount in amounts.items():
        if day >= first_day and amount >= spikes.MIN_USD:
            yield Anomaly(series, key, spikes.judge(amounts, day))


def _with(found: Iterable[Anomaly], verdict: Verdict) -> list[Anomaly]:
    return [one for one in found if one.judgement.verdict is verdict]
