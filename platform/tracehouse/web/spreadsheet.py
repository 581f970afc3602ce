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
# What spreadsheets take for the start of a formula, also in the width of East Asian type, and what separates cells when
# pasted.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


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
            return defused(value)


def defused(text: str) -> str:
    """The text, after an apostrophe where a spreadsheet would calculate it: blanks before a formula are passed over."""
    start = text[: len(text) - len(text.lstrip()) + 1]
    return f"'{text}" if any(sign in start for sign in FORMULA) else text


def download(name: str, content: str) -> HttpResponse:
    """A file that the browser saves under that name."""
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
