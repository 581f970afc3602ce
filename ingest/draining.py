"""Inserts of the spool's drain, measured: how many, how long, how many rows, and how long the rows had waited."""

import os
import time
from typing import IO

from ingest import metrics
from tracehouse.clickhouse.insert import InsertRefused, InsertUnavailable, insert_json_lines


def insert(table: str, lines: IO[bytes], token: str, *, later: str, is_distinct: bool) -> None:
    """`insert_json_lines`, measured. Raises what that raises."""
    written_at = _last_write(lines)
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
    if written_at is not None:
        metrics.drain_wait_seconds.observe(max(time.time() - written_at, 0))


def _last_write(lines: IO[bytes]) -> float | None:
    """When the file was last written to; None for lines that are not a file's."""
    try:
        return os.fstat(lines.fileno()).st_mtime
    except (OSError, AttributeError):
        return None


_ok, _unavailable, _refused = (
    metrics.drain_inserts.labels(result) for result in ("ok", "unavailable", "refused")
)
