"""Rows to rows without personal data: the step that runs before anything is written anywhere.

Pure. It works on the JSON text of the rows (docs/decisions/0008): all texts of a batch are scanned in one pass and
replacements are spliced in, whatever the depth a value stands at: keys, and JSON inside strings, included. Hits never
cover a quote or a part of an escape (`detectors.scan`), and a number is replaced as a whole, so the text stays JSON.
"""

import hmac
import re
from collections.abc import Sequence
from functools import lru_cache

from ingest.detectors import Detector, Hit, find
from ingest.policy import Action, Allowed, Policy

Counts = dict[str, int]
# Escapes inside of strings that hold JSON themselves: the row's own encoder writes none for such characters.
_INNER_ESCAPE = re.compile(rb"(\\{2,})u([0-9a-fA-F]{4})")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_NUMBER = re.compile(rb"[-+.0-9eE]+")
# `user-1042`: too short and with too few digits for any detector; a scan of its own would cost 15 us.
_PLAIN_ID = re.compile(r"(?!xox)(?=(?:[^0-9]*[0-9]){0,5}[^0-9]*$)[A-Za-z0-9_-]{1,19}\Z")
# In JSON inside of a string: after a key and its colon, or in a list of numbers that is a key's, or all of the string.
_INNER_NUMBER = re.compile(rb"(?:(\x5c+)\x22 ?: ?(?:\[[-+0-9.eE, ]*)?|(\x5c*)\x22\[[-+0-9.eE, ]*)-?\Z")
_NEAR = 400
_SPACE = 0x20
_BEFORE_NUMBER = frozenset(b":,[-")
_BACKSLASH = 0x5C
_QUOTE_AND_BACKSLASH = (0x22, _BACKSLASH)


def redact(texts: Sequence[bytes], policy: Policy) -> list[tuple[bytes, Counts]]:
    """Each JSON text with every personal value replaced, and the counts of what was replaced, by detector."""
    buffer = b"\n".join(texts)
    if b"\\\\u" in buffer:
        texts = [_unhidden(text, policy) for text in texts]
        buffer = b"\n".join(texts)
    cleaned: list[tuple[bytes, Counts]] = []
    hits = iter(_wanted(buffer, policy))
    hit = next(hits, None)
    start = 0
    for text in texts:
        end = start + len(text)
        if hit is None or hit.start >= end:
            cleaned.append((text, {}))
        else:
            found = []
            while hit is not None and hit.start < end:
                found.append(hit)
                hit = next(hits, None)
            cleaned.append(_spliced(buffer, start, end, found, policy))
        start = end + 1
    return cleaned


def redact_text(text: str, policy: Policy) -> tuple[str, Counts]:
    """One string on its own that is not JSON, and what was replaced in it."""
    encoded = text.encode("utf-8", "surrogatepass")
    parts, counts = _pieces(encoded, 0, len(encoded), _wanted(encoded, policy), policy)
    return b"".join(parts).decode("utf-8", "surrogatepass"), counts


def redact_identity(value: str, policy: Policy) -> tuple[str, Counts]:
    """A user, session or organization id. Always hashed, never masked: masked, two users would become one."""
    if _PLAIN_ID.match(value):
        return value, {}
    return _identity(value, policy.key, policy.regions, policy.detectors, policy.allow)


@lru_cache(maxsize=20_000)
def _identity(
    value: str, key: bytes, regions: tuple[str, ...], detectors: frozenset[Detector], allow: Allowed
) -> tuple[str, Counts]:
    return redact_text(value, Policy(key, regions, dict.fromkeys(detectors, Action.HASH), allow))


def keyed_hash(name: str, canonical: str, key: bytes) -> str:
    """A stable opaque id: the first 64 bits of HMAC-SHA256 (RFC 2104) of the value in its canonical spelling."""
    keyed = _keyed(key).copy()
    keyed.update(f"{name}:{canonical}".encode())
    return f"[{name}:{keyed.hexdigest()[:16]}]"


@lru_cache(maxsize=1000)
def _keyed(key: bytes) -> hmac.HMAC:
    """To be copied: setting one up takes longer than hashing a value."""
    return hmac.new(key, digestmod="sha256")


def _wanted(text: bytes, policy: Policy) -> list[Hit]:
    hits = find(text, policy.regions, policy.detectors)
    if not policy.allow:
        return hits
    allows = policy.allow.allows
    return [
        hit for hit in hits if not allows(text[hit.start : hit.end].decode(errors="replace"), hit.canonical)
    ]


