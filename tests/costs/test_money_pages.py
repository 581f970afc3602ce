"""The pages and the API of plans, budgets, margins and anomalies: who may, what is said, and nothing half done."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costs import plan_csv
from costs.models import Budget, BudgetPeriod, Limited, Payer, Plan
from ingest.policies import identity_rule
from tests import cast
from tests.costs.money import invocations, plan, spend
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import AuditEntry, IdentityPolicy, Project, Role, Team, User
from tracehouse.web import spreadsheet
from traces import queries as traces

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.usefixtures("clickhouse"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

READ = ["list", "csv", "outcomes", "anomalies", "plans", "plans-csv", "budgets"]
FORMS = ["new-plan", "change-plan", "import", "new-budget", "change-budget"]
CHANGES = ["delete-plan", "delete-budget"]
MAIL = "mara.jensen@fjordmail.no"
PRO = {
    "subject": "user",
    "key": "ada",
    "name": "Pro",
    "monthly_usd": "49",
    "first_day": "2026-01-01",
    "last_day": "",
}
FIFTY_A_DAY = {"subject": "each_user", "key": "", "period": "day", "limit_usd": "50", "warn_percent": "80"}


def today() -> date:
    return timezone.now().date()


@pytest.fixture
def admin(team: Team) -> User:
    return cast.member(team, "admin@example.com", Role.ADMIN)


@pytest.fixture
def rows(project: Project) -> dict[str, int]:
    """A plan and a budget, by the name of their route's argument."""
    spend(project, "grace", "80", on=today(), feature="draft")
    budget = Budget.objects.create(
        project=project, subject=Limited.USER, key="grace", period=BudgetPeriod.DAY, limit_usd=50
    )
    return {"plan": plan(project, "grace", "20", since=today() - timedelta(days=90)).pk, "budget": budget.pk}


def address(name: str, project: Project, rows: dict[str, int] | None = None) -> str:
    number = next(
        (pk for kind, pk in (rows or {}).items() if name in {f"change-{kind}", f"delete-{kind}"}), None
    )
    return reverse(f"economics:{name}", args=[project.slug] + ([number] if number else []))


