"""What a stretch of days is compared with: as much of the stretch before it as of this one is over. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from costs import days
from costs.day_range import DayRange
from tracehouse.tenancy.scope import Window

MONTHS = ("month", "last-month")


@dataclass(frozen=True, slots=True)
class Compared:
    """Some days, to the end of the last, and the stretch before, of which what is still to come is cut off."""

    days: DayRange
    now: Window
    before: Window
    before_days: DayRange  # all of that stretch
    is_cut: bool


def compared(chosen: DayRange, now: datetime, zone: tzinfo) -> Compared:
    """A month is compared with the month before, anything else with as many days right before it."""
    whole = chosen.whole(zone)
    first, last = _before(chosen)
    start, end = days.start_of(first, zone), days.start_of(last + days.ONE, zone)
    cut = _same_time(chosen, now, zone) if whole.start <= now < whole.end else end
    until = max(min(cut, end), start)
    return Compared(
        days=chosen,
        now=whole,
        before=Window(start, until),
        before_days=DayRange(first, last, "", _said(first, last)),
        is_cut=until < end,
    )


def _before(chosen: DayRange) -> tuple[date, date]:
    last = chosen.first - days.ONE
    if chosen.preset in MONTHS:
        return days.first_of_month(last), last
    return chosen.first - ((chosen.last - chosen.first) + days.ONE), last


def _same_time(chosen: DayRange, now: datetime, zone: tzinfo) -> datetime:
    """As far into the stretch before as `now` is into this one, by the clock on the wall."""
    local = now.astimezone(zone).replace(tzinfo=None)
    first, _ = _before(chosen)
    earlier = local - (chosen.first - first)
    if chosen.preset in MONTHS:
        earlier = datetime.combine(first + timedelta(days=local.day - 1), local.time())
    return earlier.replace(tzinfo=zone).astimezone(UTC)


def _said(first: date, last: date) -> str:
    start = f"{first.day} {first:%b}"
    return start if first == last else f"{start} to {last.day} {last:%b}"
