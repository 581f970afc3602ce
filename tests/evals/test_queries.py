"""Scores as they are read: the last writing of each id, within one project, whatever was written before."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals import queries, services, store
from evals.queries import ScoreFilters
from evals.score import FEEDBACK, Score, Source, Subject
from ingest.policy import Policy
from tracehouse.clickhouse.client import client
from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.clickhouse.query import QueryTooLarge
from tracehouse.tenancy.scope import Scope, Window
from traces import deadline
from traces.cursor import BadCursor
from traces.filters import TraceFilters
from traces.span import Span

pytestmark = pytest.mark.clickhouse

NOW = datetime.now(UTC).replace(microsecond=412_345)
SCOPE = Scope(1, Window(NOW - timedelta(hours=1), NOW + timedelta(minutes=1)))
POLICY = Policy(key=b"k" * 32)
ONE, TWO = "1" * 32, "2" * 32
SPAN = "00000000000000ab"
Write = Callable[..., None]


def score(id: str, value: float | str | bool = 0.5, **fields: Any) -> Score:
    subject = Subject(
        **{name: fields.pop(name) for name in ("trace_id", "span_id", "session_id") if name in fields}
    )
    given: dict[str, Any] = {"name": "quality", "source": Source.API, "time": NOW, **fields}
    return Score(
        id=id, value=value, subject=subject if subject != Subject() else Subject(trace_id=ONE), **given
    )


@pytest.fixture
def write(clickhouse: None) -> Write:
    def write(*scores: Score, project_id: int = 1) -> None:
        services.write_scores(project_id=project_id, scores=scores, policy=POLICY)

    return write


def listed(**filters: str) -> list[str]:
    return [one.id for one in queries.list_scores(SCOPE, ScoreFilters(**filters)).scores]


def test_a_score_comes_back_as_it_was_written(write: Write) -> None:
    written = [
        score("a", 0.25, trace_id=ONE, comment="so so", author="u-1"),
        score("b", "good", trace_id=ONE, span_id=SPAN, name="tone"),
        score("c", True, session_id="s-1", name="helpful"),
        score("d", False, session_id="s-1", name="helpful"),
    ]
    write(*written)
    found = queries.list_scores(SCOPE, ScoreFilters()).scores
    assert sorted(found, key=lambda one: one.id) == written


def test_the_last_writing_of_an_id_counts_before_and_after_merging(write: Write) -> None:
    write(score("a", 0.25))
    write(score("a", 0.75, time=NOW - timedelta(minutes=5)))
    for _ in range(2):
        [found] = queries.of_subject(SCOPE, Subject(trace_id=ONE))
        assert (found.value, found.time) == (0.75, NOW - timedelta(minutes=5))
        client().command("OPTIMIZE TABLE scores FINAL")


def test_of_one_id_twice_in_a_request_the_last_counts(write: Write) -> None:
    write(score("a", 0.25), score("a", 0.75))
    assert [one.value for one in queries.of_subject(SCOPE, Subject(trace_id=ONE))] == [0.75]


def test_a_score_written_again_for_another_trace_moves_there(write: Write) -> None:
    write(score("a", trace_id=ONE))
    write(score("a", trace_id=TWO))
    assert queries.of_subject(SCOPE, Subject(trace_id=ONE)) == []
    assert listed(trace_id=TWO) == ["a"]
    assert list(queries.scores_of(SCOPE, [ONE, TWO])) == [TWO]


def test_a_deleted_score_is_gone_until_it_is_written_again(write: Write) -> None:
    write(score("a"), score("b"))
    services.delete_score(project_id=1, score_id="a")
    services.delete_score(project_id=1, score_id="a")
    assert (listed(), queries.get_score(SCOPE, "a")) == (["b"], None)
    client().command("OPTIMIZE TABLE scores FINAL")
    assert listed() == ["b"]
    write(score("a"))
    assert sorted(listed()) == ["a", "b"]


def test_another_project_neither_sees_nor_replaces_nor_deletes_it(write: Write) -> None:
    write(score("a", 0.25))
    write(score("a", 0.75, name="tone"), project_id=2)
    services.delete_score(project_id=2, score_id="a")
    [found] = queries.list_scores(SCOPE, ScoreFilters()).scores
    assert found.value == 0.25
    elsewhere = Scope(2)
    assert queries.scores_of(elsewhere, [ONE]) == {}
    assert queries.get_score(elsewhere, "a") is None
    assert queries.names(SCOPE) == ["quality"]


def test_a_subject_is_just_the_trace_the_span_or_the_session(write: Write) -> None:
    write(score("t"), score("s", trace_id=ONE, span_id=SPAN), score("n", session_id="s-1"))
    for subject, expected in (
        (Subject(trace_id=ONE), ["t"]),
        (Subject(trace_id=ONE, span_id=SPAN), ["s"]),
        (Subject(session_id="s-1"), ["n"]),
        (Subject(trace_id="no id"), []),
    ):
        assert [one.id for one in queries.of_subject(SCOPE, subject)] == expected
    assert sorted(one.id for one in queries.scores_of(SCOPE, [ONE])[ONE]) == ["s", "t"]
    assert queries.scores_of(SCOPE, []) == {}


def test_filters_narrow_by_what_was_written_last(write: Write) -> None:
    write(score("a", name="tone", author="ann"), score("b", "x", name="tone"), score("c", source=Source.EVAL))
    write(score("a", name="quality", author="bob"))
    assert sorted(listed(name="quality")) == ["a", "c"]
    assert listed(name="tone", data_type="categorical") == ["b"]
    assert (listed(author="ann"), listed(author="bob")) == ([], ["a"])
    assert listed(source="eval") == ["c"]
    assert queries.names(SCOPE) == ["quality", "tone"]


def test_pages_follow_each_other_without_gap_or_repeat(write: Write) -> None:
    write(*(score(f"id-{n}", time=NOW - timedelta(seconds=n // 2)) for n in range(7)))
    seen, cursor = [], ""
    while True:
        page = queries.list_scores(SCOPE, ScoreFilters(), limit=3, cursor=cursor)
        seen += [one.id for one in page.scores]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == ["id-1", "id-0", "id-3", "id-2", "id-5", "id-4", "id-6"]
    with pytest.raises(BadCursor):
        queries.list_scores(SCOPE, ScoreFilters(), cursor="nonsense")


def test_a_list_that_is_not_found_in_time_says_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        write(score("a", time=NOW - timedelta(seconds=number)))
    monkeypatch.setattr(deadline, "MAX_SECONDS", -1)
    with pytest.raises(
        QueryTooLarge, match=r"Of 2 written scores looked .* filter by trace, session or name"
    ):
        queries.list_scores(SCOPE, ScoreFilters(), limit=1)
    assert len(queries.list_scores(SCOPE, ScoreFilters(), limit=9).scores) == 1


def test_what_is_said_of_a_trace_long_after_it_is_found_with_it(
    write: Write, store_spans: Callable[[list[Span]], None]
) -> None:
    past = SCOPE.during(Window(NOW - timedelta(days=10), NOW - timedelta(days=9)))
    start = int((NOW - timedelta(days=9, hours=12)).timestamp() * 10**9)
    run = Span(
        project_id=1, trace_id=ONE, span_id=SPAN, parent_id="", start_ns=start, end_ns=start, name="run",
        user_id="ann", session_id="s-1",
    )  # fmt: skip
    store_spans([run])
    write(score("late", "wrong", name=FEEDBACK, comment="Found out today"))
    assert list(queries.scores_of(past, [ONE])) == [ONE]
    # What is said of a session may be older than its newest trace.
    long_ago = NOW - timedelta(days=40)
    said = score("s", "down", session_id="s-1", name=FEEDBACK, comment="It began badly", time=long_ago)
    taken_in = f'{{"day":"{long_ago:%Y-%m-%d}",'.encode() + store.line(1, said)[1:]
    insert_json_lines("scores", io.BytesIO(taken_in), token="long ago")
    found = queries.feedback(past, TraceFilters(user_id="ann"))
    assert found.traces == {"wrong": 1, "down": 1}
    assert [one.comment for one in found.comments] == ["Found out today", "It began badly"]


def test_the_window_is_of_the_scores_own_time(write: Write) -> None:
    write(score("old", time=NOW - timedelta(days=400)), score("new"))
    assert listed() == ["new"]
    long_ago = SCOPE.during(Window(NOW - timedelta(days=401), NOW - timedelta(days=399)))
    assert [one.id for one in queries.list_scores(long_ago, ScoreFilters()).scores] == ["old"]
