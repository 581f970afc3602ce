"""Anomalies of a day or a week: what cost more than its own week before lets expect, by project, feature and user."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from costs import days, spend_queries, spikes
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
    found = [one for series in Series for one in _judged(scope, series, first_day, last_day)]
    return Anomalies(
        first_day,
        last_day,
        sorted(_with(found, Verdict.SPIKE), key=lambda one: -one.judgement.excess),
        sorted(_with(found, Verdict.TOO_NEW), key=lambda one: -one.judgement.spent),
    )


def _judged(scope: Scope, series: Series, first_day: date, last_day: date) -> Iterable[Anomaly]:
    spent: Mapping[str, Mapping[date, Decimal]] = spend_queries.by_day(
        scope,
        series,
        first_day - timedelta(days=spikes.WINDOW_DAYS),
        last_day,
        judged_from=first_day,
        at_least=spikes.MIN_USD,
    )
    for key, amounts in spent.items():
        for day in days.days_between(first_day, last_day):
            yield Anomaly(series, key, spikes.judge(amounts, day))


def _with(found: Iterable[Anomaly], verdict: Verdict) -> list[Anomaly]:
    return [one for one in found if one.judgement.verdict is verdict]
