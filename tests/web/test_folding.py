"""Long text folds, and no character is lost or doubled."""

from hypothesis import given
from hypothesis import strategies as st

from tracehouse.web.folding import LINES, MAX_CHARACTERS, fold


def test_short_text_does_not_fold() -> None:
    assert fold("one\ntwo").rest == ""


def test_the_first_twenty_lines_show() -> None:
    folded = fold("\n".join(f"line {n}" for n in range(50)))
    assert len(folded.head.splitlines()) == LINES
    assert folded.more == "30 more lines"


def test_text_without_line_breaks_folds_by_length() -> None:
    folded = fold("word " * 5_000)
    assert 2_000 < len(folded.head) <= 2_400
    assert folded.more.endswith("more characters")


def test_what_is_too_long_for_a_page_says_how_much_is_left_out() -> None:
    folded = fold("x" * (MAX_CHARACTERS + 7))
    assert folded.cut == 7


@given(st.lists(st.text(max_size=300), max_size=60))
def test_head_and_rest_are_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    folded = fold(text)
    assert (folded.head + folded.rest).replace("\n", "") == text.replace("\n", "")
