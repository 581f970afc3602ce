"""The overview of costs: every number is the one that the other pages and the list of traces come to."""

import csv
import html
import io
import json
import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costs import rollup, rollup_queries
from costs.models import Budget, BudgetPeriod, Limited
from costs.rollup_queries import Dimension
from tests import cast
from tests.costs.money import invocations, spend
from tracehouse.clickhouse.query import QueryUnavailable
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.scope import Scope
from traces.span import Usage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.usefixtures("clickhouse"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(page.content.decode())))


@pytest.fixture
def month(project: Project) -> None:
    """Three users over two ranges of thirty days: half rolled up, half read live."""
    today = timezone.now().date()
    tokens = {"usage": Usage(input_uncached=60, cache_read=40, output=5), "organization_id": "acme"}
    named = {"model": "opus", "prompt_name": "planner", "prompt_version": "7"}
    cast.store_spans(
        [
            *invocations(
                project,
                "grace",
                "30",
                on=today - timedelta(days=1),
                count=3,
                failed=1,
                feature="draft",
                **named,
                **tokens,
            ),
            *invocations(project, "ada", "6", on=today - timedelta(days=3), feature="query", model="haiku"),
            *invocations(project, "grace", "20", on=today - timedelta(days=31), feature="draft", **named),
        ]
    )
    rollup.roll_up(project.pk, settle=timedelta(0))
    cast.store_spans(
        [
            *invocations(
                project, "eve", "4", on=today - timedelta(days=2), feature="draft", unpriced=1, count=2
            ),
            *invocations(project, "", "1", on=today - timedelta(days=2)),
        ]
    )


def test_the_page_sums_the_range_and_stands_it_against_the_one_before(
    client: Client, project: Project, owner: User, month: None
) -> None:
    client.force_login(owner)
    page = client.get(reverse("costs:overview", args=[project.slug]))
    said = words(page)
    assert "$41.00 in the last 30 days, up 105.0 %" in said
    found = page.context["found"]
    assert (found.total.invocations, found.total.failed, found.total.unpriced_calls) == (7, 1, 1)
    assert found.total.cache_hit_share == pytest.approx(0.4)
    assert [(one.user_id, one.cost_usd, one.cost_before) for one in found.users.top] == [
        ("grace", Decimal(30), Decimal(20)),
        ("ada", Decimal(6), Decimal(0)),
        ("eve", Decimal(4), Decimal(0)),
    ]
    rows = {said: (spent.cost_usd, change.way) for spent, said, _, change, _ in page.context["rows"]}
    assert rows == {
        "draft": (Decimal(34), "up"),
        "query": (Decimal(6), "new"),
        "(no feature)": (Decimal(1), "new"),
    }
    assert found.chart.bars[-2].cost_usd == Decimal(30)
    assert [one.key for one in found.chart.bars[-2].slices] == ["draft"]
    assert "Unpriced calls 1" in said
    assert f"{reverse('prices:list', args=[project.slug])}?from=" in page.content.decode()


@pytest.mark.parametrize("by", [one for one in Dimension if one is not Dimension.USER])
def test_every_breakdown_is_what_the_roll_up_says(
    client: Client, project: Project, owner: User, month: None, by: Dimension
) -> None:
    client.force_login(owner)
    page = client.get(reverse("costs:overview", args=[project.slug]), {"by": by.value})
    today = timezone.now().date()
    scope = rollup_queries.during(Scope(project.pk), today - timedelta(days=29), today)
    kept = [(one.cost_usd, one.invocations) for one in rollup_queries.by_key(scope, by)]
    assert [(spent.cost_usd, spent.invocations) for spent, *_ in page.context["rows"]] == kept
    whole = rollup_queries.overall(scope)
    found = page.context["found"]
    assert (found.total.cost_usd, found.total.output_tokens) == (whole.cost_usd, whole.output_tokens)
    spread = rollup_queries.spread(scope)
    tenth = page.context["range_tenth"]
    assert (tenth.users, tenth.top_users, tenth.top_cost_usd) == (
        spread.users,
        spread.top_users,
        spread.top_cost_usd,
    )
    assert found.users.histogram == spread.histogram
    table = list(
        csv.DictReader(
            io.StringIO(
                client.get(reverse("costs:csv", args=[project.slug]), {"by": by.value}).content.decode()
            )
        )
    )
    assert [Decimal(row["cost_usd"]) for row in table] == [cost for cost, _ in kept]


