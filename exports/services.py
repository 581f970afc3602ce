"""One export from its request to its last byte: bounded in rows and time, written down, and never whole by mistake.

1. Take one of the process's slots. 2. Ask the index which traces may match: what is refused is refused before the first
byte. 3. Write down who exports what. 4. Stretch by stretch: describe, add scores and spans, write. 5. Past the limits
end the file with the reason; on a failure say so in the file and break the connection. 6. Write down how it ended.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

import structlog
from django.db import Error as DatabaseError

from evals import queries as scores
from exports import slots
from exports.shape import Format, Row, Writer
from exports.writers.csv import Csv
from exports.writers.jsonl import JsonLines
from ingest import loose_text
from ingest.policy import Policy
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope
from tracehouse.tenancy.services import record
from traces import walk_queries
from traces.filters import Order, TraceFilters
from traces.queries import MAX_SPANS, Trace
from traces.walk_queries import Candidates

log = structlog.get_logger()
# Candidates that an export looks at, and how long it may take, slow clients included.
MAX_TRACES = 1_000_000
MAX_SECONDS = 600.0
# More time for the rows that are on their way when it is over.
GRACE_SECONDS = 60.0
# Traces whose scores are read at once, and whose spans are; the latter have a limit in bytes too.
SCORED_AT_ONCE = 500
WHOLE_AT_ONCE = 1_000
# Bytes handed to the connection at once; each such piece has to leave within `patience.SECONDS`.
PIECE = 256 * 1024
MAX_FILTERS_SHOWN = 1_000
_IN_PARTS = "export shorter time ranges one by one"
_TOO_MANY = f"cut after the first {MAX_TRACES:,} traces; {_IN_PARTS}"


class TooSlow(Exception):
    """The client had not taken a stretch of rows when the time was long over."""


class BrokenOff(Exception):
    """An export failed on the way. It ends the connection, so that no client takes the file for whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    scope: Scope
    filters: TraceFilters
    order: Order
    format: Format
    with_spans: bool  # JSON lines only
    actor: str
    project: Project
    policy: Policy  # what personal data is in the project, for what is written down of the filters


def start(asked: Asked) -> "Export":
    """Raises `Busy`, `QueryTooLarge`, `QueryUnavailable`. What it returns has to be closed."""
    slots.take()
    try:
        found = walk_queries.candidates(asked.scope, asked.filters, asked.order, most=MAX_TRACES)
        _write_down(asked, "traces.export_started", rows=0, outcome="started")
        return Export(asked, found)
    except BaseException:
        slots.give_back()
        raise


