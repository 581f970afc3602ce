"""Token counts to buckets that no token is in twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.usage import buckets, counts_within
from traces.span import JSONValue, Usage

counts = st.integers(0, 10_000_000)


@given(uncached=counts, cache_read=counts, cache_write=counts, output=counts)
def test_the_buckets_add_up_to_the_input_of_an_emitter_that_includes_the_cache(
    uncached: int, cache_read: int, cache_write: int, output: int
) -> None:
    whole = uncached + cache_read + cache_write
    usage = buckets(
        input=whole, output=output, cache_read=cache_read, cache_write=cache_write, total=whole + output
    )

    assert usage is not None
    assert (usage.input, usage.input_uncached, usage.output) == (whole, uncached, output)


@given(uncached=counts, cached=st.integers(1, 10_000_000), output=counts)
def test_a_total_shows_that_the_emitter_left_the_cache_out(uncached: int, cached: int, output: int) -> None:
    usage = buckets(input=uncached, output=output, cache_read=cached, total=uncached + cached + output)

    assert usage is not None
    assert (usage.input_uncached, usage.input) == (uncached, uncached + cached)


def test_more_cached_than_input_shows_it_too() -> None:
    assert buckets(input=10, output=1, cache_read=90) == Usage(input_uncached=10, cache_read=90, output=1)


def test_reasoning_that_was_left_out_of_the_output_is_added() -> None:
    assert buckets(input=1, output=5, reasoning=8) == Usage(input_uncached=1, output=13, reasoning=8)
    assert buckets(input=1, output=8, reasoning=5) == Usage(input_uncached=1, output=8, reasoning=5)
    assert buckets(input=1, output=8, reasoning=5, total=14) == Usage(
        input_uncached=1, output=13, reasoning=5
    )


def test_the_input_follows_from_a_total_and_an_output() -> None:
    assert buckets(input=None, output=4, total=10) == Usage(input_uncached=6, output=4)


def test_nothing_counted_is_no_usage_and_zero_is_a_count() -> None:
    assert buckets(input=None, output=None, total=9) is None
    assert buckets(input=0, output=0, cache_read=0) == Usage(input_uncached=0, cache_read=0, output=0)


@pytest.mark.parametrize(
    "sent",
    [
        {"a": 1, "inner": {"b": 2, "c": True, "d": 0.5, "e": -1, "f": "6"}},
        '{"a": 1, "inner": {"b": 2, "d": 0.5, "e": -1, "f": "6"}}',
        "{'a': 1, 'inner': {'b': 2, 'c': True, 'd': 0.5, 'e': -1, 'f': '6'}}",
    ],
)
def test_counts_are_found_in_a_mapping_in_json_and_in_python_s_text_of_one(sent: JSONValue) -> None:
    assert counts_within(sent) == {"a": 1, "b": 2}


@pytest.mark.parametrize("sent", [None, 3, "", "3", [], [{"a": 1}], "'a': 99999999999999999999"])
def test_nothing_else_holds_counts(sent: JSONValue) -> None:
    assert counts_within(sent) == {}
