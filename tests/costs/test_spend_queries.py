"""Sums by day, and by user and organization, against a plain recount: in any zone, however much is rolled up."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs import budget_queries, margin_queries, rollup, rollup_queries, spend_queries
from costs.economics import Spent
from costs.models import Budget, BudgetPeriod, Limited, Payer
from costs.spend_queries import Series
from tests import cast
from tests.costs.money import UNPRICED
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.scope import Scope
from traces.span import Cost, CostState, Kind, Span, Status

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse, pytest.mark.usefixtures("clickhouse")]

FIRST, JUDGED, LAST = date(2026, 10, 23), date(2026, 10, 25), date(2026, 10, 28)
SOME, ENOUGH = Decimal("1e-12"), Decimal(3)
# The clocks of Berlin go back on the 25th.
ASKED = (("UTC", SOME), ("Asia/Kolkata", SOME), ("Asia/Kolkata", ENOUGH), ("Europe/Berlin", SOME))
BEGAN = datetime(2026, 10, 22, tzinfo=UTC)
COSTS = ("0.000000000001", "0.4", "0.333333333333", "1", "2.5", "0.7", "0", None)

drawn = st.tuples(
    st.integers(0, 8 * 24 * 60 - 1),  # the minute in which it began
    st.sampled_from(["", "ada", "bob", "cid", "dan"]),
    st.sampled_from(["", "acme", "globex"]),
    st.sampled_from(["", "draft", "query"]),
    st.sampled_from(COSTS),
    st.booleans(),
)
CASES = 400


def spans_of(project_id: int) -> list[Span]:
    cases: list[Any] = []

    @settings(max_examples=CASES, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn)
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return [_span(project_id, number, *case) for number, case in enumerate(cases, 1)]


def _span(
    project_id: int,
    number: int,
    minute: int,
    user: str,
    organization: str,
    feature: str,
    cost: str,
    failed: bool,
) -> Span:
    start_ns = int((BEGAN + timedelta(minutes=minute)).timestamp()) * 10**9
    return Span(
        project_id=project_id,
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_id="",
        start_ns=start_ns,
        end_ns=start_ns + 10**9,
        kind=Kind.LLM,
        status=Status.ERROR if failed else Status.OK,
        user_id=user or None,
        organization_id=organization or None,
        feature=feature or None,
        cost=UNPRICED if cost is None else Cost(state=CostState.REPORTED, total=Decimal(cost)),
    )


def test_days_are_those_of_a_recount_in_any_zone_however_much_is_rolled_up(
    project: Project, stranger: User
) -> None:
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    cast.store_spans(spans_of(elsewhere.pk)[:50])
    spans = spans_of(project.pk)
    half = len(spans) // 2
    cast.store_spans(spans[:half])
    rollup.roll_up(project.pk, settle=timedelta(0))
    assert_days(project, spans[:half])
    cast.store_spans(spans[half:])
    assert_days(project, spans)
    rollup.roll_up(project.pk, settle=timedelta(0))
    assert_days(project, spans)


def assert_days(project: Project, spans: list[Span]) -> None:
    for zone, at_least in ASKED:
        found = spend_queries.by_day(
            Scope(project.pk, time_zone=zone), FIRST, LAST, judged_from=JUDGED, at_least=at_least
        )
        assert found == recounted(spans, zone, at_least)


def recounted(
    spans: list[Span], zone: str, at_least: Decimal
) -> dict[Series, dict[str, dict[date, Decimal]]]:
    sums: dict[Series, dict[str, dict[date, Decimal]]] = {
        series: defaultdict(lambda: defaultdict(Decimal)) for series in Series
    }
    for span in spans:
        day = datetime.fromtimestamp((span.start_ns or 0) / 10**9, ZoneInfo(zone)).date()
        keys = {Series.PROJECT: "", Series.USER: span.user_id or "", Series.FEATURE: span.feature or ""}
        for series, key in keys.items():
            if FIRST <= day <= LAST:
                sums[series][key][day] += cost_of(span)
    return {
        series: {
            key: amounts
            for key, amounts in by_key.items()
            if max((amount for day, amount in amounts.items() if day >= JUDGED), default=0) >= at_least
        }
        for series, by_key in sums.items()
    }


def cost_of(span: Span) -> Decimal:
    return (span.cost and span.cost.total) or Decimal(0)


def test_budgets_count_what_a_recount_says_of_their_day_and_month(project: Project) -> None:
    spans = spans_of(project.pk)
    half = len(spans) // 2
    cast.store_spans(spans[:half])
    rollup.roll_up(project.pk, settle=timedelta(0))
    cast.store_spans(spans[half:])
    kolkata, noon = ZoneInfo("Asia/Kolkata"), datetime(2026, 10, 28, 12, tzinfo=UTC)
    for subject in (Limited.PROJECT, Limited.EACH_USER, Limited.EACH_ORGANIZATION):
        for period in BudgetPeriod:
            Budget.objects.create(project=project, subject=subject, period=period, limit_usd="0.000001")
    found = budget_queries.budget_states(Scope(project.pk, time_zone=kolkata.key), now=noon)
    for one in found:
        name = {Limited.EACH_USER: "user_id", Limited.EACH_ORGANIZATION: "organization_id"}.get(
            Limited(one.budget.subject)
        )
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for span in spans:
            began = datetime.fromtimestamp((span.start_ns or 0) / 10**9, UTC)
            if one.span.start <= began < one.span.end:
                sums[(getattr(span, name) or "") if name else ""] += cost_of(span)
        of_anybody = {key: cost for key, cost in sums.items() if key or not name}
        near = {key: cost for key, cost in of_anybody.items() if cost >= Decimal("8e-7")}
        assert {few.key: few.standing.spent for few in one.standings} == near
        assert one.fine == len(of_anybody) - len(near)
    assert len(found) == 6


def test_users_cost_what_a_recount_says_and_so_does_what_organizations_pay_of_it(project: Project) -> None:
    spans = spans_of(project.pk)
    half = len(spans) // 2
    cast.store_spans(spans[:half])
    rollup.roll_up(project.pk, settle=timedelta(0))
    cast.store_spans(spans[half:])
    scope = rollup_queries.during(Scope(project.pk), BEGAN.date(), LAST + timedelta(days=2))
    users: dict[str, Spent] = defaultdict(Spent)
    acme, by_acme = Spent(), defaultdict(Decimal)
    for span in spans:
        spent = Spent(cost_of(span), 1, span.status is Status.ERROR, span.cost is UNPRICED)
        users[span.user_id or ""] += spent
        if span.organization_id == "acme":
            acme += spent
            by_acme[span.user_id or ""] += spent.cost
    found = margin_queries.spending(scope, Payer.USER)
    assert found == users
    assert list(found) == sorted(users, key=lambda key: (-users[key].cost, key))
    within, paying = margin_queries.spending_within(scope, {"acme"})
    assert paying == {"acme": acme}
    assert {key: one.paid_by_them for key, one in within.items() if one.organizations} == by_acme
    assert {
        key: (one.cost, one.invocations, one.failed, one.unpriced_calls) for key, one in within.items()
    } == {key: (one.cost, one.invocations, one.failed, one.unpriced_calls) for key, one in users.items()}
