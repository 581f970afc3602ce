"""A project's patterns: what is refused when it is saved, and what matches."""

import pytest

from ingest import patterns
from ingest.patterns import MAX_LENGTH, MAX_MATCHES, Match, Matcher, matcher, problem_with, whole


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("a(b", "Missing close parenthesis"),
        ("a*", "matches the empty text"),
        (r"(a)\1", "Back-references are unsupported"),
        ("(?=x)y", "Zero-width assertions are not supported"),
        ("[a-z]{1,40000}", "repeat in it is too large"),
        ("x" * (MAX_LENGTH + 1), f"longer than {MAX_LENGTH}"),
    ],
)
def test_a_pattern_that_cannot_be_used_says_why(expression: str, words: str) -> None:
    assert words in problem_with(expression)


def test_a_pattern_that_takes_long_to_compile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "COMPILE_SECONDS", 0.5)
    assert "to compile" in problem_with("(.{1,200}a){20}")


@pytest.mark.parametrize("expression", [r"\bCUST-[0-9]{6}\b", r"\p{Lu}{2}[0-9]+", "(?i)secret plan", "é+"])
def test_a_pattern_that_can_be_used_has_no_problem(expression: str) -> None:
    assert problem_with(expression) == ""


def test_matches_are_the_longest_at_a_place_and_apart() -> None:
    found = Matcher(["[0-9]+", "12"]).find(b"a 123 12")
    assert found == [Match(2, 5, 0), Match(6, 8, 0)]


def test_a_text_that_matches_everywhere_is_one_match() -> None:
    text = b"y" * (MAX_MATCHES + 10)
    assert Matcher(["."]).find(text) == [Match(0, len(text), 0)]


def test_patterns_are_compiled_once() -> None:
    assert matcher(("a+", "b+")) is matcher(("a+", "b+"))


def test_a_whole_pattern_matches_no_part() -> None:
    only = Matcher([whole("a|b")])
    assert only.find(b"b")
    assert not only.find(b"ab")
