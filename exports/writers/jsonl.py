"""JSON lines: a trace a line, as the REST API says it, with its scores and, where asked for, its spans."""

from collections.abc import Sequence

import msgspec

from evals.shapes import plain as plain_score
from exports.shape import Row
from traces.answer import in_pieces
from traces.api import plain


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
    told, scores = plain(row.trace), [plain_score(score) for score in row.scores]
    if row.spans is None:
        return msgspec.json.encode({**told, "scores": scores}) + b"\n"
    rest = {"truncated": row.trace.span_count > len(row.spans), "scores": scores}
    return b"".join(in_pieces(told, row.spans, rest)) + b"\n"
