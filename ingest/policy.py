"""What a project does with what is found: one action a detector, values it allows, patterns of its own. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.detectors import Detector


class Action(StrEnum):
    MASK = "mask"  # [email]
    HASH = "hash"  # [email:1f9a...], the same for the same value within a project
    DROP = "drop"  # nothing is left of it


DEFAULT_ACTIONS: Mapping[Detector | str, Action] = {
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
    """What is never replaced: these values, however spelled, and values that match these patterns as a whole."""

    values: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()


NOTHING_ALLOWED = Allowed()


@dataclass(frozen=True, slots=True)
class Policy:
    """A project's choices. `key` makes its hashes its own: the same contact differs between projects.

    A detector without an action is off. Identity fields are hashed whatever the action: masked or dropped, two
    users would become one.
    """

    key: bytes
    regions: tuple[str, ...] = ("US", "GB")
    actions: Mapping[Detector | str, Action] = field(default_factory=lambda: DEFAULT_ACTIONS)
    allow: Allowed = NOTHING_ALLOWED
    keep_identity: bool = False
    patterns: tuple[Pattern, ...] = ()

    @property
    def detectors(self) -> frozenset[Detector]:
        """The built-in detectors that are on."""
        return frozenset(detector for detector in Detector if detector in self.actions)
