"""Something stored as a page shows it: text, or structure where it is JSON, and where to read all of it. Pure."""

import json
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import msgspec

from traces.nesting import decoded
from traces.span import JSONValue

# Shorter JSON is read faster in one line than as a tree.
ONE_LINE = 100
# Longer JSON stays text: a tree of it could not be read either.
MAX_STRUCTURE = 2_000_000


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    source: str = ""  # the address of the whole text
    data: JSONValue = None  # what the text is the JSON of, when that is an object or a list

    @property
    def is_structure(self) -> bool:
        return self.data is not None

    @property
    def prose(self) -> bool:
        return is_prose(self.text)


@dataclass(frozen=True, slots=True)
class Pair:
    name: str
    value: Body


@dataclass(frozen=True, slots=True)
class Texts:
    """Where a page asks for whole texts: the address of its trace's texts, and the span that they are of."""

    address: str = ""
    span_id: str = ""

    def at(self, place: str) -> str:
        """The address of one text; with "" no page asks for it."""
        return f"{self.address}?{urlencode({'span': self.span_id, 'of': place})}" if self.address else ""


def is_prose(text: str) -> bool:
    """Whether it reads as sentences rather than as code or data."""
    return not text[:200].lstrip().startswith(("{", "[", "<", "```"))


def plain(value: JSONValue) -> str:
    """Any value as text to read: text as it is, structure as indented JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def of_value(value: JSONValue, source: str = "") -> Body:
    """Text as it is, small structure in one line, larger structure to be drawn as a tree."""
    if isinstance(value, str):
        return of_text(value, source)
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= ONE_LINE or not isinstance(value, dict | list):
        return Body(line, source)
    return Body(plain(value), source, value)


def of_text(text: str, source: str = "") -> Body:
    """Text that is JSON of an object or a list is read as that."""
    if text[:64].lstrip()[:1] not in {"{", "["} or len(text) > MAX_STRUCTURE:
        return Body(text, source)
    try:
        data = decoded(text)
    except msgspec.DecodeError:
        return Body(text, source)
    found = of_value(data, source)
    return replace(found, text=text) if found.is_structure else found
