"""Saved views and chosen columns of the trace list: who sees, shares, changes and deletes."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests import cast
from tracehouse.tenancy.models import AuditEntry, Project, Role, Team, User
from traces import columns
from traces.models import ColumnChoice, SavedView
from traces.span import Kind, Span, Status

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
Store = Callable[[list[Span]], None]
STATE = "status=error&range=7d&order=-cost&columns=user.cost&from=&live=1"


@pytest.fixture
def stored(project: Project, store_spans: Store) -> str:
    trace_id = "5" * 32
    now = time.time_ns()
    span = Span(
        project_id=project.pk,
        trace_id=trace_id,
        span_id="5" * 16,
        parent_id="",
        start_ns=now - 10**9,
        end_ns=now,
        name="agent.run",
        kind=Kind.AGENT,
        status=Status.ERROR,
        user_id="u-7",
        session_id="s-7",
        tags=["vip"],
    )
    store_spans([span])
    return trace_id


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(user: User, project: Project, name: str, /, *arguments: object, **fields: str) -> Any:
    return signed_in(user).post(reverse(f"traces:{name}", args=[project.slug, *arguments]), fields)


def actions() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(action__startswith="view.").order_by("pk")
    return [(entry.actor, entry.action, entry.target) for entry in entries]


def test_a_view_keeps_what_the_list_shows_but_no_dates(
    teammate: User, viewer: User, project: Project, stored: str
) -> None:
    answer = post(teammate, project, "save-view", name=" Failures ", shared="on", state=STATE)
    view = SavedView.objects.get()
    assert (view.name, view.shared, view.created_by) == ("Failures", True, teammate)
    assert view.parameters == {"status": "error", "range": "7d", "order": "-cost", "columns": "user.cost"}
    assert parse_qs(urlsplit(answer.url).query)["view"] == [str(view.pk)]
    page = signed_in(viewer).get(answer.url).content.decode()
    assert "Failures" in page
    assert "agent.run" in page
    assert ">changed<" not in page
    changed = signed_in(viewer).get(answer.url + "&feature=draft").content.decode()
    assert ">changed<" in changed
    assert "Save the changes" not in changed  # a viewer may not
    assert "Save the changes" in signed_in(teammate).get(answer.url + "&feature=draft").content.decode()
    post(teammate, project, "save-view", name="Then", state="from=2026-01-01T00:00&to=2026-01-02T00:00")
    assert SavedView.objects.get(name="Then").parameters == {"columns": ".".join(columns.STANDARD)}


def test_a_view_of_ones_own_is_seen_by_nobody_else(
    viewer: User, owner: User, teammate: User, project: Project, stored: str
) -> None:
    post(viewer, project, "save-view", name="Mine", state=STATE)
    view = SavedView.objects.get()
    manage = reverse("traces:views", args=[project.slug])
    assert "Mine" in signed_in(viewer).get(manage).content.decode()
    for other in (owner, teammate):
        assert "Mine" not in signed_in(other).get(manage).content.decode()
        assert post(other, project, "delete-view", view.pk).status_code == 404
        assert "Mine" not in signed_in(other).get(f"/p/{project.slug}/traces?view={view.pk}").content.decode()


def test_members_share_and_who_made_a_view_or_an_admin_changes_it(
    viewer: User, owner: User, teammate: User, team: Team, project: Project
) -> None:
    other = cast.member(team, "other@example.com", Role.MEMBER)
    assert post(viewer, project, "save-view", name="No", shared="on").status_code == 403
    post(teammate, project, "save-view", name="Ours", shared="on", state=STATE)
    view = SavedView.objects.get()
    for name in ("rename-view", "update-view", "delete-view"):
        assert post(other, project, name, view.pk, name="Theirs").status_code == 403
    post(teammate, project, "update-view", view.pk, state="feature=draft")
    post(owner, project, "rename-view", view.pk, name="Drafts", shared="on")
    view.refresh_from_db()
    assert (view.name, view.shared) == ("Drafts", True)
    assert view.parameters["feature"] == "draft"
    post(owner, project, "delete-view", view.pk)
    assert not SavedView.objects.exists()
    assert actions() == [
        (teammate.email, "view.saved", "Ours"),
        (teammate.email, "view.changed", "Ours"),
        (owner.email, "view.changed", "Drafts"),
        (owner.email, "view.deleted", "Drafts"),
    ]


def test_a_name_that_is_empty_or_taken_is_refused_in_words(
    owner: User, teammate: User, project: Project, clickhouse: None
) -> None:
    post(owner, project, "save-view", name="Failures", shared="on")
    for name, words in (("failures", "choose another name"), ("", "cannot be blank")):
        client = signed_in(teammate)
        address = reverse("traces:save-view", args=[project.slug])
        answer = client.post(address, {"name": name, "shared": "on", "state": "status=error"}, follow=True)
        assert words in answer.content.decode()
        assert answer.redirect_chain[0][0].endswith("/traces?status=error")
    post(teammate, project, "save-view", name="Failures")  # its own is another one
    assert SavedView.objects.count() == 2


def test_another_projects_view_is_not_there(owner: User, stranger: User, project: Project) -> None:
    post(owner, project, "save-view", name="Failures", shared="on")
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    view = SavedView.objects.get()
    for name in ("update-view", "rename-view", "delete-view"):
        assert post(stranger, elsewhere, name, view.pk, name="x").status_code == 404
        assert post(stranger, project, name, view.pk, name="x").status_code == 404


def test_columns_are_chosen_kept_and_overruled_by_the_address(
    viewer: User, project: Project, stored: str
) -> None:
    address = reverse("traces:list", args=[project.slug])
    client = signed_in(viewer)
    chosen = {"columns": ["session", "tags", "no such column"], "state": "status=error"}
    answer = client.post(reverse("traces:columns", args=[project.slug]), chosen)
    assert answer.url == f"{address}?status=error&columns=session.tags"
    assert ColumnChoice.objects.get().columns == "session.tags"
    page = client.get(address).content.decode()
    assert "s-7" in page
    assert "vip" in page
    assert "u-7" not in page
    other = client.get(f"{address}?columns=user").content.decode()
    assert "s-7" not in other
    assert "u-7" in other
    client.post(reverse("traces:columns", args=[project.slug]), {"state": ""})
    bare = client.get(address).content.decode()
    assert "agent.run" in bare
    assert "s-7" not in bare


def test_live_mode_counts_what_was_not_shown(viewer: User, project: Project, stored: str) -> None:
    client = signed_in(viewer)
    newer = reverse("traces:newer", args=[project.slug])
    assert "1 new trace: show it" in client.get(newer, {"live": "1", "seen": ""}).content.decode()
    assert client.get(newer, {"live": "1", "seen": stored[-8:]}).status_code == 204
    assert client.get(newer, {"live": "1", "status": "ok"}).status_code == 204
    lists = reverse("traces:list", args=[project.slug])
    assert 'id="live"' in client.get(lists, {"live": "1"}).content.decode()
    for elsewhere in ({"order": "-cost"}, {"from": "2026-01-01T00:00", "to": "2026-01-02T00:00"}):
        assert 'id="live"' not in client.get(lists, {"live": "1", **elsewhere}).content.decode()


def test_every_column_shows_something(viewer: User, project: Project, stored: str) -> None:
    every = ".".join(column.key for column in columns.COLUMNS)
    page = signed_in(viewer).get(f"/p/{project.slug}/traces?columns={every}").content.decode()
    for column in columns.COLUMNS:
        assert f'data-label="{column.title}"' in page
    assert "Only session s-7" in page


def test_a_chart_of_many_traces_is_drawn_after_the_list(
    viewer: User, project: Project, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traces.list_views.DRAWN_AT_ONCE", 0)
    client = signed_in(viewer)
    chart = reverse("traces:chart", args=[project.slug])
    page = client.get(f"/p/{project.slug}/traces").content.decode()
    assert f'hx-get="{chart}' in page
    assert 'id="plot"' not in page
    assert (
        'id="plot"'
        in client.get(chart, headers={"HX-Request": "true", "HX-Target": "overview"}).content.decode()
    )
    assert client.get(chart + "?status=ok").url.endswith("/traces?status=ok&draw=1")  # type: ignore[attr-defined]
    assert 'id="plot"' in client.get(f"/p/{project.slug}/traces?draw=1").content.decode()
