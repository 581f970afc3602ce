"""A project's own patterns on spans, before they become rows: each string and number is seen as it was sent. Pure.

Only projects that have patterns pay for this walk; the built-in detectors read the rows' text (`redact`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from ingest.patterns import Match, matcher
from ingest.policy import Action, Pattern, Policy
from ingest.redact import keyed_hash
from traces.redactions import added
from traces.span import Event, JSONValue, Link, LogEntry, Span

IDENTITY_FIELDS = ("user_id", "session_id", "organization_id")
TEXT_FIELDS = (
    "name",
    "status_message",
    "error_type",
    "feature",
    "environment",
    "release",
    "input_type",
    "agent_name",
    "workflow_name",
    "model",
    "request_model",
    "provider",
    "tool_name",
    "tool_call_id",
    "prompt_name",
    "prompt_version",
    "finish_reason",
    "response_id",
    "scope",
)
CONTENT_FIELDS = ("input", "output", "tool_definitions", "request_params", "attributes", "resource")
_ESCAPE = re.compile(rb"\x5c+(?:u[0-9a-fA-F]{4}|[nrtbf/\x22])?")
_EXACT = 2**53  # up to which a double holds every whole number
_texts = attrgetter(*TEXT_FIELDS)
_contents = attrgetter(*CONTENT_FIELDS)


def redact_spans(spans: Sequence[Span], policy: Policy) -> list[Span]:
    """The spans with what the policy's patterns match replaced, and counted by the names of the patterns."""
    return [_redact_span(span, _Rewriting(policy)) for span in spans] if policy.patterns else list(spans)


def redact_string(text: str, policy: Policy, *, identity: bool = False) -> tuple[str, Mapping[str, int]]:
    """One string, and how often each pattern replaced something in it. Of an identity all is hashed."""
    rewriting = _Rewriting(policy)
    return rewriting.text(text, identity=identity) if policy.patterns else text, rewriting.counts


class _Rewriting:
    """One span's values with the matches replaced. An unchanged value comes back as the same object."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._matcher = (
            matcher(tuple(pattern.expression for pattern in policy.patterns)) if policy.patterns else None
        )
        self.counts: dict[str, int] = {}

    @property
    def keeps_identity(self) -> bool:
        return self._policy.keep_identity

    def value(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is dict:
            return self._dict(value)
        if kind is list or kind is tuple:
            return self._items(value)
        if kind is int or kind is float:
            return self._number(value)
        if kind is Event or kind is Link or kind is LogEntry:
            return self._part(value)
        return value

    def text(self, text: str, *, identity: bool = False) -> str:
        """A string that is JSON itself is rewritten by its parts, so that it stays JSON.

        What is matched in the text but in none of its parts (a rule that names quotes, say) is replaced in the text.
        """
        encoded = text.encode("utf-8", "replace")
        matches = self._matches(encoded)
        inner = _structure(text) if matches or "\\" in text else None
        if inner is not None:
            rewritten = self.value(inner)
            if rewritten is not inner:
                return msgspec.json.encode(rewritten).decode()
            matches = list(_outside_escapes(encoded, matches))
        return self._replaced(encoded, matches, identity) if matches else text

    def _number(self, number: float) -> Any:
        """The number, or the text that takes its place: 900123.0 is 900123 to a rule."""
        is_whole = isinstance(number, float) and number.is_integer() and abs(number) < _EXACT
        spelled = str(int(number) if is_whole else number)
        rewritten = self.text(spelled)
        return number if rewritten is spelled else rewritten

    def _matches(self, encoded: bytes) -> list[Match]:
        found = self._matcher.find(encoded) if self._matcher else []
        allows = self._policy.allow.allows
        return [match for match in found if not allows(_matched(encoded, match))]

    def _replaced(self, encoded: bytes, matches: Sequence[Match], identity: bool) -> str:
        parts: list[bytes] = []
        position = 0
        for match in matches:
            pattern = self._policy.patterns[match.pattern]
            stand_in = self._stand_in(pattern, _matched(encoded, match), identity)
            parts += (encoded[position : match.start], stand_in.encode())
            position = match.end
            self.counts[pattern.name] = self.counts.get(pattern.name, 0) + 1
        return b"".join((*parts, encoded[position:])).decode(errors="replace")

    def _stand_in(self, pattern: Pattern, value: str, identity: bool) -> str:
        match Action.HASH if identity else pattern.action:
            case Action.HASH:
                return keyed_hash(pattern.name, value, self._policy.key)
            case Action.DROP:
                return ""
            case Action.MASK:
                return f"[{pattern.name}]"

    def _items(self, value: Any) -> Any:
        items = [self.value(item) for item in value]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return type(value)(items) if changed else value

    def _dict(self, value: dict[str, Any]) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        changed = False
        for key, item in value.items():
            new_key, new_item = self.text(key), self.value(item)
            changed = changed or new_key is not key or new_item is not item
            pairs[_unused(new_key, pairs) if new_key in pairs else new_key] = new_item
        return pairs if changed else value

    def _part(self, part: Event | Link) -> Event | Link:
        attributes = self.value(part.attributes)
        changes: dict[str, Any] = {"attributes": attributes} if attributes is not part.attributes else {}
        if isinstance(part, Event) and (name := self.text(part.name)) is not part.name:
            changes["name"] = name
        return msgspec.structs.replace(part, **changes) if changes else part


def _redact_span(span: Span, rewriting: _Rewriting) -> Span:
    changes: dict[str, Any] = {}
    fields = (*TEXT_FIELDS, *CONTENT_FIELDS, "tags", "events", "links", "log_entries")
    values = (*_texts(span), *_contents(span), span.tags, span.events, span.links, span.log_entries)
    for name, value in zip(fields, values, strict=True):
        if value and (rewritten := rewriting.value(value)) is not value:
            changes[name] = rewritten
    if not rewriting.keeps_identity:
        for name in IDENTITY_FIELDS:
            value = getattr(span, name)
            if value and (rewritten := rewriting.text(value, identity=True)) is not value:
                changes[name] = rewritten
    if not changes:
        return span
    return msgspec.structs.replace(span, **changes, redactions=added(span.redactions or {}, rewriting.counts))


def _outside_escapes(encoded: bytes, matches: Iterable[Match]) -> Iterator[Match]:
    """The matches that do not begin or end in what JSON writes for one character."""
    inside = {at for escape in _ESCAPE.finditer(encoded) for at in range(escape.start() + 1, escape.end())}
    return (match for match in matches if match.start not in inside and match.end not in inside)


def _matched(encoded: bytes, match: Match) -> str:
    return encoded[match.start : match.end].decode(errors="replace")


def _structure(text: str) -> JSONValue:
    if text[:1] not in {"{", "[", '"'}:
        return None
    try:
        decoded: JSONValue = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return decoded


def _unused(key: str, pairs: Mapping[str, Any]) -> str:
    """Keys that are replaced alike stay apart: no value is lost."""
    return next(name for number in range(2, len(pairs) + 3) if (name := f"{key} {number}") not in pairs)
