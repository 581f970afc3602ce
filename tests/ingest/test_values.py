"""Attribute values of every type, read into clean ones."""

from decimal import Decimal

import pytest

from ingest.values import content, count, dollars, nanoseconds, structured, text, texts
from traces.span import JSONValue


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (12, 12),
        ("12", 12),
        (3.0, 3),
        (0, 0),
        (3.5, None),
        ("abc", None),
        ("-1", None),
        (-1, None),
        (True, None),
        (None, None),
        ([1], None),
        (1e300, None),
        (float("nan"), None),
        (2**53, None),
        (10**400, None),
    ],
)
def test_counts(sent: JSONValue, read: int | None) -> None:
    assert count(sent) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (0.1, Decimal("0.1")),
        ("0.000000123", Decimal("0.000000123")),
        (1e-15, Decimal(0)),
        (0, Decimal(0)),
        (-1, None),
        ("NaN", None),
        (float("inf"), None),
        (1e300, None),
        (True, None),
        ({}, None),
        ("cheap", None),
    ],
)
def test_dollars(sent: JSONValue, read: Decimal | None) -> None:
    assert dollars(sent) == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [("u-1", "u-1"), (42, "42"), (42.0, "42"), ("  ", None), ("", None), (True, None), (["u"], None)],
)
def test_names(sent: JSONValue, read: str | None) -> None:
    assert text(sent) == read


def test_lists_of_names_come_as_list_json_or_words_with_commas() -> None:
    assert texts("data:text/plain;base64,aGk=") == ("data:text/plain;base64,aGk=",)
    assert texts(["a", 1, None, ""]) == texts('["a", 1]') == texts("a, 1") == ("a", "1")
    assert texts("") is None


def test_structure_sent_as_json_text_is_structure_and_any_other_text_is_text() -> None:
    assert structured(' {"a": [1]}') == {"a": [1]}
    assert structured("12") == "12"
    assert structured("[1] see below") == "[1] see below"
    assert structured('{"a": ') == '{"a": '


def test_numbers_that_json_lacks_become_text() -> None:
    assert structured('{"score": NaN, "most": -Infinity}') == {"score": "NaN", "most": "-Infinity"}


def test_half_a_surrogate_pair_stays_escaped_because_it_could_never_be_written() -> None:
    assert structured('["\\ud800", NaN]') == '["\\ud800", NaN]'


@pytest.mark.parametrize("depth", [65, 500, 100_000])
def test_json_nested_too_deep_for_later_steps_stays_text(depth: int) -> None:
    source = "[" * depth + "]" * depth

    assert structured(source) == source


@pytest.mark.parametrize("sent", ["", "null", "<REDACTED>", "{}", "[]", {}, [], None])
def test_empty_content_is_absent(sent: JSONValue) -> None:
    assert content(sent) is None


def test_durations() -> None:
    assert nanoseconds("0.5", 1_000_000_000) == 500_000_000
    assert nanoseconds(float("nan"), 1) is nanoseconds(-1, 1) is nanoseconds(10**400, 1) is None
