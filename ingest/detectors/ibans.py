"""IBANs: a country's length and structure and the check digits of ISO 13616, compact or in groups of four."""

import re
from functools import cache

from stdnum import iban, numdb

from ingest.detectors.edges import ALNUM, TYPOGRAPHIC, after, before
from ingest.detectors.hit import Detector, Hit, Hits, Trigger

_COUNTRIES = numdb.get("iban")
_FIELD = re.compile(r"(\d+)!")
_SEPARATOR = re.compile(rb"[ -]|" + TYPOGRAPHIC)


def _iban(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    length = _length(text[start : start + 2].upper().decode())
    end = _end(text, start, length)
    if not end or before(text, start) in ALNUM or after(text, end) in ALNUM:
        return ()
    compact = _SEPARATOR.sub(b"", text[start:end]).upper().decode()
    return (Hit(start, end, Detector.IBAN, compact),) if iban.is_valid(compact, check_country=False) else ()


@cache
def _length(country: str) -> int:
    """Characters of that country's IBANs; 0 where it has none."""
    properties = _COUNTRIES.info(country)[0][1]
    return 4 + sum(map(int, _FIELD.findall(properties["bban"]))) if "bban" in properties else 0


def _end(text: bytes, start: int, length: int) -> int:
    """Where `length` letters and digits end that stand compact or in groups of four; 0 where they do not."""
    if not length:
        return 0
    found = _SEPARATOR.match(text, start + 4)
    if found is None:
        end = start + length
        return end if len(text) >= end and text[start:end].isalnum() else 0
    separator = found[0]
    step, gaps = 4 + len(separator), (length - 1) // 4
    end = start + length + gaps * len(separator)
    grouped = all(text.startswith(separator, gap) for gap in range(start + 4, start + 4 + gaps * step, step))
    compact = text[start:end].replace(separator, b"")
    return end if grouped and len(compact) == length and compact.isalnum() else 0


TRIGGERS = (
    Trigger(rb"[A-Z]{2}[0-9]{2}[0-9A-Z]{4}", Detector.IBAN, _iban, back=8),
    Trigger(rb"[A-Z]{2}[0-9]{2}[ -][0-9A-Z]{4}", Detector.IBAN, _iban, back=9),
    Trigger(rb"[A-Z]{2}[0-9]{2}\xc2\xa0[0-9A-Z]{4}", Detector.IBAN, _iban, back=10),
    Trigger(rb"[A-Z]{2}[0-9]{2}\xe2\x80[\x89\xaf\x90-\x95][0-9A-Z]{4}", Detector.IBAN, _iban, back=11),
    # In small letters, which hashes and ids have too, only where it says so.
    Trigger(rb"iban[^a-z0-9]{1,12}[a-z]{2}[0-9]{2}", Detector.IBAN, _iban, back=4, caseless=True),
)
