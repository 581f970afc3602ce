"""Every read of scores: each as it was written last, deleted ones left out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from typing import TypeAlias

from evals.score import FEEDBACK, DataType, Score, Source, Subject, Value, Verdict
from tracehouse.clickhouse.query import Parameter, Query, Row, aware, run, run_together
from tracehouse.tenancy.scope import ALL_TIME, Scope
from traces import cursor as cursors
from traces.deadline import Deadline
from traces.filters import TraceFilters
from traces.queries import matching, parse_trace_id
from traces.score_filters import ScoreCondition, in_force

MAX_PAGE = 200
MAX_SHOWN = 500
# Of one trace, or one session, in a list.
MAX_OF_ONE = 20
MAX_NAMES = 100
MAX_COMMENTS = 5
Place: TypeAlias = tuple[int, str]  # in a list: microseconds since 1970, and the id


@dataclass(frozen=True, slots=True)
class ScoreFilters:
    """What a list of scores is narrowed to; an empty field does not narrow."""

    trace_id: str = ""
    span_id: str = ""
    session_id: str = ""
    name: str = ""
    data_type: str = ""
    source: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class ScorePage:
    scores: list[Score]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """`traces`: how many were given each verdict, on themselves, a step or their session; a trace may have several."""

    traces: Mapping[str, int]
    comments: list[Score]  # the newest


_CONDITIONS = {
    "trace_id": "trace_id = {trace_id:UUID}",
    "span_id": "span_id = {span_id:UInt64}",
    "session_id": "session_id = {session_id:String}",
    "name": "name = {name:String}",
    "data_type": "data_type = {data_type:String}",
    "source": "source = {source:String}",
    "author": "author = {author:String}",
}
# The window is of the scores' own time. No score is from more than a day after it was written.
_IN_WINDOW = """time >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
                AND time < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')"""
_SEEN = "toDate(time) BETWEEN {first_day:Date} AND {last_day:Date}"


def list_scores(scope: Scope, filters: ScoreFilters, *, limit: int = 50, cursor: str = "") -> ScorePage:
    """A page of the scores of the window, newest first. Raises `BadCursor`, `QueryTooLarge`, `QueryUnavailable`.

    1. Take the next rows as they were written, newest first. 2. Of their ids read what was written last. 3. A row that
    is the last of its id has its place. 4. Repeat until the page is full: few scores are written twice.
    """
    wanted = min(limit, MAX_PAGE)
    chosen = {field.name: value for field in fields(filters) if (value := getattr(filters, field.name))}
    bound: dict[str, Parameter] = {**chosen, **_span(filters.span_id), "limit": wanted + 1}
    place = _decode_cursor(cursor) if cursor else None
    found: list[Row] = []
    looked_through, deadline = 0, Deadline()
    while True:
        written = [
            _place(row)
            for row in run(_written(tuple(chosen), place is not None), scope, bound | _after(place))
        ]
        ids = list({score_id for _, score_id in written})
        in_force = (
            {_place(row): row for row in run(_these(tuple(chosen)), scope, bound | {"ids": ids})}
            if ids
            else {}
        )
        found += [in_force[one] for one in dict.fromkeys(written) if one in in_force]
        if len(found) > wanted or len(written) <= wanted:
            break
        place, looked_through = written[-1], looked_through + len(written)
        deadline.check(
            looked_through=looked_through,
            found=len(found),
            what="written scores",
            narrower="trace, session or name",
        )
    return ScorePage(
        scores=[_score(row) for row in found[:wanted]],
        next_cursor=_encode_cursor(found[wanted - 1]) if len(found) > wanted else None,
    )


def of_subject(scope: Scope, subject: Subject) -> list[Score]:
    """The scores of just this trace, span or session, newest first, up to `MAX_SHOWN`."""
    if subject.session_id:
        return _scores(run(_OF_SESSION, scope, {"session_id": subject.session_id}))
    if parse_trace_id(subject.trace_id) is None:
        return []
    bound: dict[str, Parameter] = {"trace_id": subject.trace_id, **_span(subject.span_id or "0")}
    return _scores(run(_OF_SPAN, scope, bound))


