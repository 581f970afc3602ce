"""Reads behind unit economics: what customers cost, by the roll-up, beside what their plans bring in."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from costs import economics, plan_queries, rolled, rollup_queries
from costs.day_range import DayRange
from costs.economics import Customer, Paid, Spent
from costs.models import Payer, Plan
from costs.plan_queries import Payers
from costs.revenue import Calendar, PlanPrice, price_on, revenue
from costs.rolled import CostsRead
from costs.rollup_queries import Dimension, KeyTotal
from tracehouse.tenancy.scope import Scope
from tracehouse.web import time_range
from traces import queries as traces
from traces.filters import TraceFilters
from traces.queries import UsageGroup
from traces.score_filters import ScoreCondition

MAX_FEATURES = 1_000


@dataclass(frozen=True, slots=True)
class Economics:
    """Everybody who cost something or pays in these days, dearest first.

    `nobody` is what invocations cost that name no user (or organization): no plan can pay for them. `organizations`
    are those with a plan that pay for some of what users cost, dearest first.
    """

    by: Payer
    days: DayRange
    customers: list[Customer]
    organizations: list[Customer]
    nobody: Spent
    months: Fraction  # that the days are long, until now
    plans: int  # prices that the project has at all, of this kind and of the other
    other_plans: int

    def behind(self, users: Iterable[Customer]) -> list[Customer]:
        """The organizations that pay for these users."""
        keys = {key for one in users for key in one.organizations}
        return [one for one in self.organizations if one.key in keys]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one feature cost, and how many of its invocations came to something; `outcomes` is None if not asked."""

    feature: str
    cost: Decimal
    invocations: int
    failed: int
    unpriced_calls: int
    outcomes: int | None

    @property
    def cost_per_success(self) -> Decimal | None:
        return economics.per(self.cost, self.invocations - self.failed)

    @property
    def cost_per_outcome(self) -> Decimal | None:
        return economics.per(self.cost, self.outcomes or 0)


def unit_economics(scope: Scope, by: Payer, days: DayRange, *, now: datetime) -> Economics:
    """Everybody of these days, in the scope's zone. Raises `QueryTooLarge`, `QueryUnavailable`."""
    zone = time_range.zone_of(scope.time_zone)
    window = days.window(now, zone)
    calendar = Calendar(window.start, window.end, zone)
    payers = plan_queries.payers(scope.project_id, by)
    organizations = _paying_organizations(scope, calendar, days.last) if by is Payer.USER else {}
    spent, of_organizations = _spending(scope.during(days.whole(zone)), by, organizations)
    nobody = spent.pop("", economics.NOTHING_SPENT)
    return Economics(
        by=by,
        days=days,
        customers=economics.customers(spent, paid(payers, calendar, days.last)),
        organizations=economics.customers(
            of_organizations, {key: organizations[key] for key in of_organizations}
        ),
        nobody=nobody,
        months=calendar.months,
        plans=sum(len(alike.prices) * len(alike.keys) for alike in payers),
        other_plans=Plan.objects.filter(project=scope.project_id).exclude(subject=by).count(),
    )


def outcomes(scope: Scope, days: DayRange, condition: ScoreCondition | None) -> list[Outcome]:
    """Features, dearest first, and how many invocations of each have such a score.

    Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    within = scope.during(days.whole(time_range.zone_of(scope.time_zone)))
    found = rollup_queries.by_key(within, Dimension.FEATURE, limit=MAX_FEATURES)
    counted = _counted(within, condition) if condition else None
    return [_outcome(total, counted) for total in found]


def spending(scope: Scope, by: Payer) -> dict[str, Spent]:
    """What each user or organization cost in the scope's window, dearest first; "" is what names none."""
    if by is Payer.USER:
        return _users(scope)
    totals = rollup_queries.by_key(scope, Dimension.ORGANIZATION, limit=rollup_queries.MAX_ROWS)
    return {
        total.key: Spent(total.cost_usd, total.invocations, total.failed, total.unpriced_calls)
        for total in totals
    }


