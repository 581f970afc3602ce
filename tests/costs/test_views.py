"""The price pages: who may read and who may set, what forms refuse, and the way from an unpriced call to its cost."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costs import queries, services
from costs.models import ModelPrice, RepricingRun, RunState, ToolPrice
from costs.queries import Calls
from costs.services import Repricing
from tests import cast
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import AuditEntry, Project, Role, Team, User
from tracehouse.tenancy.scope import Scope, Window
from traces.span import Cost, CostState, Kind, Span, Usage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.usefixtures("clickhouse", "tasks_run_at_once"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

Store = Callable[[list[Span]], None]
READ = ["prices:list", "prices:run"]
FORMS = [
    "prices:new-model",
    "prices:change-model",
    "prices:new-tool",
    "prices:change-tool",
    "prices:repricing",
]
CHANGES = ["prices:delete-model", "prices:delete-tool", "prices:start"]
NO_TIERS = {"tiers-TOTAL_FORMS": "0", "tiers-INITIAL_FORMS": "0"}
LARGE = {
    "match": "exact",
    "model": "acme-large",
    "provider": "acme",
    "input": "10",
    "output": "0",
    **NO_TIERS,
}


@pytest.fixture
def admin(team: Team) -> User:
    return cast.member(team, "admin@example.com", Role.ADMIN)


@pytest.fixture
def rows(project: Project, owner: User) -> dict[str, int]:
    """A price of each kind, and a run, by the name of their argument's route."""
    model = ModelPrice.objects.create(
        project=project, model="acme-large", input=Decimal(3), output=Decimal(15)
    )
    tool = ToolPrice.objects.create(project=project, tool="hubspot_query", per_call=Decimal("0.01"))
    window = Window(timezone.now() - timedelta(days=1), timezone.now())
    run = services.start_repricing(
        project=project, asked=Repricing(Calls(False, "acme-large"), window), dry=True, actor=owner.email
    )
    RepricingRun.objects.filter(pk=run.pk).update(state=RunState.DONE)
    return {"model": model.pk, "tool": tool.pk, "run": run.pk, "start": run.pk}


def address(route: str, project: Project, rows: dict[str, int]) -> str:
    named = route.partition(":")[2]
    found = None if named.startswith("new") else next((rows[key] for key in rows if key in named), None)
    return reverse(route, args=[project.slug] + ([found] if found else []))


def unpriced(project: Project, number: int = 1, **fields: Any) -> Span:
    now = int(timezone.now().timestamp()) * 10**9
    defaults: dict[str, Any] = {
        "project_id": project.pk,
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "parent_id": "",
        "start_ns": now - 60 * 10**9,
        "end_ns": now,
        "kind": Kind.LLM,
        "model": "acme-large",
        "provider": "acme",
        "usage": Usage(input_uncached=1_000, output=100),
        "cost": Cost(state=CostState.UNPRICED),
    }
    return Span(**{**defaults, **fields})


@pytest.mark.parametrize("route", READ + FORMS + CHANGES)
def test_strangers_find_nothing(
    client: Client, project: Project, stranger: User, rows: dict[str, int], route: str
) -> None:
    client.force_login(stranger)
    send = client.post if route in CHANGES else client.get
    assert send(address(route, project, rows)).status_code == 404


@pytest.mark.parametrize("route", READ + FORMS + CHANGES)
def test_the_anonymous_are_sent_to_sign_in(
    client: Client, project: Project, rows: dict[str, int], route: str
) -> None:
    send = client.post if route in CHANGES else client.get
    answer = send(address(route, project, rows))
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("sign-in"))


