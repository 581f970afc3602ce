"""How every budget of a project stands now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from costs import rolled
from costs.budgeting import Period, Span, Standing, State, judge, span_of
from costs.models import Budget, Limited
from costs.rolled import Asked, CostsRead
from costs.rollup_queries import MAX_ROWS, Dimension
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web import time_range

_OWN = {Limited.EACH_USER: Limited.USER, Limited.EACH_ORGANIZATION: Limited.ORGANIZATION}
Spent: TypeAlias = Mapping[str, Decimal]  # what each cost in a period; of a project the key is ""


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
    spans = {period: span_of(period, now, zone) for period in Period}
    spent = _spent(scope, list(dict.fromkeys(map(_asked, found))), spans)
    states = [
        _state(budget, found, spent[_asked(budget)], spans[Period(budget.period)], now) for budget in found
    ]
    return sorted(states, key=lambda one: (-_RANK[one.state], one.budget.subject, one.budget.key))


def _asked(budget: Budget) -> tuple[CostsRead, Period]:
    """What has to be read for it: whose costs, and of which period."""
    return _READS[Limited(budget.subject)], Period(budget.period)


def _spent(
    scope: Scope, asked: Sequence[tuple[CostsRead, Period]], spans: Mapping[Period, Span]
) -> Mapping[tuple[CostsRead, Period], Spent]:
    """All by one state of the roll-up."""
    if not asked:
        return {}
    reads = [Asked(read, Window(spans[period].start, spans[period].end), {}) for read, period in asked]
    found = rolled.read_together(scope, *reads)
    return {one: {row["key_"]: row["cost"] for row in rows} for one, rows in zip(asked, found, strict=True)}


def _state(budget: Budget, among: list[Budget], spent: Spent, span: Span, now: datetime) -> BudgetState:
    subject = Limited(budget.subject)

    def standing(cost: Decimal) -> Standing:
        return judge(
            limit=budget.limit_usd,
            warn_percent=budget.warn_percent,
            spent=cost,
            span=span,
            now=now,
        )

    if subject is Limited.PROJECT or subject.needs_key:
        one = KeyStanding(budget.key, standing(spent.get(budget.key, Decimal(0))))
        return BudgetState(budget, span, [one], 0)
    others = _without_own(budget, among, spent)
    warns_at = budget.limit_usd * budget.warn_percent
    near = {key: cost for key, cost in others.items() if cost * 100 >= warns_at}
    dearest = sorted(near, key=lambda key: (-near[key], key))
    return BudgetState(
        budget,
        span,
        [KeyStanding(key, standing(near[key])) for key in dearest],
        len(others) - len(near),
    )


def _without_own(budget: Budget, among: list[Budget], spent: Spent) -> dict[str, Decimal]:
    """Whom a default holds for: everybody without a budget of their own for the same period."""
    own = _OWN[Limited(budget.subject)]
    named = {one.key for one in among if one.subject == own and one.period == budget.period}
    return {key: cost for key, cost in spent.items() if key not in named}


_RANK = {State.OK: 0, State.WARNING: 1, State.OVER: 2}


_PROJECT = CostsRead(
    "costs.budgets_of_project",
    (),
    """
SELECT
    '' AS key_,
    sum(sums.cost_usd) AS cost
FROM sums
LIMIT 1""",
    sums_by=Dimension.FEATURE,
)
_ORGANIZATIONS = CostsRead(
    "costs.budgets_of_organizations",
    (),
    f"""
SELECT
    toString(sums.key) AS key_,
    sum(sums.cost_usd) AS cost
FROM sums
WHERE key_ != ''
GROUP BY key_
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
    sums_by=Dimension.ORGANIZATION,
)
_USERS = CostsRead(
    "costs.budgets_of_users",
    ("user_id", "cost_usd"),
    f"""
SELECT
    costs.user_id AS key_,
    sum(costs.cost_usd) AS cost
FROM costs
WHERE key_ != ''
GROUP BY key_
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
)
_READS = {
    Limited.PROJECT: _PROJECT,
    Limited.USER: _USERS,
    Limited.EACH_USER: _USERS,
    Limited.ORGANIZATION: _ORGANIZATIONS,
    Limited.EACH_ORGANIZATION: _ORGANIZATIONS,
}
