"""JSON lines: a trace a line, as the REST API says it, with its scores and, where asked for, its spans."""

from collections.abc import Sequence

import msgspec

from evals.shapes import plain as plain_score
from exports.shape import Row
from traces.api import plain, plain_trace
from traces.queries import StoredSpan, TraceDetail


class JsonLines:
    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        return b"".join(_line(row) for row in rows)

    def end(self, incomplete: str) -> bytes:
        return self.broken(incomplete) if incomplete else b""

    def broken(self, reason: str) -> bytes:
        return msgspec.json.encode({"incomplete": reason}) + b"\n"


def _line(row: Row) -> bytes:
    told = plain(row.trace) if row.spans is None else plain_trace(_whole(row, row.spans))
    told["scores"] = [plain_score(score) for score in row.scores]
    return msgspec.json.encode(told, enc_hook=str) + b"\n"


def _whole(row: Row, spans: Sequence[StoredSpan]) -> TraceDetail:
    return TraceDetail(row.trace, list(spans), truncated=row.trace.span_count > len(spans))
