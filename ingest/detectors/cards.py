"""Payment cards: 14 to 19 digits, bare or in the customary groups, of a known issuer, that pass Luhn (ISO/IEC 7812).

A number in JSON may be a double, `4111111111111111.0`, or negative.
"""

import re

from ingest.detectors.edges import is_number
from ingest.detectors.hit import GROUPS_OF_FOUR, LONG_RUN, Detector, Hit, Hits, Trigger

_BARE = re.compile(rb"[0-9]{14,19}(?![0-9])")
# Also the spaces and dashes that typographers set (`edges.TYPOGRAPHIC`), as a class of their bytes, which is fast.
_BETWEEN = rb"([ .\xc2\xa0\xe2\x80\x89\xaf\x90-\x95-]{1,3})"
_SIXTEEN = re.compile(rb"[0-9]{4}" + _BETWEEN + rb"[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![0-9])")
_NINETEEN = re.compile(rb"[0-9]{4}" + _BETWEEN + rb"[0-9]{4}\1[0-9]{4}\1[0-9]{4}\1[0-9]{1,3}(?![0-9])")
_FIFTEEN = re.compile(rb"[0-9]{4}" + _BETWEEN + rb"[0-9]{6}\1[0-9]{4,5}(?![0-9])")
_NOT_DIGITS = bytes(byte for byte in range(256) if not 48 <= byte <= 57)
_MINUS = 0x2D
_BEFORE_SIGN = frozenset({b":", b",", b"["})  # where a number stands by itself in JSON
_ISSUED = re.compile(
    rb"4\d{15}"  # Visa
    rb"|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    rb"|3[47]\d{13}"  # American Express
    rb"|3(?:0[0-5]|095|[689]\d)\d{11}"  # Diners Club
    rb"|(?:6011|64[4-9]\d|65\d\d)\d{12}"  # Discover
    rb"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    rb"|62\d{14,17}"  # UnionPay
    rb"|(?:5018|5020|5038|5893|6304|6390|6759|676[1-3])\d{12,15}"  # Maestro
)
# Visa's and Discover's rare 19 digits count in groups only: a bare run of 19 digits is far more often an id.
_ISSUED_LONG = re.compile(rb"(?:4\d\d\d|6011|64[4-9]\d|65\d\d)\d{15}")
_DOUBLED = bytes(sum(divmod(2 * (byte - 48), 10)) if 48 <= byte <= 57 else 0 for byte in range(256))


def _bare(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _BARE.match(text, start)
    if match is None or not _ISSUED.fullmatch(match[0]):
        return ()
    end = match.end()
    if text.startswith(b".0", end) and not text[end + 2 : end + 3].isdigit():
        end += 2
    if text[start - 1] == _MINUS and text[start - 3 : start - 1].rstrip(b" ")[-1:] in _BEFORE_SIGN:
        start -= 1
    return _card(text, start, end, match[0])


def _grouped(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _SIXTEEN.match(text, start) or _FIFTEEN.match(text, start)
    if match is None:
        return ()
    if text.startswith(match[1], match.end()):  # a fifth group of the number, or the date of its expiry
        longer = _NINETEEN.match(text, start)
        found = _in_groups(text, longer) if longer else ()
        if found:
            return found
    return _in_groups(text, match)


def _in_groups(text: bytes, match: re.Match[bytes]) -> Hits:
    digits = match[0].translate(None, _NOT_DIGITS)
    issued = _ISSUED.fullmatch(digits) or _ISSUED_LONG.fullmatch(digits)
    return _card(text, match.start(), match.end(), digits) if issued else ()


def _card(text: bytes, start: int, end: int, digits: bytes) -> Hits:
    if not luhn(digits) or not (is_number(text, start, end) or _is_track(text, start, end)):
        return ()
    return (Hit(start, end, Detector.CARD, digits.decode()),)


def luhn(digits: bytes) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    plain = digits[-1::-2]
    return (sum(plain) - 48 * len(plain) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def _is_track(text: bytes, start: int, end: int) -> bool:
    """A magnetic stripe's track: %B4111111111111111^DOE/JANE^..."""
    return text[start - 2 : start] == b"%B" and text[end : end + 1] == b"^"


TRIGGERS = (
    Trigger(LONG_RUN, Detector.CARD, _bare, back=13),
    Trigger(GROUPS_OF_FOUR, Detector.CARD, _grouped, back=14),
    Trigger(rb"3[0-9]{3}[ .-][0-9]{6}[ .-]", Detector.CARD, _grouped, back=12),
    Trigger(rb"[2-6][0-9]{3}\xc2\xa0[0-9]{4}", Detector.CARD, _grouped, back=10),
    Trigger(rb"[2-6][0-9]{3}\xe2\x80[\x89\xaf\x90-\x95][0-9]{4}", Detector.CARD, _grouped, back=11),
)
