"""Anomalies: three standard deviations above the week before, and nothing said from too little."""

from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.spikes import MIN_SPREAD, MIN_USD, Judgement, Verdict, judge

TODAY = date(2026, 11, 24)
dollars = st.decimals(min_value=0, max_value=10**5, places=4)


def week(*before: object, today: object) -> Judgement:
    """Today after these days, the last of them yesterday."""
    amounts = [Decimal(str(value)) for value in (*before, today)]
    first = TODAY - timedelta(days=len(before))
    return judge({first + timedelta(days=number): value for number, value in enumerate(amounts)}, TODAY)


def test_a_day_far_above_its_week_is_a_spike() -> None:
    found = week(10, 12, 11, 9, 10, 12, 11, today=40)
    assert found.verdict is Verdict.SPIKE
    assert found.mean is not None
    assert found.threshold is not None
    assert (round(found.mean, 2), round(found.threshold, 2)) == (Decimal("10.71"), Decimal("14.05"))
    assert len(found.sample) == 7


def test_a_day_within_three_deviations_is_usual() -> None:
    assert week(10, 20, 5, 18, 9, 25, 11, today=30).verdict is Verdict.USUAL


def test_a_week_without_variation_does_not_make_a_cent_an_anomaly() -> None:
    assert week(*[10] * 7, today="10.01").verdict is Verdict.USUAL
    assert week(*[10] * 7, today=13).verdict is Verdict.USUAL
    assert week(*[10] * 7, today="13.01").verdict is Verdict.SPIKE


def test_three_days_are_too_few_to_judge_by_and_four_are_not() -> None:
    assert week(1, 1, 1, today=500).verdict is Verdict.TOO_NEW
    assert week(1, 1, 1, 1, today=500).verdict is Verdict.SPIKE


def test_days_before_the_first_cost_are_no_sample_and_free_days_after_it_are() -> None:
    assert week(0, 0, 0, 0, 5, 5, 5, today=500).sample == (5, 5, 5)
    assert week(5, 0, 0, 0, 5, 0, 5, today=500).sample == (5, 0, 0, 0, 5, 0, 5)


def test_cents_are_nobodys_anomaly() -> None:
    assert week(*["0.01"] * 7, today="0.99").verdict is Verdict.TOO_SMALL
    assert week(*["0.01"] * 7, today=1).verdict is Verdict.SPIKE


@pytest.mark.parametrize("days_ago", [8, 30])
def test_only_the_seven_days_before_are_looked_at(days_ago: int) -> None:
    series = {TODAY: Decimal(100), TODAY - timedelta(days=days_ago): Decimal(100)}
    assert judge(series, TODAY).sample == ()


@given(st.lists(dollars, min_size=7, max_size=7), dollars)
def test_the_rule_is_the_mean_and_three_sample_deviations(before: list[Decimal], today: Decimal) -> None:
    found = week(*before, today=today)
    if found.mean is None or found.deviation is None or found.threshold is None:
        assert today < MIN_USD or len(found.sample) < 4
        return
    assert abs(found.mean - mean(found.sample)) < Decimal("1e-9")
    expected = max(stdev(found.sample), mean(found.sample) * MIN_SPREAD)
    assert abs(found.deviation - expected) < Decimal("1e-6")
    assert (found.verdict is Verdict.SPIKE) == (today > found.threshold)
    assert found.sigmas is not None
    assert (found.sigmas > 3) == (found.verdict is Verdict.SPIKE)
