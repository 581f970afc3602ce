"""Reads behind unit economics: what customers cost, by the roll-up, beside what their plans bring in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from costs import economics, rollup_queries, spend_queries
from costs.day_range import DayRange
from costs.economics import Customer, Paid, Spent
from costs.models import Payer, Plan, RollUp
from costs.revenue import Calendar, PlanPrice, price_on, revenue
from costs.rollup_queries import UserTotal
from costs.spend_queries import FeatureTotal
from tracehouse.tenancy.scope import Scope
from tracehouse.web import time_range
from traces import queries as traces
from traces.filters import TraceFilters
from traces.queries import UsageGroup
from traces.score_filters import ScoreCondition


@dataclass(frozen=True, slots=True)
class Economics:
    """Everybody who cost something or pays in these days, dearest first.

    `nobody` is what invocations cost that name no user (or organization): no plan can pay for them.
    """

    by: Payer
    days: DayRange
    customers: list[Customer]
    nobody: Spent
    months: Fraction  # that the days are long, until now
    plans: int  # prices that the project has at all, of this kind and of the other
    other_plans: int


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
    zone = time_range.zone_of(scope.time_zone)
    window = days.window(now, zone)
    calendar = Calendar(window.start, window.end, zone)
    spent = summed(rollup_queries.user_totals(scope, days.first, days.last), by)
    nobody = spent.pop("", economics.NOTHING_SPENT)
    prices = prices_of(scope.project_id, by)
    return Economics(
        by=by,
        days=days,
        customers=economics.customers(spent, paid(prices, calendar, days.last)),
        nobody=nobody,
        months=calendar.months,
        plans=sum(map(len, prices.values())),
        other_plans=Plan.objects.filter(project=scope.project_id).exclude(subject=by).count(),
    )


def outcomes(scope: Scope, days: DayRange, condition: ScoreCondition | None) -> list[Outcome]:
    """Features, dearest first, and how many invocations of each have such a score.

    Raises `QueryTooLarge`, `QueryUnavailable` where a score is asked for.
    """
    found = spend_queries.feature_totals(scope, days.first, days.last)
    counted = _counted(scope, days, condition) if condition else None
    return [_outcome(total, counted) for total in found]


def rolled_up_until(scope: Scope) -> datetime | None:
    """What was written to the store after this moment is not in the sums yet; None before the first roll-up."""
    return RollUp.objects.filter(project=scope.project_id).values_list("watermark", flat=True).first()


def prices_of(project_id: int, by: Payer) -> Mapping[str, list[PlanPrice]]:
    found: defaultdict[str, list[PlanPrice]] = defaultdict(list)
    rows = Plan.objects.filter(project=project_id, subject=by).values_list(
        "key", "monthly_usd", "first_day", "last_day", "name"
    )
    for key, monthly_usd, first_day, last_day, name in rows:
        found[key].append(PlanPrice(monthly_usd, first_day, last_day, name))
    return found


def paid(prices: Mapping[str, list[PlanPrice]], calendar: Calendar, last: date) -> dict[str, Paid]:
    """What each brings in, by the name of the plan that holds last in these days."""
    # Many customers pay the same prices; what those bring in is reckoned once.
    alike = {tuple(held): None for held in prices.values()}
    brings = {held: revenue(held, calendar) for held in alike}
    brought = {key: brings[tuple(held)] for key, held in prices.items()}
    return {
        key: Paid(amount, _plan_name(prices[key], last))
        for key, amount in brought.items()
        if amount is not None
    }


def summed(totals: Iterable[UserTotal], by: Payer) -> dict[str, Spent]:
    """By user over their organizations, or by organization over its users; "" is what names none."""
    found: dict[str, Spent] = {}
    for total in totals:
        key = total.user_id if by is Payer.USER else total.organization_id
        before = found.get(key, economics.NOTHING_SPENT)
        found[key] = Spent(
            before.cost + total.cost_usd,
            before.invocations + total.invocations,
            before.failed + total.failed,
            before.unpriced_calls + total.unpriced_calls,
        )
    return found


def _plan_name(prices: list[PlanPrice], last: date) -> str:
    """Of the plan that holds on the last day, else of the latest one."""
    held = price_on(prices, last) or max(prices, key=lambda price: price.first_day)
    return held.name


def _counted(scope: Scope, days: DayRange, condition: ScoreCondition) -> dict[str, int]:
    window = days.whole(time_range.zone_of(scope.time_zone))
    rows = traces.usage(
        scope.during(window),
        UsageGroup.FEATURE,
        filters=TraceFilters(score=condition),
        limit=traces.MAX_USAGE_ROWS,
    )
    return {row.key: row.invocations for row in rows}


def _outcome(total: FeatureTotal, counted: Mapping[str, int] | None) -> Outcome:
    return Outcome(
        feature=total.feature,
        cost=total.cost_usd,
        invocations=total.invocations,
        failed=total.failed,
        unpriced_calls=total.unpriced_calls,
        outcomes=None if counted is None else counted.get(total.feature, 0),
    )
