"""The whole text that stands at a place of a span, for pages that show only its beginning. Pure."""

from collections.abc import Callable, Mapping
from operator import attrgetter

from traces import conversation
from traces.body import plain
from traces.queries import StoredSpan
from traces.span import Attributes, JSONValue


def find(span: StoredSpan, place: str) -> str | None:
    """The text at `input`, `output.3.1` (a part of a message), `attributes.NAME`, `events.2.NAME` and so on."""
    field, _, rest = place.partition(".")
    if rest and field in _CONTENT:
        return conversation.text_at(_CONTENT[field](span), rest)
    if field in _CONTENT:
        return _text(_CONTENT[field](span))
    if field in _VALUES:
        return _text(_VALUES[field](span).get(rest))
    return _of_event(_LISTS[field](span), rest) if field in _LISTS else None


_CONTENT: Mapping[str, Callable[[StoredSpan], JSONValue]] = {
    "input": attrgetter("input"),
    "output": attrgetter("output"),
    "tools": attrgetter("tool_definitions"),
    "status_message": attrgetter("status_message"),
}
_VALUES: Mapping[str, Callable[[StoredSpan], Attributes]] = {
    "attributes": attrgetter("attributes"),
    "parameters": attrgetter("request_params"),
    "resource": attrgetter("resource"),
}
_LISTS: Mapping[str, Callable[[StoredSpan], list[JSONValue]]] = {
    "events": attrgetter("events"),
    "links": attrgetter("links"),
}


def _text(value: JSONValue) -> str | None:
    return None if value is None else plain(value)


def _of_event(events: list[JSONValue], place: str) -> str | None:
    number, _, name = place.partition(".")
    if not number.isdecimal() or int(number) >= len(events):
        return None
    return _text(_attributes(events[int(number)]).get(name))


def _attributes(event: JSONValue) -> Attributes:
    told = event.get("attributes") if isinstance(event, dict) else None
    return told if isinstance(told, dict) else {}
