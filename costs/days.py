"""Days and months as people of a time zone count them, against moments in UTC. Pure."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE = timedelta(days=1)


def start_of(day: date, zone: tzinfo) -> datetime:
    """The moment at which the day begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def day_of(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def days_between(first: date, last: date) -> Iterator[date]:
    """Each day from the first to the last, both among them."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def days_in_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def first_of_next_month(day: date) -> date:
    return day.replace(day=days_in_month(day)) + ONE
