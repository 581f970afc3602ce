"""The charts of the cost overview: which bars there are, how high, and what they are made of."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from costs import day_range, spend_chart, spend_plot
from costs.dashboard import Change
from costs.dashboard_queries import Breakdown, Part, Sums, added
from costs.periods import compared
from costs.rollup_queries import Bin, Dimension, Step

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
    assert [bar.before_usd for bar in chart.bars] == [Decimal(0), Decimal(40), Decimal(0)]
    assert chart.before == [0.0, 40.0, 0.0]
    assert chart.before_path == "M0 100.0V100.0H1V60.0H2V100.0H3"
    assert spend_chart.names(chart) == []
    plot = spend_plot.spend(chart, Dimension.FEATURE, OSLO, traces="/p/x/traces", zoom="/p/x/costs")
    assert [one.color for one in plot.series] == [*(f"series-{place}" for place in range(6)), "series-rest"]
    assert [sum(heights) for heights in zip(*(one.heights for one in plot.series), strict=True)] == [
        70,
        25,
        0,
    ]
    assert plot.places[1].title == "Tue 31 Mar: $25, 1 trace\nothers $25\nbefore: $40"
    assert plot.places[1].href == "/p/x/traces?from=2026-03-30T22%3A00Z&to=2026-03-31T22%3A00Z&order=-cost"
    assert plot.data["ranges"][1] == ["2026-03-31", "2026-03-31"]


def test_a_few_series_are_named_beside_their_last_bar_and_apart() -> None:
    parts = [Part("draft", 3, {second(30): cost("60")}), Part("query", 3, {second(30): cost("1")})]
    found = Breakdown(parts, {second(29): cost("1")})
    about = compared(
        day_range.parse({"from": "2026-03-29", "to": "2026-03-31"}, date(2026, 3, 31)), NOW, OSLO
    )
    everything = added([*(one.timeline for one in parts), found.others])
    chart = spend_chart.chart(about, found, everything, Step.DAY, OSLO)
    named = [(y, spend_plot.named(one, Dimension.FEATURE)) for y, one in spend_chart.names(chart)]
    assert named == [(70.0, "draft"), (39.5, "query"), (31.5, "others")]


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


def test_a_column_leads_to_the_customers_of_its_cost() -> None:
    bins = [
        Bin(None, Decimal("0.1"), 40, Decimal(1)),
        Bin(Decimal("0.1"), Decimal("0.2"), 70, Decimal(9)),
        Bin(Decimal("0.2"), None, 1, Decimal(90)),
    ]
    columns = spend_chart.columns(bins)
    assert [one.height for one in columns] == [57.14, 100.0, 1.43]
    plot = spend_plot.users(columns, "/economics", {"range": "7d"})
    assert [one.href for one in plot.places] == [
        "/economics?range=7d&cost_below=0.1",
        "/economics?range=7d&cost_from=0.1&cost_below=0.2",
        "/economics?range=7d&cost_from=0.2",
    ]
    assert plot.places[2].title == "1 user: $0.20 or more each\n$90 in all"
    assert plot.data["ranges"] == []


@pytest.mark.parametrize(
    ("users", "below"), [((5, 4, 1), "0.1"), ((4, 5, 1), "0.2"), ((1, 1, 9), None), ((0, 0, 0), None)]
)
def test_half_of_the_users_cost_less_than_the_end_of_a_bin(
    users: tuple[int, int, int], below: str | None
) -> None:
    ends = (None, Decimal("0.1"), Decimal("0.2"), None)
    bins = [Bin(ends[place], ends[place + 1], count, Decimal(1)) for place, count in enumerate(users)]
    assert spend_chart.median_below(bins) == (None if below is None else Decimal(below))


@pytest.mark.parametrize(
    ("now", "before", "way"),
    [("0", "0", "none"), ("3", "0", "new"), ("3", "2", "up"), ("1", "2", "down"), ("2.0009", "2", "same")],
)
def test_a_change_says_which_way(now: str, before: str, way: str) -> None:
    assert Change(Decimal(now), Decimal(before)).way == way
