"""What a project does with what is found: one action a detector, values it allows, patterns of its own. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.detectors import Detector
from ingest.patterns import matcher, whole


class Action(StrEnum):
    MASK = "mask"  # [email]
    HASH = "hash"  # [email:1f9a...], the same for the same value within a project
    DROP = "drop"  # nothing is left of it


DEFAULT_ACTIONS: Mapping[Detector, Action] = {
    Detector.EMAIL: Action.HASH,
    Detector.PHONE: Action.HASH,
    Detector.CARD: Action.MASK,
    Detector.IBAN: Action.MASK,
    Detector.NATIONAL_ID: Action.MASK,
    Detector.IP: Action.HASH,
    Detector.SECRET: Action.MASK,
    Detector.JWT: Action.MASK,
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A project's own pattern, in Hyperscan's syntax. `name` stands in the replacement and in the counts."""

    name: str
    expression: str
    action: Action = Action.MASK


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is never replaced: these values, in `compact` spelling, and values that match these patterns as a whole."""

    values: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.patterns)

    def allows(self, *spellings: str) -> bool:
        """Whether one of these spellings of a found value is allowed."""
        if not self.values.isdisjoint(map(compact, spellings)):
            return True
        if not self.patterns:
            return False
        allowed = matcher(tuple(map(whole, self.patterns)))
        return any(allowed.find(spelling.encode("utf-8", "replace")) for spelling in spellings)


def compact(value: str) -> str:
    """A value without what its spellings differ in: capitals, spaces, dashes, brackets, a leading +."""
    return value.casefold().translate(_SPELLING)


_SPELLING = str.maketrans("", "", " -()+")

NOTHING_ALLOWED = Allowed()


@dataclass(frozen=True, slots=True)
class Policy:
    """A project's choices. `key` makes its hashes its own: the same contact differs between projects.

    A detector without an action is off. Identity fields are hashed whatever the action: masked or dropped, two
    users would become one.
    """

    key: bytes
    regions: tuple[str, ...] = ("US", "GB")
    actions: Mapping[Detector, Action] = field(default_factory=lambda: DEFAULT_ACTIONS)
    allow: Allowed = NOTHING_ALLOWED
    keep_identity: bool = False
    patterns: tuple[Pattern, ...] = ()

    @property
    def detectors(self) -> frozenset[Detector]:
        """The built-in detectors that are on."""
        return frozenset(detector for detector in Detector if detector in self.actions)
