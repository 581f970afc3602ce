"""A difference of texts holds both of them, and says as little as changed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import text_diff
from traces.text_diff import Change, Piece, diff, shortened

texts = st.text(alphabet="ab .\n", max_size=60) | st.text(max_size=30)


def told(before: str, after: str) -> str:
    signs = {Change.SAME: "{}", Change.REMOVED: "[-{}-]", Change.ADDED: "[+{}+]", Change.LEFT_OUT: "…{}…"}
    return "".join(signs[piece.change].format(piece.text) for piece in diff(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", ""),
        ("the same", "the same", "the same"),
        ("", "new", "[+new+]"),
        ("old", "", "[-old-]"),
        ("who went quiet?", "who went silent?", "who went [-quiet-][+silent+]?"),
        ("a few words", "a few more words", "a few [+more +]words"),
        ("one\ntwo\nthree\n", "one\nthree\n", "one\n[-two\n-]three\n"),
        ("limit: 5, all", "limit: 50, none", "limit: [-5, all-][+50, none+]"),
    ],
)
def test_changed_words_are_told(before: str, after: str, expected: str) -> None:
    assert told(before, after) == expected


@given(texts, texts)
def test_the_pieces_hold_both_texts(before: str, after: str) -> None:
    pieces = diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.change is not Change.ADDED) == before
    assert "".join(piece.text for piece in pieces if piece.change is not Change.REMOVED) == after
    assert text_diff.is_same(pieces) == (before == after)


@given(texts, texts, st.integers(1, 20))
def test_far_texts_are_held_too_or_what_is_not_compared_is_counted(
    before: str, after: str, most: int
) -> None:
    pieces, left = text_diff.diff_far(before, after, most)
    old = "".join(piece.text for piece in pieces if piece.change is not Change.ADDED)
    new = "".join(piece.text for piece in pieces if piece.change is not Change.REMOVED)
    assert (before.startswith(old), after.startswith(new)) == (True, True)
    assert (old, new) == (before, after) or 0 < left <= max(len(before) - len(old), len(after) - len(new))
    assert not text_diff.is_same(pieces) or before == after or left


@given(texts, texts)
def test_no_two_neighbours_say_the_same_kind_of_thing(before: str, after: str) -> None:
    changes = [piece.change for piece in diff(before, after)]
    assert all(first is not second for first, second in pairwise(changes))


@given(texts, texts, st.integers(0, 5))
def test_shortening_loses_nothing_but_says_what_it_leaves_out(before: str, after: str, context: int) -> None:
    pieces = diff(before, after)
    assert "".join(piece.text for piece in shortened(pieces, context)) == "".join(p.text for p in pieces)


def test_only_what_is_near_a_change_is_shown_of_a_long_text() -> None:
    long = "word " * 1_000
    found = shortened(diff(f"{long}old {long}", f"{long}new {long}"))
    assert [piece.change for piece in found] == [
        Change.LEFT_OUT,
        Change.SAME,
        Change.REMOVED,
        Change.ADDED,
        Change.SAME,
        Change.LEFT_OUT,
    ]
    assert sum(len(piece.text) for piece in found if piece.change is not Change.LEFT_OUT) < 400


def test_texts_that_have_nothing_in_common_are_replaced_within_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = " ".join(f"b{number}" for number in range(50_000))
    after = " ".join(f"a{number}" for number in range(50_000))
    monkeypatch.setattr(text_diff, "MAX_EDITS", 40)
    assert diff(before, after) == [Piece(Change.REMOVED, before), Piece(Change.ADDED, after)]
