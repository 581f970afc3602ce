"""Marked secrets go in by every field of a span; then every store, file, log and broker key is searched for them."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import psycopg
import pytest
import redis

from tests.otlp import as_json, as_protobuf, wire_span

if TYPE_CHECKING:
    from tests.conftest import Platform

MARK = "zq7marked"
ADDRESS = f"{MARK}.person@example.com"
KEY = "sk-" + f"proj-{MARK}0123456789abcdef0123"
PASSWORD = f"postgresql://app:{MARK}99@db/x"
TEXT = f"line\n{ADDRESS}\t{KEY} {PASSWORD}"
EVERYWHERE: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": ADDRESS,
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": TEXT}]}]),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": TEXT}]}]
    ),
    "gen_ai.tool.call.arguments": json.dumps({"nested": json.dumps({"to": TEXT})}),
    "gen_ai.tool.definitions": json.dumps([{"name": ADDRESS}]),
    "user.id": ADDRESS,
    "session.id": ADDRESS,
    "organization.id": ADDRESS,
    "tracehouse.feature": ADDRESS,
    "tags": json.dumps([ADDRESS]),
    "deployment.environment.name": ADDRESS,
    ADDRESS: 1,
    "http.url": f"https://example.com/?to={ADDRESS.replace('@', '%40')}",
    "escaped": json.dumps({"to": ADDRESS}).replace("@", "\\u0040"),
}


def marked_span(trace: str) -> dict[str, Any]:
    text = [{"key": "exception.message", "value": {"stringValue": TEXT}}]
    return wire_span(
        1,
        trace=trace,
        attributes=EVERYWHERE,
        name=f"ask {ADDRESS}",
        status={"code": 2, "message": TEXT},
        events=[{"name": ADDRESS, "timeUnixNano": "1", "attributes": text}],
        links=[{"traceId": trace, "spanId": "2" * 16, "attributes": text}],
    )


@pytest.mark.parametrize("wire", ["protobuf", "json"])
def test_a_marked_secret_is_nowhere(platform: "Platform", wire: str) -> None:
    trace = uuid.uuid4().hex
    if wire == "json":
        answer = platform.send(as_json(marked_span(trace)), "application/json")
    else:
        answer = platform.send(as_protobuf(marked_span(trace)))
    assert answer.is_success
    shown = platform.wait_for_trace(trace)
    assert MARK not in json.dumps(shown).lower()
    assert leaks(platform) == []


def test_a_body_that_cannot_be_read_leaves_nothing_behind(platform: "Platform") -> None:
    assert (
        platform.send(json.dumps({"resourceSpans": ADDRESS}).encode(), "application/json").status_code == 400
    )
    assert platform.send(ADDRESS.encode()).status_code == 400
    assert leaks(platform) == []


def test_the_search_finds_what_is_there(platform: "Platform") -> None:
    trace = uuid.uuid4().hex
    word = f"zq7{uuid.uuid4().hex[:8]}"
    sent = as_json(wire_span(1, trace=trace, attributes={"note": word}))
    assert platform.send(sent, "application/json").is_success
    platform.wait_for_trace(trace)
    assert "clickhouse spans" in leaks(platform, word)
    left = platform.data / "left-over.log"
    left.write_text(f"a line with {word}")
    assert str(left) in leaks(platform, word)


def leaks(platform: "Platform", mark: str = MARK) -> list[str]:
    """Where the mark is found, in capitals or not."""
    return [
        *_in_files(platform.data, mark),
        *_in_postgres(platform, mark),
        *_in_clickhouse(platform, mark),
        *_in_valkey(platform, mark),
    ]


def _in_files(folder: Path, mark: str) -> Iterator[str]:
    """The spool, its refuse, and the logs."""
    for path in folder.rglob("*"):
        if path.is_file() and mark.encode() in path.read_bytes().lower():
            yield str(path)


def _in_postgres(platform: "Platform", mark: str) -> Iterator[str]:
    with psycopg.connect(platform.environment["DATABASE_URL"]) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            query = psycopg.sql.SQL("SELECT count(*) FROM {} AS row WHERE row::text ILIKE %s")
            found = connection.execute(query.format(psycopg.sql.Identifier(table)), [f"%{mark}%"]).fetchone()
            if found and found[0]:
                yield f"postgres {table}"


def _in_clickhouse(platform: "Platform", mark: str) -> Iterator[str]:
    client = clickhouse_connect.get_client(dsn=platform.environment["CLICKHOUSE_URL"])
    for (table,) in client.query("SHOW TABLES").result_rows:
        counted = client.query(
            f"SELECT count() FROM `{table}` WHERE positionCaseInsensitive(toString(tuple(*)), {{mark:String}}) > 0",
            parameters={"mark": mark},
        )
        if counted.result_rows[0][0]:
            yield f"clickhouse {table}"


def _in_valkey(platform: "Platform", mark: str) -> Iterator[str]:
    client = redis.Redis.from_url(platform.environment["REDIS_URL"])
    for key in client.scan_iter():
        dumped = client.dump(key) or b""
        if mark.encode() in key.lower() or mark.encode() in dumped.lower():
            yield f"valkey {key!r}"
