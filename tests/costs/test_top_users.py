"""The dearest tenth of the users by day, week and month: as the overview and unit economics say it of these days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costs import day_range, margin_queries, rollup, rollup_queries, tenth_queries
from costs.economics import Filter, chosen, totals
from costs.models import Payer
from costs.rollup_queries import Step
from costs.tenth_views import read_days
from tests.costs.money import spend
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.scope import Scope

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse, pytest.mark.usefixtures("clickhouse")]

FIRST, LAST = date(2026, 10, 20), date(2026, 11, 10)
DAYS = day_range.parse({"from": FIRST.isoformat(), "to": LAST.isoformat()}, LAST)
BERLIN = "Europe/Berlin"


@pytest.fixture
def spent(project: Project, stranger: User) -> Scope:
    """Twelve users on some days, half of it rolled up; and what must not count."""
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    for number in range(12):
        spend(project, f"u{number}", str(number + 1), on=FIRST + timedelta(days=number), hour=23)
    rollup.roll_up(project.pk, settle=timedelta(0))
    for number in range(12):
        spend(project, f"u{number}", "5", on=date(2026, 11, 4))
    spend(project, "u3", "40", on=date(2026, 11, 4), hour=2)
    spend(project, "", "500", on=date(2026, 11, 4))
    spend(elsewhere, "u3", "900", on=date(2026, 11, 4))
    return Scope(project.pk, time_zone=BERLIN)


@pytest.mark.parametrize("step", tenth_queries.STEPS)
def test_each_step_says_what_unit_economics_says_of_its_days(spent: Scope, step: Step) -> None:
    found = tenth_queries.tenths(spent, DAYS, step)
    now = datetime(2026, 12, 1, tzinfo=UTC)
    for one in found:
        everybody = margin_queries.unit_economics(spent, Payer.USER, one.days, now=now).customers
        top, all_of_them = totals(chosen(everybody, Filter.TOP)), totals(everybody)
        assert (one.tenth.users, one.tenth.cost_usd) == (all_of_them.customers, all_of_them.cost)
        assert (one.tenth.top_users, one.tenth.top_cost_usd) == (top.customers, top.cost)
    assert sum(one.tenth.cost_usd for one in found) == sum(range(1, 13)) + 12 * 5 + 40
    during = rollup_queries.during(spent, FIRST, LAST)
    assert len(found) == len([one for one in rollup_queries.by_step(during, step) if one.users])


def test_days_are_those_of_the_project_and_steps_are_cut_to_the_days_asked_for(spent: Scope) -> None:
    by_day = tenth_queries.tenths(spent, DAYS, Step.DAY)
    assert by_day[0].days.first == FIRST + timedelta(
        days=1
    )  # an hour before midnight is the next day in Berlin
    busiest = max(by_day, key=lambda one: one.tenth.cost_usd)
    assert (busiest.days.label, busiest.tenth.users, busiest.tenth.top_users) == ("Wed 4 Nov", 12, 2)
    assert (busiest.tenth.top_cost_usd, busiest.tenth.share) == (50, 0.5)
    weeks = [(one.days.first, one.days.last) for one in tenth_queries.tenths(spent, DAYS, Step.WEEK)]
    assert weeks[0] == (FIRST, date(2026, 10, 25))
    october, november = tenth_queries.tenths(spent, DAYS, Step.MONTH)
    assert (october.days.first, october.days.last) == (FIRST, date(2026, 10, 31))
    assert (november.days.label, november.days.last) == ("Nov 2026", LAST)


def test_the_page_and_the_api_show_day_week_and_month(
    client: Client, project: Project, owner: User, api_key: str
) -> None:
    today = timezone.now().date()
    client.force_login(owner)
    path = reverse("economics:top-users", args=[project.slug])
    assert "No user cost anything in the last 30 days" in client.get(path).content.decode()
    spend(project, "ada", "30", on=today, hour=0)
    spend(project, "bob", "10", on=today, hour=0)
    for step in ("day", "week", "month"):
        said = client.get(path, {"by": step}).content.decode()
        assert f"The top 10 % of users cost 75.0 % of all in a {step}" in said
        assert "only=top" in said
    (row,) = Client(headers={"Authorization": f"Bearer {api_key}"}).get("/api/v1/top-users").json()["data"]
    assert (row["from"], row["users"], row["top_users"]) == (today.isoformat(), 2, 1)
    assert (Decimal(row["top_cost_usd"]), row["top_share"]) == (30, "0.75")


def test_without_days_there_are_enough_for_some_steps() -> None:
    today = date(2026, 3, 31)
    spans = {step: read_days({}, step, today) for step in tenth_queries.STEPS}
    assert [(one.first, one.last) for one in spans.values()] == [
        (date(2026, 3, 2), today),
        (date(2026, 1, 1), today),
        (date(2025, 4, 1), today),
    ]
    assert read_days({"range": "week"}, Step.MONTH, today).preset == "week"
