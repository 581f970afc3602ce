"""Cost beside revenue, budgets and anomalies, from the tables: the zone of the project, and nobody else's rows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from costs import anomaly_queries, budget_queries, day_range, margin_queries, plan_queries, report_queries
from costs.budgeting import State
from costs.day_range import DayRange
from costs.economics import totals
from costs.margin_queries import Economics
from costs.models import Budget, BudgetPeriod, Limited, Payer
from costs.report import week_of
from costs.revenue import PlanPrice
from costs.spend_queries import Series
from evals.score import Score, Source, Subject
from evals.services import write_scores
from ingest.policies import policy_of
from tests.costs.money import plan, spend
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.scope import Scope
from traces import score_filters

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse, pytest.mark.usefixtures("clickhouse")]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
JANUARY = date(2026, 1, 1)


def economics(project: Project, by: Payer = Payer.USER, **asked: str) -> Economics:
    return margin_queries.unit_economics(
        Scope(project.pk), by, day_range.parse(asked or {"range": "month"}, TODAY), now=NOW
    )


def test_customers_stand_with_what_they_cost_and_what_they_pay_so_far(
    project: Project, stranger: User
) -> None:
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    for hour, organization in ((3, "acme"), (9, "globex")):
        spend(project, "ada", "6", on=TODAY, hour=hour, organization_id=organization)
    spend(project, "bob", "1", on=TODAY, count=4, failed=2)
    spend(project, "", "3", on=TODAY)
    spend(project, "ada", "100", on=date(2026, 10, 31))
    spend(elsewhere, "ada", "50", on=TODAY)
    plan(project, "ada", "30", since=JANUARY)
    plan(project, "quiet", "60", since=date(2026, 11, 24), name="Team")
    plan(elsewhere, "bob", "500", since=JANUARY)
    found = economics(project)
    ada, bob, quiet = found.customers
    # 23 and a half of 30 days are over.
    assert (ada.key, ada.cost, ada.revenue, ada.plan) == ("ada", 12, Decimal("23.5"), "Pro")
    assert (bob.revenue, bob.cost_per_success) == (None, Decimal("0.5"))
    assert (quiet.cost, quiet.revenue, quiet.plan) == (0, 1, "Team")
    assert (found.nobody.cost, found.plans, found.other_plans) == (3, 2, 0)


def test_an_organization_with_a_plan_pays_for_its_users_and_no_cost_counts_in_two_margins(
    project: Project, stranger: User
) -> None:
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    for user, dollars, organization in (
        ("ada", "40", "acme"),
        ("ada", "6", "globex"),
        ("bob", "20", "acme"),
        ("bob", "1", "initech"),
        ("bob", "2", ""),
        ("cid", "50", "initech"),
        ("", "3", "acme"),
    ):
        spend(project, user, dollars, on=TODAY, organization_id=organization)
    plan(project, "acme", "90", since=JANUARY, subject=Payer.ORGANIZATION)
    plan(project, "initech", "30", since=JANUARY, subject=Payer.ORGANIZATION)
    plan(project, "bob", "30", since=JANUARY)
    plan(elsewhere, "globex", "500", since=JANUARY, subject=Payer.ORGANIZATION)
    found = economics(project)
    cid, ada, bob = found.customers
    assert (cid.organizations, cid.own_cost, cid.is_unpaid) == (("initech",), 0, False)
    assert (ada.organizations, ada.paid_by_them, ada.is_unpaid) == (("acme",), 40, True)
    assert (bob.organizations, bob.paid_by_them) == (("acme", "initech"), 21)
    assert (bob.cost, bob.revenue, bob.margin) == (23, Decimal("23.5"), Decimal("21.5"))
    assert (found.nobody.cost, found.nobody.paid_by_them) == (3, 3)
    by_organization = economics(project, Payer.ORGANIZATION)
    assert [(one.key, one.cost, one.revenue) for one in by_organization.customers] == [
        ("acme", 63, Decimal("70.5")),
        ("initech", 51, Decimal("23.5")),
        ("globex", 6, None),
    ]
    assert by_organization.nobody.cost == 2
    paying = {one.key: (one.cost, one.margin) for one in by_organization.customers if one.revenue is not None}
    assert {one.key: (one.cost, one.margin) for one in found.organizations} == paying
    assert [one.key for one in found.behind([cid])] == ["initech"]
    users, organizations = totals(found.customers), totals(by_organization.customers)
    unpaid = users.cost_without_plan
    assert users.cost_with_plan + organizations.cost_with_plan + unpaid == 122
    # Of the week a day and a half is over: bob's own plan brings in $1.50 for the $2 that nobody else pays for.
    losers = report_queries.weekly_report(project, week_of(NOW, UTC), now=NOW).margins.losers
    assert [(one.key, one.cost) for one in losers] == [("acme", 63), ("initech", 51), ("bob", 2)]


def test_days_are_those_of_the_projects_zone(project: Project) -> None:
    spend(project, "ada", "1", on=date(2026, 10, 31), hour=23)  # already November in Berlin
    spend(project, "ada", "2", on=date(2026, 11, 30), hour=23)  # already December
    plan(project, "ada", "30", since=JANUARY)
    found = margin_queries.unit_economics(
        Scope(project.pk, time_zone="Europe/Berlin"),
        Payer.USER,
        DayRange(date(2026, 11, 1), date(2026, 11, 30), "", ""),
        now=datetime(2026, 12, 24, tzinfo=UTC),
    )
    assert [(one.cost, one.revenue) for one in found.customers] == [(1, 30)]


def test_outcomes_are_the_invocations_of_a_feature_that_have_the_score(project: Project) -> None:
    trace_ids = spend(project, "ada", "6", on=TODAY, feature="draft", count=3)
    spend(project, "bob", "1", on=TODAY, feature="query")
    scores = [
        Score(
            id=trace_id,
            name="resolved",
            value=value,
            subject=Subject(trace_id=trace_id),
            source=Source.API,
            time=NOW,
        )
        for trace_id, value in zip(trace_ids, (True, False, True), strict=True)
    ]
    write_scores(project_id=project.pk, scores=scores, policy=policy_of(project))
    days = day_range.parse({"range": "today"}, TODAY)
    draft, query = margin_queries.outcomes(Scope(project.pk), days, score_filters.parse("resolved=true"))
    assert (draft.feature, draft.outcomes, draft.cost_per_outcome) == ("draft", 2, 3)
    assert (query.feature, query.outcomes, query.cost_per_outcome) == ("query", 0, None)
    assert [one.outcomes for one in margin_queries.outcomes(Scope(project.pk), days, None)] == [None, None]


def test_a_default_budget_holds_for_whoever_has_none_of_their_own(project: Project) -> None:
    for user, dollars in {"ada": "51", "bob": "45", "cid": "1", "vip": "300"}.items():
        spend(project, user, dollars, on=TODAY)
    spend(project, "", "500", on=TODAY)
    spend(project, "cid", "70", on=date(2026, 11, 23))
    limits: list[tuple[Limited, str, BudgetPeriod, int]] = [
        (Limited.EACH_USER, "", BudgetPeriod.DAY, 50),
        (Limited.USER, "vip", BudgetPeriod.DAY, 1_000),
        (Limited.USER, "cid", BudgetPeriod.MONTH, 50),
        (Limited.PROJECT, "", BudgetPeriod.MONTH, 10_000),
        (Limited.EACH_ORGANIZATION, "", BudgetPeriod.DAY, 10),
    ]
    for subject, key, period, limit in limits:
        Budget.objects.create(project=project, subject=subject, key=key, period=period, limit_usd=limit)
    found = budget_queries.budget_states(Scope(project.pk), now=NOW)
    told = {(one.budget.subject, one.budget.key, one.budget.period): one for one in found}
    each = told["each_user", "", "day"]
    assert [(one.key, one.standing.state) for one in each.standings] == [
        ("ada", State.OVER),
        ("bob", State.WARNING),
    ]
    assert (each.fine, each.state) == (1, State.OVER)
    assert told["user", "vip", "day"].standings[0].standing.spent == 300
    assert told["user", "cid", "month"].state is State.OVER
    assert told["project", "", "month"].standings[0].standing.spent == 967
    assert (told["each_organization", "", "day"].standings, told["each_organization", "", "day"].fine) == (
        [],
        0,
    )
    assert [one.state for one in found] == [State.OVER, State.OVER, State.OK, State.OK, State.OK]


def test_a_month_begins_in_the_zone_of_the_project(project: Project) -> None:
    spend(project, "ada", "8", on=date(2026, 10, 31), hour=22)
    spend(project, "ada", "1", on=date(2026, 10, 31), hour=23)
    Budget.objects.create(
        project=project, subject=Limited.USER, key="ada", period=BudgetPeriod.MONTH, limit_usd=5
    )
    (found,) = budget_queries.budget_states(Scope(project.pk, time_zone="Europe/Berlin"), now=NOW)
    assert found.standings[0].standing.spent == 1


def test_anomalies_of_a_week_are_found_by_project_feature_and_user(project: Project, stranger: User) -> None:
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    for ago in range(1, 15):
        spend(project, "ada", "10", on=TODAY - timedelta(days=ago), feature="draft")
        spend(elsewhere, "ada", "1", on=TODAY - timedelta(days=ago), feature="draft")
    spend(project, "ada", "90", on=TODAY - timedelta(days=2), hour=3, feature="query")
    spend(project, "new", "40", on=TODAY - timedelta(days=2), hour=3, feature="query")
    spend(project, "cheap", "0.5", on=TODAY, feature="draft")
    found = anomaly_queries.anomalies(Scope(project.pk), TODAY - timedelta(days=6), TODAY)
    assert [(one.series, one.key, one.judgement.spent) for one in found.spikes] == [
        (Series.PROJECT, "", 140),
        (Series.USER, "ada", 100),
    ]
    assert {one.judgement.day for one in found.spikes} == {TODAY - timedelta(days=2)}
    assert found.spikes[0].judgement.mean == 10
    assert [(one.series, one.key, len(one.judgement.sample)) for one in found.newcomers] == [
        (Series.FEATURE, "query", 0),
        (Series.USER, "new", 0),
    ]
    assert anomaly_queries.anomalies(Scope(project.pk), TODAY, TODAY).spikes == []


def test_a_day_of_an_anomaly_is_one_of_the_projects_zone(project: Project) -> None:
    for ago in range(1, 8):
        spend(project, "ada", "10", on=TODAY - timedelta(days=ago))
    spend(project, "ada", "60", on=TODAY - timedelta(days=1), hour=19)  # half past midnight in Kolkata
    kolkata = Scope(project.pk, time_zone="Asia/Kolkata")
    found = anomaly_queries.anomalies(kolkata, TODAY, TODAY)
    assert [(one.series, one.judgement.spent) for one in found.spikes] == [
        (Series.PROJECT, 60),
        (Series.USER, 60),
        (Series.FEATURE, 60),
    ]


def test_customers_are_brought_together_by_what_they_pay(project: Project) -> None:
    for key in ("ada", "bob"):
        plan(project, key, "30", since=JANUARY)
        plan(project, key, "60", since=date(2026, 11, 16), name="Team")
    plan(project, "cid", "30", since=JANUARY, last_day=date(2026, 11, 15))
    plan(project, "acme", "0", since=JANUARY, subject=Payer.ORGANIZATION)
    both, one = sorted(plan_queries.payers(project.pk, Payer.USER), key=lambda alike: -len(alike.keys))
    assert (sorted(both.keys), one.keys) == (["ada", "bob"], ["cid"])
    assert one.prices == (PlanPrice(Decimal(30), JANUARY, date(2026, 11, 15), "Pro"),)
    found = {found.key: found for found in economics(project).customers}
    # 15 of 30 days at 30, then eight and a half at 60.
    assert (found["ada"].revenue, found["ada"].plan) == (15 + 17, "Team")
    assert (found["cid"].revenue, found["cid"].plan) == (15, "Pro")
