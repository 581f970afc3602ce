"""Tells apart what a statement is, and where the text of an INSERT ends and its data begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from tracehouse.embedded.clickhouse_errors import BAD_ARGUMENTS, SYNTAX_ERROR, QueryError

# A statement is held in memory; data of an INSERT is not. ClickHouse's own limit is 256 KiB of parsed text.
MAX_STATEMENT_BYTES = 8 * 1024 * 1024
_MAX_INSERT_HEAD = 256 * 1024

_GAP = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_FIRST_WORD = re.compile(rf"{_GAP}\(*{_GAP}(\w+)".encode(), re.DOTALL)
_TRAILING_FORMAT = re.compile(
    rf"\bFORMAT\s+(\w+){_GAP}(?:SETTINGS\s[^()]*)?;?{_GAP}$", re.IGNORECASE | re.DOTALL
)
# What can hide a keyword (strings, quoted names, comments), what nests, and the words that end an INSERT's
# head.
_INSERT_TOKEN = re.compile(
    rb"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|--[^\n]*|/\*.*?\*/"""
    rb"""|(?P<open>\()|(?P<close>\))"""
    rb"""|\bFORMAT\s+(?P<format>\w+)[ \t\f]*\r?\n?"""
    rb"""|\b(?P<values>VALUES)\b|\b(?P<select>SELECT|WITH|FROM)\b|\w+""",
    re.IGNORECASE | re.DOTALL,
)


class Kind(StrEnum):
    READ = "read"  # streams
    INSERT = "insert"  # has data
    OTHER = "other"  # DDL, SHOW, INSERT ... SELECT: a small answer or none


@dataclass(frozen=True, slots=True)
class Statement:
    kind: Kind
    text: str
    format: str  # that the statement itself names, or ""
    data: Iterator[bytes]


def read_statement(in_url: str, body: Iterator[bytes]) -> Statement:
    """The statement of a request: from the URL, from the body, or begun in one and continued in the other."""
    head = in_url.encode()
    if not head:
        head, body = _head_of(body)
    if _first_word(head) == b"INSERT":
        return _read_insert(head, body, all_in_body=not in_url)
    text = _decode(b"\n".join(filter(None, (head, _rest(body)))))
    if not text.strip():
        raise QueryError.own(SYNTAX_ERROR, "SYNTAX_ERROR", "Empty query")
    kind = Kind.READ if _first_word(text.encode()) in {b"SELECT", b"WITH"} else Kind.OTHER
    named = _TRAILING_FORMAT.search(text)
    return Statement(kind, text, named[1] if named else "", iter(()))


def _first_word(text: bytes) -> bytes:
    found = _FIRST_WORD.match(text)
    return found[1].upper() if found else b""


def _head_of(body: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Enough of a body to see an INSERT's head, and the rest of it."""
    head = b""
    for chunk in body:
        head = head + chunk if head else chunk
        if len(head) >= _MAX_INSERT_HEAD:
            break
    return head, body


def _rest(body: Iterator[bytes]) -> bytes:
    rest = bytearray()
    for chunk in body:
        rest += chunk
        if len(rest) > MAX_STATEMENT_BYTES:
            message = f"Max query size exceeded: {MAX_STATEMENT_BYTES} bytes"
            raise QueryError.own(SYNTAX_ERROR, "SYNTAX_ERROR", message)
    return bytes(rest)


def _read_insert(head: bytes, body: Iterator[bytes], *, all_in_body: bool) -> Statement:
    end = _end_of_insert_head(head)
    if end is None:
        return Statement(Kind.INSERT, _decode(head), "", body)
    if end.lastgroup == "select":
        return Statement(Kind.OTHER, _decode(head + _rest(body)), "", iter(()))
    if end.lastgroup == "values" and len(head) < _MAX_INSERT_HEAD and all_in_body:
        # Short enough to be run as written, which also allows parameters among the values.
        return Statement(Kind.OTHER, _decode(head + _rest(body)), "", iter(()))
    form = _decode(end["format"]) if end.lastgroup == "format" else "Values"
    inline = memoryview(head)[end.end() :]
    data = chain((bytes(inline),), body) if inline else body
    return Statement(Kind.INSERT, _decode(head[: end.start()]), form, data)


def _end_of_insert_head(head: bytes) -> re.Match[bytes] | None:
    """Where FORMAT, VALUES or SELECT stands outside brackets, strings and comments."""
    depth = 0
    for token in _INSERT_TOKEN.finditer(head[:_MAX_INSERT_HEAD]):
        match token.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "format" | "values" | "select" if depth == 0:
                return token
            case _:
                pass
    return None


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise QueryError.own(BAD_ARGUMENTS, "BAD_ARGUMENTS", "The statement is not UTF-8") from None
