"""What users cost as a file for billing: a row a user and organization, and at the end one by which to check it.

The file is whole before its first byte is sent: one statement is read, so that all its rows are of one moment.
"""

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import IO, Any, Protocol

from costs import rollup_queries
from costs.rollup_queries import MAX_ROWS, UserTotal
from exports import slots
from exports.shape import Format
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope
from tracehouse.tenancy.services import record
from tracehouse.web import spreadsheet

FORMATS = (Format.CSV, Format.PARQUET)
COLUMNS = ("row", *(field.name for field in fields(UserTotal)))
SUMMED = ("invocations", "failed", "input_tokens", "output_tokens", "cost_usd", "unpriced_calls")
ROWS_A_GROUP = 50_000
IN_MEMORY = 8 * 1024 * 1024


class TooManyUsers(Exception):
    """More than a file takes; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(f"More than {MAX_ROWS:,} users and organizations: export shorter time ranges.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    scope: Scope
    format: Format
    actor: str
    project: Project


class Writer(Protocol):
    def add(self, kind: str, total: UserTotal) -> None: ...

    def close(self) -> None: ...


def export(asked: Asked) -> IO[bytes]:
    """The file, from its start. Raises `Busy`, `TooManyUsers`, `QueryTooLarge`, `QueryUnavailable`."""
    slots.take()
    try:
        file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # whoever sends it closes it
        rows, checksum = _write(
            rollup_queries.users_in_order(asked.scope, limit=MAX_ROWS + 1), asked.format, file
        )
        window = asked.scope.window
        record(
            actor=asked.actor,
            action="user_costs.exported",
            target=asked.format.value,
            project=asked.project,
            since=window.start.isoformat(timespec="seconds"),
            until=window.end.isoformat(timespec="seconds"),
            rows=rows,
            checksum=checksum,
        )
        file.seek(0)
        return file
    finally:
        slots.give_back()


def _write(users: Iterable[UserTotal], form: Format, file: Any) -> tuple[int, str]:
    """How many rows of users, and their checksum: SHA-256 of these rows as the CSV has them."""
    writer: Writer = Csv(file) if form is Format.CSV else _parquet(file)
    digest, sums, rows = hashlib.sha256(), [0, 0, 0, 0, Decimal(0), 0], 0
    for user in users:
        rows += 1
        if rows > MAX_ROWS:
            raise TooManyUsers
        writer.add("user", user)
        digest.update(csv_line("user", user))
        sums = [total + getattr(user, name) for total, name in zip(sums, SUMMED, strict=True)]
    checksum = f"sha256:{digest.hexdigest()}"
    writer.add("checksum", UserTotal(checksum, f"rows:{rows}", *sums))  # type: ignore[arg-type]  # in their order
    writer.close()
    return rows, checksum


def csv_line(kind: str, total: UserTotal) -> bytes:
    return _line([kind, *(spreadsheet.cell(getattr(total, name)) for name in COLUMNS[1:])])


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


class Csv:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.write(_line(COLUMNS))

    def add(self, kind: str, total: UserTotal) -> None:
        self._file.write(csv_line(kind, total))

    def close(self) -> None:
        """Nothing is held back."""


def _parquet(file: IO[bytes]) -> Writer:
    from exports.writers.user_costs import Parquet  # noqa: PLC0415  # 60 MB in each process that imports it

    return Parquet(file, COLUMNS, ROWS_A_GROUP)
