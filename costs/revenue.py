"""What a plan brings in over a window: its monthly price by the share of each month that lies in it. Pure.

A price holds from its first day until the next one of the same customer begins, or until its own last day where that
comes sooner. So two prices never hold on one day, and a new one needs no change of the old one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction

from costs import days

EXACT = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """What one customer pays a month, in US dollars, from `first_day` on."""

    monthly_usd: Decimal
    first_day: date
    last_day: date | None = None
    name: str = ""


class Calendar:
    """The days of a window in a zone, each as the share of its month that lies in the window.

    A day that the window cuts, such as today, counts by the part of it that is inside.
    """

    def __init__(self, start: datetime, end: datetime, zone: tzinfo) -> None:
        self.first = days.day_of(start, zone)
        last = days.day_of(end - timedelta(microseconds=1), zone) if end > start else self.first - days.ONE
        self._sums = [Fraction(0)]
        for day in days.days_between(self.first, last):
            self._sums.append(self._sums[-1] + _share(day, start, end, zone))
        self._known: dict[tuple[int, int], Fraction] = {}

    @property
    def months(self) -> Fraction:
        """How many months the window is long: 1 for a whole one, whatever its days."""
        return self._sums[-1]

    def months_of(self, first: date, last: date | None) -> Fraction:
        """How many months of the window lie within these days; an absent last day is open."""
        most = len(self._sums) - 1
        begins = min(max((first - self.first).days, 0), most)
        ends = most if last is None else min(max((last - self.first).days + 1, begins), most)
        found = self._known.get((begins, ends))
        if found is None:
            found = self._known[begins, ends] = self._sums[ends] - self._sums[begins]
        return found


def revenue(prices: Iterable[PlanPrice], calendar: Calendar) -> Decimal | None:
    """What these prices of one customer bring in; None where none of them holds in the window."""
    held = [
        (price, months)
        for price, last in with_last_days(prices)
        if (months := calendar.months_of(price.first_day, last))
    ]
    if not held:
        return None
    return to_decimal(sum((Fraction(price.monthly_usd) * months for price, months in held), Fraction(0)))


def with_last_days(prices: Iterable[PlanPrice]) -> list[tuple[PlanPrice, date | None]]:
    """Each price with the last day on which it holds, in order; one that never does, ends before it begins."""
    ordered: Sequence[PlanPrice] = sorted(prices, key=lambda price: price.first_day)
    nexts = [*(price.first_day - days.ONE for price in ordered[1:]), None]
    return [
        (price, min((day for day in (price.last_day, following) if day is not None), default=None))
        for price, following in zip(ordered, nexts, strict=False)
    ]


def price_on(prices: Iterable[PlanPrice], day: date) -> PlanPrice | None:
    """The price that holds on that day."""
    return next(
        (
            price
            for price, last in with_last_days(prices)
            if price.first_day <= day and (last is None or day <= last)
        ),
        None,
    )


def to_decimal(value: Fraction) -> Decimal:
    """To twelve places, as costs are stored."""
    return Decimal(round(value / Fraction(EXACT))) * EXACT


def _share(day: date, start: datetime, end: datetime, zone: tzinfo) -> Fraction:
    begins, ends = days.start_of(day, zone), days.start_of(day + days.ONE, zone)
    inside = min(end.astimezone(UTC), ends) - max(start.astimezone(UTC), begins)
    microsecond = timedelta(microseconds=1)
    return Fraction(inside // microsecond, (ends - begins) // microsecond) / days.days_in_month(day)
