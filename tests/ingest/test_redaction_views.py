"""The pages on redaction: who sees and changes what, and what they say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from ingest.detectors import Detector
from ingest.models import DETECTORS, OFF, AllowedValue, DetectorSetting, RedactionRule
from ingest.policies import policy_of
from ingest.policy import Action
from tracehouse.tenancy.models import AuditEntry, Project, User
from traces.span import Span, Status

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

READ = ["redaction", "redaction-rules"]
CHANGE = ["redaction-change-detectors", "redaction-add-rule", "redaction-allow"]
CHANGE_ONE = ["redaction-switch-rule", "redaction-remove-rule", "redaction-disallow"]


def span(project: Project, number: int, *, at: datetime, redactions: dict[str, int]) -> Span:
    start = int(at.timestamp() * 1_000_000_000)
    return Span(
        project_id=project.pk,
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_id="",
        start_ns=start,
        end_ns=start + 1,
        name="chat",
        status=Status.OK,
        redactions=redactions,
    )


def address(route: str, project: Project, *more: object) -> str:
    return reverse(route, args=[project.slug, *more, *([1] if route in CHANGE_ONE and not more else [])])


def rules_page(client: Client, project: Project) -> str:
    return client.get(address("redaction-rules", project)).content.decode()


@pytest.mark.parametrize("route", [*READ, *CHANGE, *CHANGE_ONE, "redaction-try"])
def test_strangers_find_nothing(client: Client, project: Project, stranger: User, route: str) -> None:
    client.force_login(stranger)
    send = client.get if route in READ else client.post
    assert send(address(route, project)).status_code == 404


@pytest.mark.parametrize("route", [*CHANGE, *CHANGE_ONE])
@pytest.mark.parametrize("who", ["viewer", "teammate"])
def test_only_admins_change(
    client: Client, project: Project, request: pytest.FixtureRequest, route: str, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    response = client.post(
        address(route, project), {"name": "x", "pattern": "x", "action": "mask", "value": "x"}
    )
    assert response.status_code == 403
    assert not RedactionRule.objects.exists()
    assert not AllowedValue.objects.exists()


@pytest.mark.parametrize("route", [*CHANGE, *CHANGE_ONE, "redaction-try"])
def test_changes_are_not_made_by_links(client: Client, project: Project, owner: User, route: str) -> None:
    client.force_login(owner)
    assert client.get(address(route, project)).status_code == 405


def test_viewers_read_without_forms_to_change(client: Client, project: Project, viewer: User) -> None:
    client.force_login(viewer)
    page = rules_page(client, project)
    assert "Admins and owners of the team change this page" in page
    assert "Add the rule" not in page
    assert "Show what would be stored" in page


def test_a_detector_is_set_by_its_form(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    chosen = {str(detector): "mask" for detector in Detector} | {"ip": OFF, "email": "drop"}
    client.post(address("redaction-change-detectors", project), chosen)
    policy = policy_of(project)
    assert Detector.IP not in policy.detectors
    assert policy.actions[Detector.EMAIL] is Action.DROP
    assert AuditEntry.objects.get(action="redaction.detectors").details["ip"] == OFF


def test_every_detector_has_a_name_and_a_choice(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    page = rules_page(client, project)
    assert set(DETECTORS) == set(Detector)
    assert all(words in page for words in DETECTORS.values())


def test_a_rule_is_added_switched_and_removed(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    client.post(
        address("redaction-add-rule", project),
        {"name": "customer", "pattern": r"\bCUST-[0-9]{6}\b", "action": "hash"},
    )
    rule = RedactionRule.objects.get(project=project)
    assert (rule.name, rule.action, rule.enabled, rule.created_by) == ("customer", "hash", True, owner)
    assert "by owner@example.com" in rules_page(client, project)
    client.post(address("redaction-switch-rule", project, rule.pk), {"enabled": "off"})
    assert policy_of(project).patterns == ()
    client.post(address("redaction-remove-rule", project, rule.pk))
    assert not RedactionRule.objects.exists()


@pytest.mark.parametrize(
    ("name", "pattern", "words"),
    [
        ("x", r"(a)\1", "Back-references are unsupported"),
        ("x", "a*", "matches the empty text"),
        ("email", "x", "is the name of a built-in detector"),
        ("Not a name", "x", "Use small letters"),
        ("taken", "x", "There is a rule of that name already"),
    ],
)
def test_a_rule_that_cannot_be_used_says_why_and_keeps_what_was_typed(
    client: Client, project: Project, owner: User, name: str, pattern: str, words: str
) -> None:
    RedactionRule.objects.create(project=project, name="taken", pattern="y")
    client.force_login(owner)
    response = client.post(
        address("redaction-add-rule", project), {"name": name, "pattern": pattern, "action": "mask"}
    )
    page = response.content.decode()
    assert response.status_code == 400
    assert words in page
    assert f'value="{name}"' in page
    assert RedactionRule.objects.count() == 1


def test_another_projects_rule_cannot_be_removed(
    client: Client, project: Project, owner: User, stranger: User
) -> None:
    theirs = RedactionRule.objects.create(
        project=Project.objects.get(name="Elsewhere"), name="x", pattern="y"
    )
    client.force_login(owner)
    assert client.post(address("redaction-remove-rule", project, theirs.pk)).status_code == 404
    assert RedactionRule.objects.filter(pk=theirs.pk).exists()


def test_a_value_is_allowed_and_no_longer(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    client.post(address("redaction-allow", project), {"value": "support@acme.com"})
    entry = AllowedValue.objects.get(project=project)
    assert policy_of(project).allow.allows("Support@acme.com")
    again = client.post(address("redaction-allow", project), {"value": "support@acme.com"})
    assert "This is allowed already" in again.content.decode()
    bad = client.post(address("redaction-allow", project), {"value": "(", "is_pattern": "on"})
    assert "This pattern cannot be used" in bad.content.decode()
    client.post(address("redaction-disallow", project, entry.pk))
    assert not policy_of(project).allow


def test_trying_shows_what_would_be_stored_and_stores_nothing(
    client: Client, project: Project, viewer: User
) -> None:
    RedactionRule.objects.create(project=project, name="customer", pattern="CUST-[0-9]{6}")
    client.force_login(viewer)
    text = "CUST-004711 pays 4111 1111 1111 1111 <b>now</b>"
    before = AuditEntry.objects.count()
    page = client.post(address("redaction-try", project), {"text": text}).content.decode()
    assert "<mark>[customer]</mark> pays <mark>[card]</mark> &lt;b&gt;now&lt;/b&gt;" in page
    assert "Payment cards 1, customer 1" in page
    assert AuditEntry.objects.count() == before


def test_a_text_without_anything_says_so(client: Client, project: Project, viewer: User) -> None:
    client.force_login(viewer)
    page = client.post(address("redaction-try", project), {"text": "order 4500123987"}).content.decode()
    assert "Nothing was found" in page


def test_the_page_counts_by_detector_and_never_shows_a_value(
    client: Client, project: Project, viewer: User, store_spans: Callable[[list[Span]], None]
) -> None:
    now = datetime.now(UTC)
    RedactionRule.objects.create(project=project, name="customer", pattern="x")
    DetectorSetting.objects.create(project=project, detector="ip", action=OFF)
    store_spans(
        [
            span(project, 1, at=now - timedelta(hours=1), redactions={"email": 2, "customer": 1}),
            span(project, 2, at=now - timedelta(hours=3), redactions={"email": 1, "gone": 4}),
            span(project, 3, at=now - timedelta(days=3), redactions={"email": 100}),
        ]
    )
    client.force_login(viewer)
    page = client.get(address("redaction", project)).content.decode()
    assert "8 values replaced in the last 24 hours" in page
    assert "E-mail addresses over time: 3 values" in page
    assert "Removed rule" in page
    assert "Off" in page
    wider = client.get(address("redaction", project), {"range": "7d"}).content.decode()
    assert "108 values replaced in the last 7 days" in wider
    assert "By day" in wider


@pytest.mark.usefixtures("clickhouse")
def test_an_empty_page_says_what_would_be_here(client: Client, project: Project, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(address("redaction", project)).content.decode()
    assert "Nothing was replaced in the last 24 hours" in page
    assert "See what is looked for" in page


def test_the_admin_checks_patterns_and_records_changes(client: Client, project: Project) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    address = reverse("admin:ingest_redactionrule_add")
    fields = {"project": project.pk, "name": "customer", "pattern": "a*", "action": "mask", "enabled": "on"}
    assert "matches the empty text" in client.post(address, fields).content.decode()
    client.post(address, {**fields, "pattern": "CUST-[0-9]+"})
    rule = RedactionRule.objects.get()
    client.post(
        reverse("admin:ingest_redactionrule_changelist"),
        {"action": "delete_selected", "_selected_action": rule.pk, "post": "yes"},
    )
    assert not RedactionRule.objects.exists()
    recorded = AuditEntry.objects.filter(action__startswith="redaction.rule").values_list("action", flat=True)
    assert sorted(recorded) == ["redaction.rule_added", "redaction.rule_removed"]
