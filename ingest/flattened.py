"""Lists that an emitter spread over attribute names with an index inside, put together again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from traces.span import Attributes

MAX_INDEX_DIGITS = 6
# Longer names are no list's; they come from outside, so what is remembered has to be bounded in both ways.
MAX_NAME = 200
_REMEMBERED = 8192


@dataclass(slots=True)
class Flattened:
    """The fields of each item by its index, and the names of the attributes that they came from."""

    items: dict[int, Attributes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def in_order(self) -> list[Attributes]:
        return [self.items[index] for index in sorted(self.items)]


def gather(attributes: Attributes, namespaces: Mapping[str, str]) -> dict[str, Flattened]:
    """The lists among `attributes` by name; `namespaces` says where each stands, as in
    `llm.input_messages.{n}.message.role` (namespace, list, index, kind of item, field)."""
    lists: dict[str, Flattened] = {}
    for name, value in attributes.items():
        place = _outer(name) if len(name) <= MAX_NAME else None
        if place is None or value is None or namespaces.get(place.list) != place.namespace:
            continue
        gathered = lists.get(place.list)
        if gathered is None:
            gathered = lists[place.list] = Flattened()
        gathered.items.setdefault(place.number, {})[place.field] = value
        gathered.names.append(name)
    return lists


def listed(attributes: Attributes, *prefixes: str) -> dict[str, Flattened]:
    """The lists under prefixes that end in a dot, as in `gen_ai.prompt.{n}.role` (prefix, index, field)."""
    lists: dict[str, Flattened] = {}
    for name, value in attributes.items():
        if value is None or not name.startswith(prefixes):
            continue
        prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
        index, _, told = name[len(prefix) :].partition(".")
        if told and _is_index(index):
            gathered = lists.setdefault(prefix, Flattened())
            gathered.items.setdefault(int(index), {})[told] = value
            gathered.names.append(name)
    return lists


def nested(item: Attributes) -> dict[str, list[Attributes]]:
    """The lists inside an item (list, index, kind of item, field), as in `tool_calls.{m}.tool_call.id`."""
    lists: dict[str, dict[int, Attributes]] = {}
    for path, value in item.items():
        place = _inner(path)
        if place is not None:
            lists.setdefault(place.list, {}).setdefault(place.number, {})[place.field] = value
    return {name: [rows[index] for index in sorted(rows)] for name, rows in lists.items()}


class _Place(NamedTuple):
    namespace: str
    list: str
    number: int
    field: str


# The same few names come with every span: taking one apart costs four times as much as remembering it.
@lru_cache(maxsize=_REMEMBERED)
def _outer(name: str) -> _Place | None:
    words = name.split(".", 4)
    if len(words) < 5 or not _is_index(words[2]):
        return None
    return _Place(words[0], words[1], int(words[2]), words[4])


@lru_cache(maxsize=_REMEMBERED)
def _inner(path: str) -> _Place | None:
    words = path.split(".", 3)
    if len(words) < 4 or not _is_index(words[1]):
        return None
    return _Place("", words[0], int(words[1]), words[3])


def _is_index(word: str) -> bool:
    return word.isdecimal() and len(word) <= MAX_INDEX_DIGITS
