"""Parquet with typed columns, a row group a stretch of rows. A file that broke off has no footer: nothing reads it."""

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from evals.score import Score
from exports.shape import COLUMNS, Kind, Row

_MOMENT = pa.timestamp("us", tz="UTC")
_SCORE = pa.struct(
    [
        ("id", pa.string()),
        ("name", pa.string()),
        ("data_type", pa.string()),
        ("label", pa.string()),
        ("number", pa.float64()),
        ("span_id", pa.string()),
        ("comment", pa.string()),
        ("source", pa.string()),
        ("author", pa.string()),
        ("time", _MOMENT),
    ]
)
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.MOMENT: _MOMENT,
    Kind.COUNT: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.MONEY: pa.decimal128(38, 12),
    Kind.TRUTH: pa.bool_(),
    Kind.SCORES: pa.list_(_SCORE),
}
SCHEMA = pa.schema([(column.name, _TYPES[column.kind]) for column in COLUMNS])
# Key of the file's metadata that says why a file is not whole.
INCOMPLETE = "tracehouse.incomplete"


class Parquet:
    def __init__(self) -> None:
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, SCHEMA, compression="zstd")

    def begin(self) -> bytes:
        return self._sink.taken()

    def rows(self, rows: Sequence[Row]) -> bytes:
        columns = [
            pa.array([_value(column.kind, row.value(column)) for row in rows], _TYPES[column.kind])
            for column in COLUMNS
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
        return self._sink.taken()

    def end(self, incomplete: str) -> bytes:
        if incomplete:
            self._writer.add_key_value_metadata({INCOMPLETE: incomplete})
        self._writer.close()
        return self._sink.taken()

    def broken(self, reason: str) -> bytes:
        return b""


class _Sink(io.RawIOBase):
    """What was written since it was last taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        self._position += len(self._pieces[-1])
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


def _value(kind: Kind, value: Any) -> Any:
    """Absent text is null."""
    if kind is Kind.SCORES:
        return [_score(score) for score in value]
    return None if kind is Kind.TEXT and value == "" else value


def _score(score: Score) -> dict[str, Any]:
    """A text value is the label, a number or truth value the number."""
    is_text = isinstance(score.value, str)
    return {
        "id": score.id,
        "name": score.name,
        "data_type": score.data_type.value,
        "label": score.value if is_text else None,
        "number": None if is_text else float(score.value),
        "span_id": score.subject.span_id or None,
        "comment": score.comment or None,
        "source": score.source.value,
        "author": score.author or None,
        "time": score.time,
    }
