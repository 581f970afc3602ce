"""The timetable, the worker's heartbeat, and how tasks are counted: by a real worker on the real queue."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler
from pytest_django import Settings

from ingest import status
from ingest.tasks import worker_heartbeat
from tracehouse import pulse, valkey
from tracehouse.celery import app
from tracehouse.embedded.stores import StoreUrls

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _valkey(stores: StoreUrls, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = stores.redis_url
    names = (pulse.HEARTBEAT, pulse.TASKS, pulse.FAILURES)
    valkey.client().delete(*names)
    yield
    valkey.client().delete(*names)


def test_everything_on_the_timetable_is_a_task(settings: Settings) -> None:
    app.loader.import_default_modules()
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert wanted <= set(app.tasks)


def test_a_task_that_is_done_is_counted_and_heard_of() -> None:
    worker_heartbeat.apply()
    found = status.worker()
    assert found.lives
    assert [(task.name, task.succeeded, task.failed) for task in found.tasks] == [
        ("ingest.tasks.worker_heartbeat", 1, 0)
    ]


def test_of_a_failed_task_the_class_of_the_error_is_kept_and_not_its_text() -> None:
    @app.task(name="tests.fails")
    def fails() -> None:
        raise ValueError("ada@example.com")

    fails.apply()
    (task,) = status.worker().tasks
    assert (task.name, task.failed, task.error) == ("tests.fails", 1, "ValueError")
    assert "ada@" not in repr(valkey.client().hgetall(pulse.FAILURES))


def test_a_real_worker_and_beat_that_come_back_are_heard_of(stores: StoreUrls, tmp_path: Path) -> None:
    schedule = tmp_path / "schedule"
    timetable_of_an_hour_ago(schedule)
    environment = {
        **os.environ,
        **stores.as_environment(),
        "TRACEHOUSE_DATA": str(tmp_path),
        "TRACEHOUSE_SECRET_KEY": "only-for-tests-" + "z" * 40,
        "DJANGO_SETTINGS_MODULE": "tracehouse.settings.base",
    }
    command = [sys.executable, "-m", "celery", "-A", "tracehouse.celery", "worker", "--concurrency", "1"]
    command += ["--pool", "solo", "--beat", "--schedule", str(schedule)]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        assert heard_of_within(90), (tmp_path / "worker.log").read_text()
    finally:
        worker.terminate()
        worker.wait(timeout=30)
    assert status.worker().queue.outcomes["ingest.tasks.worker_heartbeat", "succeeded"] >= 1  # type: ignore[union-attr]


def timetable_of_an_hour_ago(path: Path) -> None:
    """What beat keeps on disk: when it sent each task last."""
    beat = PersistentScheduler(app, schedule_filename=str(path))
    for entry in beat.schedule.values():
        entry.last_run_at -= timedelta(hours=1)
    beat.close()


def heard_of_within(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if status.worker().lives and status.worker().tasks:
            return True
        time.sleep(0.1)
    return False
