"""Conditions on scores: how they are written, and which traces they hold for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from evals import services
from evals.score import Score, Source, Subject
from ingest.policy import Policy
from tracehouse.clickhouse.query import Query, run
from tracehouse.tenancy.scope import Scope, Window
from traces.score_filters import (
    BadScoreCondition,
    ScoreCondition,
    candidates,
    decides,
    is_name,
    parameters_of,
    parse,
)
from traces.span import Span

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


@pytest.fixture
def scored(store_spans: Callable[[list[Span]], None]) -> None:
    start = int(NOW.timestamp()) * 10**9
    store_spans(
        [
            Span(
                project_id=1,
                trace_id=trace,
                span_id="1" * 16,
                parent_id="",
                start_ns=start,
                end_ns=start,
                name="n",
            )
            for trace in TRACES.values()
        ]
    )
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
def test_traces_are_found_by_what_was_written_last(scored: None) -> None:
    def found(condition: str, scope: Scope = SCOPE) -> set[str]:
        wanted = parse(condition)
        query = Query(
            "test.scored",
            f"""SELECT DISTINCT trace_id FROM traces
            WHERE project_id = {{project_id:UInt64}} AND day BETWEEN {{first_day:Date}} AND {{last_day:Date}}
              AND {candidates(wanted)} AND {decides(wanted)} LIMIT 10""",
        )
        ids = {
            row["trace_id"].hex
            for row in run(query, scope, parameters_of(wanted) | {"trace_ids": list(TRACES.values())})
        }
        return {name for name, trace in TRACES.items() if trace in ids}

    assert found("quality>=0.5") == {"high", "yes", "moved"}
    assert found("quality<=0.5") == {"low", "moved"}
    assert found("quality=yes") == {"yes"}
    assert found("quality=5") == {"five"}
    assert found("quality=0.9") == {"high"}
    assert found("quality") == {"low", "high", "yes", "five", "moved"}
    assert found("other") == set()
    assert found("quality", Scope(2, SCOPE.window)) == set()
