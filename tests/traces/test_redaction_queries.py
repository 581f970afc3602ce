"""Counts of what was replaced, from the real engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.traces.test_queries import span
from tracehouse.tenancy.scope import Scope, Window
from traces.redaction_queries import Replaced, Step, replaced
from traces.span import Span

pytestmark = pytest.mark.clickhouse

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
HOUR_NS = 3600 * 10**9
SCOPE = Scope(1, Window(NOON - timedelta(days=2), NOON + timedelta(days=2)))


def found(number: int, hours: float, **redactions: int) -> Span:
    start = NOON_NS + int(hours * HOUR_NS)
    return span(number, trace=number, parent=0, start_ns=start, end_ns=start + 1, redactions=redactions)


def test_counts_are_summed_by_step_and_detector(store_spans: Callable[[list[Span]], None]) -> None:
    store_spans([found(1, 0.2, email=2), found(2, 0.9, email=1, card=1), found(3, 5, email=4)])
    assert replaced(SCOPE, Step.HOUR) == [
        Replaced(NOON, "card", 1, 1),
        Replaced(NOON, "email", 3, 2),
        Replaced(NOON + timedelta(hours=5), "email", 4, 1),
    ]
    midnight = NOON.replace(hour=0)
    assert replaced(SCOPE, Step.DAY) == [Replaced(midnight, "card", 1, 1), Replaced(midnight, "email", 7, 3)]


def test_a_span_that_came_twice_counts_once(store_spans: Callable[[list[Span]], None]) -> None:
    for _ in range(2):
        store_spans([found(1, 0, email=2)])
    assert [row.values for row in replaced(SCOPE, Step.DAY)] == [2]


def test_days_begin_by_the_clock_of_the_project(store_spans: Callable[[list[Span]], None]) -> None:
    store_spans([found(1, 11.5, email=1), found(2, -12.5, email=1)])
    rows = replaced(replace(SCOPE, time_zone="Europe/Berlin"), Step.DAY)
    assert [row.start for row in rows] == [
        datetime(2026, 11, 19, 23, tzinfo=UTC),
        datetime(2026, 11, 20, 23, tzinfo=UTC),
    ]


def test_other_projects_and_times_do_not_count(store_spans: Callable[[list[Span]], None]) -> None:
    store_spans(
        [found(1, 0, email=1), found(2, 60, email=1), span(3, trace=3, project_id=2, redactions={"email": 9})]
    )
    assert [row.values for row in replaced(SCOPE, Step.DAY)] == [1]


def test_nothing_found_is_no_row(store_spans: Callable[[list[Span]], None]) -> None:
    store_spans([span(1)])
    assert replaced(SCOPE, Step.DAY) == []
