"""Scores by REST: written one or many, listed, deleted; redacted before they are stored."""

from typing import Any

import pytest
from django.test import Client

from evals import queries
from evals.score import Subject
from ingest.models import RedactionRule
from tests import cast
from tracehouse.clickhouse import client as clickhouse_client
from tracehouse.clickhouse.insert import InsertUnavailable
from tracehouse.tenancy.models import AuditEntry, Project, User
from tracehouse.tenancy.scope import Scope

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


class Api:
    def __init__(self, key: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {key}"})

    def post(self, body: Any) -> Any:
        return self.client.post("/api/v1/scores", body, content_type="application/json")

    def written(self, body: Any) -> list[dict[str, Any]]:
        answer = self.post(body)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def errors(self, body: Any) -> dict[str, list[str]]:
        answer = self.post(body)
        assert answer.status_code == 400, answer.content
        found: dict[str, list[str]] = answer.json()["error"]["fields"]
        return found

    def listed(self, **parameters: str) -> list[dict[str, Any]]:
        answer = self.client.get("/api/v1/scores", parameters)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


@pytest.fixture
def api(api_key: str, clickhouse: None) -> Api:
    return Api(api_key)


def test_a_score_is_stored_and_comes_back(api: Api) -> None:
    [made] = api.written(
        {"name": "quality", "value": 4, "trace_id": TRACE.upper(), "time": "2026-11-01T10:00:00Z"}
    )
    assert made == {
        "id": made["id"],
        "name": "quality",
        "value": 4.0,
        "data_type": "numeric",
        "trace_id": TRACE,
        "span_id": None,
        "session_id": None,
        "comment": None,
        "source": "api",
        "author": None,
        "time": "2026-11-01T10:00:00.000000Z",
    }
    assert api.listed(**{"from": "2026-10-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}) == [made]


def test_the_same_id_replaces_and_delete_ends_it(api: Api, project: Project) -> None:
    body = {"id": "ticket 4711", "name": "feedback", "value": "up", "trace_id": TRACE}
    assert api.written(body) != api.written({**body, "value": "wrong", "comment": "No such date."})
    assert [one["value"] for one in api.listed()] == ["wrong"]
    for status in (204, 404):
        answer = api.client.delete("/api/v1/scores/ticket%204711")
        assert answer.status_code == status
    assert api.listed() == []
    entry = AuditEntry.objects.get(action="score.removed")
    assert (entry.project, entry.target, entry.actor[:5]) == (project, TRACE, "pk-th")


def test_a_list_of_every_kind_and_target(api: Api) -> None:
    written = api.written(
        [
            {"name": "tone", "value": "friendly", "trace_id": TRACE, "span_id": SPAN, "comment": None},
            {"name": "helpful", "value": True, "session_id": "s-1"},
            {"name": "helpful", "value": 0, "data_type": "boolean", "trace_id": TRACE},
        ]
    )
    assert [(one["value"], one["data_type"]) for one in written] == [
        ("friendly", "categorical"),
        (True, "boolean"),
        (False, "boolean"),
    ]
    assert api.listed(span_id=SPAN) == [written[0]]
    assert api.listed(session_id="s-1", name="helpful", data_type="boolean", source="api") == [written[1]]
    assert {one["id"] for one in api.listed(trace_id=TRACE)} == {written[0]["id"], written[2]["id"]}
    page = api.client.get("/api/v1/scores", {"limit": "2"}).json()
    rest = api.listed(limit="2", cursor=page["next_cursor"])
    assert {one["id"] for one in page["data"] + rest} == {one["id"] for one in written}
    assert api.client.get("/api/v1/scores", {"cursor": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"name": None}, "name", "required"),
        ({"name": "a>=b"}, "name", "must not hold"),
        ({"value": None}, "value", "required"),
        ({"value": [1]}, "value", "a number, a text or true or false"),
        ({"value": ""}, "value", "blank"),
        ({"value": "x" * 201}, "value", "200"),
        ({"value": 10**400}, "value", "number"),
        ({"value": "good", "data_type": "numeric"}, "value", "is not numeric"),
        ({"value": 2, "data_type": "boolean"}, "value", "is not boolean"),
        ({"value": True, "data_type": "numeric"}, "value", "is not numeric"),
        ({"trace_id": None}, "trace_id", "What is scored"),
        ({"trace_id": None, "span_id": SPAN}, "trace_id", "What is scored"),
        ({"trace_id": "xyz"}, "trace_id", "32 hex digits"),
        ({"trace_id": "0" * 32}, "trace_id", "not all of them 0"),
        ({"span_id": "12"}, "span_id", "16 hex digits"),
        ({"session_id": "s"}, "session_id", "not both"),
        ({"id": "a/b"}, "id", "slash"),
        ({"comment": "x" * 5001}, "comment", "5000"),
        ({"comment": "\ud800"}, "comment", "not allowed"),
        ({"time": "2100-01-01T00:00:00Z"}, "time", "a day ahead"),
        ({"time": "1973-03-03T00:00:00Z"}, "time", "before 2000"),
        ({"coment": "typo"}, "coment", "did you mean comment"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_of_its_field_and_nothing_is_stored(
    api: Api, change: dict[str, Any], field: str, told: str
) -> None:
    good = {"name": "quality", "value": 1, "trace_id": TRACE}
    assert told in api.errors({**good, **change})[field][0]
    assert told in api.errors([good, {**good, **change}])[f"[1].{field}"][0]
    assert api.listed() == []


def test_too_many_too_large_and_not_json(api: Api) -> None:
    good = {"name": "quality", "value": 1, "trace_id": TRACE}
    assert "1 to 1,000" in api.errors([])["scores"][0]
    assert "1 to 1,000" in api.errors([good] * 1_001)["scores"][0]
    assert "dictionary" in api.errors([1])["[0].non_field_errors"][0]
    assert api.post("{").status_code == 400
    deep = api.post("[" * 100_000)
    assert (deep.status_code, "nested too deeply" in deep.json()["error"]["message"]) == (400, True)
    assert api.post([{**good, "comment": "x" * 5 * 2**20}]).status_code == 413


def test_a_body_in_chunks_is_not_taken_for_an_empty_one(api: Api) -> None:
    answer = api.client.generic("POST", "/api/v1/scores", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (411, "length_required")


def test_ids_and_names_of_people_are_taken_as_they_are_sent_blanks_too(api: Api) -> None:
    given = {"id": " a ", "name": "quality", "value": 1, "session_id": " s ", "author": " ann "}
    [made] = api.written(given)
    assert {name: made[name] for name in given} == given
    assert api.listed(session_id=" s ") == api.listed(author=" ann ") == [made]
    assert api.listed(session_id="s") == api.listed(author="ann") == []
    assert api.client.get("/api/v1/scores/%20a%20").json() == made
    assert api.client.delete("/api/v1/scores/%20a%20").status_code == 204
    assert api.client.get("/api/v1/scores/%20a%20").status_code == 404


def test_a_score_is_found_by_its_id_whenever_it_was_given(api: Api) -> None:
    [made] = api.written(
        {"id": "t", "name": "quality", "value": 1, "trace_id": TRACE, "time": "2001-01-01T00:00:00Z"}
    )
    assert api.listed() == []
    assert api.client.get("/api/v1/scores/t").json() == made


def test_nothing_private_is_stored(api: Api, project: Project) -> None:
    RedactionRule.objects.create(project=project, name="ticket", pattern="TICK-[0-9]+", action="hash")
    given = {
        "id": "of jane.doe@example.com",
        "name": "asked by jane.doe@example.com",
        "value": "call +44 20 7946 0958",
        "comment": "jane.doe@example.com says TICK-12 \"is wrong\"\nsince 4111 1111 1111 1111",
        "author": "jane.doe@example.com",
        "session_id": "TICK-12",
    }  # fmt: skip
    [made] = api.written(given)
    assert made["author"].startswith("[email:")
    assert made["name"] == f"asked by {made['author']}"
    assert made["session_id"].startswith("[ticket:")
    assert made["comment"] == f'{made["author"]} says {made["session_id"]} "is wrong"\nsince [card]'
    dumped = str(clickhouse_client.client().query("SELECT * FROM scores").result_rows)
    for private in ("jane", "7946", "TICK", "4111"):
        assert private not in dumped
    # The same id, author and session find it again, as sent and as stored.
    [again] = api.written({**given, "value": "ok"})
    assert again["id"] == made["id"]
    assert api.listed(author=given["author"]) == api.listed(session_id=made["session_id"]) == [again]
    assert api.client.delete(f"/api/v1/scores/{given['id']}").status_code == 204


def test_a_project_that_keeps_identities_keeps_authors(api: Api, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(identity_policy="keep")
    [made] = api.written(
        {"name": "q", "value": 1, "session_id": "jane@example.com", "author": "jane@example.com"}
    )
    assert (made["author"], made["session_id"]) == ("jane@example.com", "jane@example.com")


def test_another_projects_key_reads_replaces_and_deletes_nothing(
    api: Api, stranger: User, project: Project
) -> None:
    api.written({"id": "a", "name": "quality", "value": 1, "trace_id": TRACE})
    theirs = Api(cast.secret_key(Project.objects.get(team__memberships__user=stranger), stranger))
    assert theirs.listed(trace_id=TRACE) == []
    assert theirs.client.get("/api/v1/scores/a").status_code == 404
    assert theirs.client.delete("/api/v1/scores/a").status_code == 404
    theirs.written({"id": "a", "name": "quality", "value": 5, "trace_id": TRACE})
    [kept] = queries.of_subject(Scope(project.pk), Subject(trace_id=TRACE))
    assert kept.value == 1


def test_while_clickhouse_is_away_the_answer_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise InsertUnavailable("away")

    monkeypatch.setattr("evals.services.insert_json_lines", away)
    answer = api.post({"name": "quality", "value": 1, "trace_id": TRACE})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_key_is_needed(client: Client, clickhouse: None) -> None:
    assert client.post("/api/v1/scores", {}, content_type="application/json").status_code == 401
    assert client.delete("/api/v1/scores/a").status_code == 401
    assert client.get("/api/v1/scores/a").status_code == 401
