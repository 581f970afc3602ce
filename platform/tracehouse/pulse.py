"""What processes tell each other through Valkey: that the worker lives, how its tasks ended, what each spool holds.

Signals of Celery write here in the worker (`tracehouse.celery` connects them); the status page and `/metrics` read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from tracehouse import valkey

log = structlog.get_logger()

HEARTBEAT = "tracehouse:worker-heartbeat"
TASKS = "tracehouse:tasks"
FAILURES = "tracehouse:task-failures"
SPOOLS = "tracehouse:spools"
QUEUE = "celery"  # Celery's default queue: a list
UNACKED = "unacked"  # what workers hold: a hash of kombu's
# A web server that told nothing for so long is gone; its spool's files are another's or wait for its return.
SPOOL_SECONDS = 60.0


class Failure(msgspec.Struct, frozen=True):
    """The last failure of a task. The class alone: an exception's text may quote what a span carries."""

    task: str
    error: str
    at: float


class SpoolReport(msgspec.Struct, frozen=True):
    """What one web server's spool folder held."""

    host: str
    at: float
    bytes: int
    files: int
    oldest_seconds: float
    refused_files: int


@dataclass(frozen=True, slots=True)
class Queue:
    """Celery's queue and its worker. `heartbeat_at` is None when no worker ever told that it lives."""

    depth: int
    in_progress: int
    heartbeat_at: float | None
    outcomes: Mapping[tuple[str, str], int]  # (task, outcome) -> count
    failures: list[Failure]


def worker_lives(now: float) -> None:
    valkey.client().set(HEARTBEAT, now)


def count_outcome(task: str, outcome: str) -> None:
    """Never raises: a task must not fail because it could not be counted."""
    try:
        valkey.client().hincrby(TASKS, f"{task} {outcome}", 1)
    except RedisError as error:
        log.warning("task_not_counted", task=task, outcome=outcome, error=type(error).__name__)


def keep_failure(failure: Failure) -> None:
    """Never raises, as `count_outcome`."""
    try:
        valkey.client().hset(FAILURES, failure.task, msgspec.json.encode(failure).decode())
    except RedisError as error:
        log.warning("task_failure_not_kept", task=failure.task, error=type(error).__name__)


def report_spool(report: SpoolReport) -> None:
    """Raises `redis.RedisError`."""
    valkey.client().hset(SPOOLS, report.host, msgspec.json.encode(report).decode())


def spools(now: float) -> list[SpoolReport]:
    """What every living web server told last. Raises `redis.RedisError`."""
    found: Any = valkey.client().hgetall(SPOOLS)
    reports = [msgspec.json.decode(value, type=SpoolReport) for value in found.values()]
    for gone in (report for report in reports if now - report.at > 24 * 3600):
        valkey.client().hdel(SPOOLS, gone.host)
    return sorted((r for r in reports if now - r.at <= SPOOL_SECONDS), key=lambda report: report.host)


def queue() -> Queue:
    """Raises `redis.RedisError`."""
    with valkey.client().pipeline(transaction=False) as pipe:
        pipe.llen(QUEUE)
        pipe.hlen(UNACKED)
        pipe.get(HEARTBEAT)
        pipe.hgetall(TASKS)
        pipe.hgetall(FAILURES)
        depth, in_progress, heartbeat, outcomes, failures = pipe.execute()
    kept = [msgspec.json.decode(value, type=Failure) for value in failures.values()]
    return Queue(
        depth=depth,
        in_progress=in_progress,
        heartbeat_at=float(heartbeat) if heartbeat else None,
        outcomes={_task_and_outcome(name): int(count) for name, count in outcomes.items()},
        failures=sorted(kept, key=lambda failure: failure.at, reverse=True),
    )


def _task_and_outcome(name: str) -> tuple[str, str]:
    task, _, outcome = name.rpartition(" ")
    return task, outcome