def words(page: Any) -> str:
    """What a page says, without its marks and line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("name", READ + FORMS + CHANGES)
def test_strangers_find_nothing_and_the_anonymous_are_sent_to_sign_in(
    client: Client, project: Project, stranger: User, rows: dict[str, int], name: str
) -> None:
    path = address(name, project, rows)
    answer = client.post(path) if name in CHANGES else client.get(path)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("sign-in"))
    client.force_login(stranger)
    assert (client.post(path) if name in CHANGES else client.get(path)).status_code == 404


@pytest.mark.parametrize("who", ["viewer", "teammate"])
def test_members_and_viewers_read_everything_and_set_nothing(
    client: Client, project: Project, rows: dict[str, int], request: pytest.FixtureRequest, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    for name in FORMS + CHANGES:
        assert client.post(address(name, project, rows), {**PRO, **FIFTY_A_DAY}).status_code == 403, name
    assert (
        Plan.objects.count(),
        Budget.objects.count(),
        AuditEntry.objects.filter(action__contains="plan").count(),
    ) == (1, 1, 0)
    for name in READ:
        page = client.get(address(name, project, rows))
        assert page.status_code == 200, name
        assert not re.search("Add…|Delete…|Set a budget|Import…", page.content.decode()), name


def test_the_page_says_whether_the_top_tenth_earns(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    users = [f"u-{number:02}" for number in range(19)]
    spans = [invocations(project, user, "1", on=today(), count=2, failed=1) for user in users]
    cast.store_spans(list(chain.from_iterable(spans)))
    for user in users:
        plan(project, user, "300", since=today() - timedelta(days=90))
    spend(project, "whale", "900", on=today(), count=3, unpriced=2)
    plan(project, "whale", "30", since=today() - timedelta(days=90))
    said = words(client.get(address("list", project)))
    assert "The top 10 % of users lose us money" in said
    assert "2 users cost $901.00 , 98.0 % of all that users cost in the last 30 days." in said
    assert "All have a plan: together they pay" in said
    assert "1 is under water and loses us $8" in said
    only_top = client.get(address("list", project), {"only": "top", "order": "margin"})
    assert [one.key for one, _ in only_top.context["rows"]] == ["whale", "u-00"]
    assert only_top.context["totals"].cost == 901
    under = client.get(address("list", project), {"only": "under_water"})
    assert [one.key for one, _ in under.context["rows"]] == ["whale"]
    assert "$900.00 + unpriced" in words(under)
    assert "user_id=whale" in under.content.decode()


def test_without_plans_the_page_says_how_to_add_them(
    client: Client, project: Project, owner: User, viewer: User
) -> None:
    client.force_login(owner)
    empty = client.get(address("list", project))
    assert "Import plans" in words(empty)
    spend(project, "ada", "5", on=today())
    plan(project, "acme", "5", since=today(), subject=Payer.ORGANIZATION)
    page = words(client.get(address("list", project)))
    assert "No user has a plan, so nobody can say who is under water" in page
    assert "There is 1 price of organizations" in page
    assert "The top 10 % of users have no plan" in page
    client.force_login(viewer)
    assert "Plans are set by admins" in words(client.get(address("list", project)))


def test_rows_are_paged_sorted_and_found(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    spans = [invocations(project, f"u-{number:02}", str(number + 1), on=today()) for number in range(60)]
    cast.store_spans(list(chain.from_iterable(spans)))
    first = client.get(address("list", project))
    assert [one.key for one, _ in first.context["rows"]][:2] == ["u-59", "u-58"]
    assert len(first.context["rows"]) == 50
    last = client.get(address("list", project), {"page": "2", "order": "cost"})
    assert [one.key for one, _ in last.context["rows"]][-1] == "u-59"
    found = client.get(address("list", project), {"q": "-5", "order": "key"})
    assert [one.key for one, _ in found.context["rows"]] == [f"u-5{digit}" for digit in range(10)]
    assert "No more of them" in words(client.get(address("list", project), {"page": "9"}))
    for odd in (
        {"order": "nonsense"},
        {"margin": "1e9"},
        {"margin": "nan"},
        {"page": "x"},
        {"from": "x"},
        {"range": "2y"},
    ):
        assert client.get(address("list", project), odd).status_code == 200


def test_the_csv_has_every_row_in_full_and_no_formula(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    spend(project, "=HYPERLINK(1)", "0.000000000123", on=today())
    spend(project, "ada", "70", on=today())
    plan(project, "ada", "30", since=today() - timedelta(days=90), name="@Pro")
    rows = table(client.get(address("csv", project), {"range": "today", "margin": "50"}))
    assert [(row["user_id"], row["cost_usd"], row["plan"]) for row in rows] == [
        ("ada", "70", "'@Pro"),
        ("'=HYPERLINK(1)", "0.000000000123", ""),
    ]
    assert Decimal(rows[0]["margin_usd"]) == Decimal(rows[0]["revenue_usd"]) - 70
    assert rows[1]["revenue_usd"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\ta", " =1", "＝1"])
def test_a_cell_that_begins_like_a_formula_is_defused(text: str) -> None:
    assert spreadsheet.cell(text) == f"'{text}"
    assert spreadsheet.cell(Decimal("-1.50")) == "-1.5"


def test_a_plan_is_set_changed_and_deleted_with_a_trace_of_who_did(
    client: Client, project: Project, admin: User
) -> None:
    client.force_login(admin)
    assert client.post(address("new-plan", project), PRO).status_code == 302
    made = Plan.objects.get()
    assert (made.key, made.monthly_usd, made.changed_by) == ("ada", 49, "admin@example.com")
    twice = client.post(address("new-plan", project), {**PRO, "monthly_usd": "59"})
    assert (twice.status_code, "has a price from that day on already" in words(twice)) == (400, True)
    backwards = client.post(
        address("new-plan", project), {**PRO, "first_day": "2026-05-01", "last_day": "2026-04-01"}
    )
    assert "The price ends before it begins." in words(backwards)
    assert client.post(address("new-plan", project), {**PRO, "monthly_usd": "-1"}).status_code == 400
    change = reverse("economics:change-plan", args=[project.slug, made.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {**PRO, "monthly_usd": "59"}).status_code == 302
    assert client.post(reverse("economics:delete-plan", args=[project.slug, made.pk])).status_code == 302
    told = AuditEntry.objects.filter(action__startswith="plan.").order_by("pk")
    assert [(one.action, one.details["monthly_usd"]) for one in told] == [
        ("plan.set", "49"),
        ("plan.changed", "59"),
        ("plan.deleted", "59"),
    ]


def test_an_e_mail_address_becomes_the_id_that_spans_are_stored_under(
    client: Client, project: Project, owner: User
) -> None:
    client.force_login(owner)
    stored = identity_rule(project)(MAIL)
    assert stored.startswith("[email:")
    client.post(address("new-plan", project), {**PRO, "key": MAIL})
    client.post(address("new-budget", project), {**FIFTY_A_DAY, "subject": "user", "key": MAIL})
    spend(project, stored, "3", on=today())
    page = client.get(address("list", project), {"q": MAIL})
    assert [(one.key, one.plan) for one, _ in page.context["rows"]] == [(stored, "Pro")]
    assert Budget.objects.get().key == stored
    assert not AuditEntry.objects.filter(target__contains=MAIL).exists()
    Project.objects.update(identity_policy=IdentityPolicy.KEEP)
    client.post(address("new-plan", project), {**PRO, "key": MAIL})
    assert set(Plan.objects.values_list("key", flat=True)) == {stored, MAIL}


def test_a_file_is_looked_at_taken_whole_and_changes_nothing_the_second_time(
    client: Client, project: Project, admin: User
) -> None:
    client.force_login(admin)
    plan(project, "ada", "49", since=today().replace(day=1))
    day = today().replace(day=1).isoformat()
    content = (
        f"user_id,organization_id,monthly_usd,from\nada,,59,{day}\n{MAIL},,9,{day}\n,acme,1200.50,{day}\n"
    )
    path = address("import", project)
    assert client.get(path).status_code == 200
    preview = client.post(path, {"file": SimpleUploadedFile("plans.csv", content.encode())})
    assert "The file would add 2 prices and change 1" in words(preview)
    assert MAIL not in preview.content.decode()
    assert Plan.objects.count() == 1
    again = {"text": preview.context["text"], "then": "import"}
    assert client.post(path, again).status_code == 302
    assert {(one.subject, one.key, one.monthly_usd) for one in Plan.objects.all()} == {
        ("user", "ada", Decimal(59)),
        ("user", identity_rule(project)(MAIL), Decimal(9)),
        ("organization", "acme", Decimal("1200.50")),
    }
    assert client.post(path, again).status_code == 302
    entry = AuditEntry.objects.get(action="plans.imported")
    assert (entry.details["new"], entry.details["changed"], entry.actor) == (2, 1, "admin@example.com")
    assert "would change nothing" in words(client.post(path, {"text": content}))
    exported = client.get(address("plans-csv", project)).content.decode()
    assert "would change nothing" in words(client.post(path, {"text": exported}))


def test_a_file_with_a_mistake_says_where_and_takes_nothing(
    client: Client, project: Project, owner: User
) -> None:
    client.force_login(owner)
    path = address("import", project)
    wrong = "user_id,monthly_usd,from\nada,49,2026-01-01\nbob,much,2026-01-01\n"
    answer = client.post(path, {"text": wrong, "then": "import"})
    assert answer.status_code == 400
    assert re.search(r"Nothing was taken: 1 line to mend .* 3 monthly_usd Write US dollars", words(answer))
    assert not Plan.objects.exists()
    for files in ({}, {"file": SimpleUploadedFile("plans.csv", b"\xff\xfe")}):
        assert client.post(path, files).status_code == 400
    large = SimpleUploadedFile("plans.csv", b"x" * (plan_csv.MAX_BYTES + 1))
    assert "larger than 3 MB" in words(client.post(path, {"file": large}))


def test_a_budget_is_set_and_its_state_told(client: Client, project: Project, admin: User) -> None:
    client.force_login(admin)
    assert "No budgets yet" in words(client.get(address("budgets", project)))
    assert client.post(address("new-budget", project), FIFTY_A_DAY).status_code == 302
    assert client.post(address("new-budget", project), FIFTY_A_DAY).status_code == 400
    one = {**FIFTY_A_DAY, "subject": "user"}
    assert "Say which one." in words(client.post(address("new-budget", project), one))
    assert (
        client.post(
            address("new-budget", project), {**FIFTY_A_DAY, "subject": "project", "limit_usd": "0"}
        ).status_code
        == 400
    )
    spend(project, "ada", "80", on=today(), hour=0)
    spend(project, "bob", "1", on=today(), hour=0)
    said = words(client.get(address("budgets", project)))
    assert "1 of 1 budget is over" in said
    assert "1 near or over, 1 below 80 %" in said
    assert "ada over $80.00 $50.00" in said
    made = Budget.objects.get()
    change = reverse("economics:change-budget", args=[project.slug, made.pk])
    assert client.post(change, {**FIFTY_A_DAY, "limit_usd": "100"}).status_code == 302
    assert "ada near" in words(client.get(address("budgets", project)))
    assert client.post(reverse("economics:delete-budget", args=[project.slug, made.pk])).status_code == 302
    told = AuditEntry.objects.filter(action__startswith="budget.").order_by("pk")
    assert [one.action for one in told] == ["budget.set", "budget.changed", "budget.deleted"]


def test_anomalies_are_told_with_what_was_expected_and_link_to_their_traces(
    client: Client, project: Project, owner: User
) -> None:
    client.force_login(owner)
    assert "No anomalies in the last 7 days" in words(client.get(address("anomalies", project)))
    for ago in range(1, 8):
        spend(project, "ada", "10", on=today() - timedelta(days=ago))
    spend(project, "ada", "90", on=today())
    spend(project, "new", "4", on=today())
    page = client.get(address("anomalies", project))
    said = words(page)
    assert "2 anomalies in the last 7 days" not in said
    assert "3 anomalies in the last 7 days" in said  # the project, its one feature and the user
    assert "$90.00 $10.00 $13.00 80.0 σ" in said
    assert "user_id=ada&amp;order=-cost" in page.content.decode()
    assert "new user" in said.partition("Too new to judge")[2]


def test_outcomes_stand_without_clickhouse_and_say_so(
    client: Client, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(owner)
    spend(project, "ada", "9", on=today(), feature="draft", count=3)
    assert "$3.00" in words(client.get(address("outcomes", project)))
    bad = client.get(address("outcomes", project), {"score": ">>"})
    assert (bad.status_code, "quality&gt;=0.5" in words(bad)) == (400, True)
    for error in (QueryUnavailable, QueryTooLarge):

        def refuse(*_: object, error: type[Exception] = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(traces, "usage", refuse)
        answer = client.get(address("outcomes", project), {"score": "resolved=true"})
        assert (answer.status_code, "draft" in words(answer), bool(answer.context["problem"])) == (
            200,
            True,
            True,
        )


def test_the_admin_sets_plans_and_budgets_by_the_same_rules(client: Client, project: Project) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", cast.PASSWORD))
    plan_form = {**PRO, "project": project.pk, "key": MAIL}
    assert client.post(reverse("admin:costs_plan_add"), plan_form).status_code == 302
    assert client.post(reverse("admin:costs_plan_add"), plan_form).status_code == 200  # told in the form
    assert (
        client.post(reverse("admin:costs_budget_add"), {**FIFTY_A_DAY, "project": project.pk}).status_code
        == 302
    )
    assert Plan.objects.get().key == identity_rule(project)(MAIL)
    for model in ("plan", "budget"):
        assert client.get(reverse(f"admin:costs_{model}_changelist")).status_code == 200
        chosen = (Plan if model == "plan" else Budget).objects.get().pk
        delete = {"action": "delete_selected", "_selected_action": [chosen], "post": "yes"}
        assert client.post(reverse(f"admin:costs_{model}_changelist"), delete).status_code == 302
    actions = AuditEntry.objects.filter(project=project, actor="root@example.com").values_list(
        "action", flat=True
    )
    assert set(actions) == {"plan.set", "plan.deleted", "budget.set", "budget.deleted"}


@pytest.fixture
def api(api_key: str) -> Callable[..., Any]:
    """Asks the API with the project's key."""
    client = Client(headers={"Authorization": f"Bearer {api_key}"})

    def ask(method: str, path: str, data: Any = None, **query: str) -> Any:
        if method == "get":
            return client.get(f"/api/v1/{path}", query)
        return getattr(client, method)(f"/api/v1/{path}", data, content_type="application/json")

    return ask


