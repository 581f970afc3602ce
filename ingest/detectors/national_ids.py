"""National ids with their check digits.

US SSN and ITIN, UK NINO, Canada SIN, France NIR, Spain DNI and NIE, Italy codice fiscale, Germany Steuer-ID,
Netherlands BSN, Poland PESEL, Brazil CPF, India Aadhaar. A bare run of digits counts only after a word that says
what it is; the customary grouping counts by itself where it and the check digits together are telling; three groups
of four, which parcels have too, only for a project with India among its regions. All else is an order number.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import itin, ssn

from ingest.detectors.edges import is_number
from ingest.detectors.hit import GROUPS_OF_FOUR, LONG_RUN, Detector, Hit, Hits, Trigger

_SEPARATORS = b" .-"
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")
# Between a word and its number: a little text, but not the next field or line.
_GAP = rb"[^0-9,;{}\n]{0,40}"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A country's id as one shape spells it. `is_valid` takes it without separators, in capitals."""

    country: str
    shape: re.Pattern[bytes]
    is_valid: Callable[[str], bool]
    only_region: str = ""  # counts only for projects with that region

    def check(self, text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
        if self.only_region and self.only_region not in regions:
            return ()
        match = self.shape.match(text, start)
        if match is None or not is_number(text, start, match.end()):
            return ()
        compact = match[0].translate(None, _SEPARATORS).upper().decode()
        if not self.is_valid(compact):
            return ()
        return (Hit(start, match.end(), Detector.NATIONAL_ID, f"{self.country}:{compact}"),)


def _us(digits: str) -> bool:
    return ssn.is_valid(digits) or itin.is_valid(digits)


def _nino(value: str) -> bool:
    return _NINO.fullmatch(value) is not None


def _spanish(value: str) -> bool:
    return bool((nie if value[0] in "XYZ" else dni).is_valid(value))


def _by_itself(
    country: str,
    is_valid: Callable[[str], bool],
    shape: bytes,
    *triggers: tuple[bytes, int],
    only_region: str = "",
) -> list[Trigger]:
    """Triggers with how far before their end `shape` begins."""
    kind = _Kind(country, re.compile(rb"(?<![0-9][ -])" + shape), is_valid, only_region)
    return [Trigger(pattern, Detector.NATIONAL_ID, kind.check, back=back) for pattern, back in triggers]


def _named(country: str, is_valid: Callable[[str], bool], shape: bytes, words: bytes) -> Trigger:
    """A trigger at the first digit after one of the words."""
    kind = _Kind(country, re.compile(shape + rb"(?![0-9])"), is_valid)
    pattern = rb"(?:" + words + rb")" + _GAP + rb"[0-9]"
    return Trigger(pattern, Detector.NATIONAL_ID, kind.check, back=1, caseless=True)


TRIGGERS: tuple[Trigger, ...] = (
    *_by_itself("US", _us, rb"\d{3}-\d\d-\d{4}", (rb"[0-9]{3}-[0-9]{2}-[0-9]{4}", 11)),
    *_by_itself(
        "GB",
        _nino,
        rb"[A-Z]{2}(?:\d{6}| \d\d \d\d \d\d )[A-D]",
        (rb"[A-Z]{2}[0-9]{6}[A-D]", 9),
        (rb"[A-Z] [0-9]{2} [0-9]{2} [0-9]{2} [A-D]", 13),
    ),
    *_by_itself(
        "FR",
        nir.is_valid,
        rb"[12]( ?)\d\d\1\d\d\1\d[0-9AB]\1\d{3}\1\d{3} ?\d\d(?!\d)",
        (LONG_RUN, 13),
        (rb"[12] [0-9]{2} [0-9]{2} [0-9]", 9),
    ),
    *_by_itself(
        "ES",
        _spanish,
        rb"(?:[XYZ]-?\d{7}|\d{8})-?[A-Z]",
        (rb"[^0-9][0-9]{8}[A-Z-]", 9),
        (rb"[XYZ][0-9]{7}[A-Z]", 9),
        (rb"[XYZ]-[0-9]{7}-", 10),
    ),
    *_by_itself(
        "IT",
        codicefiscale.is_valid,
        rb"[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]",
        (rb"[A-Z]{6}[0-9]{2}[A-T][0-9]{2}", 11),
    ),
    *_by_itself("BR", cpf.is_valid, rb"\d{3}\.\d{3}\.\d{3}-\d\d", (rb"\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", 14)),
    *_by_itself(
        "IN",
        aadhaar.is_valid,
        rb"[2-9]\d{3}([ -])\d{4}\1\d{4}(?![ -]?\d)",
        (GROUPS_OF_FOUR, 14),
        only_region="IN",
    ),
    _named("US", _us, rb"\d{3}([ -]?)\d\d\1\d{4}", rb"ssn|social.security|social.is|itin"),
    _named(
        "CA",
        sin.is_valid,
        rb"\d{3}([ -]?)\d{3}\1\d{3}",
        rb"(?:[^a-z]|\x5c[nrt])(?:sin|nas)[^a-z]|social.insurance|assurance.sociale",
    ),
    _named("DE", idnr.is_valid, rb"\d\d( ?)\d{3}\1\d{3}\1\d{3}", rb"steuer|id-?nr|identifikationsnummer"),
    _named("NL", bsn.is_valid, rb"(?:\d{9}|\d{4}\.\d\d\.\d{3})", rb"bsn|burgerservice|sofi-?num"),
    _named("PL", pesel.is_valid, rb"\d{11}", rb"pesel"),
    _named("BR", cpf.is_valid, rb"\d{11}", rb"(?:[^a-z]|\x5c[nrt])cpf"),
    _named("IN", aadhaar.is_valid, rb"\d{4}([ -]?)\d{4}\1\d{4}", rb"aadhaa?r|uidai"),
)
