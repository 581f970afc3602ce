"""What a detector gives back, and what it is woken by."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec


class Detector(StrEnum):
    """In the order that decides which of two values at one place it is."""

    JWT = "jwt"
    SECRET = "secret"  # noqa: S105
    IBAN = "iban"
    CARD = "card"
    NATIONAL_ID = "national_id"
    EMAIL = "email"
    PHONE = "phone"
    IP = "ip"


ALL = frozenset(Detector)


class Hit(msgspec.Struct, frozen=True, gc=False):
    """Bytes [start, end) of the text are a value of `detector`; `canonical` names it whatever its spelling.

    A value in several pieces (the lines of a private key) is a hit for the first, and one that `continues` it
    for each other piece.
    """

    start: int
    end: int
    detector: Detector
    canonical: str
    continues: bool = False


Hits: TypeAlias = tuple[Hit, ...]
# The text, where the trigger fired, the project's phone regions.
Check: TypeAlias = Callable[[bytes, int, tuple[str, ...]], Hits]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A short pattern that wakes a check `back` bytes before its end.

    What makes triggers cheap, measured: a fixed width, so that they fire once a candidate and say where it starts;
    at most one class of bytes that is not part of the value before it, and one that words do not leave and enter
    all the time; no start offsets from Hyperscan. Edges are the check's to look at. Each firing costs about 0.3 us
    before its check begins.
    """

    pattern: bytes
    detector: Detector
    check: Check
    back: int = 0
    caseless: bool = False


# Digits that more than one detector begins with.
LONG_RUN = rb"[^0-9][1-6][0-9]{12}"
GROUPS_OF_FOUR = rb"[2-9][0-9]{3}[ .-][0-9]{4}[ .-][0-9]{4}"
