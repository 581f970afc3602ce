"""A ClickHouse process of the tests' own, with small limits."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import clickhouse_connect
import psutil
import pytest
import urllib3
from clickhouse_connect.driver.client import Client

from tracehouse.embedded.clickhouse_config import CONFIG_VARIABLE, ServerConfig
from tracehouse.embedded.folder import DataFolder

PASSWORD = "a password of the tests"
MAX_QUERIES = 3


@dataclass
class ClickHouse:
    """gunicorn with the engine behind it, on a port and in a folder of its own."""

    port: int
    master: psutil.Process
    http: urllib3.PoolManager

    def ask(
        self,
        query: str = "",
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
        method: str = "POST",
        **url: str,
    ) -> urllib3.BaseHTTPResponse:
        """One raw request as the right user; further keywords are URL parameters."""
        parameters = urlencode({**({"query": query} if query else {}), **url})
        account = {"X-ClickHouse-User": "tracehouse", "X-ClickHouse-Key": PASSWORD}
        return self.http.request(
            method,
            f"http://127.0.0.1:{self.port}/?{parameters}",
            body=body,
            headers={**account, **(headers or {})},
            timeout=60,
            retries=False,
        )

    def engine(self) -> psutil.Process:
        """The process that holds the engine: gunicorn's one worker."""
        return self.master.children()[0]

    def running_queries(self) -> list[str]:
        text = self.ask("SELECT query FROM system.processes FORMAT TSVRaw").data.decode()
        return [line for line in text.splitlines() if "system.processes" not in line]


@pytest.fixture(scope="session")
def clickhouse_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    root = tmp_path_factory.mktemp("clickhouse")
    port = DataFolder.open(root).ports(["clickhouse"])["clickhouse"]
    config = ServerConfig(
        port=port,
        user="tracehouse",
        password=PASSWORD,
        database="tracehouse",
        folder="clickhouse",
        engine_config=Path("engine.xml"),
        query_memory=400 * 1024 * 1024,
        max_queries=MAX_QUERIES,
        queue_seconds=0.3,
        read_seconds=20,
        buffered_answer=8 * 1024 * 1024,
    )
    (root / "config.json").write_text(config.to_json())
    (root / "engine.xml").write_text(
        "<clickhouse><max_server_memory_usage>1500000000</max_server_memory_usage>"
        "<timezone>UTC</timezone></clickhouse>"
    )
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "-c", "python:tracehouse.embedded.clickhouse_gunicorn"),
            "tracehouse.embedded.clickhouse_server:create()",
        ],
        cwd=root,
        env={**os.environ, CONFIG_VARIABLE: "config.json"},
    )
    with urllib3.PoolManager(maxsize=32) as http:
        server = ClickHouse(port, psutil.Process(process.pid), http)
        try:
            wait_for_ping(server)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_for_ping(server: ClickHouse) -> None:
    for _ in range(600):
        try:
            if (
                server.http.request("GET", f"http://127.0.0.1:{server.port}/ping", retries=False).status
                == 200
            ):
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the ClickHouse process did not answer")


@pytest.fixture
def server(clickhouse_process: ClickHouse) -> ClickHouse:
    return clickhouse_process


@pytest.fixture
def client(server: ClickHouse) -> Iterator[Client]:
    with connected(server) as found:
        yield found


def connected(server: ClickHouse, **options: object) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1",
        port=server.port,
        username="tracehouse",
        password=PASSWORD,
        database="tracehouse",
        dedicated_pool=True,
        **options,
    )


@pytest.fixture
def table(client: Client) -> Iterator[str]:
    """An empty table `items`, dropped after the test."""
    client.command(
        "CREATE OR REPLACE TABLE items"
        " (id UInt64, name String, seen DateTime64(3, 'UTC'), labels Array(String))"
        " ENGINE = MergeTree ORDER BY id"
    )
    yield "items"
    client.command("DROP TABLE items")
