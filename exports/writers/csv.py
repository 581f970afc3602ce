"""CSV by RFC 4180 in UTF-8, for spreadsheets too: what they would take for a formula is made text."""

import csv
import io
from collections.abc import Sequence
from typing import Any, assert_never

import msgspec

from evals.shapes import plain as plain_score
from exports.shape import COLUMNS, Kind, Row
from tracehouse.web.api import plain_decimal, rfc3339
from tracehouse.web.spreadsheet import defused


class Csv:
    def begin(self) -> bytes:
        return _written([[column.name for column in COLUMNS]])

    def rows(self, rows: Sequence[Row]) -> bytes:
        return _written([[_cell(column.kind, row.value(column)) for column in COLUMNS] for row in rows])

    def end(self, incomplete: str) -> bytes:
        return self.broken(incomplete) if incomplete else b""

    def broken(self, reason: str) -> bytes:
        """A row as long as the others, so that programs read on."""
        return _written([[f"incomplete: {reason}", *[""] * (len(COLUMNS) - 1)]])


def _cell(kind: Kind, value: Any) -> str | int | float:  # noqa: PLR0911  # one a kind
    if value is None:
        return ""
    match kind:
        case Kind.TEXT:
            return defused(value)
        case Kind.TRUTH:
            return "true" if value else "false"
        case Kind.MOMENT:
            return rfc3339(value)
        case Kind.MONEY:
            return plain_decimal(value)
        case Kind.COUNT | Kind.NUMBER:
            return value  # type: ignore[no-any-return]  # numbers stay numbers
        case Kind.TEXTS:
            return msgspec.json.encode(value).decode()
        case Kind.SCORES:
            return msgspec.json.encode([plain_score(score) for score in value]).decode()
    assert_never(kind)


def _written(rows: Sequence[Sequence[str | int | float]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
