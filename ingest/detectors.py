"""What counts as personal data in text: one pass of many patterns, then a check of each candidate.

Hyperscan finds candidates in one scan whatever the number of patterns; a validator then decides (Luhn for cards,
libphonenumber for phones), so that order numbers, timestamps and ids are left alone.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

import hyperscan
import phonenumbers


class Detector(StrEnum):
    """In the order that decides when two candidates overlap."""

    SECRET = "secret"  # noqa: S105
    JWT = "jwt"
    IBAN = "iban"
    CARD = "card"
    NATIONAL_ID = "national_id"
    EMAIL = "email"
    PHONE = "phone"
    IP = "ip"


ALL = frozenset(Detector)


@dataclass(frozen=True, slots=True)
class Hit:
    """Bytes [start, end) of the buffer are a value of `detector`; `canonical` names it whatever its spelling."""

    start: int
    end: int
    detector: Detector
    canonical: str


# What Hyperscan looks for: short, without start offsets and without bounded repeats, which made it 10 times
# slower. Each fires about once a candidate; the candidate's ends are then found by `_SHAPES` around that place.
_TRIGGERS: Mapping[Detector, bytes] = {
    Detector.EMAIL: rb"@[a-z0-9\x80-\xff-]+\.[a-z\x80-\xff]",
    Detector.CARD: rb"[0-9](?:[ -]?[0-9]){12}",
    Detector.PHONE: rb"[0-9](?:[ ().\-/]{0,3}[0-9]){6}",
}
_SHAPES: Mapping[Detector, re.Pattern[bytes]] = {
    Detector.EMAIL: re.compile(
        rb"[a-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]{1,64}@(?:[a-z0-9\x80-\xff-]{1,63}\.){1,8}[a-z\x80-\xff][a-z0-9\x80-\xff-]{0,62}",
        re.IGNORECASE,
    ),
    Detector.CARD: re.compile(rb"[0-9](?:[ -]?[0-9]){12,18}"),
    # International; the North American 3-3-4 grouping; a national number in groups after a trunk 0.
    Detector.PHONE: re.compile(
        rb"\+[1-9](?:[ ().\-/]{0,3}[0-9]){6,14}"
        rb"|(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9])"
        rb"|\(?0[0-9]{1,5}\)?(?:[ ./-]{1,2}[0-9]{2,8}){1,4}"
    ),
}
# How far before and after a trigger's end its candidate may reach, in bytes.
_REACH: Mapping[Detector, tuple[int, int]] = {
    Detector.EMAIL: (130, 260),
    Detector.CARD: (26, 16),
    Detector.PHONE: (28, 34),
}
_DETECTORS = tuple(_TRIGGERS)
_local = threading.local()


def find(text: bytes, regions: tuple[str, ...], detectors: frozenset[Detector] = ALL) -> list[Hit]:
    """The personal values in UTF-8 `text`, by position, none overlapping.

    `text` may be JSON: a value may stand right after an escape, and no hit covers a quote, a backslash or a
    control character.
    """
    hits: list[Hit] = []
    seen: dict[Detector, int] = {}
    taken = 0
    for detector, end in _triggers(text):
        if detector not in detectors or end <= max(taken, seen.get(detector, 0)):
            continue
        match = _candidate(text, detector, end)
        if match is None:
            # No shape covers this place, so the next candidate starts after it and fires at its seventh digit.
            seen[detector] = end + 6
            continue
        seen[detector] = match.end()
        hit = _CHECKS[detector](text, match.start(), match.end(), regions)
        if hit and match.start() >= taken:
            hits.append(hit)
            taken = hit.end
    return hits


def _triggers(text: bytes) -> list[tuple[Detector, int]]:
    """Where each pattern fired, in the order of detectors at one place, else by position."""
    ends: list[tuple[int, int]] = []

    def fired(pattern: int, start: int, end: int, flags: int, context: object) -> None:
        ends.append((end, pattern))

    database, scratch = _database()
    database.scan(text, match_event_handler=fired, scratch=scratch)
    ends.sort()
    return [(_DETECTORS[pattern], end) for end, pattern in ends]


def _candidate(text: bytes, detector: Detector, end: int) -> re.Match[bytes] | None:
    """The match of the detector's shape that covers the place where its trigger fired."""
    before, after = _REACH[detector]
    for match in _SHAPES[detector].finditer(text, max(0, end - before), min(len(text), end + after)):
        if match.end() >= end:
            return match
    return None