def test_a_row_leads_to_the_traces_that_it_sums(
    client: Client, project: Project, owner: User, month: None
) -> None:
    client.force_login(owner)
    for by, names in (
        (Dimension.FEATURE, {"draft", "query", "(no feature)"}),
        (Dimension.PROMPT, {"planner 7", "(no prompt)"}),
        (Dimension.MODEL, {"opus", "haiku", "(no model)"}),
    ):
        page = client.get(reverse("costs:overview", args=[project.slug]), {"by": by.value})
        rows = page.context["rows"]
        assert {row[1] for row in rows} == names
        for spent, said, narrowed, *_ in rows:
            listed = client.get(reverse("traces:list", args=[project.slug]), narrowed)
            assert len(re.findall("data-row", listed.content.decode())) == spent.invocations, said


def test_a_column_of_users_leads_to_just_those(
    client: Client, project: Project, owner: User, month: None
) -> None:
    client.force_login(owner)
    page = client.get(reverse("costs:overview", args=[project.slug]))
    for column, place in page.context["columns"]:
        rows = client.get(place.href).context["rows"]
        assert sum(one.cost for one, _ in rows) == column.cost_usd
        assert len(rows) == column.users, place.title
    assert sum(column.users for column, _ in page.context["columns"]) == 3


def test_the_charts_script_has_the_bars_that_are_drawn(
    client: Client, project: Project, owner: User, month: None
) -> None:
    client.force_login(owner)
    page = client.get(reverse("costs:overview", args=[project.slug]))
    text = page.content.decode()
    found = json.loads(re.findall(r'<script id="spend-data"[^>]*>(.*?)</script>', text)[0])
    drawing = text[text.index('class="spend-drawing"') :]
    hrefs = re.findall(r'<a tabindex="-1" href="([^"]*)"', drawing[: drawing.index("</figure>")])
    assert list(map(html.unescape, hrefs)) == found["links"]
    bars = page.context["found"].chart.bars
    assert len(found["links"]) == len(bars) == 30
    for place, bar in enumerate(bars):
        drawn = sum(one["heights"][place] for one in found["series"])
        assert drawn == pytest.approx(sum(one.height for one in bar.slices))
    listed = client.get(found["links"][-2])
    assert len(re.findall("data-row", listed.content.decode())) == bars[-2].invocations == 3


def test_budgets_and_anomalies_come_apart(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    spend(project, "grace", "80", on=timezone.now().date(), hour=timezone.now().hour)
    Budget.objects.create(
        project=project, subject=Limited.USER, key="grace", period=BudgetPeriod.DAY, limit_usd=50
    )
    said = words(client.get(reverse("costs:attention", args=[project.slug])))
    assert "grace, a day over $80.00 $50.00" in said
    assert "None: every day that could be judged" in said


def test_nothing_sent_and_nothing_in_the_range_are_told_apart(
    client: Client, project: Project, owner: User
) -> None:
    client.force_login(owner)
    path = reverse("costs:overview", args=[project.slug])
    assert "Nothing has cost anything yet" in words(client.get(path))
    spend(project, "grace", "3", on=timezone.now().date() - timedelta(days=40))
    assert "Nothing was used in the last 30 days" in words(client.get(path))
    assert "$3.00 in the last 90 days" in words(client.get(path, {"range": "90d"}))
    asked = client.get(path, {"range": "never", "by": "magic"})
    assert "There is no range called “never”." in words(asked)


def test_a_run_rate_carries_the_period_on(
    client: Client, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(owner)
    noon = datetime.combine(timezone.now().date(), time(12), UTC)
    spend(project, "grace", "3", on=noon.date(), hour=9)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    page = client.get(reverse("costs:overview", args=[project.slug]))
    assert page.context["found"].tiles[0].run_rate == Decimal(6)
    assert "Run rate $6.00 a day" in words(page)


def test_without_clickhouse_the_page_says_what_to_do(
    client: Client, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(owner)

    def away(*_: object, **__: object) -> None:
        raise QueryUnavailable

    monkeypatch.setattr("costs.rolled.run_together", away)
    page = client.get(reverse("costs:overview", args=[project.slug]))
    assert page.status_code == 503
    assert "ClickHouse does not answer" in words(page)
