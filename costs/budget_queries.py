"""How every budget of a project stands now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from costs import dashboard_queries as reads
from costs import margin_queries, rolled
from costs.budgeting import Period, Span, Standing, State, judge, span_of
from costs.models import Budget, Limited, Payer
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web import time_range

_OWN = {Limited.EACH_USER: Limited.USER, Limited.EACH_ORGANIZATION: Limited.ORGANIZATION}
_PAYERS = {
    Limited.USER: Payer.USER,
    Limited.EACH_USER: Payer.USER,
    Limited.ORGANIZATION: Payer.ORGANIZATION,
    Limited.EACH_ORGANIZATION: Payer.ORGANIZATION,
}


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """One user, organization or (with the key "") project against its limit."""

    key: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One budget now. Of a default for each there is a standing for everybody near or over, dearest first; `fine` is
    how many others cost something in the period and are below it. Any other budget has just one standing.
    """

    budget: Budget
    span: Span
    standings: list[KeyStanding]
    fine: int

    @property
    def state(self) -> State:
        """The worst one."""
        states = {one.standing.state for one in self.standings}
        return next((state for state in (State.OVER, State.WARNING) if state in states), State.OK)

    def count(self, state: State) -> int:
        return sum(one.standing.state is state for one in self.standings)


def budget_states(scope: Scope, *, now: datetime) -> list[BudgetState]:
    """The state of all budgets, the worst first; the scope says the time zone.

    Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    found = list(Budget.objects.filter(project=scope.project_id))
    zone = time_range.zone_of(scope.time_zone)
    spending = {
        period: _Spending(scope, span_of(period, now, zone))
        for period in {Period(budget.period) for budget in found}
    }
    states = [_state(budget, found, spending[Period(budget.period)], now) for budget in found]
    return sorted(states, key=lambda one: (-_RANK[one.state], one.budget.subject, one.budget.key))


class _Spending:
    """What everybody cost in one period so far: each kind is read once for all budgets of it, if any asks."""

    def __init__(self, scope: Scope, span: Span) -> None:
        self.span = span
        self._scope = scope.during(Window(span.start, span.end))

    @cached_property
    def project(self) -> Decimal:
        (rows,) = rolled.read_together(self._scope, reads.everything([self._scope.window]))
        return reads.total(reads.timeline_of(rows), self._scope.window).cost_usd

    def of(self, payer: Payer) -> Mapping[str, Decimal]:
        return self._users if payer is Payer.USER else self._organizations

    @cached_property
    def _users(self) -> Mapping[str, Decimal]:
        return self._named(Payer.USER)

    @cached_property
    def _organizations(self) -> Mapping[str, Decimal]:
        return self._named(Payer.ORGANIZATION)

    def _named(self, payer: Payer) -> Mapping[str, Decimal]:
        return {key: one.cost for key, one in margin_queries.spending(self._scope, payer).items() if key}


def _state(budget: Budget, among: list[Budget], spending: _Spending, now: datetime) -> BudgetState:
    subject = Limited(budget.subject)

    def standing(spent: Decimal) -> Standing:
        return judge(
            limit=budget.limit_usd,
            warn_percent=budget.warn_percent,
            spent=spent,
            span=spending.span,
            now=now,
        )

    if subject is Limited.PROJECT:
        return BudgetState(budget, spending.span, [KeyStanding("", standing(spending.project))], 0)
    spent = spending.of(_PAYERS[subject])
    if subject.needs_key:
        one = KeyStanding(budget.key, standing(spent.get(budget.key, Decimal(0))))
        return BudgetState(budget, spending.span, [one], 0)
    others = _without_own(budget, among, spent)
    near = {key: cost for key, cost in others.items() if cost * 100 >= budget.limit_usd * budget.warn_percent}
    dearest = sorted(near, key=lambda key: (-near[key], key))
    return BudgetState(
        budget,
        spending.span,
        [KeyStanding(key, standing(near[key])) for key in dearest],
        len(others) - len(near),
    )


def _without_own(budget: Budget, among: list[Budget], spent: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Whom a default holds for: everybody without a budget of their own for the same period."""
    own = _OWN[Limited(budget.subject)]
    named = {one.key for one in among if one.subject == own and one.period == budget.period}
    return {key: cost for key, cost in spent.items() if key not in named}


_RANK = {State.OK: 0, State.WARNING: 1, State.OVER: 2}
