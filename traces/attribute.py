"""A filter on an attribute, `key:value` or `key` alone, and lists of such texts in one. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

# Values are told apart by so many characters.
VALUE_CHARACTERS = 200
# So many attributes or tags may be asked for at once.
MAX_ITEMS = 20
_KEY_AND_VALUE = re.compile(r"((?:[^\\:]|\\.|\\$)*)(?::(.*))?", re.DOTALL)
_ITEM = re.compile(r"(?:[^\\,]|\\.)+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a span or its resource that has this value; with None, any. A list has each of its items."""

    key: str
    value: str | None = None

    def __str__(self) -> str:
        key = re.sub(r"([\\:])", r"\\\1", self.key)
        return key if self.value is None else f"{key}:{self.value}"

    @property
    def facets(self) -> list[str]:
        """What `filters.CARRIED` may hold for it."""
        if self.value is None:
            return [f"{self.key}="]
        return [f"{self.key}={value[:VALUE_CHARACTERS]}" for value in self._written]

    @property
    def needles(self) -> list[str]:
        """One of these texts stands in the JSON of a span's attributes, or its resource's, that carries it."""
        key = f"{_json(self.key)}:"
        if self.value is None:
            return [key]
        return [f"{key}[", *(f"{key}{value[:VALUE_CHARACTERS]}" for value in self._written)]

    @property
    def looked_up(self) -> list[list[str]]:
        """The cuts of `filters.FACETS`, one way of writing it after the other: all of one way are there."""
        if self.value is None:
            return [cut(self.key)]
        key = f"{_json(self.key)}:"
        return [cut(joint) for value in self._written for joint in (f"{key}{value}", f"{key}[{value}]")]

    @property
    def _written(self) -> list[str]:
        """The value as JSON: as text, and as the number, truth value or null that it reads as."""
        value = self.value or ""
        return [_json(value), value] if _reads_as_scalar(value) else [_json(value)]


def cut(text: str) -> list[str]:
    """As the index cuts it."""
    return [piece for piece in re.split(r"[,{}\[\]]", text) if piece]


def parse(text: str) -> Attribute:
    """`key:value`, split at the first colon; a colon within the key is written `\\:`."""
    found = _KEY_AND_VALUE.fullmatch(text)
    key, value = found.groups() if found else (text, None)
    return Attribute(re.sub(r"\\([\\:])", r"\1", key), value)


def split(text: str) -> tuple[str, ...]:
    """The items between commas, without blanks around them; `\\,` is a comma within an item."""
    items = (item.strip().replace("\\,", ",") for item in _ITEM.findall(text))
    return tuple(dict.fromkeys(item for item in items if item))


def joined(items: Iterable[object]) -> str:
    """What `split` reads back as the same items."""
    return ", ".join(str(item).replace(",", "\\,") for item in items)


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _reads_as_scalar(text: str) -> bool:
    try:
        return not isinstance(msgspec.json.decode(text), str | list | dict)
    except msgspec.DecodeError:
        return False
