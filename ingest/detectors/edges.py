"""What stands beside a candidate: numbers and keys count only where no word or number runs on."""

import re
from collections.abc import Iterator

# Spaces that do not break and thin ones, and the dashes of typographers: U+00A0, U+2009, U+202F, U+2010 to U+2015.
TYPOGRAPHIC = rb"(?:\xc2\xa0|\xe2\x80[\x89\xaf\x90-\x95])"
_SPACE = 0x20
_BACKSLASH = 0x5C
_ESCAPE_LETTERS = frozenset(b"nrtbf")
# What JSON, at any depth of strings in strings, writes for one character; a letter after a backslash may be its own.
_ESCAPE = re.compile(rb"\x5c+(?:u[0-9a-fA-F]{4}|[nrtbf/\x22])?")
LONGEST_TAIL = 6
_NOT_IN_PIECES = re.compile(rb"\x5c+(?:u[0-9a-fA-F]{4}|[nrtbf/\x22])?|[\x22\x00-\x1f]+")
ALNUM = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
WORD = ALNUM | {ord("_")}
# A number after one of these is part of a decimal, a dashed id, an amount.
_RUNS_ON_BEFORE = WORD | frozenset(b".-$")


def before(text: bytes, start: int) -> int:
    """The byte before `start`; a space at the beginning, and where that byte ends a JSON escape."""
    if not start:
        return _SPACE
    byte = text[start - 1]
    if byte in _ESCAPE_LETTERS and start > 1 and text[start - 2] == _BACKSLASH:
        return _SPACE
    if start > 5 and text[start - 6 : start - 4] == b"\\u":
        return _SPACE
    return byte


def after(text: bytes, end: int) -> int:
    """The byte at `end`, or a space at the end of the text."""
    return text[end] if end < len(text) else _SPACE


def escape_tail(text: bytes, start: int) -> int:
    """How many bytes at `start` belong to the JSON escape whose backslash stands before them."""
    if not start or text[start - 1] != _BACKSLASH or start >= len(text):
        return 0
    if text[start] == 0x75:  # u
        return 5
    return 1 if text[start] in _ESCAPE_LETTERS else 0


def pieces(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of [start, end) that may be replaced: none begins or ends in an escape, or covers one or a quote.

    There are none beyond the quote that ends a string.
    """
    backslash = text.rfind(b"\\", max(0, start - LONGEST_TAIL), start)
    escape = _ESCAPE.match(text, backslash) if backslash >= 0 else None
    position = max(start, escape.end()) if escape else start
    for cut in _NOT_IN_PIECES.finditer(text, position, len(text)):
        if cut.start() >= end:
            break
        if cut.start() > position:
            yield position, cut.start()
        position = cut.end()
        if b'"' in cut[0] and cut[0].count(b"\\") % 2 == 0:
            return
    if position < end:
        yield position, end


def is_word(text: bytes, start: int, end: int) -> bool:
    """Whether no letter, digit or underscore touches [start, end)."""
    return before(text, start) not in WORD and after(text, end) not in WORD


def is_number(text: bytes, start: int, end: int) -> bool:
    """Whether [start, end) is a number of its own: no id, hash, decimal or amount runs on at either side."""
    if before(text, start) in _RUNS_ON_BEFORE:
        return False
    following = after(text, end)
    if following in WORD:
        return False
    return not (following in b".-" and after(text, end + 1) in ALNUM)
