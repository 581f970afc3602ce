"""Bars over time: a bar for every hour or day of the window, on the project's clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from tracehouse.tenancy.scope import Window
from tracehouse.web import time_range
from traces.bars import HEIGHT, LEAST, MAX_BARS, bars
from traces.queries import UsageGroup, UsageRow

BERLIN = ZoneInfo("Europe/Berlin")


def row(key: str, *, traces: int = 1, cost: str = "1", errors: int = 0) -> UsageRow:
    return UsageRow(key, traces, 0, 0, 0, 0, Decimal(cost), 0, errors)


def test_days_are_those_of_the_zone_and_empty_ones_are_bars_too() -> None:
    # From 20 November 23:30 to 23 November 0:30 in Berlin.
    window = Window(datetime(2026, 11, 20, 22, 30, tzinfo=UTC), datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    found = bars([row("2026-11-21", traces=4, cost="2", errors=1)], UsageGroup.DAY, window, BERLIN)
    assert [bar.label for bar in found.bars] == [
        "Fri 20 Nov 2026",
        "Sat 21 Nov 2026",
        "Sun 22 Nov 2026",
        "Mon 23 Nov 2026",
    ]
    assert [(bar.traces, bar.cost_height) for bar in found.bars] == [(0, 0), (4, HEIGHT), (0, 0), (0, 0)]
    assert (found.bars[1].failed, found.bars[1].failed_height) == (1, HEIGHT / 4)
    assert (found.bars[1].since, found.bars[1].until) == ("2026-11-20T23:00Z", "2026-11-21T23:00Z")
    assert (found.bars[0].since, found.bars[-1].until) == ("2026-11-20T22:30Z", "2026-11-22T23:30Z")
    assert (found.step, found.dearest, found.most_traces) == ("day", Decimal(2), 4)


def test_hours_are_hours_and_the_least_can_be_seen() -> None:
    start = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
    rows = [row("2026-11-20T12:00:00Z", cost="0.0001"), row("2026-11-20T13:00:00Z", cost="100")]
    found = bars(rows, UsageGroup.HOUR, Window(start, start + timedelta(hours=1)), BERLIN)
    assert [(bar.label, bar.cost_height) for bar in found.bars] == [
        ("20 Nov 13:00", LEAST),
        ("20 Nov 14:00", HEIGHT),
    ]


def test_the_window_cuts_the_first_and_the_last_hour() -> None:
    window = Window(datetime(2026, 11, 20, 12, 20, 5, tzinfo=UTC), datetime(2026, 11, 20, 14, 10, tzinfo=UTC))
    found = bars([], UsageGroup.HOUR, window, BERLIN)
    assert [(bar.since[11:], bar.until[11:]) for bar in found.bars] == [
        ("12:20:05Z", "13:00Z"),
        ("13:00Z", "14:00Z"),
        ("14:00Z", "14:10Z"),
    ]


def test_the_hour_that_clocks_show_twice_is_two_bars_with_addresses_of_their_own() -> None:
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    window = Window(midnight, midnight + timedelta(hours=5))
    found = bars([], UsageGroup.HOUR, window, BERLIN)
    assert [bar.label for bar in found.bars[2:4]] == ["25 Oct 02:00 CEST", "25 Oct 02:00 CET"]
    ranges = [
        time_range.parse({"from": bar.since, "to": bar.until}, now=window.end, zone=BERLIN)
        for bar in found.bars
    ]
    starts = [midnight + timedelta(hours=number) for number in range(6)]
    assert [one.window for one in ranges] == [Window(*pair) for pair in pairwise(starts)]


def test_a_window_of_years_begins_with_the_first_trace() -> None:
    window = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    found = bars([row("2026-11-20")], UsageGroup.DAY, window, UTC)
    assert [bar.traces for bar in found.bars] == [1, 0]
    assert len(bars([row("2001-01-01")], UsageGroup.DAY, window, UTC).bars) == MAX_BARS