@pytest.mark.parametrize("who", ["viewer", "teammate"])
@pytest.mark.parametrize("route", FORMS + CHANGES)
def test_members_and_viewers_set_nothing(
    client: Client,
    project: Project,
    rows: dict[str, int],
    request: pytest.FixtureRequest,
    route: str,
    who: str,
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.post(address(route, project, rows), LARGE).status_code == 403
    assert (ModelPrice.objects.count(), ToolPrice.objects.count(), RepricingRun.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("who", ["viewer", "teammate"])
def test_members_and_viewers_read_prices_without_buttons(
    client: Client, project: Project, rows: dict[str, int], request: pytest.FixtureRequest, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    page = client.get(address("prices:list", project, rows)).content.decode()
    assert "acme-large" in page
    assert "hubspot_query" in page
    assert "Set a price" not in page
    assert "Delete" not in page
    assert "by admins and owners" in page
    assert "Re-price" not in client.get(address("prices:run", project, rows)).content.decode()


@pytest.mark.parametrize("who", ["owner", "admin"])
@pytest.mark.parametrize("route", READ + FORMS)
def test_owners_and_admins_open_every_page(
    client: Client,
    project: Project,
    rows: dict[str, int],
    request: pytest.FixtureRequest,
    route: str,
    who: str,
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(address(route, project, rows)).status_code == 200


@pytest.mark.parametrize("route", CHANGES)
def test_nothing_changes_by_a_link(
    client: Client, project: Project, owner: User, rows: dict[str, int], route: str
) -> None:
    client.force_login(owner)
    assert client.get(address(route, project, rows)).status_code == 405


def test_rows_of_another_project_and_of_the_installation_cannot_be_changed_here(
    client: Client, project: Project, owner: User, stranger: User, rows: dict[str, int]
) -> None:
    client.force_login(owner)
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    for whose in (elsewhere, None):
        price = ModelPrice.objects.create(project=whose, model="theirs", input=Decimal(1))
        for route in ("prices:change-model", "prices:delete-model"):
            assert client.post(reverse(route, args=[project.slug, price.pk]), LARGE).status_code == 404
    page = client.get(address("prices:list", project, rows)).content.decode()
    assert page.count("theirs") == 1
    assert "whole installation" in page


def test_a_price_is_set_changed_and_deleted_and_each_is_in_the_audit_log(
    client: Client, project: Project, owner: User
) -> None:
    client.force_login(owner)
    client.post(reverse("prices:new-model", args=[project.slug]), LARGE)
    price = ModelPrice.objects.get()
    assert (price.project, price.model, price.input, price.changed_by) == (
        project,
        "acme-large",
        Decimal(10),
        owner.email,
    )
    client.post(reverse("prices:change-model", args=[project.slug, price.pk]), {**LARGE, "input": "12.5"})
    price.refresh_from_db()
    assert price.input == Decimal("12.5")
    client.post(reverse("prices:delete-model", args=[project.slug, price.pk]))
    assert not ModelPrice.objects.exists()
    entries = AuditEntry.objects.filter(project=project, action__startswith="price.").order_by("pk")
    assert [(entry.action, entry.target, entry.details["input"]) for entry in entries] == [
        ("price.set", "acme-large", "10"),
        ("price.changed", "acme-large", "12.5"),
        ("price.deleted", "acme-large", "12.5"),
    ]


def test_a_tool_price_is_set_changed_and_deleted(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    given = {"tool": "search", "per_call": "0.01"}
    client.post(reverse("prices:new-tool", args=[project.slug]), given)
    price = ToolPrice.objects.get()
    client.post(reverse("prices:change-tool", args=[project.slug, price.pk]), {**given, "per_second": "0.2"})
    price.refresh_from_db()
    assert (price.per_call, price.per_second) == (Decimal("0.01"), Decimal("0.2"))
    client.post(reverse("prices:delete-tool", args=[project.slug, price.pk]))
    assert not ToolPrice.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="tool_price").order_by("pk")
    assert [entry.action for entry in actions] == [
        "tool_price.set",
        "tool_price.changed",
        "tool_price.deleted",
    ]


def test_dates_are_those_of_the_projects_zone(client: Client, project: Project, owner: User) -> None:
    Project.objects.update(time_zone="Europe/Berlin")
    client.force_login(owner)
    client.post(reverse("prices:new-model", args=[project.slug]), {**LARGE, "valid_from": "2026-03-01T00:00"})
    price = ModelPrice.objects.get()
    assert price.valid_from == datetime(2026, 2, 28, 23, tzinfo=UTC)
    page = client.get(reverse("prices:change-model", args=[project.slug, price.pk])).content.decode()
    assert 'value="2026-03-01T00:00"' in page
    assert "Times in Europe/Berlin" in page


TIERS = {
    "tiers-TOTAL_FORMS": "2",
    "tiers-INITIAL_FORMS": "0",
    "tiers-0-above_tokens": "200000",
    "tiers-0-input": "20",
}


def test_tiers_are_kept_and_an_emptied_row_is_none(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    client.post(reverse("prices:new-model", args=[project.slug]), {**LARGE, **TIERS})
    price = ModelPrice.objects.get()
    assert [(tier.above_tokens, tier.input, tier.output) for tier in price.tiers.all()] == [
        (200_000, Decimal(20), None)
    ]
    page = client.get(reverse("prices:change-model", args=[project.slug, price.pk])).content.decode()
    assert 'value="200000"' in page
    emptied = {
        **TIERS, "tiers-INITIAL_FORMS": "1", "tiers-0-above_tokens": "", "tiers-0-input": "",
    }  # fmt: skip
    client.post(reverse("prices:change-model", args=[project.slug, price.pk]), {**LARGE, **emptied})
    assert not price.tiers.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"input": "", "output": ""}, "Give at least one price."),
        ({"input": "-1"}, "A price cannot be negative."),
        ({"input": "cheap"}, "Enter a number."),
        ({"model": ""}, "This field is required."),
        ({"valid_from": "2026-03-01T00:00", "valid_until": "2026-02-01T00:00"}, "ends before it begins"),
        ({"model": "ACME-Old"}, "holds at some of that time"),
        ({**TIERS, "tiers-0-above_tokens": ""}, "Say above how many tokens."),
        ({**TIERS, "tiers-1-above_tokens": "200000", "tiers-1-input": "3"}, "begin at the same length"),
        ({**TIERS, "tiers-0-input": "-5"}, "A price cannot be negative."),
        ({**TIERS, "output": "", "tiers-0-output": "3"}, "Give the rate of shorter calls too."),
    ],
)
def test_a_form_says_what_is_wrong_and_keeps_nothing(
    client: Client, project: Project, owner: User, given: dict[str, str], said: str
) -> None:
    ModelPrice.objects.create(project=project, provider="acme", model="acme-old", input=Decimal(1))
    client.force_login(owner)
    answer = client.post(reverse("prices:new-model", args=[project.slug]), {**LARGE, **given})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert ModelPrice.objects.count() == 1


def test_the_ledger_leads_to_the_traces_and_to_a_price(
    client: Client, project: Project, owner: User, store_spans: Store
) -> None:
    store_spans([unpriced(project, number) for number in range(1, 4)])
    client.force_login(owner)
    page = client.get(reverse("prices:list", args=[project.slug])).content.decode()
    assert f"/p/{project.slug}/traces?range=30d&amp;model=acme-large" in page
    assert f"/p/{project.slug}/prices/models/new?range=30d&amp;model=acme-large&amp;provider=acme" in page
    form = client.get(f"/p/{project.slug}/prices/models/new?model=acme-large&provider=acme").content.decode()
    assert 'value="acme-large"' in form
    assert 'value="acme"' in form
    ModelPrice.objects.create(project=project, model="acme-large", input=Decimal(1), output=Decimal(1))
    page = client.get(reverse("prices:list", args=[project.slug])).content.decode()
    assert "prices/repricing?range=30d&amp;model=acme-large&amp;provider=acme" in page


def test_from_an_unpriced_call_to_its_cost(
    client: Client, project: Project, owner: User, store_spans: Store
) -> None:
    store_spans([unpriced(project, number) for number in range(1, 4)])
    client.force_login(owner)
    new = f"/p/{project.slug}/prices/models/new?range=24h&model=acme-large&provider=acme"
    dry = client.post(new, {**LARGE, "then": "reprice"}, follow=True)
    page = dry.content.decode()
    assert "3 of 3 calls would change." in page
    assert "and were unpriced." in page
    start = re.search(r'action="([^"]+/start)"', page)
    assert start is not None
    done = client.post(start[1], follow=True).content.decode()
    assert "3 of 3 calls changed." in done
    listed = client.get(reverse("prices:list", args=[project.slug])).content.decode()
    assert "Every call that started in the last 30 days has a price." in listed
    assert queries.unpriced_models(Scope(project.pk)) == []


def test_the_progress_is_a_part_that_asks_again_until_the_run_is_finished(
    client: Client, project: Project, owner: User, rows: dict[str, int]
) -> None:
    client.force_login(owner)
    path = address("prices:run", project, rows)
    asking = {"HX-Request": "true", "HX-Target": "progress"}
    RepricingRun.objects.update(state=RunState.RUNNING, calls_looked_at=12)
    running = client.get(path, headers=asking).content.decode()
    assert "12 calls looked at so far" in running
    assert 'hx-trigger="every 1s"' in running
    assert "<html" not in running
    RepricingRun.objects.update(state=RunState.FAILED, problem="ClickHouse does not answer.")
    failed = client.get(path, headers=asking).content.decode()
    assert "It did not finish." in failed
    assert "hx-trigger" not in failed


def test_only_a_finished_dry_run_can_be_started(
    client: Client, project: Project, owner: User, rows: dict[str, int]
) -> None:
    client.force_login(owner)
    RepricingRun.objects.update(state=RunState.RUNNING)
    assert client.post(address("prices:start", project, rows)).status_code == 404
    RepricingRun.objects.update(state=RunState.DONE, dry=False)
    assert client.post(address("prices:start", project, rows)).status_code == 404


def test_a_repricing_is_asked_for_by_name_and_window(
    client: Client, project: Project, owner: User, store_spans: Store
) -> None:
    store_spans([unpriced(project)])
    client.force_login(owner)
    path = reverse("prices:repricing", args=[project.slug])
    given = {"subject": "model", "match": "prefix", "name": "acme", "provider": ""}
    wrong = client.post(path, {**given, "start": "2026-03-02T00:00", "end": "2026-03-01T00:00"})
    assert wrong.status_code == 400
    assert "The window ends before it begins." in wrong.content.decode()
    hours = timedelta(hours=2)
    window = {
        "start": f"{timezone.now() - hours:%Y-%m-%dT%H:%M}",
        "end": f"{timezone.now() + hours:%Y-%m-%dT%H:%M}",
    }
    page = client.post(path, {**given, **window}, follow=True).content.decode()
    assert "None of 1 call would change" in page


@pytest.mark.parametrize(
    ("error", "said"),
    [(QueryUnavailable(), "ClickHouse does not answer"), (QueryTooLarge(), "Choose a shorter time range")],
)
def test_prices_can_be_set_while_the_ledger_cannot_be_read(
    client: Client,
    project: Project,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    def fails(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(queries, "run", fails)
    client.force_login(owner)
    assert said in client.get(reverse("prices:list", args=[project.slug])).content.decode()
    assert client.get(reverse("prices:new-model", args=[project.slug])).status_code == 200
    client.post(reverse("prices:new-model", args=[project.slug]), LARGE)
    assert ModelPrice.objects.count() == 1


def test_installation_prices_are_set_in_the_admin_and_recorded(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", cast.PASSWORD))
    tiers = {f"tiers-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    given = {"match": "exact", "model": "acme-large", "input": "4", **tiers}
    answer = client.post(reverse("admin:costs_modelprice_add"), given)
    assert answer.status_code == 302, answer.content.decode()
    price = ModelPrice.objects.get()
    assert (price.project, price.changed_by) == (None, "root@example.com")
    client.post(
        reverse("admin:costs_toolprice_add"),
        {
            "tool": "search",
            "per_call": "0.5",
        },
        follow=True,
    )
    client.post(reverse("admin:costs_modelprice_delete", args=[price.pk]), {"post": "yes"})
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["price.set", "tool_price.set", "price.deleted"]
    assert client.get(reverse("admin:costs_repricingrun_changelist")).status_code == 200
