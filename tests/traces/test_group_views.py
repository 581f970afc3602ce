"""The pages and the API of sessions, users and organizations, on the real engine."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tracehouse.tenancy.models import Project, User
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
Store = Callable[[list[Span]], None]
NASTY = "team/a b?c=%2F&d#<e>"
SECOND = 10**9


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def turn(project: Project, number: int, question: str, answer: str | None, **fields: Any) -> list[Span]:
    """A root that says nothing, and a model call that was asked and answered."""
    start = time.time_ns() - (600 - number) * SECOND
    common = {"project_id": project.pk, "trace_id": f"{number:032x}", "start_ns": start}
    given = {"status": Status.OK, "session_id": "talk", "user_id": "ann", "organization_id": "acme", **fields}
    root = Span(
        span_id=f"{1:016x}", parent_id="", end_ns=start + 2 * SECOND, name=f"run {number}", kind=Kind.AGENT,
        **common, **given,
    )  # fmt: skip
    call = Span(
        span_id=f"{2:016x}", parent_id=f"{1:016x}", end_ns=start + SECOND, name="chat", kind=Kind.LLM, model="m",
        status=given["status"], input=[said("system", "s"), said("user", question)],
        output=[said("assistant", answer)] if answer else None, usage=Usage(input_uncached=100, output=10),
        cost=Cost(state=CostState.COMPUTED, total=Decimal("0.5")), **common,
    )  # fmt: skip
    return [root, call]


def talk(project: Project) -> list[Span]:
    return [
        *turn(project, 1, "Who went quiet?", "Acme did.", feature="query"),
        *turn(project, 2, "Since when?", None, status=Status.ERROR, status_message="context window exceeded"),
        *turn(
            project, 3, "<b>Thanks</b>", "Any time.", session_id=NASTY, user_id=NASTY, organization_id=NASTY
        ),
    ]


@pytest.fixture
def reader(client: Client, viewer: User, clickhouse: None) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def api(api_key: str, clickhouse: None) -> Callable[[str], Any]:
    client = Client(headers={"Authorization": f"Bearer {api_key}"})

    def get(path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get


def shown(reader: Client, project: Project, path: str, status: int = 200) -> str:
    answer = reader.get(f"/p/{project.slug}/{path}")
    assert answer.status_code == status
    return answer.content.decode()


def test_the_list_of_sessions_leads_to_each_and_to_its_traces(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(talk(project))
    page = shown(reader, project, "sessions")
    assert f"session?id={quote(NASTY, safe='')}" in page
    assert "traces?session_id=talk&amp;status=error" in page
    narrowed = shown(reader, project, "sessions?feature=query")
    assert "traces?feature=query&amp;session_id=talk" in narrowed
    assert quote(NASTY, safe="") not in narrowed
    assert "No session matches" in shown(reader, project, "sessions?feature=none")


def test_a_session_reads_as_a_conversation(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(talk(project))
    page = shown(reader, project, "session?id=talk")
    places = [
        page.index(text)
        for text in ("Who went quiet?", "Acme did.", "Since when?", "context window exceeded")
    ]
    assert places == sorted(places)
    assert "$1" in page
    assert "user?id=ann" not in page.partition('class="turns"')[2]
    assert "Any time." not in page
    newest_first = shown(reader, project, "session?id=talk&order=-time")
    assert newest_first.index("Since when?") < newest_first.index("Who went quiet?")
    other = shown(reader, project, f"session?id={quote(NASTY)}")
    assert "&lt;b&gt;Thanks&lt;/b&gt;" in other
    assert "<b>" not in other


def test_whom_many_belong_to_is_counted_beyond_those_that_are_named(
    project: Project, reader: Client, store_spans: Store, api: Callable[[str], Any]
) -> None:
    turns = [
        span
        for one in range(1, 24)
        for span in turn(project, one, "?", "!", session_id="room", user_id=f"u{one}")
    ]
    store_spans(turns)
    page = shown(reader, project, "session?id=room")
    assert "23 in all" in page
    # Each turn says whose it is, unless all are of one.
    assert "user?id=u17" in page.partition('class="turns"')[2]
    assert ">+22</span>" in shown(reader, project, "sessions")
    assert ">+22</span>" in shown(reader, project, "organizations")
    assert '/users?organization_id=acme">23</a>' in shown(reader, project, "organization?id=acme")
    [room], [acme] = api("/api/v1/sessions")["data"], api("/api/v1/organizations")["data"]
    assert (room["users"], room["organizations"], acme["users"]) == (23, 1, 23)
    assert "organizations" not in acme


def test_a_long_session_has_pages(
    reader: Client, project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_spans(talk(project))
    monkeypatch.setattr("traces.session_views.PAGE", 1)
    first = shown(reader, project, "session?id=talk")
    assert "1 of 2 traces on this page" in first
    cursor = first.partition("cursor=")[2].partition('"')[0]
    second = shown(reader, project, f"session?id=talk&cursor={cursor}")
    assert "Since when?" in second
    assert "Who went quiet?" not in second


def test_sessions_users_and_organizations_that_are_not_there_say_so(
    reader: Client, project: Project, store_spans: Store
) -> None:
    assert "No sessions in this time range" in shown(reader, project, "sessions")
    assert "No users in this time range" in shown(reader, project, "users")
    assert "No organizations in this time range" in shown(reader, project, "organizations")
    assert "has no such session" in shown(reader, project, "session?id=nobody", 404)
    assert "has no such session" in shown(reader, project, "session", 404)
    assert "No traces in the last 24 hours" in shown(reader, project, "user?id=nobody")
    assert "This place in the list is gone" in shown(reader, project, "users?cursor=abc", 400)


def test_a_users_page_tells_what_was_done_and_what_it_cost(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(talk(project))
    page = shown(reader, project, "user?id=ann&range=7d")
    assert "Cost per day" in page
    assert "Cost per hour" in shown(reader, project, "user?id=ann")
    for link in (
        "traces?user_id=ann&amp;range=7d",
        "traces?user_id=ann&amp;range=7d&amp;status=error",
        "traces?user_id=ann&amp;range=7d&amp;model=m",
        "sessions?user_id=ann&amp;range=7d",
        "session?id=talk",
        "organization?range=7d&amp;id=acme",
        f"traces/{1:032x}",
    ):
        assert link in page
    organization = shown(reader, project, "organization?id=acme")
    assert 'user?id=ann"' in organization
    other = shown(reader, project, f"user?id={quote(NASTY)}")
    assert "team/a b?c=%2F&amp;d#&lt;e&gt;" in other


def test_a_form_without_script_leaves_its_empty_fields_out_of_the_address(
    reader: Client, project: Project, store_spans: Store
) -> None:
    answer = reader.get(f"/p/{project.slug}/users?q=&status=error&feature=&order=-cost")
    assert answer.headers["Location"] == f"/p/{project.slug}/users?status=error&order=-cost"


def test_the_api_says_what_usage_and_the_list_of_traces_say(
    project: Project, store_spans: Store, api: Callable[[str], Any]
) -> None:
    store_spans(talk(project))
    users = api("/api/v1/users?order=-cost")["data"]
    usage = {row["key"]: row for row in api("/api/v1/usage?group_by=user_id")["data"]}
    assert [user["user_id"] for user in users] == ["ann", NASTY]
    for user in users:
        row = usage[user["user_id"]]
        assert (user["traces"], user["errors"]) == (row["invocations"], row["errors"])
        for name in ("cost_usd", "llm_calls", "input_tokens", "output_tokens", "unpriced_calls"):
            assert user[name] == row[name]
        traces = api(f"/api/v1/traces?user_id={quote(user['user_id'], safe='')}")["data"]
        assert len(traces) == user["traces"]
    assert (users[0]["cost_usd"], users[0]["sessions"]) == ("1", 1)
    assert users[0]["organization_ids"] == ["acme"]


def test_an_id_of_any_text_is_found_in_the_path_and_as_a_parameter(
    project: Project, store_spans: Store, api: Callable[[str], Any]
) -> None:
    store_spans(talk(project))
    for kind in ("session", "user", "organization"):
        # A session is whole; the others are of a window.
        window = "" if kind == "session" else "to=2100-01-01T00:00:00Z&from=2020-01-01T00:00:00Z"
        by_path = api(f"/api/v1/{kind}s/{quote(NASTY, safe='')}?{window}")
        assert by_path[f"{kind}_id"] == NASTY
        parameter = f"{kind}_id={quote(NASTY, safe='')}"
        assert api(f"/api/v1/{kind}?{parameter}&{window}") == by_path
    [only] = api(f"/api/v1/sessions?session_id={quote(NASTY, safe='')}")["data"]
    assert only["session_id"] == NASTY


def test_the_api_gives_a_session_turn_by_turn(
    project: Project, store_spans: Store, api: Callable[[str], Any]
) -> None:
    store_spans(talk(project))
    first = api("/api/v1/sessions/talk?limit=1")
    assert (first["traces"], first["errors"], first["cost_usd"], first["user_ids"]) == (2, 1, "1", ["ann"])
    [one] = first["turns"]
    assert one["trace"]["trace_id"] == f"{1:032x}"
    assert (one["asked"], one["answered"]["text"]) == ({"text": "Who went quiet?", "notes": []}, "Acme did.")
    [two] = api(f"/api/v1/sessions/talk?limit=1&cursor={first['next_cursor']}")["turns"]
    assert (two["answered"], two["failure"]) == (None, "context window exceeded")


def test_the_api_breaks_a_user_down(project: Project, store_spans: Store, api: Callable[[str], Any]) -> None:
    store_spans(talk(project))
    user = api("/api/v1/users/ann")
    for name in ("by_time", "by_feature", "by_model"):
        assert sum(Decimal(row["cost_usd"]) for row in user[name]) == Decimal(user["cost_usd"])
    assert {row["key"] for row in user["by_feature"]} == {"query", ""}


@pytest.mark.parametrize("path", ["sessions/talk?", "session?session_id=talk&"])
def test_a_session_has_no_window_and_says_so(path: str, api_key: str) -> None:
    answer = Client(headers={"Authorization": f"Bearer {api_key}"}).get(f"/api/v1/{path}from=x&to=y")
    told = answer.json()["error"]["fields"]
    assert answer.status_code == 400
    assert "always shown whole" in told["from"][0]
    assert told["from"] == told["to"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("sessions/nobody", 404),
        ("users/nobody", 404),
        ("organization?organization_id=nobody", 404),
        ("session", 400),
        ("users?cursor=abc", 400),
        ("sessions?order=x", 400),
    ],
)
def test_the_api_refuses_with_a_reason(path: str, status: int, api_key: str, clickhouse: None) -> None:
    answer = Client(headers={"Authorization": f"Bearer {api_key}"}).get(f"/api/v1/{path}")
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
