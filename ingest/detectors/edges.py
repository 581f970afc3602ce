"""What stands beside a candidate: numbers and keys count only where no word or number runs on."""

_SPACE = 0x20
_BACKSLASH = 0x5C
_ESCAPE_LETTERS = frozenset(b"nrtbf")
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