def of_trace(scope: Scope, trace_id: str) -> list[Score]:
    """The scores of the trace and of its spans, newest first, up to `MAX_SHOWN`."""
    return _scores(run(_OF_TRACE, scope, {"trace_id": trace_id})) if parse_trace_id(trace_id) else []


def scores_of(
    scope: Scope, trace_ids: Sequence[str], *, most: int = MAX_OF_ONE, gently: bool = False
) -> dict[str, list[Score]]:
    """The scores of each of these traces of the window and of their spans, newest first, up to `most` each.

    Where there are more, feedback comes before other scores. A trace is scored after it began, so the window's end is
    no bound.
    """
    if not trace_ids:
        return {}
    since = scope.during(replace(scope.window, end=ALL_TIME.end))
    found: defaultdict[str, list[Score]] = defaultdict(list)
    asked: dict[str, Parameter] = {"trace_ids": list(trace_ids), "most": most, "feedback": FEEDBACK}
    for row in sorted(run(_OF_TRACES, since, asked, gently=gently), key=_place, reverse=True):
        found[row["trace_id"].hex].append(_score(row))
    return dict(found)


def of_sessions(
    scope: Scope, session_ids: Sequence[str], *, most: int = MAX_OF_ONE
) -> dict[str, list[Score]]:
    """The scores of each of these sessions, not of their traces: the same."""
    if not session_ids:
        return {}
    found: defaultdict[str, list[Score]] = defaultdict(list)
    asked: dict[str, Parameter] = {"session_ids": list(session_ids), "most": most, "feedback": FEEDBACK}
    for row in sorted(run(_OF_SESSIONS, scope, asked), key=_place, reverse=True):
        found[row["session_id"]].append(_score(row))
    return dict(found)


def feedback(scope: Scope, filters: TraceFilters) -> Feedback:
    """What people said of the traces that start in the window and match, of their spans and of their sessions: when
    they said it is no matter.

    The numbers are those of the lists of traces by that score. Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    given = [matching(replace(filters, score=ScoreCondition(FEEDBACK, "=", verdict))) for verdict in Verdict]
    (of_these, parameters), (of_sessions, _) = matching(filters), matching(filters, sessions=True)
    said = {**parameters, "feedback": FEEDBACK}
    on_traces, on_sessions, *counts = run_together(
        scope,
        (_comments(f"trace_id GLOBAL IN ({of_these})"), said),
        (_comments(f"session_id != '' AND session_id GLOBAL IN ({of_sessions})", whenever=True), said),
        *((_how_many(traces), bound) for traces, bound in given),
    )
    comments = sorted((*on_traces, *on_sessions), key=_place, reverse=True)[:MAX_COMMENTS]
    numbers = {verdict.value: rows[0]["traces"] for verdict, rows in zip(Verdict, counts, strict=True)}
    return Feedback({verdict: number for verdict, number in numbers.items() if number}, _scores(comments))


def get_score(scope: Scope, score_id: str) -> Score | None:
    rows = run(_BY_ID, scope, {"score_id": score_id})
    return _score(rows[0]) if rows else None


def names(scope: Scope) -> list[str]:
    """The names of scores written since the window began, for completion; of some that are deleted since, too."""
    return [row["name"] for row in run(_NAMES, scope)]


def _scores(rows: Sequence[Row]) -> list[Score]:
    return [_score(row) for row in rows]


def _score(row: Row) -> Score:
    is_session = bool(row["session_id"])
    return Score(
        id=row["score_id"],
        name=row["name"],
        value=_value(row),
        subject=Subject(
            trace_id="" if is_session else row["trace_id"].hex,
            span_id=f"{row['span_id']:016x}" if row["span_id"] else "",
            session_id=row["session_id"],
        ),
        source=Source(row["source"]),
        time=aware(row["time"]),
        comment=row["comment"],
        author=row["author"],
    )


def _value(row: Row) -> Value:
    match DataType(row["data_type"]):
        case DataType.BOOLEAN:
            return bool(row["number"])
        case DataType.CATEGORICAL:
            return str(row["label"])
        case DataType.NUMERIC:
            return float(row["number"])


def _span(span_id: str) -> dict[str, Parameter]:
    return {"span_id": int(span_id, 16)} if span_id else {}


def _read(
    name: str,
    narrowed: str,
    *,
    limited: str = f"LIMIT {MAX_SHOWN}",
    where: str = f"WHERE {_SEEN}",
    first: str = "",
    whenever: bool = False,
) -> Query:
    return Query(
        name,
        f"""