class Export:
    """The bytes of the file, once."""

    def __init__(self, asked: Asked, found: Candidates) -> None:
        self._asked, self._found = asked, found
        self._deadline = time.monotonic() + MAX_SECONDS
        self._rows = 0
        self._is_written_down = self._is_closed = False
        self._pieces = self._written()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    @property
    def known_cut(self) -> str:
        """Why the file will not be whole, as far as that is known before it begins; "" otherwise."""
        return _TOO_MANY if self._found.are_cut else ""

    def close(self) -> None:
        """Whatever became of it: gives the slot back, and writes down that the client left if it did not end."""
        if self._is_closed:
            return
        self._is_closed = True
        self._pieces.close()
        slots.give_back()
        self._end_in_any_case("left by the client")

    def _written(self) -> Generator[bytes, None, None]:
        writer = _writer(self._asked.format)
        try:
            yield writer.begin()
            cut = yield from self._body(writer)
            last = writer.end(cut)
            # Before the last bytes: what is not in the audit log is not handed out as a whole file.
            self._end(cut or "complete")
            yield last
        except Exception as error:
            # The class alone: the text of an error may hold what somebody searched for.
            name = type(error).__name__
            log.error("export_failed", project=self._asked.project.slug, error=name)
            self._end_in_any_case(f"failed: {name}")
            yield writer.broken("the export failed on the way; export again")
            raise BrokenOff(name) from None

    def _body(self, writer: Writer) -> Generator[bytes, None, str]:
        """Everything between head and end; returns why it is not whole, or ""."""
        for rows in self._stretches():
            if time.monotonic() > self._deadline:
                return f"cut after {self._rows:,} traces and {MAX_SECONDS / 60:.0f} minutes; {_IN_PARTS}"
            yield from self._in_pieces(writer.rows(rows))
            self._rows += len(rows)
        return self.known_cut

    def _in_pieces(self, data: bytes) -> Iterator[bytes]:
        for first in range(0, len(data), PIECE):
            if time.monotonic() > self._deadline + GRACE_SECONDS:
                raise TooSlow
            yield data[first : first + PIECE]

    def _end(self, outcome: str) -> None:
        if not self._is_written_down:
            _write_down(self._asked, "traces.exported", rows=self._rows, outcome=outcome)
            self._is_written_down = True

    def _end_in_any_case(self, outcome: str) -> None:
        """For a file that is not whole anyway: without PostgreSQL the log has to do."""
        try:
            self._end(outcome)
        except DatabaseError as error:
            log.error(
                "export_not_audited",
                project=self._asked.project.slug,
                rows=self._rows,
                outcome=outcome,
                error=type(error).__name__,
            )

    def _stretches(self) -> Iterator[Sequence[Row]]:
        asked = self._asked
        for traces in walk_queries.walk(asked.scope, asked.filters, asked.order, self._found):
            yield from self._whole(traces) if asked.with_spans else [self._scored(traces)]

    def _scored(self, traces: Sequence[Trace]) -> list[Row]:
        if not self._has_scores:
            return [Row(trace, ()) for trace in traces]
        found: list[Row] = []
        for first in range(0, len(traces), SCORED_AT_ONCE):
            some = traces[first : first + SCORED_AT_ONCE]
            of = scores.scores_of(self._asked.scope, [trace.trace_id for trace in some], gently=True)
            found += [Row(trace, of.get(trace.trace_id, ())) for trace in some]
        return found

    def _whole(self, traces: Sequence[Trace]) -> Iterator[list[Row]]:
        """The traces with their spans, as many at once as there is room for."""
        left = list(traces)
        while left:
            some = left[: _with_room(left)]
            spans = walk_queries.spans_of(self._asked.scope, some)
            # One erased since it was described has none; those that had no room come next.
            read = max((place for place, trace in enumerate(some) if trace.trace_id in spans), default=0) + 1
            yield [
                Row(row.trace, row.scores, spans.get(row.trace.trace_id, []))
                for row in self._scored(some[:read])
            ]
            del left[:read]

    @cached_property
    def _has_scores(self) -> bool:
        return bool(scores.names(self._asked.scope))


def _with_room(traces: Sequence[Trace]) -> int:
    """How many of the first traces have `MAX_SPANS` spans, at least one."""
    spans = 0
    for number, trace in enumerate(traces[:WHOLE_AT_ONCE]):
        spans += trace.span_count
        if spans > MAX_SPANS:
            return max(number, 1)
    return min(len(traces), WHOLE_AT_ONCE)


def _writer(wanted: Format) -> Writer:
    match wanted:
        case Format.JSONL:
            return JsonLines()
        case Format.CSV:
            return Csv()
        case Format.PARQUET:
            from exports.writers.parquet import Parquet  # noqa: PLC0415  # 60 MB in each process that imports it

            return Parquet()


def _write_down(asked: Asked, action: str, *, rows: int, outcome: str) -> None:
    window = asked.scope.window
    record(
        actor=asked.actor,
        action=action,
        target=asked.format.value,
        project=asked.project,
        with_spans=asked.with_spans,
        since=_moment(window.start),
        until=_moment(window.end),
        order=asked.order.value,
        filters=loose_text.words(_filters(asked.filters), asked.policy)[:MAX_FILTERS_SHOWN],
        rows=rows,
        outcome=outcome,
    )


def _filters(filters: TraceFilters) -> str:
    """status=error user_id=u-1: what somebody typed, which may be personal data."""
    chosen = {
        field.name: value
        for field in fields(filters)
        if (value := getattr(filters, field.name)) != field.default
    }
    return " ".join(f"{name}={_said(value)}" for name, value in chosen.items())


def _said(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
