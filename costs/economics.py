"""What customers cost against what they pay: margins, who is under water, the price that would carry the cost. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from operator import attrgetter, itemgetter

import msgspec

from costs.revenue import to_decimal

# The dearest of ten: what is rounded up, so that of three users one is among them. Of equally dear ones the first by
# key, as `rollup_queries.spread` counts it.
TENTH = 10


# Structs, for there may be one of each for fifty thousand users: they are made in a quarter of the time.
class Spent(msgspec.Struct, frozen=True, gc=False):
    """What one customer used in a window. `unpriced_calls` add nothing to the cost, which is then a lower bound.

    Of a user, `organizations` have a plan that pays for `paid_by_them` of the cost.
    """

    cost: Decimal = Decimal(0)
    invocations: int = 0
    failed: int = 0
    unpriced_calls: int = 0
    organizations: tuple[str, ...] = ()
    paid_by_them: Decimal = Decimal(0)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.cost + other.cost,
            self.invocations + other.invocations,
            self.failed + other.failed,
            self.unpriced_calls + other.unpriced_calls,
            self.organizations + other.organizations,
            self.paid_by_them + other.paid_by_them,
        )


@dataclass(frozen=True, slots=True)
class Paid:
    """What one customer pays for a window, and by which plan."""

    revenue: Decimal
    plan: str = ""


NOTHING_SPENT = Spent()


class Customer(msgspec.Struct, frozen=True, gc=False):
    """One user or organization. `revenue` is None without a plan, which is not the same as a plan of $0.

    What a user costs inside `organizations` that have a plan is set against their revenue and not against the user's
    own: every cost counts in one margin at most.
    """

    key: str
    cost: Decimal
    revenue: Decimal | None = None
    plan: str = ""
    invocations: int = 0
    failed: int = 0
    unpriced_calls: int = 0
    is_top: bool = False  # among the dearest tenth of those who used anything
    organizations: tuple[str, ...] = ()
    paid_by_them: Decimal = Decimal(0)

    @property
    def own_cost(self) -> Decimal:
        """What no organization's plan pays for."""
        return self.cost - self.paid_by_them

    @property
    def margin(self) -> Decimal | None:
        return None if self.revenue is None else self.revenue - self.own_cost

    @property
    def margin_share(self) -> Decimal | None:
        return share_of(self.margin, self.revenue)

    @property
    def is_under_water(self) -> bool:
        """Costs more than it pays. Without a plan nobody can say."""
        return self.revenue is not None and self.own_cost > self.revenue

    @property
    def is_unpaid(self) -> bool:
        """Nobody pays for it, or not for all of it."""
        return self.revenue is None and (not self.organizations or self.own_cost > 0)

    @property
    def succeeded(self) -> int:
        return self.invocations - self.failed

    @property
    def cost_per_success(self) -> Decimal | None:
        """All of the cost over the invocations that succeeded: failed ones cost too."""
        return per(self.cost, self.succeeded)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some customers. Revenue and margin are of those who have a plan of their own."""

    customers: int = 0
    cost: Decimal = Decimal(0)
    revenue: Decimal = Decimal(0)
    invocations: int = 0
    failed: int = 0
    unpriced_calls: int = 0
    with_plan: int = 0
    cost_with_plan: Decimal = Decimal(0)  # without what organizations pay for
    unpriced_with_plan: int = 0
    by_organization: int = 0  # users for whom an organization's plan pays
    cost_by_organization: Decimal = Decimal(0)
    without_plan: int = 0
    under_water: int = 0
    lost: Decimal = Decimal(0)  # what those under water cost beyond what they pay

    @property
    def cost_without_plan(self) -> Decimal:
        return self.cost - self.cost_with_plan - self.cost_by_organization

    @property
    def margin(self) -> Decimal | None:
        """Of those who have a plan; None where nobody has."""
        return self.revenue - self.cost_with_plan if self.with_plan else None

    @property
    def margin_share(self) -> Decimal | None:
        return share_of(self.margin, self.revenue)

    @property
    def cost_per_success(self) -> Decimal | None:
        return per(self.cost, self.invocations - self.failed)


class Filter(StrEnum):
    ALL = "all"
    TOP = "top"
    UNDER_WATER = "under_water"
    NO_PLAN = "no_plan"


@dataclass(frozen=True, slots=True)
class Band:
    """From which cost on, and below which; None is no end. Who used nothing is in none."""

    low: Decimal | None = None
    high: Decimal | None = None

    def has(self, one: Customer) -> bool:
        above = self.low is None or one.cost >= self.low
        return one.invocations > 0 and above and (self.high is None or one.cost < self.high)


class Order(StrEnum):
    COST = "cost"
    REVENUE = "revenue"
    MARGIN = "margin"
    MARGIN_SHARE = "margin_share"
    PER_SUCCESS = "cost_per_success"
    INVOCATIONS = "invocations"
    KEY = "key"


def customers(spent: Mapping[str, Spent], paid: Mapping[str, Paid]) -> list[Customer]:
    """Everybody who used or pays for something, dearest first; equal ones by key."""
    dearest = _dearest(spent)
    top = -(-len(dearest) // TENTH)
    found = [_customer(key, spent[key], paid.get(key), place < top) for place, key in enumerate(dearest)]
    quiet = [_customer(key, NOTHING_SPENT, paid[key], False) for key in paid.keys() - spent.keys()]
    return sorted(found + quiet, key=lambda one: (one.cost.copy_negate(), one.key)) if quiet else found


def totals(found: Iterable[Customer]) -> Totals:
    """One pass over everybody."""
    count = invocations = failed = unpriced = with_plan = unpriced_with_plan = under_water = 0
    by_organization = without_plan = 0
    cost = revenue = covered = paid_by_them = lost = Decimal(0)
    for one in found:
        count += 1
        cost += one.cost
        invocations += one.invocations
        failed += one.failed
        unpriced += one.unpriced_calls
        if one.revenue is not None:
            with_plan += 1
            revenue += one.revenue
            covered += one.own_cost
            unpriced_with_plan += one.unpriced_calls
        if one.organizations:
            by_organization += 1
            paid_by_them += one.paid_by_them
        without_plan += one.is_unpaid
        if one.margin is not None and one.is_under_water:
            under_water += 1
            lost -= one.margin
    return Totals(
        customers=count,
        cost=cost,
        revenue=revenue,
        invocations=invocations,
        failed=failed,
        unpriced_calls=unpriced,
        with_plan=with_plan,
        cost_with_plan=covered,
        unpriced_with_plan=unpriced_with_plan,
        by_organization=by_organization,
        cost_by_organization=paid_by_them,
        without_plan=without_plan,
        under_water=under_water,
        lost=lost,
    )


def chosen(
    found: Sequence[Customer], only: Filter, words: str = "", band: Band | None = None
) -> list[Customer]:
    """Those whom a filter leaves, whose key has these letters in it, and who cost so much."""
    kept = list(found) if only is Filter.ALL else list(filter(_PASSES[only], found))
    if band is not None:
        kept = list(filter(band.has, kept))
    return [one for one in kept if words.casefold() in one.key.casefold()] if words else kept


def ordered(found: Iterable[Customer], by: Order, *, descending: bool) -> list[Customer]:
    """By one figure, equal ones in the order they come in; whoever has none comes last either way."""
    everybody = list(found)
    valued = list(zip(map(attrgetter(by.value), everybody), everybody, strict=True))
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=descending)
    return [one for _, one in known] + [one for value, one in valued if value is None]


def break_even(cost: Decimal, months: Fraction, margin: Decimal) -> Decimal | None:
    """The monthly price at which this cost leaves `margin` (0.7 is 70 %) of the price; None for an empty window."""
    if not months or margin >= 1:
        return None
    return to_decimal(Fraction(cost) / (1 - Fraction(margin)) / months)


def share_of(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or not whole else part / whole


def per(cost: Decimal, count: int) -> Decimal | None:
    return cost / count if count > 0 else None


def _dearest(spent: Mapping[str, Spent]) -> list[str]:
    """In one pass if they come so already. `copy_negate`, for `-` rounds."""
    return sorted(spent, key=lambda key: (spent[key].cost.copy_negate(), key))


def _customer(key: str, spent: Spent, paid: Paid | None, is_top: bool) -> Customer:
    return Customer(
        key=key,
        cost=spent.cost,
        revenue=paid.revenue if paid else None,
        plan=paid.plan if paid else "",
        invocations=spent.invocations,
        failed=spent.failed,
        unpriced_calls=spent.unpriced_calls,
        is_top=is_top,
        organizations=spent.organizations,
        paid_by_them=spent.paid_by_them,
    )


_PASSES: Mapping[Filter, Callable[[Customer], bool]] = {
    Filter.TOP: attrgetter("is_top"),
    Filter.UNDER_WATER: attrgetter("is_under_water"),
    Filter.NO_PLAN: attrgetter("is_unpaid"),
}
