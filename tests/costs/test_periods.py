"""What a range is compared with: as much of the stretch before it as of this one is over."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from costs import day_range
from costs.periods import compared

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 3, 31, 14, 30, tzinfo=UTC)  # a Tuesday, 16:30 in Oslo, two days into summer time


def at(day: int, month: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=OSLO)


@pytest.mark.parametrize(
    ("asked", "start", "before", "until"),
    [
        ({"range": "today"}, at(31, 3), at(30, 3), at(30, 3, 16, 30)),
        ({"range": "week"}, at(30, 3), at(28, 3), at(29, 3, 16, 30)),
        ({"range": "7d"}, at(25, 3), at(18, 3), at(24, 3, 16, 30)),
        # There is no 31 February: the whole month stands against it.
        ({"range": "month"}, at(1, 3), at(1, 2), at(1, 3)),
        ({"range": "last-month"}, at(1, 2), at(1, 1), at(1, 2)),
        ({"from": "2026-03-10", "to": "2026-03-12"}, at(10, 3), at(7, 3), at(10, 3)),
    ],
)
def test_a_range_stands_against_as_much_of_the_stretch_before(
    asked: dict[str, str], start: datetime, before: datetime, until: datetime
) -> None:
    found = compared(day_range.parse(asked, date(2026, 3, 31)), NOW, OSLO)
    assert (found.now.start, found.before.start, found.before.end) == (start, before, until)
    assert found.is_cut == (until.time() != datetime.min.time())
    assert found.before.start <= found.before.end <= found.now.start


def test_a_month_is_compared_up_to_the_same_day_and_time() -> None:
    now = datetime(2026, 3, 12, 9, 15, tzinfo=UTC)
    found = compared(day_range.parse({"range": "month"}, date(2026, 3, 12)), now, OSLO)
    assert (found.before.start, found.before.end) == (at(1, 2), at(12, 2, 10, 15))
    assert found.before_days.label == "1 Feb to 28 Feb"
