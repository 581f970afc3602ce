"""Credentials by the names they are given: password=..., "x-api-key": ["..."]."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.detectors.edges import after
from ingest.detectors.hit import Detector, Hit, Hits, Trigger

# What may stand between a name and its sign, and between that and the value. A line may end there.
_TO_SIGN = rb"(?:\x5c[nrt]|[\x5c\x22' \]*`])*"
_GAP = rb"(?:\x5c+(?:[nrtbf]|u[0-9a-fA-F]{4})|[ `*])*"
_TO_VALUE = re.compile(
    rb"(?:\x5c*[\x22']:|>)?" + _GAP + rb"(?P<list>\[" + _GAP + rb"(?=\x5c*[\x22']))?"
    rb"(?:(?P<depth>\x5c*)(?P<quote>[\x22']))?" + _GAP
)
_NEXT_ITEM = re.compile(rb"\x5c*[\x22'],[ ]?\x5c*[\x22']")
_LINE_ENDS = re.compile(rb"\x5c[nr]")
_BACKSLASHES = re.compile(rb"\x5c+")
_PIECES = {
    b'"': re.compile(rb"[^\x22\x5c\x00-\x20]+"),
    b"'": re.compile(rb"[^\x22'\x5c\x00-\x20]+"),
    b"": re.compile(rb"[^\x22'\x5c\x00-\x20,;&<>(){}\[\]|`]+"),
}
_LEAST, _MOST, _MOST_ITEMS = 6, 200, 50
PLACEHOLDER = re.compile(rb"[*x.#]+\Z|[<${%\[]|redacted|hidden|changeme|your|arn:|projects/", re.IGNORECASE)
# Where a value is an ordinary word: schemas, forms and their complaints say these of a password, and names of it.
_NOT_A_PASSWORD = re.compile(
    rb"(?:required|optional|invalid|incorrect|mismatch|mandatory|disabled|undefined|unchanged|forgotten|encrypted|"
    rb"protected|textfield|plaintext|[/~.]|.*(?:passw|pwd|secret|string|hash)).*\Z",
    re.IGNORECASE,
)
_LEAST_WORD = 8
# `user=ann&password=`: form data, where everything up to the next `&` is the value.
_IN_FORM = re.compile(rb"[?&][a-z_.-]{0,40}[:=>]\Z", re.IGNORECASE)
# On the line after a name without a value: the next field, `DB_HOST=db1` or `Phone:`.
_NEXT_FIELD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*(?::\Z|=(?!=*\Z))|[A-Z][A-Z0-9_]*=\Z|[a-z]+://")
_QUANTITY = re.compile(rb"[+-]?[0-9][0-9.,:]*(?:e[+-]?[0-9]+)?[a-z%]{0,3}\Z", re.IGNORECASE)
_LETTER = re.compile(rb"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class _Value:
    """What a name is given: the pieces between the escapes in it, and all of them together."""

    spans: tuple[tuple[int, int], ...]
    text: bytes
    is_quoted: bool = False
    is_on_next_line: bool = False

    @property
    def hits(self) -> Hits:
        canonical = self.text.decode(errors="replace")
        return tuple(
            Hit(start, end, Detector.SECRET, canonical, continues=number > 0)
            for number, (start, end) in enumerate(self.spans)
        )


def _values(text: bytes, at: int) -> Iterator[_Value]:
    """What stands after a sign: one value, or those of a list of strings."""
    glue = _TO_VALUE.match(text, at)
    if glue is None:
        return
    start, quote = glue.end(), glue["quote"] or b""
    on_next_line = _LINE_ENDS.search(text, at, start) is not None
    for _ in range(_MOST_ITEMS):
        spans = _spans(text, start, quote, len(glue["depth"] or b""))
        value = _Value(spans, b"".join(text[first:last] for first, last in spans), bool(quote), on_next_line)
        end = spans[-1][1] if spans else start
        if len(value.text) >= _LEAST and not (quote and after(text, end) == 0x20):  # no sentence
            yield value
        item = _NEXT_ITEM.match(text, end) if glue["list"] else None
        if item is None:
            return
        start = item.end()


def _spans(text: bytes, start: int, quote: bytes, depth: int) -> tuple[tuple[int, int], ...]:
    """The pieces of the value at `start`, whose opening quote has `depth` backslashes before it."""
    spans: list[tuple[int, int]] = []
    position, piece = start, _PIECES[quote]
    while position - start < _MOST:
        match = piece.match(text, position, start + _MOST)
        if match:
            spans.append(match.span())
            position = match.end()
        run = _BACKSLASHES.match(text, position)
        goes_on = run is not None and _goes_on(text, run, quote, depth)
        if run is None or not goes_on:
            break
        position = run.end() + (text[run.end()] == 0x22)
    return tuple(spans)


def _goes_on(text: bytes, run: re.Match[bytes], quote: bytes, depth: int) -> bool:
    """Whether the backslashes are part of the value: they are in it, or make a quote part of it."""
    follows = text[run.end() : run.end() + 1]
    count = run.end() - run.start()
    if quote == b'"':
        return count > depth if follows == b'"' else count >= 2 * (depth + 1)
    return count > 1 and follows not in {b'"', b"'", b"n", b"r", b"t", b"u", b""}


def _stands(text: bytes, value: _Value) -> bool:
    """Whether a value on the line after its name is one: no next field, no sentence."""
    if not value.is_on_next_line:
        return True
    if _NEXT_FIELD.match(value.text) or value.text[-1:] in b":.,)":
        return False
    is_line = text[value.spans[-1][1] : value.spans[-1][1] + 1] in {b"\\", b'"', b"'", b"`", b"*", b""}
    return is_line or _has_letter_and_digit(value.text)


def _is_made_up(value: bytes) -> bool:
    without_digits = value.translate(None, b"0123456789")
    return bool(without_digits) and without_digits != value and not PLACEHOLDER.match(value)


def _has_letter_and_digit(value: bytes) -> bool:
    return _is_made_up(value) and _LETTER.search(value) is not None


def _assigned(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """api_key=..., "client_secret": "...": a value with digits among other characters; the rest is prose or code."""
    return tuple(
        hit
        for value in _values(text, at)
        if _is_made_up(value.text) and _stands(text, value)
        for hit in value.hits
    )


def _password(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """password=..., "pwd": "...": people choose digits alone, and words."""
    return tuple(hit for value in _values(text, at) if _is_password(text, at, value) for hit in value.hits)


def _is_password(text: bytes, at: int, value: _Value) -> bool:
    """A word counts where nothing but a value can stand: in quotes, and in form data."""
    if PLACEHOLDER.match(value.text) or not _stands(text, value):
        return False
    if value.text.isdigit() or _is_made_up(value.text):
        return True
    is_value = value.is_quoted or _IN_FORM.search(text, max(0, at - 60), at) is not None
    return is_value and len(value.text) >= _LEAST_WORD and not _NOT_A_PASSWORD.match(value.text)


_PASSWORDS = rb"(?:passwo?r?d|passwd|pwd|passphrase)"
_NAMES = (
    rb"(?:api[_-]?key|access[_-]?key|secret[_-]?key|account[_-]?key|signing[_-]?key"
    rb"|client[_-]?secret|secret[_-]?token|access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?token)"
)


def _assigned_token(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    return tuple(
        hit
        for value in _values(text, at)
        if len(value.text) >= 20 and _is_made_up(value.text) and _stands(text, value)
        for hit in value.hits
    )


def _named(names: bytes, signs: bytes) -> bytes:
    return names + _TO_SIGN + signs


TRIGGERS = (
    Trigger(_named(_PASSWORDS, rb"[:=>]"), Detector.SECRET, _password, caseless=True),
    Trigger(_named(_NAMES, rb"[:=>]"), Detector.SECRET, _assigned, caseless=True),
    Trigger(
        _named(rb"(?:[^a-z_-]|\x5c[nrt])token", rb"[:=]"), Detector.SECRET, _assigned_token, caseless=True
    ),
)
