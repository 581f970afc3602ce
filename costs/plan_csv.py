"""Plans as a table in a file: read whole or not at all, each mistake named by its line and column. Pure."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

Value = TypeVar("Value")
MAX_ROWS = 50_000
MAX_BYTES = 3 * 1024 * 1024
# As long as the ids of `costs.models.UserCost`.
MAX_ID = 500
MAX_NAME = 100
MAX_USD = Decimal(10**9)
# Further mistakes would not help: somebody mended the first ones by then.
MAX_PROBLEMS = 50
SUBJECT_COLUMNS = ("user_id", "organization_id")
NEEDED = ("monthly_usd", "from")
COLUMNS = (*SUBJECT_COLUMNS, "plan", "monthly_usd", "from", "to")
_DELIMITERS = ",;\t"
_AMOUNT = re.compile(r"\$?\s?(\d{1,12}(?:\.\d{1,12})?)")


class Subject(StrEnum):
    """Whose plan or budget something is."""

    USER = "user"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One price of one customer, as a file or a program gives it. `key` is as stored: never an e-mail address."""

    subject: Subject
    key: str
    monthly_usd: Decimal
    first_day: date
    last_day: date | None = None
    name: str = ""

    @property
    def identity(self) -> tuple[Subject, str, date]:
        """What a second row of the same must not repeat: a price of the customer from that day on."""
        return self.subject, self.key, self.first_day


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line of the file, counted as an editor counts; the header is line 1."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return (
            f"Line {self.line}, {self.column}: {self.message}"
            if self.column
            else f"Line {self.line}: {self.message}"
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """All rows of a file, or what is wrong with it: never both."""

    rows: tuple[PlanRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    more_problems: int = 0


class _Mistake(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


def parse(text: str, stored_id: Callable[[str], str]) -> Parsed:
    """`stored_id` gives the id that spans of the same customer are stored under. Blank lines are passed over."""
    lines = _lines(text)
    try:
        first, header = next(lines, (1, []))
        places = _places(header)
        found = list(_read(lines, places, stored_id))
    except csv.Error:
        return Parsed(problems=(Problem(1, "", "This is not a CSV file: a quote is opened and not closed."),))
    except _Mistake as mistake:
        return Parsed(problems=(Problem(first, mistake.column, mistake.message),))
    problems = [one for one in found if isinstance(one, Problem)]
    if problems:
        return Parsed(
            problems=tuple(problems[:MAX_PROBLEMS]), more_problems=max(len(problems) - MAX_PROBLEMS, 0)
        )
    rows = tuple(one for one in found if isinstance(one, PlanRow))
    if not rows:
        return Parsed(problems=(Problem(first, "", "There is no row below the header."),))
    return Parsed(rows)


def written(rows: Iterable[PlanRow]) -> str:
    """The same rows as a file that `parse` reads again."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        is_user = row.subject is Subject.USER
        table.writerow(
            [
                row.key if is_user else "",
                "" if is_user else row.key,
                row.name,
                f"{row.monthly_usd:f}",
                row.first_day.isoformat(),
                row.last_day.isoformat() if row.last_day else "",
            ]
        )
    return out.getvalue()


def amount(text: str) -> Decimal:
    """US dollars, `49`, `49.90` or `$49.90`. Raises `ValueError` that says how to write it."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError("write US dollars a month as 49 or 1200.50, with a point and no other signs")
    value = Decimal(found[1])
    if value > MAX_USD:
        raise ValueError(f"more than ${MAX_USD:,} a month")
    return value


def day(text: str) -> date:
    """A day such as 2026-01-31. Raises `ValueError` that says how to write it."""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError("write the day as 2026-01-31") from error
    if not 2000 <= found.year < 2100:
        raise ValueError("a day between 2000 and 2099")
    return found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that says something, with the number of the line that it begins on."""
    content = text.removeprefix("\ufeff")
    head = content.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, [cell.strip() for cell in cells]
        begins = reader.line_num + 1


def _places(header: Sequence[str]) -> Mapping[str, int]:
    """Where each column stands. Raises `_Mistake`."""
    names = [name.lower().replace(" ", "_") for name in header]
    if not names:
        raise _Mistake("", f"The file is empty. Its first line names the columns: {', '.join(COLUMNS)}.")
    for name in names:
        if name not in COLUMNS:
            raise _Mistake(name[:40] or "header", f"There is no such column. Use {', '.join(COLUMNS)}.")
        if names.count(name) > 1:
            raise _Mistake(name, "The column stands there twice.")
    for name in NEEDED:
        if name not in names:
            raise _Mistake(name, "The column is missing.")
    if not set(SUBJECT_COLUMNS) & set(names):
        raise _Mistake("user_id", "Name the customers in a column user_id or organization_id.")
    return {name: place for place, name in enumerate(names)}


def _read(
    lines: Iterator[tuple[int, list[str]]], places: Mapping[str, int], stored_id: Callable[[str], str]
) -> Iterator[PlanRow | Problem]:
    seen: dict[tuple[Subject, str, date], int] = {}
    for count, (line, cells) in enumerate(lines):
        if count >= MAX_ROWS:
            yield Problem(line, "", f"More than {MAX_ROWS:,} rows. Import the rest as a second file.")
            return
        try:
            row = _row(cells, places, stored_id)
        except _Mistake as mistake:
            yield Problem(line, mistake.column, mistake.message)
            continue
        before = seen.setdefault(row.identity, line)
        if before != line:
            yield Problem(
                line, "from", f"Line {before} already has a price of this customer from that day on."
            )
            continue
        yield row


def _row(cells: Sequence[str], places: Mapping[str, int], stored_id: Callable[[str], str]) -> PlanRow:
    if len(cells) > len(places):
        raise _Mistake("", f"{len(cells)} values under {len(places)} columns.")
    given = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
    subject, key = _subject(given, stored_id)
    first_day = _value("from", given, day)
    last_day = _value("to", given, day) if given.get("to") else None
    if last_day is not None and last_day < first_day:
        raise _Mistake("to", "The price ends before it begins.")
    name = given.get("plan", "")
    if len(name) > MAX_NAME:
        raise _Mistake("plan", f"At most {MAX_NAME} characters.")
    return PlanRow(subject, key, _value("monthly_usd", given, amount), first_day, last_day, name)


def _subject(given: Mapping[str, str], stored_id: Callable[[str], str]) -> tuple[Subject, str]:
    named = [name for name in SUBJECT_COLUMNS if given.get(name)]
    if len(named) != 1:
        problem = "Give a user or an organization, not both." if named else "Say which user or organization."
        raise _Mistake("user_id" if "user_id" in given else "organization_id", problem)
    column = named[0]
    key = stored_id(given[column])
    if len(key) > MAX_ID or "\x00" in key:
        raise _Mistake(column, f"An id has at most {MAX_ID} characters.")
    return (Subject.USER if column == "user_id" else Subject.ORGANIZATION), key


def _value(column: str, given: Mapping[str, str], read: Callable[[str], Value]) -> Value:
    if not given[column]:
        raise _Mistake(column, "This is empty.")
    try:
        return read(given[column])
    except ValueError as error:
        message = str(error)
        raise _Mistake(column, f"{message[0].upper()}{message[1:]}.") from error