def _email(text: bytes, start: int, end: int, regions: tuple[str, ...]) -> Hit | None:
    start += _escape_tail(text, start)
    if text[start] == 0x40:
        return None
    return Hit(start, end, Detector.EMAIL, text[start:end].decode(errors="replace").lower())


def _card(text: bytes, start: int, end: int, regions: tuple[str, ...]) -> Hit | None:
    """A number of 13 to 19 digits that stands alone, starts as issuers' numbers do and passes Luhn (ISO/IEC 7812)."""
    if not _stands_alone(text, start, end):
        return None
    digits = re.sub(rb"[^0-9]", b"", text[start:end]).decode()
    issued = digits[0] in "3456" or digits[:2] in {"22", "23", "24", "25", "26", "27"}
    if issued and luhn(digits) and len(set(digits)) > 1:
        return Hit(start, end, Detector.CARD, digits)
    return None


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


def _phone(text: bytes, start: int, end: int, regions: tuple[str, ...]) -> Hit | None:
    """The longest run of the candidate's groups that is a valid number: other digits may follow a number."""
    while end - start >= 7:
        if _stands_alone(text, start, end):
            number = phone_number(text[start:end].decode(errors="replace"), regions)
            if number:
                return Hit(start, end, Detector.PHONE, number)
        shorter = _LAST_GROUP.search(text[start:end])
        if shorter is None:
            return None
        end = start + shorter.start()
    return None


_LAST_GROUP = re.compile(rb"[ ().\-/]+[0-9]+$")


@lru_cache(maxsize=50_000)
def phone_number(candidate: str, regions: tuple[str, ...]) -> str:
    """The E.164 form of a valid phone number, else "".

    Without a leading + only the regions' national formats count, and only in the groupings of `_SHAPES`: a bare
    run of digits is far more often an order number.
    """
    if candidate[0] == "+":
        return _valid(candidate, None)
    return next((number for region in regions if (number := _valid(candidate, region))), "")


def _valid(candidate: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(candidate, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    """No digit, letter or decimal point runs on at either side, as it does in ids, hashes and decimals."""
    before = text[start - 1 : start]
    after, next_one = text[end : end + 1], text[end + 1 : end + 2]
    if _ESCAPED.search(text[max(0, start - 6) : start]):
        before = b""
    if before.isalnum() or after.isalnum() or before in {b"_", b".", b"-", b"$"} or after == b"_":
        return False
    return not (after in {b".", b"-"} and next_one.isalnum())


_ESCAPED = re.compile(rb"\\(?:[nrtbf]|u[0-9a-f]{4})\Z", re.IGNORECASE)


def _escape_tail(text: bytes, start: int) -> int:
    """How many bytes at `start` belong to the JSON escape whose backslash stands before them."""
    if text[start - 1 : start] != b"\\":
        return 0
    return 5 if text[start : start + 1] == b"u" else 1 if text[start : start + 1] in b"nrtbf" else 0


_CHECKS: Mapping[Detector, Callable[[bytes, int, int, tuple[str, ...]], Hit | None]] = {
    Detector.EMAIL: _email,
    Detector.CARD: _card,
    Detector.PHONE: _phone,
}


@cache
def _compiled() -> hyperscan.Database:
    database = hyperscan.Database()
    database.compile(
        expressions=[_TRIGGERS[detector] for detector in _DETECTORS],
        ids=list(range(len(_DETECTORS))),
        elements=len(_DETECTORS),
        flags=[hyperscan.HS_FLAG_CASELESS] * len(_DETECTORS),
    )
    return database


def _database() -> tuple[hyperscan.Database, hyperscan.Scratch]:
    """The compiled patterns and this thread's scratch space, which two scans must not share."""
    scratch = getattr(_local, "scratch", None)
    if scratch is None:
        scratch = _local.scratch = hyperscan.Scratch(_compiled())
    return _compiled(), scratch
