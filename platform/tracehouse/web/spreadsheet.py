"""Tables as CSV for spreadsheets, which would run a text that begins like a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from django.http import HttpResponse

from tracehouse.web.figures import plain_decimal

Cell: TypeAlias = str | int | Decimal | date | None
# What spreadsheets take for the start of a formula, also behind spaces, and what separates cells when pasted.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(header)
    table.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: Cell) -> str:
    """As text: numbers in full, absent as empty, and a text that is no formula."""
    match value:
        case None:
            return ""
        case Decimal():
            return plain_decimal(value)
        case date():
            return value.isoformat()
        case int():
            return str(value)
        case str():
            return f"'{value}" if value.lstrip(" ").startswith(_STARTS) else value


def download(name: str, content: str) -> HttpResponse:
    """A file that the browser saves under that name."""
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
