"""Payment cards: 14 to 19 digits, bare or in the customary groups, of a known issuer, that pass Luhn (ISO/IEC 7812)."""

import re

from ingest.detectors.edges import is_number
from ingest.detectors.hit import GROUPS_OF_FOUR, LONG_RUN, Detector, Hit, Hits, Trigger

_BARE = re.compile(rb"[0-9]{14,19}(?![0-9])")
# With the fifth group of a number of 19 digits, and without: the date of expiry may follow a number.
_GROUPED = (
    re.compile(rb"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}\1[0-9]{1,3}(?![0-9])"),
    re.compile(rb"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![0-9])"),
    re.compile(rb"[0-9]{4}([ -])[0-9]{6}\1[0-9]{4,5}(?![0-9])"),
)
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
    return _card(text, start, match.end(), match[0]) if match and _ISSUED.fullmatch(match[0]) else ()


def _grouped(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    for shape in _GROUPED:
        match = shape.match(text, start)
        if match:
            digits = match[0].translate(None, b" -")
            issued = _ISSUED.fullmatch(digits) or _ISSUED_LONG.fullmatch(digits)
            found = _card(text, start, match.end(), digits) if issued else ()
            if found:
                return found
    return ()


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
    Trigger(rb"3[0-9]{3}[ -][0-9]{6}[ -]", Detector.CARD, _grouped, back=12),
)
