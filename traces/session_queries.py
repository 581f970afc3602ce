"""A session as a conversation: the traces of it in turn, and of each what was asked and what was answered.

Only few bodies are read: those of the span that speaks for its trace and, where that says nothing, of its first and
its last model call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tracehouse.clickhouse.query import Query, Row, run
from tracehouse.tenancy.scope import Scope, Window
from traces import filters as f
from traces import queries, turns
from traces.filters import Order
from traces.group_queries import Group, Grouping, get_group
from traces.logged import read as read_entries
from traces.queries import Trace, stored_content
from traces.span import JSONValue
from traces.turns import NOTHING, Said

# A body that is longer says nothing here; its trace has it.
MAX_BODY = 400_000


@dataclass(frozen=True, slots=True)
class Turn:
    """`asked` and `answered` are empty where the spans carry no content."""

    trace: Trace
    asked: Said
    answered: Said
    failure: str  # what a failed trace says of it, in one line


@dataclass(frozen=True, slots=True)
class Session:
    sums: Group  # of the whole session
    turns: list[Turn]
    next_cursor: str | None

    @property
    def traces(self) -> list[Trace]:
        return [turn.trace for turn in self.turns]


def get_session(
    scope: Scope, session_id: str, *, order: Order = Order.OLDEST, limit: int = 20, cursor: str = ""
) -> Session | None:
    """The session with a page of its turns. Raises `BadCursor`, `QueryTooLarge`, `QueryUnavailable`."""
    sums = get_group(scope, Grouping.SESSION, session_id)
    if sums is None:
        return None
    during = scope.during(Window(sums.first_time, sums.last_time + timedelta(milliseconds=1)))
    filters = Grouping.SESSION.only(session_id)
    page = queries.list_traces(during, filters, order=order, limit=limit, cursor=cursor)
    return Session(sums, _turns(during, page.traces), page.next_cursor)


def _turns(scope: Scope, traces: Sequence[Trace]) -> list[Turn]:
    if not traces:
        return []
    trace_ids = [trace.trace_id for trace in traces]
    speakers = {row["trace_id"].hex: row for row in run(_SPEAKERS, scope, {"trace_ids": trace_ids})}
    span_ids = sorted({span_id for row in speakers.values() for span_id in _speaking(row)})
    bodies = {
        (row["trace_id"].hex, row["span_id"]): row
        for row in run(_BODIES, scope, {"trace_ids": trace_ids, "span_ids": span_ids})
    }
    return [_turn(trace, speakers.get(trace.trace_id), bodies) for trace in traces]


def _speaking(row: Row) -> Iterable[int]:
    return (span_id for span_id in (row["speaker"], row["first_call"], row["last_call"]) if span_id)


def _turn(trace: Trace, row: Row | None, bodies: Mapping[tuple[str, int], Row]) -> Turn:
    if row is None:
        return Turn(trace, NOTHING, NOTHING, "")
    speaker, first, last = (
        bodies.get((trace.trace_id, row[name])) for name in ("speaker", "first_call", "last_call")
    )
    return Turn(
        trace=trace,
        asked=turns.first_said(*(turns.asked(_body(one, "input")) for one in (speaker, first))),
        answered=turns.first_said(*(turns.answered(_body(one, "output")) for one in (speaker, last))),
        failure=_failure(row) if trace.status == "error" else "",
    )


def _body(row: Row | None, column: str) -> JSONValue:
    if row is None:
        return None
    if row[column] is not None:
        return stored_content(row[column])
    logged = read_entries(row["log_entries"])
    return logged.input if column == "input" else logged.output


def _failure(row: Row) -> str:
    said = row["own_message"] or row["first_message"] or row["error_type_"] or "failed without a message"
    return str(said).strip().partition("\n")[0]


_SPEAKERS = Query(
    "sessions.speakers",
    f"""
SELECT
    trace_id,
    argMin(span_id, {f.RANK}) AS speaker,
    argMinIf(span_id, (start_time, span_id), kind = 'llm') AS first_call,
    argMaxIf(span_id, (start_time, span_id), kind = 'llm') AS last_call,
    argMin(if(status = 'error', ifNull(status_message, ''), ''), {f.RANK}) AS own_message,
    argMinIf(status_message, (start_time, span_id), status = 'error' AND status_message != '') AS first_message,
    argMinIf(error_type, (start_time, span_id), status = 'error' AND error_type != '') AS error_type_
FROM {
        f.spans(
            ("parent_id", "start_time", "kind", "status", "status_message", "error_type"),
            f.OF_TRACES,
        )
    }
GROUP BY trace_id
LIMIT {queries.MAX_PAGE}""",  # noqa: S608  # closed parts only
)
_BODIES = Query(
    "sessions.bodies",
    f"""
SELECT
    trace_id,
    span_id,
    if(length(input) <= {MAX_BODY}, input, '') AS input,
    if(length(output) <= {MAX_BODY}, output, '') AS output,
    log_entries
FROM {
        f.spans(
            ("start_time", "input", "output", "log_entries"),
            f"{f.OF_TRACES} AND part.span_id IN {{span_ids:Array(UInt64)}}",
        )
    }
LIMIT {queries.MAX_PAGE * 3}""",  # noqa: S608  # closed parts only
)
