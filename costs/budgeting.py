"""How a budget stands: what is spent of it, whether that is too much, and when it will be used up. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from costs import days
from costs.revenue import to_decimal

# A forecast needs so much of the period to have passed: two hours of a day, two and a half days of a month.
LEAST_PASSED = Fraction(1, 12)


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Span:
    """A day or a month of the project's zone, as moments."""

    start: datetime
    end: datetime

    def passed(self, now: datetime) -> Fraction:
        """The share of it that is over."""
        microsecond = timedelta(microseconds=1)
        return Fraction(
            (min(max(now, self.start), self.end) - self.start) // microsecond,
            (self.end - self.start) // microsecond,
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the period ends at the rate so far, and when the limit is reached; None where it holds until the end."""

    spent_at_end: Decimal
    exhausted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One budget at a moment (`now`)."""

    limit: Decimal
    spent: Decimal
    state: State
    span: Span
    now: datetime

    @property
    def forecast(self) -> Forecast | None:
        """None where too little of the period has passed to say, or nothing is spent."""
        return forecast(self.limit, self.spent, self.span, self.now)

    @property
    def share(self) -> Decimal:
        """What of the limit is spent: 1.2 is 20 % over."""
        return self.spent / self.limit

    @property
    def percent(self) -> Decimal:
        return self.share * 100

    @property
    def left(self) -> Decimal:
        return max(self.limit - self.spent, Decimal(0))


def span_of(period: Period, now: datetime, zone: tzinfo) -> Span:
    """The day or month that `now` lies in."""
    today = days.day_of(now, zone)
    match period:
        case Period.DAY:
            first, following = today, today + days.ONE
        case Period.MONTH:
            first, following = days.first_of_month(today), days.first_of_next_month(today)
        case _:
            assert_never(period)
    return Span(days.start_of(first, zone), days.start_of(following, zone))


def judge(*, limit: Decimal, warn_percent: int, spent: Decimal, span: Span, now: datetime) -> Standing:
    """`limit` is more than 0. Over is past the limit; exactly at it is still a warning."""
    return Standing(limit, spent, _state(limit, warn_percent, spent), span, now)


def forecast(limit: Decimal, spent: Decimal, span: Span, now: datetime) -> Forecast | None:
    """The rate of the period so far, carried on; None where it is too early to say, or nothing is spent.

    A limit that is passed already gets the moment at which an even rate would have reached it.
    """
    at_end = _at_end(spent, span, now)
    if at_end is None:
        return None
    if at_end <= limit:
        return Forecast(to_decimal(at_end), None)
    share = Fraction(limit) / at_end
    length = (span.end - span.start) // timedelta(microseconds=1)
    return Forecast(to_decimal(at_end), span.start + timedelta(microseconds=int(share * length)))


def spent_at_end(spent: Decimal, span: Span, now: datetime) -> Decimal | None:
    """The same rate, where there is no limit."""
    at_end = _at_end(spent, span, now)
    return None if at_end is None else to_decimal(at_end)


def _at_end(spent: Decimal, span: Span, now: datetime) -> Fraction | None:
    passed = span.passed(now)
    return Fraction(spent) / passed if passed >= LEAST_PASSED and spent > 0 else None


def _state(limit: Decimal, warn_percent: int, spent: Decimal) -> State:
    if spent > limit:
        return State.OVER
    return State.WARNING if spent * 100 >= limit * warn_percent else State.OK
