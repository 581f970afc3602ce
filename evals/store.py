"""The only writer of the table `scores`: a score, or the end of one, as a JSON line that ClickHouse reads as it is."""

import msgspec

from evals.score import Score, Value

TABLE = "scores"
NO_TRACE = "00000000-0000-0000-0000-000000000000"
_encoder = msgspec.json.Encoder()


class _Row(msgspec.Struct, omit_defaults=True, gc=False):
    """`day` and `updated_at` are the clock's of the store: what it takes in last is the last."""

    project_id: int
    score_id: str
    trace_id: str = NO_TRACE
    span_id: int = 0
    session_id: str = ""
    name: str = ""
    data_type: str = ""
    number: float = 0.0
    label: str = ""
    comment: str = ""
    source: str = ""
    author: str = ""
    time: str = ""
    deleted: bool = False


def line(project_id: int, score: Score) -> bytes:
    number, label = _columns(score.value)
    subject = score.subject
    return _line(
        _Row(
            project_id=project_id,
            score_id=score.id,
            trace_id=subject.trace_id or NO_TRACE,
            span_id=int(subject.span_id or "0", 16),
            session_id=subject.session_id,
            name=score.name,
            data_type=score.data_type,
            number=number,
            label=label,
            comment=score.comment,
            source=score.source,
            author=score.author,
            time=f"{score.time.timestamp():.6f}",
        )
    )


def deletion(project_id: int, score_id: str) -> bytes:
    """A row that says the score is no more, and nothing else of it."""
    return _line(_Row(project_id=project_id, score_id=score_id, deleted=True))


def _line(row: _Row) -> bytes:
    return _encoder.encode(row) + b"\n"


def _columns(value: Value) -> tuple[float, str]:
    return (0.0, value) if isinstance(value, str) else (float(value), "")