SELECT
    *,
    toUnixTimestamp64Micro(time) AS time_us
FROM {in_force(narrowed, whenever=whenever)}
{where}
ORDER BY
    {first}
    time DESC,
    score_id DESC
{limited}""",  # noqa: S608  # closed parts only
    )


@cache
def _written(chosen: tuple[str, ...], after: bool) -> Query:
    """Rows of the table, some of them of scores that were written again since."""
    place = (
        ["(toUnixTimestamp64Micro(time), score_id) < ({place_us:Int64}, {place_id:String})"] if after else []
    )
    conditions = "\n  AND ".join([_IN_WINDOW, *(_CONDITIONS[name] for name in chosen), *place])
    return Query(
        "scores.written",
        f"""
SELECT
    score_id,
    toUnixTimestamp64Micro(time) AS time_us
FROM scores
WHERE project_id = {{project_id:UInt64}}
  AND day >= {{first_day:Date}}
  AND {_SEEN}
  AND NOT deleted
  AND {conditions}
ORDER BY
    time DESC,
    score_id DESC
LIMIT {{limit:UInt32}}""",  # noqa: S608  # closed parts only
    )


@cache
def _these(chosen: tuple[str, ...]) -> Query:
    return _read(
        "scores.these",
        " AND ".join(["score_id IN {ids:Array(String)}", *(_CONDITIONS[name] for name in chosen)]),
    )


_FEEDBACK_FIRST = "name = {feedback:String} DESC,"
_OF_SPAN = _read("scores.of_span", f"{_CONDITIONS['trace_id']} AND {_CONDITIONS['span_id']}")
_OF_TRACE = _read("scores.of_trace", _CONDITIONS["trace_id"])
_OF_SESSION = _read("scores.of_session", _CONDITIONS["session_id"])
_OF_TRACES = _read(
    "scores.of_traces",
    "trace_id IN {trace_ids:Array(UUID)}",
    limited="LIMIT {most:UInt32} BY trace_id\nLIMIT 10000",
    first=_FEEDBACK_FIRST,
)
_OF_SESSIONS = _read(
    "scores.of_sessions",
    "session_id IN {session_ids:Array(String)}",
    limited="LIMIT {most:UInt32} BY session_id\nLIMIT 10000",
    first=_FEEDBACK_FIRST,
)
_BY_ID = _read("scores.by_id", "score_id = {score_id:String}", limited="LIMIT 1")
_NAMES = Query(
    "scores.names",
    f"""
SELECT name
FROM scores
WHERE project_id = {{project_id:UInt64}}
  AND day >= {{first_day:Date}}
  AND {_SEEN}
  AND NOT deleted
GROUP BY name
ORDER BY count() DESC, name
LIMIT {MAX_NAMES}""",  # noqa: S608  # closed parts only
)


@lru_cache(maxsize=64)
def _how_many(traces: str) -> Query:
    return Query(
        "scores.traces",
        f"""
SELECT count() AS traces
FROM ({traces})
LIMIT 1""",  # noqa: S608  # closed parts only
    )


@lru_cache(maxsize=64)
def _comments(of_those: str, *, whenever: bool = False) -> Query:
    # GLOBAL: on a cluster a score does not lie on the shard of its trace.
    return _read(
        "scores.comments",
        f"name = {{feedback:String}} AND data_type = 'categorical' AND comment != '' AND {of_those}",
        limited=f"LIMIT {MAX_COMMENTS}",
        where="",
        whenever=whenever,
    )


def _place(row: Row) -> Place:
    return row["time_us"], row["score_id"]


def _after(place: Place | None) -> dict[str, Parameter]:
    return {"place_us": place[0], "place_id": place[1]} if place else {}


def _encode_cursor(row: Row) -> str:
    return cursors.encode(_place(row))


def _decode_cursor(cursor: str) -> Place:
    return cursors.decode(cursor, tuple[int, str])
