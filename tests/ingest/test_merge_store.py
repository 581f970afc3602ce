"""Parts of spans that a burst left are merged once it is over; the engine at home decides which."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from ingest import merge_store
from tests.cast import wait_for
from tracehouse.clickhouse.client import client
from traces.span import Span

Store = Callable[[list[Span]], None]
START_NS = int(datetime(2025, 3, 1, 12, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture(autouse=True)
def _wide_again(clickhouse: None) -> Iterator[None]:
    yield
    merge_store.adapt(lately_seconds=3600)


def parts_left() -> int:
    query = """
        SELECT count() FROM system.parts
        WHERE table = 'spans' AND active AND partition = '2025-03-01' AND min_block_number = max_block_number"""
    return int(client().query(query).first_row[0])


def burst(store_spans: Store) -> None:
    for part in range(4):
        numbers = range(part * 700, part * 700 + 700)
        store_spans(
            [
                Span(
                    project_id=1,
                    trace_id=f"{n:032x}",
                    span_id=f"{n + 1:016x}",
                    start_ns=START_NS,
                    end_ns=START_NS,
                )
                for n in numbers
            ]
        )


def test_what_is_left_of_a_burst_is_merged_and_then_merges_wait_for_many_parts_again(
    store_spans: Store,
) -> None:
    burst(store_spans)
    assert merge_store.adapt(lately_seconds=3600) == merge_store.WIDE  # it may not be over
    assert parts_left() == 4
    assert merge_store.adapt(lately_seconds=0) == merge_store.NARROW
    wait_for(lambda: parts_left() < 4)
    assert merge_store.adapt(lately_seconds=3600) == merge_store.WIDE
    assert "merge_selector_base = 24" in client().query("SHOW CREATE TABLE spans").first_row[0]


def test_merges_wait_for_many_parts_while_spans_come_in(
    store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    burst(store_spans)
    monkeypatch.setattr(merge_store, "LOAD_SPANS", 0)
    assert merge_store.adapt(lately_seconds=0) == merge_store.WIDE
