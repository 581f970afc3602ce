"""Phone numbers, as libphonenumber knows them, in the spellings that people use.

A leading + counts everywhere; national spellings count for the project's regions, and only grouped as numbers are
there, or bare after a word that says what it is: a bare run of digits is far more often an order number.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from ingest.detectors.edges import TYPOGRAPHIC, is_number
from ingest.detectors.hit import Detector, Hit, Hits, Trigger


class Spelling(Enum):
    """How a region's national numbers are written."""

    NORTH_AMERICAN = auto()
    TRUNK_ZERO = auto()
    GROUPED = auto()


# Bytes of the spaces and dashes that typographers set (`edges.TYPOGRAPHIC`): in one class, which is fast.
_WIDE = rb"\xc2\xa0\xe2\x80\x89\xaf\x90-\x95"
_PLUS = re.compile(rb"(?:\+|%2B)[1-9](?:[ ().\-/" + _WIDE + rb"]{0,3}[0-9]){6,14}", re.IGNORECASE)
_NORTH_AMERICAN = re.compile(rb"(?:\+?1[ .-]{1,2})?\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}\Z")
_NORTH_AMERICAN_WIDE = re.compile(
    rb"\(?[2-9][0-9]{2}\)?(?: |" + TYPOGRAPHIC + rb")[2-9][0-9]{2}" + TYPOGRAPHIC + rb"[0-9]{4}\Z"
)
_TRUNK = re.compile(rb"0[1-9][0-9]{0,4}\)?(?:[ ./" + _WIDE + rb"-]{1,3}[0-9]{2,8}){1,4}")
_GROUPED = re.compile(rb"\(?[1-9][0-9]{1,4}\)?(?:[ -]{1,2}[0-9]{2,5}){1,4}")
_GROUPED_START = re.compile(rb"\(?[1-9][0-9]{1,4}\)?[ -]{1,2}[0-9]{2,5}[ -]?[0-9]{2}\Z")
_NAMED = re.compile(rb"\(?[0-9](?:[ ().\-/" + _WIDE + rb"]{0,3}[0-9]){6,13}")
_LAST_GROUP = re.compile(rb"[ ().\-/" + _WIDE + rb"]+[0-9]+\Z")
# Where the trunk 0 is rarely written before a mobile number.
_ZERO_LEFT_OUT = frozenset({"IN"})
_NORTH_AMERICA = frozenset({"US", "CA", "PR", "DO", "JM", "BS", "BB", "TT"})


