"""A marked address, sent in every field of every door and in broken requests, is found nowhere afterwards."""

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx2 as httpx
import msgspec
import psycopg
import pytest
import redis

from ingest.plain_shape import GivenEvent, GivenSpan
from tests.cast import http_client
from tests.conftest import Platform
from tests.otlp import as_json, logs_as_json, wire_log, wire_span

MARK = "marked.secret"
SECRET = f"{MARK}@example.com"
NOT_TEXT = {"trace_id", "span_id", "parent_id", "kind", "start_time", "end_time", "duration_ms", "status",
            "time_to_first_token_ms", "usage", "cost_usd"}  # fmt: skip
DEEP: Any = {SECRET: [SECRET, {"inner": json.dumps({"text": f"to\n{SECRET}"})}]}
JOINED = {"events": 3, "input": 1, "output": 1}  # of the log records, to the only span
DETAILS = "gen_ai.client.inference.operation.details"


def filled() -> dict[str, Any]:
    """A plain span with the secret in every field that takes text."""
    special = {
        "tags": [SECRET],
        "request_params": DEEP,
        "attributes": DEEP,
        "events": [{"name": SECRET, "attributes": DEEP}],
        "input": [{"role": "user", "content": SECRET, "name": SECRET}],
        "output": DEEP,
        "tool_definitions": [DEEP],
    }
    names = [field.name for field in msgspec.structs.fields(GivenSpan) if field.name not in NOT_TEXT]
    assert {field.name for field in msgspec.structs.fields(GivenEvent)} == {"name", "time", "attributes"}
    return {name: special.get(name, SECRET) for name in names} | {"kind": "llm"}


def records(trace: str) -> list[dict[str, Any]]:
    """Log records of every kind with the secret in body, attributes, names and resource."""
    told = {"gen_ai__note": SECRET, SECRET: SECRET}
    call = {"id": SECRET, "function": {"name": SECRET, "arguments": json.dumps({"to": SECRET})}}
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": SECRET}]}])
    content = {f"gen_ai__{name}__messages": messages for name in ("input", "output")}
    more = {
        "gen_ai__system_instructions": SECRET,
        "gen_ai__tool__definitions": json.dumps([{"name": SECRET}]),
    }
    return [
        *[
            wire_log(f"gen_ai.{role}.message", trace=trace, body={"content": SECRET, "id": SECRET}, **told)
            for role in ("system", "user", "assistant", "tool", "developer")
        ],
        wire_log("gen_ai.user.message", trace=trace, body=SECRET),
        wire_log(
            "gen_ai.choice",
            trace=trace,
            body={"message": {"content": SECRET, "tool_calls": json.dumps([call])}},
        ),
        wire_log(DETAILS, trace=trace, **content, **more, **told),
        wire_log("exception", trace=trace, exception__message=SECRET, exception__stacktrace=SECRET),
        wire_log("gen_ai.evaluation.result", trace=trace, body={"deep": {SECRET: SECRET}}, **told),
        wire_log(f"gen_ai.{SECRET}", trace=trace, body=SECRET),
    ]


def post(platform: Platform, path: str, body: bytes) -> httpx.Response:
    headers = {**platform.headers, "Content-Type": "application/json"}
    return http_client.post(platform.url + path, content=body, headers=headers)


def broken() -> list[tuple[str, bytes]]:
    """Requests, and spans in them, that are refused, each for another reason."""
    wrong: list[Any] = [
        {"name": "n", field.name: value}
        for field in msgspec.structs.fields(GivenSpan)
        for value in (SECRET, [SECRET], {"x": SECRET})
    ]
    doors = ("/v1/traces", "/v1/logs", "/v1/metrics", "/api/v1/spans")
    return [
        ("/api/v1/spans", json.dumps({"spans": wrong}).encode()),
        *[(door, f'{{"spans": "{SECRET}", "resourceLogs": "{SECRET}"}}'.encode()) for door in doors],
        *[(door, f'{{"{SECRET}'.encode()) for door in doors],
        ("/v1/logs", logs_as_json(wire_log(SECRET, trace="", body=SECRET))),
    ]


