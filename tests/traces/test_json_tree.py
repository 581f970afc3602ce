"""Structure is drawn as lists that fold; what it holds stays text, and there is never too much of it."""

import re
from html import unescape

from traces.span import JSONValue
from traces.templatetags.json_tree import MAX_ROWS, MAX_TEXT, json_tree


def text(value: JSONValue) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", json_tree(value))).split())


def test_keys_and_values_are_read_in_order() -> None:
    assert text({"a": 1, "b": [True, None, "x"]}) == 'a 1 b [3] 0 true 1 null 2 "x"'


def test_a_small_tree_is_open_and_a_large_one_only_at_its_first_level() -> None:
    assert json_tree({"a": {"b": {"c": 1}}}).count("<details open>") == 2
    large = json_tree({"a": {"b": {str(n): n for n in range(100)}}})
    assert (large.count("<details open>"), large.count("<details>")) == (1, 1)


def test_markup_stays_text() -> None:
    drawn = json_tree({"<b>": "<img src=x onerror=alert(1)>", 'a"b': ["</li><script>"]})
    assert "<b>" not in drawn
    assert "<img" not in drawn
    assert "<script" not in drawn
    assert 'data-key="a&quot;b"' in drawn


def test_a_long_text_folds_and_a_very_long_one_says_what_is_missing() -> None:
    assert "<pre" not in json_tree({"a": "short"})
    assert "line two" in json_tree({"a": "line one\nline two"})
    drawn = json_tree({"a": "x" * (MAX_TEXT + 7)})
    assert "7 more characters" in drawn
    assert len(drawn) < MAX_TEXT + 1_000


def test_a_huge_structure_is_cut_with_a_note() -> None:
    drawn = json_tree([{"n": n} for n in range(100_000)])
    assert drawn.count("data-key") == MAX_ROWS
    assert "more here; the raw text has them" in drawn


def test_a_deep_structure_ends_in_its_json() -> None:
    value: JSONValue = "end"
    for _ in range(60):
        value = [value]
    assert "end" in text(value)
