"""Signing in, who may open which page, and the settings of a project."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests import cast
from tracehouse.tenancy.keys import KeyHolder, identify
from tracehouse.tenancy.models import ApiKey, AuditEntry, IdentityPolicy, Project, User

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

READ_ROUTES = [
    *("traces:list", "traces:first-span", "traces:detail"),
    *("ingest:status", "ingest:rejected", "project-settings"),
]
CHANGE_ROUTES = ["create-key", "revoke-key", "change-redaction", "change-limits"]
MORE: dict[str, list[object]] = {"traces:detail": ["a" * 32], "revoke-key": [1]}


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def address(route: str, project: Project) -> str:
    return reverse(route, args=[project.slug, *MORE.get(route, [])])


def sign_in(client: Client, email: str, password: str = cast.PASSWORD) -> str:
    response = client.post(reverse("sign-in"), {"username": email, "password": password}, follow=True)
    return response.content.decode()


@pytest.mark.parametrize("route", READ_ROUTES + CHANGE_ROUTES)
def test_the_anonymous_are_sent_to_sign_in(client: Client, project: Project, route: str) -> None:
    send = client.get if route in READ_ROUTES else client.post
    response = send(address(route, project))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("sign-in"))


@pytest.mark.parametrize("route", READ_ROUTES + CHANGE_ROUTES)
def test_strangers_find_nothing(client: Client, project: Project, stranger: User, route: str) -> None:
    client.force_login(stranger)
    send = client.get if route in READ_ROUTES else client.post
    response = send(address(route, project))
    assert response.status_code == 404
    assert project.name not in response.content.decode()


@pytest.mark.parametrize("route", CHANGE_ROUTES)
@pytest.mark.parametrize("who", ["viewer", "teammate"])
def test_only_admins_change_settings(
    client: Client, project: Project, request: pytest.FixtureRequest, route: str, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    response = client.post(address(route, project), {"name": "x"})
    assert response.status_code == 403
    assert "another role" in response.content.decode()
    assert not ApiKey.objects.filter(project=project).exists()


@pytest.mark.parametrize("route", CHANGE_ROUTES)
def test_changes_are_not_made_by_links(client: Client, project: Project, owner: User, route: str) -> None:
    client.force_login(owner)
    assert client.get(address(route, project)).status_code == 405


def test_viewers_read_the_settings_without_forms(client: Client, project: Project, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(address("project-settings", project)).content.decode()
    assert "Keys are made and revoked by admins" in page
    assert "Make a key" not in page
    assert "Audit log" not in page


def test_signing_in_leads_to_the_first_project(client: Client, project: Project, owner: User) -> None:
    response = client.post(reverse("sign-in"), {"username": "OWNER@example.com", "password": cast.PASSWORD})
    assert response["Location"] == reverse("home")
    assert client.get(reverse("home"))["Location"] == address("traces:list", project)


def test_people_without_a_project_read_what_to_do(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("lone@example.com", cast.PASSWORD))
    page = client.get(reverse("home")).content.decode()
    assert "You are not in a project yet" in page
    assert "lone@example.com" in page


def test_a_wrong_password_does_not_say_which_part_is_wrong(client: Client, owner: User) -> None:
    assert sign_in(client, owner.email, "wrong").count("do not go together") == 1
    assert sign_in(client, "nobody@example.com", "wrong").count("do not go together") == 1


def test_ten_attempts_then_a_wait(client: Client, owner: User) -> None:
    for _ in range(10):
        assert "do not go together" in sign_in(client, owner.email, "wrong")
    assert "Too many attempts" in sign_in(client, owner.email)
    assert "Too many attempts" not in sign_in(client, "other@example.com", "wrong")


def test_a_right_password_starts_the_count_anew(client: Client, owner: User, project: Project) -> None:
    for _ in range(9):
        sign_in(client, owner.email, "wrong")
    client.post(reverse("sign-in"), {"username": owner.email, "password": cast.PASSWORD})
    client.post(reverse("sign-out"))
    for _ in range(10):
        assert "do not go together" in sign_in(client, owner.email, "wrong")


def test_signing_in_does_not_lead_to_other_sites(client: Client, owner: User) -> None:
    response = client.post(
        reverse("sign-in"),
        {"username": owner.email, "password": cast.PASSWORD, "next": "https://elsewhere.example/"},
    )
    assert response["Location"] == reverse("home")


def test_a_part_of_a_page_never_becomes_the_sign_in_form(client: Client) -> None:
    response = client.get(reverse("sign-in"), headers={"HX-Request": "true", "HX-Target": "step"})
    assert response["HX-Refresh"] == "true"


def test_signing_out_is_a_post(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out"))["Location"] == reverse("sign-in")


def test_a_new_secret_is_shown_once_and_works(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    response = client.post(address("create-key", project), {"name": "production"})
    page = client.get(response["Location"])
    shown = page.context["new_key"]
    assert shown.secret in page.content.decode()
    assert isinstance(identify(f"Bearer {shown.secret}"), KeyHolder)
    assert shown.secret not in client.get(response["Location"]).content.decode()
    assert AuditEntry.objects.filter(project=project, action="key.created").exists()


def test_a_secret_on_its_way_to_the_page_is_stored_encrypted(
    client: Client, project: Project, owner: User
) -> None:
    client.force_login(owner)
    client.post(address("create-key", project), {"name": "production"})
    stored = repr(dict(client.session))
    assert "new_api_key" in stored
    assert "sk-th-" not in stored


def test_a_new_secret_shows_only_in_its_own_project(client: Client, project: Project, owner: User) -> None:
    other = cast.project(project.team, "Other", owner)
    client.force_login(owner)
    client.post(address("create-key", project), {"name": "production"})
    assert "sk-th-" not in client.get(address("project-settings", other)).content.decode()


def test_a_key_needs_a_name(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    response = client.post(address("create-key", project), {"name": " "})
    assert response.status_code == 400
    assert "This field is required" in response.content.decode()


def test_a_revoked_key_stays_in_the_list(client: Client, project: Project, owner: User, api_key: str) -> None:
    client.force_login(owner)
    key = ApiKey.objects.get(project=project)
    response = client.post(reverse("revoke-key", args=[project.slug, key.pk]), follow=True)
    assert "is revoked" in response.content.decode()
    assert not isinstance(identify(f"Bearer {api_key}"), KeyHolder)


def test_another_projects_key_cannot_be_revoked(client: Client, project: Project, stranger: User) -> None:
    mine = Project.objects.get(name="Elsewhere")
    cast.secret_key(project, stranger)
    client.force_login(stranger)
    key = ApiKey.objects.get(project=project)
    assert client.post(reverse("revoke-key", args=[mine.slug, key.pk])).status_code == 404


def test_redaction_is_saved_and_recorded(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    client.post(
        address("change-redaction", project), {"identity_policy": "keep", "phone_regions": "de, at de"}
    )
    project.refresh_from_db()
    assert project.identity_policy == IdentityPolicy.KEEP
    assert project.phone_regions == "DE,AT"
    assert AuditEntry.objects.get(action="redaction.changed").details["phone_regions"] == "DE,AT"


def test_an_unknown_region_is_refused(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    response = client.post(
        address("change-redaction", project), {"identity_policy": "keep", "phone_regions": "DE,Atlantis"}
    )
    assert response.status_code == 400
    assert "Not a region: ATLANTIS" in response.content.decode()
    project.refresh_from_db()
    assert project.identity_policy == IdentityPolicy.HASH


@pytest.mark.parametrize("path", ["/nowhere", "/p/nowhere/traces"])
def test_a_missing_page_looks_like_ours(client: Client, owner: User, path: str) -> None:
    client.force_login(owner)
    response = client.get(path)
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_a_broken_page_says_what_is_kept(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError

    client.force_login(owner)
    client.raise_request_exception = False
    monkeypatch.setattr("tracehouse.web.views.projects_of", broken)
    response = client.get(reverse("home"))
    assert response.status_code == 500
    assert "Spans are still accepted" in response.content.decode()


@pytest.mark.parametrize("model", ["user", "team", "membership", "project", "apikey", "auditentry"])
def test_the_admin_lists_every_model(
    client: Client, project: Project, owner: User, api_key: str, model: str
) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", cast.PASSWORD))
    assert client.get(reverse(f"admin:tenancy_{model}_changelist")).status_code == 200


def test_the_admin_neither_makes_nor_edits_keys(client: Client, project: Project, api_key: str) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", cast.PASSWORD))
    key = ApiKey.objects.get(project=project)
    assert client.get(reverse("admin:tenancy_apikey_add")).status_code == 403
    page = client.get(reverse("admin:tenancy_apikey_change", args=[key.pk])).content.decode()
    assert key.public_key in page
    assert key.secret_hash not in page


def test_the_admin_makes_people_and_projects(client: Client, project: Project) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", cast.PASSWORD))
    person = {"email": "new@example.com", "usable_password": "true", "password1": cast.PASSWORD}
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    client.post(reverse("admin:tenancy_user_add"), {**person, **inline, "password2": cast.PASSWORD})
    assert User.objects.get(email="new@example.com").check_password(cast.PASSWORD)
    fields = {
        "name": "Two",
        "slug": "two",
        "time_zone": "UTC",
        "phone_regions": "US",
        "identity_policy": "hash",
    }
    client.post(reverse("admin:tenancy_project_add"), {**fields, "team": project.team_id})
    entry = AuditEntry.objects.get(action="project.created", target="two")
    assert entry.actor == "root@example.com"
    assert "phone_regions = US" in entry.details["said"]
