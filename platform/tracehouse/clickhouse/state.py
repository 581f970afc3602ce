"""How ClickHouse is: whether it answers, how fast, and how much it holds. Reads no span."""

import time
from contextlib import closing
from dataclasses import dataclass

from tracehouse.clickhouse.client import connect, database_name

ANSWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class State:
    answer_ms: float
    bytes: int
    rows: int
    parts: int


def read() -> State:
    """Raises whatever the driver raises while ClickHouse does not answer within a few seconds."""
    with closing(connect(answer_seconds=ANSWER_SECONDS)) as client:
        started = time.perf_counter()
        client.query("SELECT 1 FROM spans LIMIT 1")
        answer_ms = (time.perf_counter() - started) * 1000
        ((size, rows, parts),) = client.query(
            "SELECT sum(bytes_on_disk), sum(rows), count() FROM system.parts WHERE active AND database = {name:String}",
            parameters={"name": database_name()},
        ).result_rows
    return State(answer_ms, size, rows, parts)
