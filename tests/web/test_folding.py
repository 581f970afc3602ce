"""Long text folds, and no character is lost or doubled."""

from hypothesis import given
from hypothesis import strategies as st

from tracehouse.web.folding import FIRST_CHARACTERS, LINES, MAX_CHARACTERS, fold, part


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
    assert (folded.cut, folded.more) == (7, f"{MAX_CHARACTERS + 7 - len(folded.head):,} more characters")
    assert fold("x" * MAX_CHARACTERS, "/where-it-is").cut == MAX_CHARACTERS - FIRST_CHARACTERS


def test_what_was_left_out_comes_part_by_part() -> None:
    text = "".join(f"line {n}\n" for n in range(60_000))
    parts, start = [text[:FIRST_CHARACTERS]], FIRST_CHARACTERS
    while start:
        found, start = part(text, start)
        parts.append(found)
    assert "".join(parts) == text
    assert len(parts) > 3


@given(st.lists(st.text(max_size=300), max_size=60))
def test_head_and_rest_are_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    folded = fold(text)
    assert (folded.head + folded.rest).replace("\n", "") == text.replace("\n", "")
