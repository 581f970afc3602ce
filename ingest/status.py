"""How the installation is right now: each store, the spools, the worker. What does not answer is part of the answer."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from redis.exceptions import RedisError

from ingest import spool_state
from tracehouse import pulse, valkey
from tracehouse.clickhouse import state as clickhouse
from tracehouse.pulse import SpoolReport

# Beat sends a heartbeat every 30 seconds; a worker may be busy with one long task for a while.
HEARTBEAT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class StoreState:
    """One store. `problem` is the class of the error when it does not answer; then nothing else is known."""

    name: str
    title: str
    problem: str = ""
    answer_ms: float | None = None
    bytes: int | None = None
    note: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


@dataclass(frozen=True, slots=True)
class WorkerState:
    """Celery as Valkey knows it; `queue` is None while Valkey does not answer."""

    queue: pulse.Queue | None
    heartbeat_seconds: float | None

    @property
    def lives(self) -> bool:
        return self.heartbeat_seconds is not None and self.heartbeat_seconds <= HEARTBEAT_SECONDS

    @property
    def heartbeat_ms(self) -> float | None:
        return None if self.heartbeat_seconds is None else self.heartbeat_seconds * 1000

    @property
    def tasks(self) -> list["TaskRow"]:
        """Every task that ever ended, by name."""
        if self.queue is None:
            return []
        failures = {failure.task: failure for failure in self.queue.failures}
        names = sorted({task for task, _ in self.queue.outcomes})
        return [_task_row(name, self.queue.outcomes, failures.get(name)) for name in names]


@dataclass(frozen=True, slots=True)
class TaskRow:
    name: str
    succeeded: int
    retried: int
    failed: int
    failed_at: datetime | None
    error: str


def stores() -> list[StoreState]:
    """All three, asked at once: one that hangs costs its own timeout and not the sum."""
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="store-state") as pool:
        asked = [pool.submit(_ask, *STORES[name]) for name in ("clickhouse", "valkey")]
        found = {"postgres": _ask(*STORES["postgres"])}  # on this thread's connection
        found |= {state.name: state for state in (one.result() for one in asked)}
    return [found[name] for name in STORES]


def worker(now: float | None = None) -> WorkerState:
    moment = time.time() if now is None else now
    try:
        queue = pulse.queue()
    except RedisError:
        return WorkerState(None, None)
    heartbeat = None if queue.heartbeat_at is None else max(moment - queue.heartbeat_at, 0.0)
    return WorkerState(queue, heartbeat)


def spools() -> list[SpoolReport]:
    """This machine's first, as it is; then the others', as they told last."""
    own = spool_state.report()
    try:
        others = pulse.spools(time.time())
    except RedisError:
        others = []
    return [own, *(report for report in others if report.host != own.host)]


def _ask(name: str, title: str, read: Callable[[], tuple[float, int | None, str]]) -> StoreState:
    try:
        answer_ms, size, note = read()
    except Exception as error:  # whatever a driver raises, the store does not answer
        # The class alone: a driver's text may name hosts and users.
        return StoreState(name, title, problem=type(error).__name__)
    return StoreState(name, title, answer_ms=answer_ms, bytes=size, note=note)


def _postgres() -> tuple[float, int | None, str]:
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
        answer_ms = (time.perf_counter() - started) * 1000
    return answer_ms, size, ""


def _clickhouse() -> tuple[float, int | None, str]:
    found = clickhouse.read()
    return found.answer_ms, found.bytes, f"{found.rows:,} rows in {found.parts:,} parts"


def _valkey() -> tuple[float, int | None, str]:
    started = time.perf_counter()
    valkey.client().ping()
    answer_ms = (time.perf_counter() - started) * 1000
    memory: Any = valkey.client().info("memory")
    return answer_ms, int(memory["used_memory"]), "in memory"


STORES: Mapping[str, tuple[str, str, Callable[[], tuple[float, int | None, str]]]] = {
    "postgres": ("postgres", "PostgreSQL", _postgres),
    "clickhouse": ("clickhouse", "ClickHouse", _clickhouse),
    "valkey": ("valkey", "Valkey", _valkey),
}


def _task_row(name: str, outcomes: Mapping[tuple[str, str], int], failure: pulse.Failure | None) -> TaskRow:
    return TaskRow(
        name=name,
        succeeded=outcomes.get((name, "succeeded"), 0),
        retried=outcomes.get((name, "retried"), 0),
        failed=outcomes.get((name, "failed"), 0),
        failed_at=datetime.fromtimestamp(failure.at, UTC) if failure else None,
        error=failure.error if failure else "",
    )
