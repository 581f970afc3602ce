"""Saved views by REST: what is shared in the project, by whoever holds a key of it."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import cast
from tracehouse.tenancy.models import AuditEntry, Project, User
from traces.models import SavedView

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
ADDRESS = "/api/v1/views"
FAILURES = {"name": "Failures", "parameters": {"status": "error", "tags": "vip, beta", "order": "-cost"}}


def with_key(key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def holder(api_key: str) -> Client:
    return with_key(api_key)


def send(client: Client, method: str, address: str, body: Any) -> Any:
    return client.generic(method, address, data=json.dumps(body), content_type="application/json")


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 400, answer.content
    found: dict[str, list[str]] = answer.json()["error"]["fields"]
    return found


def test_a_view_is_made_listed_changed_and_deleted(holder: Client, project: Project) -> None:
    made = send(holder, "POST", ADDRESS, FAILURES)
    assert made.status_code == 201
    view = made.json()
    assert (view["name"], view["created_by"]) == ("Failures", None)
    assert view["parameters"].items() >= {"status": "error", "order": "-cost", "tags": "vip, beta"}.items()
    assert "latency" in view["parameters"]["columns"]
    one = f"{ADDRESS}/{view['id']}"
    renamed = send(holder, "PATCH", one, {"name": "Dear failures"})
    assert (renamed.json()["name"], renamed.json()["parameters"]) == ("Dear failures", view["parameters"])
    narrowed = send(holder, "PATCH", one, {"parameters": {"model": "m", "range": "7d"}}).json()
    assert narrowed["parameters"].items() >= {"model": "m", "range": "7d"}.items()
    assert "status" not in narrowed["parameters"]
    assert holder.get(ADDRESS).json()["data"] == [narrowed]
    assert holder.delete(one).status_code == 204
    assert holder.get(ADDRESS).json()["data"] == []
    assert holder.delete(one).status_code == 404
    entries = AuditEntry.objects.filter(action__startswith="view.").order_by("at")
    assert [entry.action for entry in entries] == [
        "view.saved", "view.changed", "view.changed", "view.deleted",
    ]  # fmt: skip
    assert {entry.actor[:6] for entry in entries} == {"pk-th-"}
    assert {entry.project for entry in entries} == {project}


def test_it_is_the_view_that_the_page_opens(
    holder: Client, project: Project, viewer: User, clickhouse: None
) -> None:
    made = send(holder, "POST", ADDRESS, FAILURES).json()
    member = Client()
    member.force_login(viewer)
    page = member.get(reverse("traces:views", args=[project.slug])).content.decode()
    assert "Failures" in page
    assert f"view={made['id']}" in page


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"parameters": {}}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "n" * 81}, ["name"]),
        ({"name": "n", "parameters": {"colour": "red"}}, ["parameters.colour"]),
        ({"name": "n", "parameters": {"min_latency_ms": "soon"}}, ["parameters.min_latency_ms"]),
        ({"name": "n", "parameters": {"score": ">=1"}}, ["parameters.score"]),
        (
            {"name": "n", "parameters": {"order": "up", "range": "ever"}},
            ["parameters.order", "parameters.range"],
        ),
    ],
)
def test_what_the_list_would_not_understand_is_refused(
    holder: Client, body: dict[str, Any], fields: list[str]
) -> None:
    assert sorted(errors(send(holder, "POST", ADDRESS, body))) == fields
    assert not SavedView.objects.exists()


def test_a_name_is_taken_once_whatever_its_case(holder: Client) -> None:
    send(holder, "POST", ADDRESS, FAILURES)
    assert "choose another name" in errors(send(holder, "POST", ADDRESS, {"name": "FAILURES"}))["name"][0]


def test_views_of_ones_own_and_of_other_projects_are_not_there(
    holder: Client, project: Project, owner: User, stranger: User
) -> None:
    own = SavedView.objects.create(project=project, name="Mine", created_by=owner)
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    theirs = SavedView.objects.create(project=elsewhere, name="Theirs", shared=True, created_by=stranger)
    shared = SavedView.objects.create(project=project, name="Ours", shared=True, created_by=owner)
    assert [view["name"] for view in holder.get(ADDRESS).json()["data"]] == ["Ours"]
    for view in (own, theirs):
        assert send(holder, "PATCH", f"{ADDRESS}/{view.pk}", {"name": "Taken over"}).status_code == 404
        assert holder.delete(f"{ADDRESS}/{view.pk}").status_code == 404
    strangers = with_key(cast.secret_key(elsewhere, stranger))
    assert strangers.delete(f"{ADDRESS}/{shared.pk}").status_code == 404
    assert SavedView.objects.count() == 3
