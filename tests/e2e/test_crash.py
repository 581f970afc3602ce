"""kill -9 of the ClickHouse process under load: what was acknowledged is there afterwards, once."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psutil

from tests.conftest import Platform
from tests.otlp import as_protobuf, wire_span
from tracehouse.embedded.stores import StoreUrls

SPANS_A_REQUEST = 50
KILLS = 3


def clickhouse_processes(stores: StoreUrls) -> list[psutil.Process]:
    """What listens on the engine's port, parents first: the server, and the worker that holds the data folder."""
    port, found = urlsplit(stores.clickhouse_url).port, []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            sockets = process.net_connections("tcp")
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets):
                found.append(process)
    return sorted(found, key=lambda process: process.create_time())


def kill_clickhouse(stores: StoreUrls) -> None:
    for process in clickhouse_processes(stores):
        process.kill()


@contextmanager
def clickhouse_away(stores: StoreUrls) -> Iterator[None]:
    """Killed, and not started again before the end of the block: what would start it is halted."""
    parent = clickhouse_processes(stores)[0].parent()
    assert parent
    parent.suspend()
    try:
        kill_clickhouse(stores)
        yield
    finally:
        parent.resume()


class Load(threading.Thread):
    """Sends traces until told to stop; remembers what was acknowledged."""

    def __init__(self, platform: Platform, user: str) -> None:
        super().__init__()
        self.platform, self.user = platform, user
        self.acknowledged = 0
        self.unexpected: list[int] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            trace = uuid.uuid4().hex
            call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
                    "gen_ai.usage.input_tokens": 1, "user.id": self.user}  # fmt: skip
            body = as_protobuf(
                *[wire_span(n, trace=trace, attributes=call) for n in range(1, SPANS_A_REQUEST + 1)]
            )
            answer = self.platform.send(body)
            if answer.status_code == 200:
                self.acknowledged += 1
            elif answer.status_code != 503 or "Retry-After" not in answer.headers:
                self.unexpected.append(answer.status_code)


def test_acknowledged_spans_survive_kill_9_of_clickhouse_under_load_and_none_is_doubled(
    platform: Platform, stores: StoreUrls
) -> None:
    user = f"crash-{uuid.uuid4().hex}"
    loads = [Load(platform, user) for _ in range(2)]
    for load in loads:
        load.start()
    for _ in range(KILLS):
        time.sleep(0.7)
        kill_clickhouse(stores)
    time.sleep(0.7)
    for load in loads:
        load.stop.set()
        load.join()
    acknowledged = sum(load.acknowledged for load in loads)
    assert [load.unexpected for load in loads] == [[], []]
    assert acknowledged > 0
    assert _settled(platform, user, acknowledged) == (acknowledged, acknowledged * SPANS_A_REQUEST)


def _settled(platform: Platform, user: str, expected: int) -> tuple[int, int]:
    """Traces and model calls of the user, once as many as expected show, or after a minute."""
    found = (0, 0)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and found < (expected, expected * SPANS_A_REQUEST):
        answer = platform.get("/api/v1/usage", group_by="user_id", limit=10_000)
        if answer.status_code == 200:
            rows = {row["key"]: row for row in answer.json()["data"]}
            row = rows.get(user, {"invocations": 0, "llm_calls": 0})
            found = (row["invocations"], row["llm_calls"])
        time.sleep(0.2)
    return found
