"""Looks into the installation's own ClickHouse: what stored spans take, and whether merges have settled."""

import time
from dataclasses import dataclass

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from bench.installation import Installation

SETTLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    bytes: int
    uncompressed: int
    rows: int
    parts: int


def connect(installation: Installation) -> Client:
    return clickhouse_connect.get_client(
        dsn=installation.environment()["CLICKHOUSE_URL"],
        autogenerate_session_id=False,
        send_receive_timeout=600,
    )


def disk(client: Client) -> Disk:
    """The active parts of `spans` once no merge is running (or a minute has passed)."""
    wait_for_merges(client)
    row = client.query(
        """
        SELECT
            sum(bytes_on_disk),
            sum(data_uncompressed_bytes),
            sum(rows),
            count()
        FROM system.parts
        WHERE table = 'spans' AND database = currentDatabase() AND active
        """
    ).result_rows[0]
    return Disk(bytes=int(row[0]), uncompressed=int(row[1]), rows=int(row[2]), parts=int(row[3]))


def read_so_far(client: Client) -> tuple[int, int]:
    """Rows and bytes that the engine has read for queries since it started."""
    rows = client.query(
        "SELECT event, value FROM system.events WHERE event IN ('SelectedRows', 'SelectedBytes')"
    )
    events = {event: int(value) for event, value in rows.result_rows}
    return events.get("SelectedRows", 0), events.get("SelectedBytes", 0)


def wait_for_merges(client: Client) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    quiet = 0
    while quiet < 4 and time.monotonic() < deadline:
        quiet = 0 if client.query("SELECT count() FROM system.merges").result_rows[0][0] else quiet + 1
        time.sleep(0.5)


def project_id(client: Client) -> int:
    """The project that the spans are of: a benchmark has one."""
    return int(client.query("SELECT any(project_id) FROM spans").result_rows[0][0])