@pytest.fixture(scope="module")
def sent(platform: Platform) -> str:
    trace = uuid.uuid4().hex
    assert post(platform, "/v1/traces", as_json(wire_span(1, trace=trace))).status_code == 200
    logs = post(platform, "/v1/logs", logs_as_json(*records(trace)))
    assert (logs.status_code, logs.json()) == (200, {})
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": SECRET}]}]}]}
    assert post(platform, "/v1/metrics", json.dumps(metrics).encode()).status_code == 200
    answer = post(platform, "/api/v1/spans", json.dumps({"spans": [filled()]}).encode()).json()
    assert answer["accepted"] == 1
    for path, body in broken():
        answered = post(platform, path, body)
        assert answered.status_code in {200, 400}
        assert MARK not in answered.text
    _wait_for(platform, trace, answer["results"][0]["trace_id"])
    return trace


def _wait_for(platform: Platform, trace: str, plain_trace: str) -> None:
    platform.wait_for_trace(plain_trace)
    platform.wait_for_trace(
        trace,
        until=lambda found: all(len(found["spans"][0][name] or []) >= n for name, n in JOINED.items()),
    )


def test_it_is_in_no_table_of_clickhouse(platform: Platform, sent: str) -> None:
    client = clickhouse_connect.get_client(dsn=platform.environment["CLICKHOUSE_URL"])
    rows = client.query("SELECT * FROM tracehouse.spans").result_rows
    assert MARK not in str(rows)
    assert str(rows).count("[email:") > 40
    client.close()


def test_it_is_in_no_row_of_postgresql(platform: Platform, sent: str) -> None:
    with psycopg.connect(platform.environment["DATABASE_URL"]) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        assert tables
        for (table,) in tables:
            query = psycopg.sql.SQL("SELECT count(*) FROM {} AS row WHERE row::text LIKE %s")
            found = connection.execute(query.format(psycopg.sql.Identifier(table)), [f"%{MARK}%"]).fetchone()
            assert found == (0,), table


def test_it_is_under_no_key_of_valkey(platform: Platform, sent: str) -> None:
    server = redis.Redis.from_url(platform.environment["REDIS_URL"])
    for key in server.scan_iter():
        assert MARK.encode() not in key
        assert MARK.encode() not in (server.dump(key) or b"")  # type: ignore[operator]
    server.close()


def test_it_is_in_no_file_of_the_installation(platform: Platform, sent: str) -> None:
    """The spool with what waits or was set aside, and the log."""
    files = [path for path in Path(platform.data).rglob("*") if path.is_file()]
    assert any(path.name == "web.log" for path in files)
    assert [path.name for path in files if MARK.encode() in path.read_bytes()] == []


def test_what_is_read_back_shows_the_stand_in(platform: Platform, sent: str) -> None:
    found: Any = platform.wait_for_trace(sent)
    assert MARK not in json.dumps(found)
    span = found["spans"][0]
    assert "[email:" in json.dumps(span["input"])
    assert "[email:" in json.dumps(span["output"])
    assert "[email:" in json.dumps(span["events"])


OTHER_KEY = """
from tracehouse.tenancy import services
from tracehouse.tenancy.models import User, Team
import uuid
user = User.objects.create_user(f"{uuid.uuid4().hex}@example.org", "x")
project = services.create_project(team=services.create_team(name=user.email, owner=user), name="Elsewhere", actor="t")
print(services.create_api_key(project=project, name="t", actor=user).secret)
"""


def test_another_projects_key_changes_nothing_of_a_trace(platform: Platform) -> None:
    """Parts under the same ids, by every door, go to the project of the key."""
    key = platform.run(OTHER_KEY)
    trace = uuid.uuid4().hex
    span = wire_span(1, trace=trace, attributes={"user.id": "mine"})
    platform.send(as_json(span), "application/json")
    before = platform.wait_for_trace(trace)
    plain = {
        "name": "theirs",
        "trace_id": trace,
        "span_id": f"{1:016x}",
        "start_time": int(span["startTimeUnixNano"]),
    }
    bodies = {
        "/v1/traces": as_json(span | {"name": "theirs", "attributes": []}),
        "/v1/logs": logs_as_json(wire_log("gen_ai.user.message", trace=trace, body={"content": "theirs"})),
        "/api/v1/spans": json.dumps({"spans": [plain]}).encode(),
    }
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for path, body in bodies.items():
        assert http_client.post(platform.url + path, content=body, headers=headers).status_code == 200
    elsewhere = replace(platform, secret_key=key)
    found: Any = elsewhere.wait_for_trace(trace, until=lambda found: found["spans"][0]["input"])
    assert [(theirs["name"], theirs["user_id"]) for theirs in found["spans"]] == [("theirs", None)]
    assert platform.wait_for_trace(trace) == before
