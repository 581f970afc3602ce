"""Starts PostgreSQL, ClickHouse and Valkey for a data folder; `make up` and the tests share it."""

import http.client
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
import urllib3

from tracehouse.embedded import clickhouse, postgres, valkey
from tracehouse.embedded.folder import DataFolder
from tracehouse.embedded.leftovers import Recorder, end_leftovers
from tracehouse.embedded.programs import Program
from tracehouse.embedded.supervise import Supervisor

START_SECONDS = 90.0
# A program that ended this often before its first answer will not come up by itself.
MOST_STARTS = 3
_NOT_YET = (OSError, psycopg.Error, redis.RedisError, urllib3.exceptions.HTTPError, http.client.HTTPException)


class NotReady(Exception):
    """A program did not answer in time; the message has the end of its log and where the log lies."""


@dataclass(frozen=True, slots=True)
class StoreUrls:
    database_url: str
    clickhouse_url: str
    redis_url: str

    def as_environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "CLICKHOUSE_URL": self.clickhouse_url,
            "REDIS_URL": self.redis_url,
        }


@dataclass(frozen=True, slots=True)
class Store:
    """One store of an installation: how to run it, and how to ask it for a real answer."""

    title: str
    variable: str
    url: str
    program: Program
    probe: Callable[[str], None]


def prepare_stores(folder: DataFolder, given: Mapping[str, str]) -> list[Store]:
    """The stores to start: each that no address is given for. Writes their configuration and data folders."""
    wanted = [name for name, variable in _VARIABLES.items() if not given.get(variable)]
    ports = folder.ports(wanted)
    return [_PREPARE[name](folder, ports[name]) for name in wanted]


def _postgres(folder: DataFolder, port: int) -> Store:
    postgres.prepare(folder)
    address = postgres.url(folder, port)
    return Store("PostgreSQL", "DATABASE_URL", address, postgres.program(folder, port), postgres.probe)


def _clickhouse(folder: DataFolder, port: int) -> Store:
    clickhouse.prepare(folder, port)
    address = clickhouse.url(folder, port)
    return Store("ClickHouse", "CLICKHOUSE_URL", address, clickhouse.program(folder), clickhouse.probe)


def _valkey(folder: DataFolder, port: int) -> Store:
    valkey.prepare(folder, port)
    address = valkey.url(folder, port)
    return Store("Valkey", "REDIS_URL", address, valkey.program(folder), valkey.probe)


_VARIABLES = {
    postgres.NAME: "DATABASE_URL",
    clickhouse.NAME: "CLICKHOUSE_URL",
    valkey.NAME: "REDIS_URL",
}
_PREPARE = {postgres.NAME: _postgres, clickhouse.NAME: _clickhouse, valkey.NAME: _valkey}


def wait_until_ready(store: Store, supervisor: Supervisor, folder: DataFolder) -> None:
    wait_for(
        lambda: store.probe(store.url),
        title=store.title,
        program=store.program.name,
        folder=folder,
        supervisor=supervisor,
    )


def wait_for(
    probe: Callable[[], None], *, title: str, program: str, folder: DataFolder, supervisor: Supervisor
) -> None:
    """Asks until it answers.

    Raises `NotReady` when that takes `START_SECONDS`, when the program ended again and again, or when
    supervisor itself has ended.
    """
    end, starts = time.monotonic() + START_SECONDS, set[int]()
    while True:
        try:
            return probe()
        except _NOT_YET as error:
            lost = not supervisor.running()
            if not lost:
                starts.add(supervisor.started_at(program))
            if lost or time.monotonic() > end or len(starts) > MOST_STARTS:
                raise NotReady(
                    f"{title} does not answer ({error}).\n{log_tail(folder.log(program))}"
                ) from error
            time.sleep(0.05)


def log_tail(path: Path, lines: int = 15) -> str:
    """The end of a log, indented, under its path."""
    text = path.read_text(errors="replace") if path.exists() else ""
    tail = "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
    return f"  The end of {path}:\n{tail or '    (empty)'}"


@contextmanager
def running_stores(data: Path) -> Iterator[StoreUrls]:
    """All three stores on free loopback ports while the block runs; afterwards no process is left."""
    folder = DataFolder.open(data)
    with folder.locked(), Recorder(folder) as recorder:
        end_leftovers(folder)
        stores = prepare_stores(folder, {})
        supervisor = Supervisor(folder, [store.program for store in stores], os.environ)
        try:
            for store in stores:
                supervisor.start(store.program.name)
            recorder.record()
            for store in stores:
                wait_until_ready(store, supervisor, folder)
            urls = {store.variable: store.url for store in stores}
            yield StoreUrls(urls["DATABASE_URL"], urls["CLICKHOUSE_URL"], urls["REDIS_URL"])
        finally:
            supervisor.close()
