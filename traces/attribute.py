"""A filter on an attribute, `key:value` or `key` alone, and lists of such texts in one. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

# Values are told apart by so many characters.
VALUE_CHARACTERS = 200
# So many attributes or tags may be asked for at once.
MAX_ITEMS = 20
_KEY_AND_VALUE = re.compile(r"((?:[^\\:]|\\.|\\$)*)(?::(.*))?", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
# A comma after an odd number of backslashes is one within the item.
_ITEM = re.compile(r"(?:[^\\,]|\\+[^\\,]|(?:\\\\)*\\,|(?:\\\\)+(?=,)|\\+\Z)+")
_BEFORE_COMMA_OR_END = re.compile(r"(\\*)(,|\Z)")


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
        scalar = [self.value] if _reads_as_scalar(self.value) else []
        taken_apart = dict.fromkeys([_json(self.value), *scalar, *_numerals(self.value)])
        return [f"{self.key}={value[:VALUE_CHARACTERS]}" for value in taken_apart]

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
        scalars = [value, *_spellings(value)] if _reads_as_scalar(value) else []
        return list(dict.fromkeys([_json(value), *scalars]))


def cut(text: str) -> list[str]:
    """As the index cuts it."""
    return [piece for piece in re.split(r"[,{}\[\]]", text) if piece]


def parse(text: str) -> Attribute:
    """`key:value`, split at the first colon; a colon within the key is written `\\:`."""
    found = _KEY_AND_VALUE.fullmatch(text)
    key, value = found.groups() if found else (text, None)
    return Attribute(re.sub(r"\\([\\:])", r"\1", key), value)


def split(text: str) -> tuple[str, ...]:
    """The items between commas, without blanks around them; `\\,` is a comma within an item.

    Backslashes before a comma or the end of an item are written twice; all others stand for themselves.
    """
    items = (_BEFORE_COMMA_OR_END.sub(_unescaped, item.strip()) for item in _ITEM.findall(text))
    return tuple(dict.fromkeys(item for item in items if item))


def joined(items: Iterable[object]) -> str:
    """What `split` reads back as the same items."""
    return ", ".join(_BEFORE_COMMA_OR_END.sub(_escaped, str(item)) for item in items)


def _escaped(found: re.Match[str]) -> str:
    backslashes, comma = found.groups()
    return backslashes * 2 + ("\\," if comma else "")


def _unescaped(found: re.Match[str]) -> str:
    backslashes, comma = found.groups()
    # At the end, a single one was typed by somebody who means it.
    return backslashes[: (len(backslashes) + (not comma)) // 2] + comma


def _json(value: str | float) -> str:
    return msgspec.json.encode(value).decode()


def _spellings(value: str) -> list[str]:
    """How the number that the text reads as may stand in stored JSON, which tells 1 from 1.0; nothing without one."""
    number = _number(value)
    if number is None:
        return []
    whole = [f"{number:.0f}"] if number == number.to_integral_value() else []
    return [_json(float(number)), *whole]


def _numerals(value: str) -> list[str]:
    """How the store writes that number when it takes JSON apart: 1 for 1.0, 1e-7 but 0.000001."""
    number = _number(value)
    if number is None:
        return []
    shortest = _json(float(number))
    return [f"{Decimal(shortest):f}".removesuffix(".0"), *([shortest] if "e" in shortest else [])]


def _number(value: str) -> Decimal | None:
    """The number that the text is and that JSON holds exactly so, or None."""
    number = Decimal(value) if _NUMBER.fullmatch(value) else None
    return number if number is not None and Decimal(repr(float(number))) == number else None


def _reads_as_scalar(text: str) -> bool:
    try:
        return not isinstance(msgspec.json.decode(text), str | list | dict)
    except msgspec.DecodeError:
        return False
