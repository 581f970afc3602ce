"""Conditions on scores: how they are written, and which traces they hold for."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from msgspec.structs import replace

from evals import services, store
from evals.score import Score, Source, Subject
from ingest.policy import Policy
from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope, Window
from traces import group_queries, queries
from traces.filters import Order, TraceFilters
from traces.forms import TraceFilterForm
from traces.group_queries import Grouping
from traces.queries import UsageGroup
from traces.score_filters import BadScoreCondition, ScoreCondition, is_name, parse
from traces.span import Span
from traces.strip_queries import strip

Store = Callable[[list[Span]], None]
NOW = datetime.now(UTC)
SCOPE = Scope(1, Window(NOW - timedelta(hours=1), NOW + timedelta(minutes=1)))


@pytest.mark.parametrize(
    ("text", "condition", "number"),
    [
        ("quality>=0.5", ScoreCondition("quality", ">=", "0.5"), 0.5),
        (" answer quality <= -1e3 ", ScoreCondition("answer quality", "<=", "-1e3"), -1000.0),
        ("feedback=down", ScoreCondition("feedback", "=", "down"), None),
        ("helpful = Yes", ScoreCondition("helpful", "=", "Yes"), 1.0),
        ("a=b=c>=2", ScoreCondition("a", "=", "b=c>=2"), None),
        ("nan=nan", ScoreCondition("nan", "=", "nan"), None),
        ("quality", ScoreCondition("quality"), None),
    ],
)
def test_a_condition_is_read(text: str, condition: ScoreCondition, number: float | None) -> None:
    assert parse(text) == condition
    assert parse(text).number == number
    assert parse(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "Give a name"), (">=1", "Give a name"), ("quality>=", "Give a name"), ("quality>=good", "a number"),
     ("quality>=inf", "a number"), ("x" * 201, "Give a name"), ("a\nb=1", "Give a name")],
)  # fmt: skip
def test_what_is_no_condition_is_told_how_one_looks(text: str, told: str) -> None:
    with pytest.raises(BadScoreCondition, match=told):
        parse(text)


def test_names_leave_room_for_conditions() -> None:
    assert is_name("answer quality: v2")
    assert not any(map(is_name, ("", "a=b", "a>b", "a<b", " a", "a\tb", "x" * 201)))


TRACES = {
    name: f"{number:032x}" for number, name in enumerate(("low", "high", "yes", "five", "none", "moved"), 1)
}


def span(trace_id: str, project_id: int = 1) -> Span:
    start = int(NOW.timestamp()) * 10**9
    times = {"start_ns": start, "end_ns": start}
    return Span(project_id=project_id, trace_id=trace_id, span_id="1" * 16, parent_id="", name="n", **times)


@pytest.fixture
def scored(store_spans: Store) -> None:
    store_spans([span(trace) for trace in TRACES.values()])
    for scores in (
        [score("1", "low", 0.2), score("2", "high", 0.9, span_id="1" * 16), score("3", "yes", True),
         score("4", "five", "5"), score("5", "none", 0.9), score("6", "low", 0.9)],
        [score("6", "moved", 0.5)],
    ):  # fmt: skip
        services.write_scores(project_id=1, scores=scores, policy=Policy(key=b"k" * 32))
    services.delete_score(project_id=1, score_id="5")


def score(id: str, trace: str, value: float | str | bool, span_id: str = "") -> Score:
    subject = Subject(trace_id=TRACES[trace], span_id=span_id)
    return Score(id=id, name="quality", value=value, subject=subject, source=Source.API, time=NOW)


@pytest.mark.clickhouse
@pytest.mark.parametrize("order", list(Order))
def test_traces_are_listed_by_what_was_written_last(scored: None, order: Order) -> None:
    def found(condition: str, scope: Scope = SCOPE) -> set[str]:
        page = queries.list_traces(scope, TraceFilters(score=parse(condition)), order=order)
        ids = {trace.trace_id for trace in page.traces}
        return {name for name, trace in TRACES.items() if trace in ids}

    assert found("quality>=0.5") == {"high", "yes", "moved"}
    assert found("quality<=0.5") == {"low", "moved"}
    assert found("quality=yes") == {"yes"}
    assert found("quality=5") == {"five"}
    assert found("quality=0.9") == {"high"}
    assert found("quality") == {"low", "high", "yes", "five", "moved"}
    assert found("other") == set()
    assert found("quality", Scope(2, SCOPE.window)) == set()


@pytest.fixture
def scored_sessions(store_spans: Store) -> None:
    """Session `s-1` was scored before its second trace began; a later part moved a trace from it to `s-2`."""
    old = NOW - timedelta(days=5)
    store_spans(
        [
            in_session("low", "s-1", at=old),
            in_session("high", "s-1"),
            in_session("yes", "s-1"),
            in_session("five", "s-2"),
            in_session("none", "s-3"),
        ]
    )
    store_spans([in_session("yes", "s-2")])
    taken_in = f'{{"day":"{old:%Y-%m-%d}",'.encode() + store.line(1, of_session("1", "s-1", 0.2, old))[1:]
    insert_json_lines(store.TABLE, io.BytesIO(taken_in), token="1")
    policy = Policy(key=b"k" * 32)
    for scores in (
        [of_session("2", "s-2", 0.9), of_session("3", "s-3", 0.9)],
        [score("4", "five", 0.4)],
        [of_session("2", "s-2", 0.5)],
    ):
        services.write_scores(project_id=1, scores=scores, policy=policy)
    services.delete_score(project_id=1, score_id="3")


def in_session(trace: str, session_id: str, *, at: datetime = NOW) -> Span:
    start = int(at.timestamp()) * 10**9
    return replace(span(TRACES[trace]), session_id=session_id, start_ns=start, end_ns=start)


def of_session(id: str, session_id: str, value: float, time: datetime = NOW) -> Score:
    return Score(
        id=id,
        name="quality",
        value=value,
        subject=Subject(session_id=session_id),
        source=Source.API,
        time=time,
    )


@pytest.mark.clickhouse
@pytest.mark.parametrize("order", list(Order))
def test_a_score_of_a_session_is_one_of_each_of_its_traces(scored_sessions: None, order: Order) -> None:
    week = SCOPE.during(Window(NOW - timedelta(days=7), SCOPE.window.end))

    def found(condition: str, scope: Scope = SCOPE) -> set[str]:
        page = queries.list_traces(scope, TraceFilters(score=parse(condition)), order=order)
        ids = {trace.trace_id for trace in page.traces}
        return {name for name, trace in TRACES.items() if trace in ids}

    assert found("quality<=0.2") == {"high"}
    assert found("quality<=0.2", week) == {"low", "high"}
    assert found("quality=0.5") == {"yes", "five"}
    assert found("quality=0.4") == {"five"}
    assert found("quality>=0.9") == set()
    assert found("quality", Scope(2, week.window)) == set()


@pytest.mark.clickhouse
def test_groups_sums_and_the_strip_go_by_scores_of_sessions_too(scored_sessions: None) -> None:
    filters = TraceFilters(score=parse("quality=0.5"))
    [group] = group_queries.list_groups(SCOPE, Grouping.SESSION, filters=filters).groups
    assert (group.key, group.traces) == ("s-2", 2)
    assert [row.invocations for row in queries.usage(SCOPE, UsageGroup.FEATURE, filters=filters)] == [2]
    first = int(SCOPE.window.start.timestamp())
    total = strip(SCOPE, filters, range(first, first + 3720, 60), by_spans=True).total
    assert (total.traces, total.unsure) == (2, 1)


@pytest.mark.clickhouse
def test_sums_count_the_same_traces(scored: None) -> None:
    filters = TraceFilters(score=parse("quality>=0.5"))
    assert [row.invocations for row in queries.usage(SCOPE, UsageGroup.FEATURE, filters=filters)] == [3]


@pytest.mark.clickhouse
@pytest.mark.django_db
def test_the_api_takes_a_condition_and_tells_what_is_wrong_with_one(
    store_spans: Store, project: Project, api_key: str
) -> None:
    store_spans([span(trace, project.pk) for trace in TRACES.values()])
    scores = [score("1", "low", 0.2), score("2", "high", 0.9)]
    services.write_scores(project_id=project.pk, scores=scores, policy=Policy(key=b"k" * 32))
    http = Client(headers={"Authorization": f"Bearer {api_key}"})
    answer = http.get("/api/v1/traces", {"score": "quality>=0.5"})
    assert [trace["trace_id"] for trace in answer.json()["data"]] == [TRACES["high"]]
    answer = http.get("/api/v1/traces", {"score": "quality>=good"})
    assert answer.json()["error"]["fields"] == {"score": ["After >= comes a number, such as 0.5."]}


def test_the_form_reads_a_condition_and_its_sentence() -> None:
    form = TraceFilterForm({"score": "quality>=0.5"})
    assert form.filters.score == ScoreCondition("quality", ">=", "0.5")
    assert form.values == {"score": "quality >= 0.5"}
    [chip] = form.chips
    assert (chip.words, chip.value) == ("with score", "quality >= 0.5")
    wrong = TraceFilterForm({"score": "quality>="})
    assert wrong.filters == TraceFilters()
    assert "Give a name" in wrong.errors["score"][0]