def _plus(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _PLUS.match(text, start)
    return _longest(text, start, match.end(), ()) if match else ()


def _north_american(text: bytes, end: int, regions: tuple[str, ...]) -> Hits:
    match = _NORTH_AMERICAN.search(text, max(0, end - 20), end)
    return _longest(text, match.start(), end, regions) if match else ()


def _north_american_wide(text: bytes, end: int, regions: tuple[str, ...]) -> Hits:
    match = _NORTH_AMERICAN_WIDE.search(text, max(0, end - 20), end)
    if match is None or _NORTH_AMERICA.isdisjoint(regions):
        return ()
    return _longest(text, match.start(), end, regions)


def _trunk(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _TRUNK.match(text, start)
    if match is None:
        return ()
    return _longest(text, start - (text[start - 1 : start] == b"("), match.end(), regions)


def _grouped(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """Groups of digits without a trunk 0: only where libphonenumber would write the groups so."""
    begun = _GROUPED_START.search(text, max(0, at - 17), at)
    match = _GROUPED.match(text, begun.start()) if begun else None
    hits = _longest(text, match.start(), match.end(), regions) if match else ()
    return tuple(hit for hit in hits if _is_customary(text[hit.start : hit.end].decode(), hit.canonical))


def _named(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    start -= text[start - 1 : start] == b"("
    match = _NAMED.match(text, start)
    return _longest(text, start, match.end(), regions) if match else ()


def _longest(text: bytes, start: int, end: int, regions: tuple[str, ...]) -> Hits:
    """The longest run of the candidate's groups that is a valid number: other digits may follow a number."""
    while end - start >= 7:
        if is_number(text, start, end):
            number = phone_number(text[start:end].decode(), regions)
            if number:
                return (Hit(start, end, Detector.PHONE, number),)
        shorter = _LAST_GROUP.search(text, start, end)
        if shorter is None:
            break
        end = shorter.start()
    return ()


@lru_cache(maxsize=50_000)
def phone_number(candidate: str, regions: tuple[str, ...]) -> str:
    """The E.164 form of a valid number, else ""; without a + the number is a national one of the regions."""
    digits = "".join(filter(str.isdigit, candidate.removeprefix("%2B").removeprefix("%2b")))
    if candidate[0] in "+%":
        return _quick(digits) or _valid("+" + digits, None)
    if len(digits) == 10 and digits[0] != "0" and not _NORTH_AMERICA.isdisjoint(regions):
        number = _quick("1" + digits)
        if number:
            return number
    return next((number for region in regions if (number := _valid(digits, region))), "")


def _quick(digits: str) -> str:
    """The E.164 form of digits that are a calling code and a valid number as they stand.

    The same answer as libphonenumber's in a tenth of its time; what it does not know, libphonenumber may.
    """
    for length in (1, 2, 3):
        pattern = _numbers_of(digits[:length])
        if pattern is not None:
            return "+" + digits if pattern.fullmatch(digits, length) else ""
    return ""


@cache
def _numbers_of(calling_code: str) -> re.Pattern[str] | None:
    """What a valid national number after that calling code looks like, of any type in any of its regions."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code)) if calling_code else None
    if not regions:
        return None
    kinds = [kind for region in regions for kind in _kinds(region, int(calling_code))]
    return re.compile("|".join(f"(?:{kind})" for kind in kinds)) if kinds else None


_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


def _kinds(region: str, calling_code: int) -> list[str]:
    """The patterns of national numbers of each type."""
    geographic = region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    metadata = (
        PhoneMetadata.metadata_for_region(region)
        if geographic
        else PhoneMetadata.metadata_for_nongeo_region(calling_code)
    )
    described = (getattr(metadata, kind) for kind in _KINDS)
    return [one.national_number_pattern for one in described if one and one.national_number_pattern]


def _valid(candidate: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(candidate, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=10_000)
def _is_customary(spelled: str, canonical: str) -> bool:
    """Whether the groups are those in which the number is written in its country."""
    national = phonenumbers.format_number(phonenumbers.parse(canonical, None), PhoneNumberFormat.NATIONAL)
    return _groups(spelled) == _groups(national)


def _groups(spelled: str) -> list[str]:
    return re.findall(r"\d+", spelled.lstrip("0"))


TRIGGERS = (
    Trigger(rb"\+[1-9][0-9 (.\xc2\xe2-]", Detector.PHONE, _plus, back=3),
    Trigger(rb"[0-9]{3}\xe2\x80[\x89\xaf\x90-\x95][0-9]{4}", Detector.PHONE, _north_american_wide),
    Trigger(rb"[0-9]{3}\xc2\xa0[0-9]{4}", Detector.PHONE, _north_american_wide),
    Trigger(rb"%2B[1-9][0-9]", Detector.PHONE, _plus, back=5, caseless=True),
    Trigger(
        rb"(?:phone|mobil|cellular|(?:[^a-z]|\x5c[nrt])(?:cell|tel|fax|sms)|whatsapp|handy|celular"
        rb"|m\xc3\xb3vil|telefon|t\xc3\xa9l)[^0-9+,;{}\n]{0,20}[0-9]",
        Detector.PHONE,
        _named,
        back=1,
        caseless=True,
    ),
    Trigger(
        rb"(?:call|text|ring|dial|reach) (?:me |us |him |her |them |back )?(?:at |on |under )?[0-9]",
        Detector.PHONE,
        _named,
        back=1,
        caseless=True,
    ),
)

NATIONAL_TRIGGERS: Mapping[Spelling, Trigger] = {
    Spelling.NORTH_AMERICAN: Trigger(
        rb"[0-9) ][ .-][2-9][0-9]{2}[ .-][0-9]{4}", Detector.PHONE, _north_american
    ),
    Spelling.TRUNK_ZERO: Trigger(
        rb"[ \x22'(:=;,>|[nrt\x80-\xff]0[1-9][0-9 )/.\xc2\xa0\xe2\x80\x89\xaf\x90-\x95-]{6}",
        Detector.PHONE,
        _trunk,
        back=8,
    ),
    # 512 345 678, 91 234 56 78, (11) 96123-4567, 98765 43210.
    Spelling.GROUPED: Trigger(
        rb"[^0-9.,$-][1-9][0-9]{1,4}\)?[ -]{1,2}[0-9]{2,5}[ -]?[0-9]{2}", Detector.PHONE, _grouped
    ),
}


def spellings(regions: tuple[str, ...]) -> frozenset[Spelling]:
    """The national spellings that numbers of these regions have: the others need not be looked for."""
    return frozenset(spelling for region in regions for spelling in _spellings(region))


@cache
def _spellings(region: str) -> frozenset[Spelling]:
    if region in _NORTH_AMERICA:
        return frozenset({Spelling.NORTH_AMERICAN})
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    written = [
        phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) for number in examples if number
    ]
    found = {Spelling.TRUNK_ZERO if number.lstrip("(")[:1] == "0" else Spelling.GROUPED for number in written}
    if region in _ZERO_LEFT_OUT:
        found.add(Spelling.GROUPED)
    if Spelling.GROUPED in found:
        found.add(Spelling.NORTH_AMERICAN)  # 347 123 4567 is an Italian mobile too
    return frozenset(found)
