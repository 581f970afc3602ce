"""What stands above the list: counts and latencies over time, against a plain recount of the same spans."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals import services
from evals.score import Score, Source, Subject
from ingest.policy import Policy
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web import time_range
from traces import charts, strip_queries
from traces.attribute import parse as parse_attribute
from traces.filters import TraceFilters
from traces.score_filters import parse as parse_score
from traces.span import Kind, Span, Status
from traces.strip_queries import Counts, Strip

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_S = int(NOON.timestamp())
SECOND = 10**9
BERLIN = ZoneInfo("Europe/Berlin")
Store = Callable[[list[Span]], None]
FRESH = itertools.count(80_000)
HOUR = Window(NOON, NOON + timedelta(hours=1))
MINUTES = range(NOON_S, NOON_S + 3660, 60)


def span(project: int, trace: int, *, number: int = 1, at: int = 0, lasts: int = 1, **fields: Any) -> Span:
    start = (NOON_S + at) * SECOND
    given = {"name": "run", "kind": Kind.AGENT, "status": Status.OK, **fields}
    return Span(
        project_id=project,
        trace_id=f"{trace:032x}",
        span_id=f"{number:016x}",
        parent_id="" if number == 1 else f"{1:016x}",
        start_ns=start,
        end_ns=start + lasts * SECOND,
        **given,
    )


def read(project: int, **filters: Any) -> Strip:
    return strip_queries.strip(Scope(project).during(HOUR), TraceFilters(**filters), MINUTES, by_spans=True)


@pytest.mark.clickhouse
def test_each_trace_counts_once_in_the_minute_it_began(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans([span(project, 1, number=2, at=70, lasts=20), span(project, 1, at=59, lasts=10)])
    store_spans([span(project, 1, at=59, lasts=10)])  # a repeat, not yet merged
    store_spans([span(project, 2, at=61, lasts=3, status=Status.ERROR), span(project, 3, at=62, lasts=5)])
    store_spans([span(project, 4, at=-1), span(project, 5, at=3600)])  # begin outside of the window
    found = read(project)
    assert found.buckets == {
        NOON_S: Counts(traces=1, failed=0, unsure=0, p50_ms=31_000, p99_ms=31_000),
        NOON_S + 60: Counts(traces=2, failed=1, unsure=0, p50_ms=5_000, p99_ms=5_000),
    }
    assert (found.total.traces, found.total.failed, found.total.unsure) == (3, 1, 0)


@pytest.mark.clickhouse
def test_filters_narrow_and_what_the_index_cannot_tell_apart_is_unsure(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans(
        [
            span(
                project,
                1,
                user_id="ann",
                feature="draft",
                environment="production",
                session_id="s1",
                tags=("a", "b"),
            ),
            span(project, 2, user_id="bo", status=Status.ERROR, organization_id="acme"),
            span(project, 2, number=2, user_id="ann", kind=Kind.LLM, model="m1", lasts=9),
            span(project, 3, number=2, kind=Kind.TOOL, tool_name="search", status=Status.ERROR, tags=("b",)),
        ]
    )

    def counted(**filters: Any) -> tuple[int, int, int]:
        total = read(project, **filters).total
        return total.traces, total.failed, total.unsure

    assert counted() == (3, 2, 0)
    assert counted(user_id="ann") == (2, 1, 1)
    assert counted(user_id="bo", status="ok") == (0, 0, 0)
    assert counted(status="error") == (2, 2, 0)
    assert counted(status="ok") == (1, 0, 0)
    assert counted(session_id="s1", feature="draft", environment="production") == (1, 0, 0)
    assert counted(organization_id="acme", model="m1") == (1, 1, 0)
    assert counted(tool="search") == (1, 1, 0)
    assert counted(name="run") == (3, 2, 1)
    assert counted(min_latency_ms=5_000) == (1, 1, 1)
    assert counted(min_cost_usd=1) == (0, 0, 0)
    assert counted(tags=("b",)) == (2, 1, 2)
    assert counted(tags=("b", "a")) == (1, 0, 1)
    assert counted(has_error=True) == (2, 2, 2)


@pytest.mark.clickhouse
def test_a_trace_that_both_failed_and_passed_counts_as_failed_and_is_unsure(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans([span(project, 1, status=Status.UNSET)])
    store_spans([span(project, 1, status=Status.ERROR)])
    assert read(project).total.failed == 1
    assert read(project).total.unsure == 1


@pytest.mark.clickhouse
def test_another_projects_traces_are_not_counted(store_spans: Store) -> None:
    owner, stranger = next(FRESH), next(FRESH)
    store_spans([span(owner, 1)])
    assert read(stranger).total == Counts()
    assert strip_queries.indexed_rows(Scope(stranger).during(HOUR)) == 0


@pytest.mark.clickhouse
def test_words_attributes_and_prompts_are_looked_up_where_that_is_asked_for(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans(
        [
            span(project, 1, input="a quiet evening", user_id="ann"),
            span(project, 2, status=Status.ERROR),
            span(project, 2, number=2, output="quiet", prompt_name="greet", prompt_version="2"),
            span(project, 3, attributes={"team": "night"}),
        ]
    )

    def counted(**filters: Any) -> tuple[int, int, int]:
        total = read(project, **filters).total
        return total.traces, total.failed, total.unsure

    assert counted(q="quiet") == (2, 1, 2)
    assert counted(q="quiet evening") == (1, 0, 1)
    assert counted(q="quiet", user_id="ann", status="ok") == (1, 0, 1)
    assert counted(q="loud") == (0, 0, 0)
    assert counted(prompt_name="greet", prompt_version="2") == (1, 1, 1)
    assert counted(attribute=(parse_attribute("team:night"),)) == (1, 0, 1)
    without = strip_queries.strip(
        Scope(project).during(HOUR), TraceFilters(q="loud"), MINUTES, by_spans=False
    )
    assert without.total.traces == 3


@pytest.mark.clickhouse
def test_scores_decide_as_they_were_written_last(store_spans: Store) -> None:
    project = next(FRESH)
    store_spans([span(project, 1, status=Status.ERROR), span(project, 2, user_id="ann"), span(project, 3)])
    for value in (0.2, 0.9):
        services.write_scores(
            project_id=project,
            scores=[score("1", 1, value), score("2", 2, 0.7), score("3", 3, 0.1)],
            policy=Policy(key=b"k" * 32),
        )
    good = parse_score("quality>=0.5")
    assert (read(project, score=good).total.traces, read(project, score=good).total.failed) == (2, 1)
    assert read(project, score=good, user_id="ann").total.traces == 1
    assert read(project, score=good).total.unsure == 0


def score(id: str, trace: int, value: float) -> Score:
    subject = Subject(trace_id=f"{trace:032x}")
    return Score(id=id, name="quality", value=value, subject=subject, source=Source.API, time=NOON)


def test_filters_that_are_not_counted_by_are_named() -> None:
    filters = TraceFilters(
        q="quiet", user_id="ann", status="ok", score=parse_score("quality"), has_error=False
    )
    assert strip_queries.left_out(filters, by_spans=False) == ["has_error", "q"]
    assert strip_queries.left_out(filters, by_spans=True) == ["has_error"]


@given(
    st.integers(0, 10 * 365 * 86_400),
    st.integers(1, 40 * 365 * 86_400),
    st.sampled_from([UTC, BERLIN, ZoneInfo("Asia/Kolkata")]),
)
def test_bars_cover_the_window_and_are_few(after: int, seconds: int, zone: ZoneInfo) -> None:
    start = NOON + timedelta(seconds=after)
    window = Window(start, start + timedelta(seconds=seconds))
    edges = charts.edges_of(window, zone)
    drawn = charts.chart(Strip(Counts(), {}), window, edges, zone)
    assert edges[0] <= start.timestamp() < edges[1]
    assert edges[-2] < window.end.timestamp() <= edges[-1]
    assert list(edges) == sorted(set(edges))
    assert len(drawn.bars) <= charts.MAX_BARS + 2
    assert len(drawn.ticks) <= charts.MAX_TICKS + 1


# Moments at which clocks are put back or forward: an hour, half an hour, an hour past midnight, and a day left out.
CHANGES = [
    (datetime(2026, 10, 25, 1, tzinfo=UTC), BERLIN),
    (datetime(2026, 3, 29, 1, tzinfo=UTC), BERLIN),
    (datetime(2026, 4, 4, 15, tzinfo=UTC), ZoneInfo("Australia/Lord_Howe")),
    (datetime(2026, 11, 1, 5, tzinfo=UTC), ZoneInfo("America/Havana")),
    (datetime(2011, 12, 30, 10, tzinfo=UTC), ZoneInfo("Pacific/Apia")),
]


@given(st.sampled_from(CHANGES), st.integers(0, 10**6), st.integers(60, 2 * 10**6), st.floats(0, 1))
def test_a_bar_leads_to_the_time_that_it_counts_also_where_clocks_change(
    change: tuple[datetime, ZoneInfo], microseconds: int, seconds: int, before: float
) -> None:
    at, zone = change
    start = at - timedelta(seconds=int(seconds * before), microseconds=microseconds)
    window = Window(start, start + timedelta(seconds=seconds))
    drawn = charts.chart(Strip(Counts(), {}), window, charts.edges_of(window, zone), zone)
    led_to = [
        time_range.parse({"from": bar.since, "to": bar.until}, now=NOON, zone=zone).window
        for bar in drawn.bars
    ]
    assert (led_to[0].start, led_to[-1].end) == (window.start, window.end)
    assert all(one.end == other.start for one, other in pairwise(led_to))


@pytest.mark.parametrize("month", [3, 10])
@pytest.mark.parametrize(
    ("days", "hours"), [(60, {0}), (30, {0, 8, 16}), (5, {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22})]
)
def test_bars_stay_on_whole_steps_of_the_zones_clock(month: int, days: int, hours: set[int]) -> None:
    start = datetime(2026, month, 24, 12, tzinfo=UTC)
    window = Window(start, start + timedelta(days=days))
    edges = charts.edges_of(window, BERLIN)
    shown = [datetime.fromtimestamp(edge, BERLIN) for edge in edges]
    # In March the clock goes from 02:00 to 03:00.
    assert {at.hour for at in shown} - ({3} if month == 3 else set()) == hours
    drawn = charts.chart(Strip(Counts(), {}), window, edges, BERLIN)
    assert {tick.label for tick in drawn.ticks} <= {f"{at.day} {at:%b}" for at in shown} | {
        "00:00",
        "06:00",
        "12:00",
        "18:00",
    }


def test_which_of_two_hours_a_bar_is_of_is_said() -> None:
    second = datetime(2026, 10, 25, 1, tzinfo=UTC)
    window = Window(second - timedelta(hours=1), second + timedelta(hours=1))
    drawn = charts.chart(Strip(Counts(), {}), window, charts.edges_of(window, BERLIN), BERLIN)
    assert drawn.bars[29].label == "25 Oct 02:58 CEST to 02:00 CET"


def test_one_failure_among_thousands_is_seen() -> None:
    busy = Counts(traces=10_000, failed=1, p50_ms=100, p99_ms=900)
    bar = charts.chart(Strip(busy, {NOON_S: busy}), HOUR, MINUTES, UTC).bars[0]
    assert bar.failed_height == charts.LEAST
    assert bar.failed_height + bar.passed_height == charts.VOLUME
    assert bar.label == "20 Nov 12:00 to 12:01"


def test_a_line_has_gaps_where_nothing_began() -> None:
    counts = {
        NOON_S: Counts(traces=1, p50_ms=10, p99_ms=10),
        NOON_S + 180: Counts(traces=1, p50_ms=5, p99_ms=10),
    }
    assert charts.chart(Strip(Counts(), counts), HOUR, MINUTES, UTC).p50.count("M") == 2
