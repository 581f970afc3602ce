"""Bars over time: a bar for every hour or day of the window, on the project's clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tracehouse.tenancy.scope import Window
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
    assert (found.bars[1].start_input[:10], found.bars[1].end_input[:10]) == ("2026-11-21", "2026-11-22")
    assert (found.step, found.dearest, found.most_traces) == ("day", Decimal(2), 4)


def test_hours_are_hours_and_the_least_can_be_seen() -> None:
    start = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
    rows = [row("2026-11-20T12:00:00Z", cost="0.0001"), row("2026-11-20T13:00:00Z", cost="100")]
    found = bars(rows, UsageGroup.HOUR, Window(start, start + timedelta(hours=1)), BERLIN)
    assert [(bar.label, bar.cost_height) for bar in found.bars] == [
        ("20 Nov 13:00", LEAST),
        ("20 Nov 14:00", HEIGHT),
    ]


def test_a_window_of_years_begins_with_the_first_trace() -> None:
    window = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    found = bars([row("2026-11-20")], UsageGroup.DAY, window, UTC)
    assert [bar.traces for bar in found.bars] == [1, 0]
    assert len(bars([row("2001-01-01")], UsageGroup.DAY, window, UTC).bars) == MAX_BARS
