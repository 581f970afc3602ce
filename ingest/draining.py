"""Inserts of the spool's drain, measured: how many, how long, how many rows, and how late those can be read."""

import os
import time
from collections.abc import Callable
from typing import IO

from ingest import metrics
from tracehouse.clickhouse.insert import InsertRefused, InsertUnavailable, insert_json_lines


def insert(
    table: str,
    lines: IO[bytes],
    token: str,
    *,
    later: str,
    is_distinct: bool,
    ended: Callable[[bytes], float | None],
) -> None:
    """`insert_json_lines`, measured. `ended` says when what a line tells of ended. Raises what that raises."""
    written_at, ended_at = _last_write(lines), ended(_first(lines))
    started = time.perf_counter()
    try:
        rows = insert_json_lines(table, lines, token=token, later=later, is_distinct=is_distinct)
    except InsertUnavailable:
        _unavailable.inc()
        raise
    except InsertRefused:
        _refused.inc()
        raise
    metrics.drain_seconds.inc(time.perf_counter() - started)
    _ok.inc()
    metrics.drain_rows.inc(rows)
    now = time.time()
    if written_at is not None:
        metrics.drain_wait_seconds.observe(max(now - written_at, 0))
    if ended_at is not None:
        metrics.visible_seconds.observe(max(now - ended_at, 0))


def _last_write(lines: IO[bytes]) -> float | None:
    """When the file was last written to; None for lines that are not a file's."""
    try:
        return os.fstat(lines.fileno()).st_mtime
    except (OSError, AttributeError):
        return None


def _first(lines: IO[bytes]) -> bytes:
    """The line that waited longest."""
    at = lines.tell()
    first = lines.readline()
    lines.seek(at)
    return first


_ok, _unavailable, _refused = (
    metrics.drain_inserts.labels(result) for result in ("ok", "unavailable", "refused")
)
