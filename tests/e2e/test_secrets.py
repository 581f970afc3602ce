"""Marked secrets, sent in every field of every door and in broken requests, are found nowhere afterwards."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import clickhouse_connect
import httpx2 as httpx
import psycopg
import pytest
import redis

from tests.cast import http_client
from tests.conftest import Platform
from tests.e2e import marked
from tests.otlp import as_json, logs_as_json, wire_log, wire_span

MARKS = marked.marks()
# Secrets found in a span of a real SDK's, of the known detectors.
STAND_INS = ("[email:", "[secret]", "[phone:", "[card]", "[jwt]")
JOINED = {"events": 3, "input": 1, "output": 1}  # of the log records, to the only span


@dataclass(frozen=True)
class Sent:
    began: float
    joined: str  # the trace that log records joined
    traces: list[str]


def leaks(where: str, content: object) -> list[str]:
    text = content if isinstance(content, bytes) else str(content).encode()
    return [f"{mark.decode()} in {where}" for mark in MARKS if mark in text]


def post(platform: Platform, path: str, body: bytes, **headers: str) -> httpx.Response:
    headers = {**platform.headers, "Content-Type": "application/json", **headers}
    return http_client.post(platform.url + path, content=body, headers=headers)


def accepted(platform: Platform, path: str, body: bytes, **headers: str) -> Any:
    answer = post(platform, path, body, **headers)
    assert answer.status_code == 200, answer.text
    assert not leaks(path, answer.text)
    return answer.json() if answer.headers["Content-Type"] == "application/json" else None


@pytest.fixture(scope="module")
def sent(platform: Platform) -> Sent:
    began = time.time()
    joined, whole, binary, langfuse = (uuid.uuid4().hex for _ in range(4))
    accepted(platform, "/v1/traces", as_json(wire_span(1, trace=joined)))
    assert accepted(platform, "/v1/logs", logs_as_json(*marked.records(joined))) == {}
    assert accepted(platform, "/v1/traces", json.dumps(marked.wire_trace(whole)).encode()) == {}
    protobuf = marked.as_protobuf(marked.wire_trace(binary))
    accepted(platform, "/v1/traces", protobuf, **{"Content-Type": "application/x-protobuf"})
    assert (
        accepted(platform, "/api/public/otel/v1/traces", json.dumps(marked.wire_trace(langfuse)).encode())
        == {}
    )
    accepted(platform, "/v1/metrics", json.dumps(marked.metrics()).encode())
    plain = accepted(platform, "/api/v1/spans", json.dumps({"spans": [marked.plain_span()]}).encode())
    assert plain["accepted"] == 1
    recorded = list(_recordings(platform))
    for path, body, headers in marked.broken():
        answered = post(platform, f"{path}?q={quote(marked.EMAIL)}", body, **headers)
        assert answered.status_code < 500
        # A header may be named back to who sent it, a body never.
        assert headers or not leaks(path, answered.text)
    platform.wait_for_trace(
        joined,
        until=lambda found: all(len(found["spans"][0][name] or []) >= n for name, n in JOINED.items()),
    )
    traces = [whole, binary, langfuse, plain["results"][0]["trace_id"], *recorded]
    for trace in traces:
        platform.wait_for_trace(trace)
    return Sent(began, joined, traces)


def _recordings(platform: Platform) -> Iterator[str]:
    for path in marked.GOLDEN:
        trace = uuid.uuid4().hex
        assert accepted(platform, "/v1/traces", json.dumps(marked.recording(path, trace)).encode()) == {}, (
            path
        )
        yield trace


def test_they_are_in_no_table_of_clickhouse(platform: Platform, sent: Sent) -> None:
    client = clickhouse_connect.get_client(dsn=platform.environment["CLICKHOUSE_URL"])
    tables = client.query(
        "SELECT database, name FROM system.tables WHERE database = 'tracehouse' OR name LIKE '%_log'"
    ).result_rows
    assert {"spans", "traces"} <= {name for _, name in tables}
    for database, name in tables:
        assert not leaks(name, client.query(f"SELECT * FROM {database}.{name}").result_rows)
    stored = str(client.query("SELECT * FROM tracehouse.spans").result_rows)
    assert [stand_in for stand_in in STAND_INS if stored.count(stand_in) < 100] == []
    client.close()


def test_they_are_in_no_row_of_postgresql(platform: Platform, sent: Sent) -> None:
    with psycopg.connect(platform.environment["DATABASE_URL"]) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        assert ("ingest_rejectedpayload",) in tables
        for (table,) in tables:
            query = psycopg.sql.SQL("SELECT row::text FROM {} AS row").format(psycopg.sql.Identifier(table))
            assert not leaks(table, connection.execute(query).fetchall())


def test_they_are_under_no_key_of_valkey(platform: Platform, sent: Sent) -> None:
    """Values are read by their type: what DUMP gives is compressed."""
    server = redis.Redis.from_url(platform.environment["REDIS_URL"])
    read: dict[bytes, Any] = {
        b"string": server.get,
        b"hash": server.hgetall,
        b"set": server.smembers,
        b"list": lambda key: server.lrange(key, 0, -1),
        b"zset": lambda key: server.zrange(key, 0, -1),
        b"stream": server.xrange,
    }
    keys = list(server.scan_iter())
    assert keys
    for key in keys:
        assert not leaks("a key", key)
        kind: Any = server.type(key)
        assert kind == b"none" or not leaks(str(key), read[kind](key))
    server.close()


def test_they_are_in_no_file_that_was_written_since(
    platform: Platform, store_folder: Path, sent: Sent
) -> None:
    """The spool with what waits or was set aside, the logs, the files and journals of the stores."""
    files = [path for folder in (platform.data, store_folder) for path in folder.rglob("*") if path.is_file()]
    written = [path for path in files if path.stat().st_mtime >= sent.began - 1]
    assert {"web.log"} <= {path.name for path in written}
    assert len(written) > 10
    assert [leak for path in written for leak in leaks(path.name, path.read_bytes())] == []


def test_they_are_in_no_answer(platform: Platform, sent: Sent) -> None:
    traces = [platform.get(f"/api/v1/traces/{trace}").text for trace in [sent.joined, *sent.traces]]
    lists = [platform.get(f"/api/v1/{path}").text for path in ("traces?limit=200", "usage?group_by=user_id",
             "usage?group_by=model", "usage?group_by=tool", "prices/unpriced")]  # fmt: skip
    pages = [platform.get(path).text for path in ("/metrics", "/readyz")]
    assert [leak for text in [*traces, *lists, *pages] for leak in leaks("an answer", text)] == []
    span = json.loads(traces[0])["spans"][0]
    assert ["[email:" in json.dumps(span[name]) for name in ("input", "output", "events")] == [True] * 3


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
