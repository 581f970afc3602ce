"""What waits in the spool folder, and how late that makes new spans."""

import os
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from ingest import freshness, spool_state
from tracehouse import pulse
from tracehouse.embedded.stores import StoreUrls

NOW = 1_800_000_000.0


def segment(folder: Path, name: str, size: int, age: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - age, NOW - age))


def test_an_empty_folder_and_none_hold_nothing(tmp_path: Path) -> None:
    found = spool_state.look(tmp_path / "spool", now=NOW)
    assert (found.bytes, found.files, found.oldest_seconds, found.refused_files) == (0, 0, 0, 0)


def test_files_are_summed_and_the_oldest_told(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    segment(folder, "a-1.jsonl", 100, age=5)
    segment(folder, "b-1.jsonl", 50, age=90)
    segment(folder, "c-1.jsonl", 0, age=900)
    segment(folder / "refused", "a-0.jsonl", 10, age=1000)
    found = spool_state.look(folder, now=NOW)
    assert (found.bytes, found.files, found.oldest_seconds, found.refused_files) == (150, 2, 90, 1)


@pytest.fixture
def spools(tmp_path: Path, settings: Settings, stores: StoreUrls) -> Path:
    settings.DATA_DIR = tmp_path
    settings.REDIS_URL = stores.redis_url
    from tracehouse import valkey

    valkey.client().delete(pulse.SPOOLS)
    return tmp_path / "spool"


def test_spans_are_late_once_the_oldest_has_waited_a_minute(spools: Path) -> None:
    assert not freshness.freshness().is_stale
    spool_state._last.clear()
    segment(spools, "a-1.jsonl", 10, age=NOW - time.time() + 61)
    assert freshness.freshness().is_stale


def test_another_web_servers_spool_counts_too_while_it_lives(spools: Path) -> None:
    report = pulse.SpoolReport(
        host="elsewhere", at=time.time(), bytes=10, files=1, oldest_seconds=300, refused_files=0
    )
    pulse.report_spool(report)
    assert freshness.freshness().waiting_seconds == 300
    pulse.report_spool(
        pulse.SpoolReport(
            host="elsewhere", at=time.time() - 120, bytes=10, files=1, oldest_seconds=300, refused_files=0
        )
    )
    assert not freshness.freshness().is_stale


def test_without_valkey_this_machines_spool_is_still_told(spools: Path, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    segment(spools, "a-1.jsonl", 10, age=NOW - time.time() + 100)
    assert freshness.freshness().is_stale
