"""What a weekly report says of costs, made of sums that were read elsewhere. Pure; money is exact.

Why a feature's spend changed is told in two parts that add up to the change. With n invocations at p dollars each,
`0` the week before and `1` this week:

    more invocations   (n1 - n0) * (p0 + p1) / 2
    dearer ones        (p1 - p0) * (n0 + n1) / 2

Each part is valued at the mean of the other's two ends, so neither gets what both did together. A feature without
invocations in one of the weeks has no price there: its change is all of invocations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import msgspec

from costs import days
from costs.revenue import to_decimal

DAYS = 7
TOP = 10
# From which part of a change on one cause alone is named.
MOST = Fraction(2, 3)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday in a project's time zone."""

    first: date

    @property
    def last(self) -> date:
        return self.first + timedelta(days=DAYS - 1)

    @property
    def before(self) -> "Week":
        return Week(self.first - timedelta(days=DAYS))

    @property
    def after(self) -> "Week":
        return Week(self.first + timedelta(days=DAYS))

    def start(self, zone: tzinfo) -> datetime:
        return days.start_of(self.first, zone)

    def end(self, zone: tzinfo) -> datetime:
        return self.after.start(zone)

    def due(self, weekday: int, hour: int, zone: tzinfo) -> datetime:
        """The first such hour of the week after it."""
        day = self.after.first + timedelta(days=weekday)
        return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)


def week_before(moment: datetime, zone: tzinfo) -> datetime:
    """A week earlier by the clock on the wall, whatever summer time does in between."""
    local = moment.astimezone(zone)
    return datetime.combine(local.date() - timedelta(days=DAYS), local.time(), tzinfo=zone).astimezone(UTC)


def week_of(moment: datetime, zone: tzinfo) -> Week:
    day = days.day_of(moment, zone)
    return Week(day - timedelta(days=day.weekday()))


class Cause(StrEnum):
    """Why a feature cost more."""

    NEW = "new"  # not used the week before
    MORE = "more"  # invocations
    DEARER = "dearer"  # invocations
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Used:
    """Sums of one week, or of one key in it. What unpriced calls cost is not known and not in the cost."""

    cost: Decimal = NOTHING
    invocations: int = 0
    unpriced_calls: int = 0

    @property
    def per_invocation(self) -> Decimal | None:
        return to_decimal(Fraction(self.cost) / self.invocations) if self.invocations else None


UNUSED = Used()


@dataclass(frozen=True, slots=True)
class Compared:
    """Somebody or something in this week and the one before; "" names nobody."""

    key: str
    now: Used
    before: Used

    @property
    def change(self) -> Decimal:
        return self.now.cost - self.before.cost

    @property
    def change_share(self) -> Decimal | None:
        """Of the week before; None where that cost nothing."""
        return self.change / self.before.cost if self.before.cost else None


@dataclass(frozen=True, slots=True)
class Growth:
    """A change of cost by its two causes, which add up to it."""

    by_invocations: Decimal
    by_price: Decimal

    @property
    def change(self) -> Decimal:
        return self.by_invocations + self.by_price


@dataclass(frozen=True, slots=True)
class GrownFeature:
    feature: Compared
    growth: Growth
    cause: Cause


@dataclass(frozen=True, slots=True)
class Spike:
    """A day that cost more than its week before lets expect, of the project, a feature or a user."""

    series: str
    key: str
    day: date
    spent: Decimal
    mean: Decimal
    sigmas: Decimal


@dataclass(frozen=True, slots=True)
class Loser:
    """A customer who cost more in the week than it pays for it."""

    payer: str  # user or organization
    key: str
    plan: str
    cost: Decimal
    revenue: Decimal
    unpriced_calls: int = 0

    @property
    def lost(self) -> Decimal:
        return self.cost - self.revenue


@dataclass(frozen=True, slots=True)
class Margins:
    """`plans` is how many customers have a price at all: without any, nobody can be said to lose money."""

    losers: tuple[Loser, ...]
    count: int
    lost: Decimal
    plans: int


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    model: str
    calls: int


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """Frozen when it is made: pages and mail are rendered from this alone. Money in US dollars, times in UTC."""

    project: str
    slug: str
    time_zone: str
    first_day: date
    last_day: date
    until: datetime  # the end of the week, or the moment of a preview
    made_at: datetime
    is_over: bool
    total: Compared
    users: int
    users_before: int
    growth: Growth
    spenders: tuple[Compared, ...]
    features: tuple[GrownFeature, ...]
    features_grown: int
    spikes: tuple[Spike, ...]
    spike_count: int
    too_new: int  # days with too few before them to judge
    margins: Margins
    unpriced_models: tuple[UnpricedModel, ...]
    rolled_up_until: datetime | None
    told_before: Decimal | None = (
        None  # what the report of the week before said it cost, where that is another sum now
    )

    @property
    def unpriced_calls(self) -> int:
        return self.total.now.unpriced_calls

    @property
    def is_empty(self) -> bool:
        return not self.total.now.invocations and not self.total.before.invocations


def compare(now: Mapping[str, Used], before: Mapping[str, Used]) -> list[Compared]:
    """Everything that is in either, dearest now first."""
    found = [Compared(key, now.get(key, UNUSED), before.get(key, UNUSED)) for key in {**now, **before}]
    return sorted(found, key=lambda one: (-one.now.cost, -one.before.cost, one.key))


def spenders(compared: Sequence[Compared]) -> tuple[Compared, ...]:
    """The dearest users with an id."""
    return tuple(one for one in compared if one.key and one.now.cost)[:TOP]


def decompose(now: Used, before: Used) -> Growth:
    """The change by its two causes, as the module's first lines have it."""
    change = now.cost - before.cost
    if not now.invocations or not before.invocations:
        return Growth(change, NOTHING)
    mean_price = (Fraction(now.cost) / now.invocations + Fraction(before.cost) / before.invocations) / 2
    by_invocations = to_decimal((now.invocations - before.invocations) * mean_price)
    return Growth(by_invocations, change - by_invocations)


def grown(compared: Sequence[Compared]) -> list[GrownFeature]:
    """Features that cost more than the week before, the most of it first."""
    found = [
        GrownFeature(one, growth, _cause(one, growth))
        for one in compared
        if one.change > 0
        for growth in [decompose(one.now, one.before)]
    ]
    return sorted(found, key=lambda one: (-one.feature.change, one.feature.key))


def all_growth(compared: Sequence[Compared]) -> Growth:
    """Over all features, those that shrank too: the parts add up to the change of the project."""
    parts = [decompose(one.now, one.before) for one in compared]
    return Growth(
        sum((one.by_invocations for one in parts), NOTHING), sum((one.by_price for one in parts), NOTHING)
    )


def margins(losers: Sequence[Loser], plans: int) -> Margins:
    """Whoever loses us the most comes first."""
    by_loss = sorted(losers, key=lambda one: (-one.lost, one.key))
    return Margins(tuple(by_loss[:TOP]), len(by_loss), sum((one.lost for one in by_loss), NOTHING), plans)


def as_data(report: WeeklyReport) -> dict[str, object]:
    """As it is stored and told by API; money is text."""
    found: dict[str, object] = msgspec.to_builtins(report)
    return found


def from_data(data: object) -> WeeklyReport:
    return msgspec.convert(data, WeeklyReport, strict=False)


def _cause(one: Compared, growth: Growth) -> Cause:
    if not one.before.invocations:
        return Cause.NEW
    if growth.by_invocations >= MOST * Fraction(one.change):
        return Cause.MORE
    return Cause.DEARER if growth.by_price >= MOST * Fraction(one.change) else Cause.BOTH
