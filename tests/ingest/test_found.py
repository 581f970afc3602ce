"""What was found, as lines and bars."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.found import MAX_HOURS, STRIP_HEIGHT, step_for, summarize
from tracehouse.tenancy.scope import Window
from traces.redaction_queries import Replaced, Step

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = Window(NOON - timedelta(hours=24), NOON)
TITLES = {"email": "E-mail addresses", "card": "Payment cards"}
DOES = {"email": "Hash", "card": "Off"}


def test_short_windows_have_a_bar_an_hour_and_long_ones_a_bar_a_day() -> None:
    assert step_for(DAY) is Step.HOUR
    assert step_for(Window(NOON - timedelta(hours=MAX_HOURS + 1), NOON)) is Step.DAY


def test_every_detector_has_a_line_and_the_most_found_is_first() -> None:
    rows = [
        Replaced(NOON - timedelta(hours=2), "card", 3, 2),
        Replaced(NOON - timedelta(hours=1), "old_rule", 9, 1),
    ]
    found = summarize(rows, DAY, titles=TITLES, does=DOES, zone=UTC)
    told = [(line.title, line.does, line.values, line.spans) for line in found.lines]
    assert told == [
        ("old_rule", "", 9, 1),
        ("Payment cards", "Off", 3, 2),
        ("E-mail addresses", "Hash", 0, 0),
    ]
    assert found.total == 12
    assert found.steps == 24


def test_bars_stand_at_their_step_and_the_highest_fills_the_strip() -> None:
    rows = [
        Replaced(NOON - timedelta(hours=24), "email", 5, 1),
        Replaced(NOON - timedelta(hours=1), "email", 10, 1),
    ]
    [line] = summarize(rows, DAY, titles={"email": "E"}, does={}, zone=UTC).lines
    assert [(bar.left, bar.height, bar.label) for bar in line.bars] == [
        ("0.1", f"{STRIP_HEIGHT / 2:.2f}", "19 Nov 12:00"),
        ("23.1", f"{STRIP_HEIGHT:.2f}", "20 Nov 11:00"),
    ]


def test_a_day_of_25_hours_is_one_step() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    window = Window(datetime(2026, 10, 24, tzinfo=berlin), datetime(2026, 10, 28, tzinfo=berlin))
    rows = [Replaced(datetime(2026, 10, 26, tzinfo=berlin).astimezone(UTC), "email", 1, 1)]
    found = summarize(rows, window, titles=TITLES, does=DOES, zone=berlin)
    assert found.steps == 4
    assert found.lines[0].bars[0].left == "2.1"
