"""The charts of the cost overview: which bars there are, how high, and what they are made of."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from costs import day_range, spend_chart
from costs.dashboard import Change
from costs.dashboard_queries import Breakdown, Part, Sums, added
from costs.periods import compared
from costs.rollup_queries import Bin, Step

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def second(day: int, hour: int = 12) -> int:
    return int(datetime(2026, 3, day, hour, tzinfo=OSLO).timestamp())


def cost(dollars: str) -> Sums:
    return Sums(invocations=1, cost_usd=Decimal(dollars))


def test_bars_are_stacked_from_the_dearest_series_and_the_others_are_one() -> None:
    parts = [Part(f"feature-{place}", 9, {second(30): cost("10")}) for place in range(7)]
    found = Breakdown(parts, {second(31): cost("25")})
    everything = added([*(one.timeline for one in parts), found.others, {second(28): cost("40")}])
    about = compared(
        day_range.parse({"from": "2026-03-30", "to": "2026-04-01"}, date(2026, 3, 31)), NOW, OSLO
    )
    chart = spend_chart.chart(about, found, everything, Step.DAY, OSLO)
    assert [(bar.label, bar.cost_usd, bar.invocations) for bar in chart.bars] == [
        ("Mon 30 Mar", Decimal(70), 7),
        ("Tue 31 Mar", Decimal(25), 1),
        ("Wed 1 Apr", Decimal(0), 0),
    ]
    first = chart.bars[0].slices
    assert [one.series for one in first] == ["0", "1", "2", "3", "4", "5", "rest"]
    assert [one.y for one in first] == [90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 30.0]
    assert (chart.top, [line.label for line in chart.lines]) == (Decimal(100), ["$50.00", "$100.00"])
    assert chart.before == "M0 100.0V100.0H1V60.0H2V100.0H3"


def test_the_hours_of_the_day_on_which_clocks_are_put_forward_are_23() -> None:
    day = day_range.parse({"from": "2026-03-29", "to": "2026-03-29"}, date(2026, 3, 31))
    hours = spend_chart.steps(day, spend_chart.step_of(day), OSLO)
    assert len(hours) == 23
    assert (hours[0].start, hours[-1].end) == (day.whole(OSLO).start, day.whole(OSLO).end)


def test_a_long_range_is_drawn_by_weeks_that_begin_on_mondays() -> None:
    days = day_range.parse({"from": "2025-12-31", "to": "2026-04-15"}, date(2026, 4, 15))
    weeks = spend_chart.steps(days, spend_chart.step_of(days), OSLO)
    assert {one.start.astimezone(OSLO).weekday() for one in weeks[1:]} == {0}
    assert (weeks[0].start, weeks[-1].end) == (days.whole(OSLO).start, days.whole(OSLO).end)


@pytest.mark.parametrize(
    ("amount", "top"), [("0", "0"), ("0.0031", "0.005"), ("1", "1"), ("1.01", "2"), ("501", "1000")]
)
def test_the_scale_ends_on_a_round_amount(amount: str, top: str) -> None:
    assert spend_chart.nice(Decimal(amount)) == Decimal(top)


def test_a_column_leads_to_the_page_of_customers_where_its_dearest_stand() -> None:
    bins = [
        Bin(None, Decimal("0.1"), 40, Decimal(1)),
        Bin(Decimal("0.1"), Decimal("0.2"), 70, Decimal(9)),
        Bin(Decimal("0.2"), None, 60, Decimal(90)),
    ]
    columns = spend_chart.columns(bins)
    assert [(one.dearer, one.page) for one in columns] == [(130, 3), (60, 2), (0, 1)]
    assert [one.height for one in columns] == [57.14, 100.0, 85.71]


@pytest.mark.parametrize(
    ("now", "before", "way"),
    [("0", "0", "none"), ("3", "0", "new"), ("3", "2", "up"), ("1", "2", "down"), ("2.0009", "2", "same")],
)
def test_a_change_says_which_way(now: str, before: str, way: str) -> None:
    assert Change(Decimal(now), Decimal(before)).way == way
