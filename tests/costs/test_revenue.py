"""What plans bring in: exact by days, whatever the window, the zone and the order of prices."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import days
from costs.revenue import Calendar, PlanPrice, price_on, revenue

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2025, 1, 1, tzinfo=UTC)
dollars = st.decimals(min_value=0, max_value=100_000, places=2, allow_nan=False, allow_infinity=False)
some_days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
zones = st.sampled_from([UTC, BERLIN, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York")])
moments = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
prices = st.lists(
    st.builds(PlanPrice, monthly_usd=dollars, first_day=some_days, last_day=st.none() | some_days),
    max_size=5,
    unique_by=lambda price: price.first_day,
)


def whole_month(day: date, zone: object = UTC) -> Calendar:
    first = days.first_of_month(day)
    end = days.first_of_next_month(day)
    return Calendar(days.start_of(first, zone), days.start_of(end, zone), zone)  # type: ignore[arg-type]


@given(dollars, some_days, zones)
def test_a_whole_month_brings_in_the_whole_price(price: Decimal, day: date, zone: object) -> None:
    calendar = whole_month(day, zone)
    assert revenue([PlanPrice(price, date(2020, 1, 1))], calendar) == price
    assert calendar.months == 1


@given(prices, moments, moments, moments, zones)
def test_parts_of_a_window_bring_in_what_the_whole_does(
    held: list[PlanPrice], one: datetime, two: datetime, three: datetime, zone: object
) -> None:
    start, cut, end = sorted([one, two, three])
    whole, first, second = (
        revenue(held, Calendar(*window, zone)) or Decimal(0)  # type: ignore[arg-type]
        for window in ((start, end), (start, cut), (cut, end))
    )
    assert abs(whole - first - second) <= Decimal("2e-12")


@given(prices, moments, st.integers(0, 60), zones)
def test_a_recount_day_by_day_comes_to_the_same(
    held: list[PlanPrice], start: datetime, length: int, zone: object
) -> None:
    first = start.date()
    window = days.start_of(first, zone), days.start_of(first + timedelta(days=length), zone)  # type: ignore[arg-type]
    counted = Decimal(0)
    for day in (first + timedelta(days=number) for number in range(length)):
        price = price_on(held, day)
        counted += price.monthly_usd / days.days_in_month(day) if price else 0
    assert abs((revenue(held, Calendar(*window, zone)) or 0) - counted) < Decimal("1e-9")  # type: ignore[arg-type]


def test_a_price_holds_until_the_next_one_begins() -> None:
    old = PlanPrice(Decimal(30), date(2026, 1, 1))
    new = PlanPrice(Decimal(60), date(2026, 4, 16))
    april = whole_month(date(2026, 4, 1))
    assert revenue([new, old], april) == Decimal(30) / 2 + Decimal(60) / 2
    assert price_on([old, new], date(2026, 4, 15)) == old
    assert price_on([old, new], date(2026, 4, 16)) == new


def test_a_price_ends_on_its_last_day_and_leaves_no_plan_behind() -> None:
    ended = PlanPrice(Decimal(30), date(2026, 1, 1), date(2026, 3, 31))
    assert revenue([ended], whole_month(date(2026, 4, 1))) is None
    assert revenue([ended], whole_month(date(2026, 3, 1))) == 30
    assert price_on([ended], date(2026, 4, 1)) is None


def test_a_free_plan_is_a_plan() -> None:
    assert revenue([PlanPrice(Decimal(0), date(2026, 1, 1))], whole_month(date(2026, 4, 1))) == 0


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_today_counts_by_the_part_of_it_that_is_over_also_when_clocks_change(day: date, hours: int) -> None:
    start = days.start_of(day, BERLIN)
    half = Calendar(start, start + timedelta(hours=hours) / 2, BERLIN)
    assert revenue([PlanPrice(Decimal(62), date(2026, 1, 1))], half) == 1


def test_an_empty_window_brings_in_nothing() -> None:
    moment = datetime(2026, 4, 1, tzinfo=UTC)
    assert revenue([PlanPrice(Decimal(62), date(2026, 1, 1))], Calendar(moment, moment, UTC)) is None