def test_plans_are_put_listed_and_deleted_by_api(api: Callable[..., Any], project: Project) -> None:
    ada = {"user_id": MAIL, "plan": "Pro", "monthly_usd": "49.90", "from": "2026-01-01"}
    acme = {"organization_id": "acme", "monthly_usd": "1200", "from": "2026-01-01", "to": "2026-12-31"}
    assert api("put", "plans", [ada, acme]).json() == {"new": 2, "changed": 0, "unchanged": 0}
    assert api("put", "plans", {**ada, "monthly_usd": "59"}).json() == {
        "new": 0,
        "changed": 1,
        "unchanged": 0,
    }
    assert api("put", "plans", [acme]).json() == {"new": 0, "changed": 0, "unchanged": 1}
    listed = api("get", "plans", user_id=MAIL).json()
    assert listed["total"] == 1
    (found,) = listed["data"]
    assert (found["user_id"], found["monthly_usd"], found["to"]) == (identity_rule(project)(MAIL), "59", None)
    assert api("delete", f"plans/{found['id']}").status_code == 204
    assert api("delete", f"plans/{found['id']}").status_code == 404
    assert [one["organization_id"] for one in api("get", "plans").json()["data"]] == ["acme"]
    assert AuditEntry.objects.get(action="plan.deleted").actor.startswith("pk-th-")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": ""}, "user_id"),
        ({"organization_id": "acme"}, "user_id"),
        ({"monthly_usd": "-1"}, "monthly_usd"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2025-01-01"}, "to"),
    ],
)
def test_a_wrong_price_is_named_by_its_place_and_none_is_stored(
    api: Callable[..., Any], change: dict[str, str], field: str
) -> None:
    good = {"user_id": "ada", "monthly_usd": "49", "from": "2026-01-01"}
    answer = api("put", "plans", [{**good, "user_id": "bob"}, {**good, **change}])
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [f"[1].{field}"])
    assert not Plan.objects.exists()


