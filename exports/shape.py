"""What an export is asked for, what a row of it holds, and which columns it has. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from evals.score import Score
from traces.answer import SpanAnswer
from traces.queries import Trace


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


CONTENT_TYPES = {
    Format.JSONL: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class Kind(StrEnum):
    TEXT = "text"
    TEXTS = "texts"
    MOMENT = "moment"
    COUNT = "count"
    NUMBER = "number"
    MONEY = "money"
    TRUTH = "truth"
    SCORES = "scores"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind


# What `GET /api/v1/traces` says of a trace, under the same names and in the same order, and its scores.
COLUMNS: Sequence[Column] = (
    Column("trace_id", Kind.TEXT),
    Column("name", Kind.TEXT),
    Column("status", Kind.TEXT),
    Column("has_root", Kind.TRUTH),
    Column("is_open", Kind.TRUTH),
    Column("start_time", Kind.MOMENT),
    Column("end_time", Kind.MOMENT),
    Column("latency_ms", Kind.NUMBER),
    Column("user_id", Kind.TEXT),
    Column("session_id", Kind.TEXT),
    Column("organization_id", Kind.TEXT),
    Column("feature", Kind.TEXT),
    Column("environment", Kind.TEXT),
    Column("release", Kind.TEXT),
    Column("input_type", Kind.TEXT),
    Column("tags", Kind.TEXTS),
    Column("models", Kind.TEXTS),
    Column("tools", Kind.TEXTS),
    Column("span_count", Kind.COUNT),
    Column("llm_calls", Kind.COUNT),
    Column("tool_calls", Kind.COUNT),
    Column("error_count", Kind.COUNT),
    Column("input_tokens", Kind.COUNT),
    Column("output_tokens", Kind.COUNT),
    Column("cost_usd", Kind.MONEY),
    Column("unpriced_calls", Kind.COUNT),
    Column("scores", Kind.SCORES),
)


@dataclass(frozen=True, slots=True)
class Row:
    trace: Trace
    scores: Sequence[Score]
    spans: Sequence[SpanAnswer] | None = None  # None where they are not asked for

    def value(self, column: Column) -> Any:
        return self.scores if column.kind is Kind.SCORES else getattr(self.trace, column.name)


class Writer(Protocol):
    """Rows to the bytes of one file."""

    def begin(self) -> bytes: ...

    def rows(self, rows: Sequence[Row]) -> bytes: ...

    def end(self, incomplete: str) -> bytes:
        """The end of the file. `incomplete` is "" for a whole one, else why it is not."""

    def broken(self, reason: str) -> bytes:
        """What shows in a file that breaks off here, beside the connection that does; b"" where that is enough."""
