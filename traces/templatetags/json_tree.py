"""Structure as nested lists that fold without script. Keys and values are text, whatever they hold."""

import json
from collections.abc import Iterable, Iterator, Mapping

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tracehouse.web import figures
from traces.span import JSONValue

register = template.Library()
# More rows than anybody reads, and than a browser draws at once; the raw text has all.
MAX_ROWS = 1_000
# A tree of so few rows is open from the start; of any other only its outermost level.
OPEN_ROWS = 60
MAX_DEPTH = 40
LONG = 160
MAX_TEXT = 20_000
_CLASSES: Mapping[type, str] = {str: "jstr", bool: "jword", int: "jnum", float: "jnum", type(None): "jword"}


@register.simple_tag
def json_tree(value: JSONValue) -> SafeString:
    """The tree of an object or a list."""
    rows = _Rows(_is_small(value))
    return format_html('<ul class="jtree">{}</ul>', rows.of(value, 0))


def _is_small(value: JSONValue) -> bool:
    left = OPEN_ROWS
    stack = [value]
    while stack and left >= 0:
        found = stack.pop()
        left -= 1
        if isinstance(found, dict | list):
            stack.extend(list(found.values() if isinstance(found, dict) else found)[: left + 1])
    return left >= 0


class _Rows:
    """The rows of one tree, counted."""

    def __init__(self, is_small: bool) -> None:
        self._left = MAX_ROWS
        self._is_small = is_small

    def of(self, value: JSONValue, depth: int) -> SafeString:
        return format_html_join("", "{}", ((row,) for row in self._rows(value, depth)))

    def _rows(self, value: JSONValue, depth: int) -> Iterator[SafeString]:
        items = list(_items(value))
        mark = mark_safe(" data-item") if isinstance(value, list) else ""
        for place, (key, item) in enumerate(items):
            if not self._left:
                left_out = figures.count(len(items) - place)
                yield format_html('<li class="note">{} more here; the raw text has them</li>', left_out)
                return
            self._left -= 1
            shown = self._row(key, item, depth)
            # An item of a list has a place, a field a name, be it a number.
            yield format_html('<li data-key="{}"{}>{}</li>', key, mark, shown)

    def _row(self, key: str, value: JSONValue, depth: int) -> SafeString:
        if isinstance(value, dict | list) and value and depth < MAX_DEPTH:
            is_open = " open" if self._is_small or not depth else ""
            return format_html(
                "<details{}><summary>{}</summary><ul>{}</ul></details>",
                is_open,
                _summary(key, _size(value)),
                self.of(value, depth + 1),
            )
        if isinstance(value, str) and (len(value) > LONG or "\n" in value):
            return _long(key, value)
        shown = json.dumps(value, ensure_ascii=False)
        kind = _CLASSES.get(type(value), "jword")
        return format_html('<span class="jkey">{}</span> <span class="{}">{}</span>', key, kind, shown)


def _items(value: JSONValue) -> Iterable[tuple[str, JSONValue]]:
    if isinstance(value, dict):
        return value.items()
    return ((str(place), item) for place, item in enumerate(value)) if isinstance(value, list) else ()


def _size(value: dict[str, JSONValue] | list[JSONValue]) -> str:
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}{len(value):,}{closing}"


def _long(key: str, text: str) -> SafeString:
    """A long text folds; it is shown as text, not as its JSON."""
    cut = len(text) - MAX_TEXT
    more = f"… {cut:,} more characters; the raw text has them" if cut > 0 else ""
    opening = f"{' '.join(text[:LONG].split())[: LONG // 2]}…"
    return format_html(
        '<details><summary>{}</summary><pre class="text">{}{}</pre></details>',
        _summary(key, f"{len(text):,} characters", opening),
        text[:MAX_TEXT],
        more,
    )


def _summary(key: str, size: str, opening: str = "") -> SafeString:
    begins = format_html('<span class="jstr">{}</span> ', opening) if opening else ""
    return format_html('<span class="jkey">{}</span> {}<span class="faint">{}</span>', key, begins, size)
