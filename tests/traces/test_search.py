"""What somebody types into the search box is read as they mean it."""

import pytest

from traces.search import Kind, Term, terms

READ = [
    ("Refund", [Term(Kind.WORD, "Refund")]),
    ("refund  order refund", [Term(Kind.WORD, "refund"), Term(Kind.WORD, "order")]),
    ('"context window" exceeded', [Term(Kind.PHRASE, "context window"), Term(Kind.WORD, "exceeded")]),
    ('"refund"', [Term(Kind.WORD, "refund")]),
    ("order-4417", [Term(Kind.PHRASE, "order-4417")]),
    ("(refund)", [Term(Kind.WORD, "refund")]),
    ("timeo*", [Term(Kind.PART, "timeo")]),
    ("*out", [Term(Kind.PART, "out")]),
    ("*", []),
    ("** *", []),
    (r"\n", []),
    (r"C:\temp", [Term(Kind.PHRASE, "C: emp")]),
    ("???", [Term(Kind.PART, "???")]),
    ("größe", [Term(Kind.WORD, "größe")]),
    ("返金", [Term(Kind.PART, "返金")]),
    ("返金　ﾎﾟﾘｼｰ", [Term(Kind.PART, "返金"), Term(Kind.PART, "ﾎﾟﾘｼｰ")]),
    ("🚀 done", [Term(Kind.PART, "🚀"), Term(Kind.WORD, "done")]),
    (r"line\nbreak", [Term(Kind.PHRASE, "line break")]),
    ('"never closed', [Term(Kind.WORD, "never"), Term(Kind.WORD, "closed")]),
    ("", []),
]


@pytest.mark.parametrize(("typed", "read"), READ)
def test_words_phrases_and_parts(typed: str, read: list[Term]) -> None:
    assert list(terms(typed)) == read


@pytest.mark.parametrize(("text", "longest"), [("req_8f2a9", "8f2a9"), ("???", ""), ("返金 ok", "返金")])
def test_a_part_is_looked_up_by_its_longest_word(text: str, longest: str) -> None:
    assert Term(Kind.PART, text).longest_word == longest