def test_the_same_price_twice_in_a_body_or_no_price_at_all_is_refused(api: Callable[..., Any]) -> None:
    one = {"user_id": "ada", "monthly_usd": "49", "from": "2026-01-01"}
    assert "[1].from" in api("put", "plans", [one, {**one, "monthly_usd": "1"}]).json()["error"]["fields"]
    assert api("put", "plans", []).status_code == 400
    assert not Plan.objects.exists()


def test_margins_budgets_and_anomalies_are_told_by_api_as_by_the_pages(
    api: Callable[..., Any], project: Project, rows: dict[str, int]
) -> None:
    spend(project, "ada", "1.5", on=today())
    found = api("get", "unit-economics", **{"from": today().isoformat()}, only="top").json()
    assert (found["total"], found["data"][0]["key"], found["data"][0]["under_water"]) == (1, "grace", True)
    assert found["everybody"]["cost_usd"] == "81.5"
    assert found["top"]["cost_share"] == "0.981595"
    assert found["nobody_usd"] == "0"
    (budget,) = api("get", "budgets").json()["data"]
    assert (budget["state"], budget["standings"][0]["spent_usd"]) == ("over", "80")
    each = {"subject": "each_user", "period": "day", "limit_usd": "50"}
    assert api("put", "budgets", each).status_code == 200
    assert api("put", "budgets", {**each, "limit_usd": "60"}).json()["limit_usd"] == "60"
    assert api("put", "budgets", {**each, "key": "ada"}).status_code == 400
    assert Budget.objects.count() == 2
    assert api("delete", f"budgets/{budget['id']}").status_code == 204
    told = api("get", "anomalies", **{"from": today().isoformat()}).json()
    assert told["data"] == []
    assert {(one["of"], one["key"]) for one in told["too_new"]} == {
        ("project", None), ("user", "grace"), ("user", "ada"), ("feature", "draft"), ("feature", None),
    }  # fmt: skip
    assert api("get", "anomalies", **{"from": "2020-01-01", "to": "2024-01-01"}).status_code == 400
    assert api("get", "unit-economics", order="nonsense").status_code == 400
