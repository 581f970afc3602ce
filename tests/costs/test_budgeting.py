"""Budgets: when one is near or over, and what a forecast may say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.budgeting import Period, Standing, State, judge, span_of

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2025, 1, 1, tzinfo=UTC)
dollars = st.decimals(min_value=Decimal("0.01"), max_value=10**6, places=2)
moments = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def standing(spent: str, *, at: datetime = NOON, limit: str = "50", period: Period = Period.DAY) -> Standing:
    span = span_of(period, at, UTC)
    return judge(limit=Decimal(limit), warn_percent=80, spent=Decimal(spent), span=span, now=at)


@pytest.mark.parametrize(
    ("spent", "state"),
    [
        ("0", State.OK),
        ("39.99", State.OK),
        ("40", State.WARNING),
        ("50", State.WARNING),
        ("50.000001", State.OVER),
    ],
)
def test_a_budget_is_near_from_its_percentage_on_and_over_past_its_limit(spent: str, state: State) -> None:
    assert standing(spent).state is state


def test_the_rate_so_far_says_when_the_limit_is_reached() -> None:
    forecast = standing("40").forecast
    assert forecast is not None
    assert forecast.spent_at_end == 80
    assert forecast.exhausted_at == datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_a_budget_that_lasts_is_not_exhausted() -> None:
    forecast = standing("20").forecast
    assert forecast is not None
    assert (forecast.spent_at_end, forecast.exhausted_at) == (40, None)


def test_nothing_is_foretold_from_the_first_hours_of_a_period_or_from_nothing() -> None:
    early = datetime(2026, 11, 24, 1, 59, tzinfo=UTC)
    assert standing("40", at=early).forecast is None
    assert standing("40", at=early + timedelta(minutes=1)).forecast is not None
    assert standing("0").forecast is None
    assert standing("40", at=datetime(2026, 11, 3, 11, tzinfo=UTC), period=Period.MONTH).forecast is None
    assert standing("40", at=datetime(2026, 11, 3, 12, tzinfo=UTC), period=Period.MONTH).forecast is not None


@given(dollars, dollars, moments, st.sampled_from(Period))
def test_a_forecast_agrees_with_itself(limit: Decimal, spent: Decimal, now: datetime, period: Period) -> None:
    span = span_of(period, now, BERLIN)
    assert span.start <= now < span.end
    found = judge(limit=limit, warn_percent=80, spent=spent, span=span, now=now)
    assert found.left == max(limit - spent, 0)
    forecast = found.forecast
    if forecast is None:
        assert span.passed(now) < Decimal(1) / 12
        return
    assert forecast.spent_at_end >= spent - Decimal("1e-12")
    assert (forecast.exhausted_at is not None) == (forecast.spent_at_end > limit)
    if forecast.exhausted_at is not None:
        assert span.start <= forecast.exhausted_at <= span.end
        assert (forecast.exhausted_at <= now) == (found.spent >= limit) or spent == limit


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period.DAY, "2026-10-24T22", "2026-10-25T23"),
        (Period.MONTH, "2026-09-30T22", "2026-10-31T23"),
    ],
)
def test_days_and_months_are_those_of_the_zone(period: Period, start: str, end: str) -> None:
    span = span_of(period, datetime(2026, 10, 25, 12, tzinfo=UTC), BERLIN)
    assert (f"{span.start:%Y-%m-%dT%H}", f"{span.end:%Y-%m-%dT%H}") == (start, end)