def _unhidden(text: bytes, policy: Policy) -> bytes:
    """The text with the escapes of inner JSON decoded, if a value hides behind one; else as it was sent."""
    plain = _INNER_ESCAPE.sub(_character, text)
    if plain == text:
        return text
    hidden = [hit.canonical for hit in _wanted(plain, policy)] != [
        hit.canonical for hit in _wanted(text, policy)
    ]
    return plain if hidden else text


def _character(match: re.Match[bytes]) -> bytes:
    point = int(match[2], 16)
    stays = point < 0x20 or point in _QUOTE_AND_BACKSLASH or 0xD800 <= point < 0xE000
    return match[0] if stays else chr(point).encode()


def _spliced(
    buffer: bytes, start: int, end: int, hits: Sequence[Hit], policy: Policy
) -> tuple[bytes, Counts]:
    parts, counts = _pieces(buffer, start, end, hits, policy, is_json=True)
    return b"".join(parts), counts


def _pieces(
    buffer: bytes, start: int, end: int, hits: Sequence[Hit], policy: Policy, *, is_json: bool = False
) -> tuple[list[bytes], Counts]:
    parts: list[bytes] = []
    counts: Counts = {}
    masked_keys = 0
    position = start
    strings: _Strings | None = None
    quote = start  # the next one after the hit, looked for once for all hits before it
    for hit in hits:
        action = policy.actions.get(hit.detector)
        text = _stand_in(hit, action, policy.key)
        if is_json and 0 <= quote < hit.end:
            quote = buffer.find(b'"', hit.end)
        if is_json and action is not Action.HASH and _ends_key(buffer, quote):
            masked_keys += 1
            text = f"[{hit.detector}]" if masked_keys == 1 else f"[{hit.detector}] {masked_keys}"
        first, last = hit.start, hit.end
        if is_json and _follows_sign(buffer, first) and _NUMBER.fullmatch(buffer, first, last):
            strings = strings or _Strings(buffer, start)
            quotes = _inner_quote(buffer, start, first) if strings.hold(first) else '"'
            if quotes:
                text, (first, last) = f"{quotes}{text}{quotes}", _number_around(buffer, first)
        parts += (buffer[position:first], text.encode())
        position = last
        if not hit.continues:
            counts[hit.detector] = counts.get(hit.detector, 0) + 1
    parts.append(buffer[position:end])
    return parts, counts


def _stand_in(hit: Hit, action: Action | None, key: bytes) -> str:
    if hit.continues or action is Action.DROP:
        return ""
    return keyed_hash(hit.detector, hit.canonical, key) if action is Action.HASH else f"[{hit.detector}]"


def _ends_key(buffer: bytes, quote: int) -> bool:
    """Whether the quote ends an object's key. Keys that are masked alike are numbered: none is lost."""
    return quote >= 0 and buffer[quote - 1] != _BACKSLASH and buffer[quote + 1 : quote + 2] == b":"


def _follows_sign(buffer: bytes, position: int) -> bool:
    before = buffer[position - 1]
    return before in _BEFORE_NUMBER or (before == _SPACE and buffer[position - 2] in _BEFORE_NUMBER)


def _inner_quote(buffer: bytes, start: int, position: int) -> str:
    """How a quote is written in the JSON that the string around holds, where that has a number at `position`; or ""."""
    place = _INNER_NUMBER.search(buffer, max(start, position - _NEAR), position)
    if place is None:
        return ""
    after_key, opening = place.groups()
    backslashes = len(after_key) if after_key else 2 * len(opening) + 1
    return "\\" * backslashes + '"'


def _number_around(buffer: bytes, position: int) -> tuple[int, int]:
    """The whole JSON number at `position`, with its sign."""
    start = position - (buffer[position - 1 : position] == b"-")
    number = _NUMBER.match(buffer, start)
    return start, number.end() if number else position


class _Strings:
    """Where the strings of one JSON text are; asked by position, in order, so that a text is read once."""

    def __init__(self, buffer: bytes, start: int) -> None:
        self._strings = _STRING.finditer(buffer, start)
        self._string = next(self._strings, None)

    def hold(self, position: int) -> bool:
        """Whether `position` is inside of a string."""
        while self._string is not None and self._string.end() <= position:
            self._string = next(self._strings, None)
        return self._string is not None and self._string.start() < position