def spending_within(scope: Scope, organizations: Container[str]) -> tuple[dict[str, Spent], dict[str, Spent]]:
    """What each user cost and how much of it these organizations pay for; and what each of these organizations cost."""
    users: dict[str, Spent] = {}
    paying: dict[str, Spent] = {}
    for keys, within, *figures in rolled.read_in_blocks(_USERS_WITHIN, scope):
        for key, organization, spent in zip(keys, within, map(Spent, *figures), strict=True):
            own = spent
            if organization in organizations:
                paying[organization] = paying.get(organization, economics.NOTHING_SPENT) + spent
                own = replace(spent, organizations=(organization,), paid_by_them=spent.cost)
            users[key] = users[key] + own if key in users else own
    return users, paying


def _users(scope: Scope) -> dict[str, Spent]:
    found: dict[str, Spent] = {}
    for keys, *figures in rolled.read_in_blocks(_USERS, scope):
        found.update(zip(keys, map(Spent, *figures), strict=True))
    return found


def paid(payers: Iterable[Payers], calendar: Calendar, last: date) -> dict[str, Paid]:
    """What each brings in, by the name of the plan that holds last in these days."""
    found: dict[str, Paid] = {}
    for alike in payers:
        amount = revenue(alike.prices, calendar)
        if amount is not None:
            found |= dict.fromkeys(alike.keys, Paid(amount, _plan_name(alike.prices, last)))
    return found


def _paying_organizations(scope: Scope, calendar: Calendar, last: date) -> dict[str, Paid]:
    return paid(plan_queries.payers(scope.project_id, Payer.ORGANIZATION), calendar, last)


def _spending(
    scope: Scope, by: Payer, organizations: Mapping[str, Paid]
) -> tuple[dict[str, Spent], dict[str, Spent]]:
    return spending_within(scope, organizations) if organizations else (spending(scope, by), {})


def _plan_name(prices: Sequence[PlanPrice], last: date) -> str:
    """Of the plan that holds on the last day, else of the latest one."""
    held = price_on(prices, last) or max(prices, key=lambda price: price.first_day)
    return held.name


def _counted(scope: Scope, condition: ScoreCondition) -> dict[str, int]:
    filters = TraceFilters(score=condition)
    rows = traces.usage(scope, UsageGroup.FEATURE, filters=filters, limit=traces.MAX_USAGE_ROWS)
    return {row.key: row.invocations for row in rows}


def _outcome(total: KeyTotal, counted: Mapping[str, int] | None) -> Outcome:
    return Outcome(
        feature=total.key,
        cost=total.cost_usd,
        invocations=total.invocations,
        failed=total.failed,
        unpriced_calls=total.unpriced_calls,
        outcomes=None if counted is None else counted.get(total.key, 0),
    )


def _read_users(name: str, keys: Sequence[str], order: Sequence[str]) -> CostsRead:
    """The fields of `Spent` behind the keys: a row of Python objects for fifty thousand users is what takes time."""
    return CostsRead(
        name,
        (*keys, "failed", "unpriced_calls", "cost_usd"),
        f"""
SELECT
    {", ".join(keys)},
    sum(costs.cost_usd) AS cost,
    count() AS invocations,
    sum(costs.failed) AS failed,
    sum(costs.unpriced_calls) AS unpriced_calls
FROM costs
GROUP BY {", ".join(keys)}
ORDER BY {", ".join(order)}
LIMIT {rollup_queries.MAX_ROWS}""",  # noqa: S608  # closed parts only
    )


_USERS = _read_users("costs.users_spent", ["user_id"], ["cost DESC", "user_id"])
_USERS_WITHIN = _read_users(
    "costs.users_spent_within", ["user_id", "organization_id"], ["user_id", "organization_id"]
)
