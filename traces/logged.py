"""What the log records of a span say, put together: its prompt, its answer, its events. Pure.

The order is that of the records' own times, never that of their arrival. What the span says itself comes first
wherever both speak.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import attrgetter
from typing import Any

import msgspec

from traces.redactions import added
from traces.span import Attributes, EntryKind, JSONValue


class Entry(msgspec.Struct):
    """One log record as stored; `time` is RFC 3339 with nanoseconds, so that text order is time order."""

    kind: EntryKind
    name: str
    time: str
    place: int
    content: dict[str, Any]
    key: str = ""
    redactions: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Logged:
    input: JSONValue = None
    output: JSONValue = None
    tool_definitions: JSONValue = None
    events: list[Attributes] = field(default_factory=list)
    redactions: Mapping[str, int] = field(default_factory=dict)

    @property
    def output_bytes(self) -> int | None:
        """UTF-8 bytes of the answer."""
        if self.output is None:
            return None
        return len(self.output.encode() if isinstance(self.output, str) else msgspec.json.encode(self.output))


NOTHING = Logged()
DETAILS_EVENT = "gen_ai.client.inference.operation.details"
CONTENT = ("input", "output", "tool_definitions")
_decode = msgspec.json.Decoder(Entry).decode
_in_order = attrgetter("time", "place", "key")


def read(stored: Mapping[str, str]) -> Logged:
    """The entries of one span, by key, as the table holds them."""
    if not stored:
        return NOTHING
    entries = [msgspec.structs.replace(_decode(text), key=key) for key, text in stored.items()]
    entries.sort(key=_in_order)
    details = [entry for entry in entries if entry.kind is EntryKind.DETAILS]
    content = {name: _latest(details, name) for name in CONTENT}
    return Logged(
        input=content["input"] or _messages(entries, EntryKind.INPUT),
        output=content["output"] or _messages(entries, EntryKind.OUTPUT),
        tool_definitions=content["tool_definitions"],
        events=[event for entry in entries if (event := _event(entry, details))],
        redactions=reduce(added, (entry.redactions for entry in entries), {}),
    )


def with_own_events(logged: Logged, own: list[JSONValue], attributes: Attributes) -> list[JSONValue]:
    """The span's own events and those from its log records by time; what both say is there once.

    The details of a call repeat the span's attributes: what is left without them is worth an event, or nothing.
    """
    if not logged.events:
        return own
    said = [(event.get("name"), event.get("attributes")) for event in own if isinstance(event, dict)]
    others = [_beside(event, attributes) for event in logged.events]
    new = [event for event in others if event and (event["name"], event["attributes"]) not in said]
    return sorted([*own, *new], key=_time)


def _latest(details: list[Entry], name: str) -> JSONValue:
    """A call that comes later in a span repeats the conversation before it."""
    found = (entry.content[name] for entry in reversed(details) if entry.content.get(name) is not None)
    return next(found, None)


def _messages(entries: Iterable[Entry], kind: EntryKind) -> JSONValue:
    found: list[JSONValue] = [entry.content for entry in entries if entry.kind is kind]
    return found or None


def _event(entry: Entry, details: list[Entry]) -> Attributes | None:
    """An event as spans carry it. Of the details of a call, what is not shown as the span's own content."""
    if entry.kind is EntryKind.EVENT:
        attributes = entry.content
    elif entry.kind is EntryKind.DETAILS:
        attributes = _rest(entry, is_last=entry is details[-1])
    else:
        return None
    return {"name": entry.name, "time": entry.time, "attributes": attributes}


def _rest(entry: Entry, *, is_last: bool) -> Attributes:
    told = entry.content.get("attributes")
    rest: Attributes = dict(told) if isinstance(told, dict) else {}
    if not is_last:
        rest |= {name: entry.content[name] for name in CONTENT if entry.content.get(name) is not None}
    return rest


def _beside(event: Attributes, attributes: Attributes) -> Attributes | None:
    told = event["attributes"]
    if event["name"] != DETAILS_EVENT or not isinstance(told, dict):
        return event
    left = {name: value for name, value in told.items() if attributes.get(name) != value}
    return {**event, "attributes": left} if left else None


def _time(event: JSONValue) -> str:
    return str(event.get("time") or "") if isinstance(event, dict) else ""
