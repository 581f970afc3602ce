"""Lists that an emitter spread over attribute names with an index inside, put together again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from traces.span import Attributes

MAX_INDEX_DIGITS = 6


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
        words = name.split(".", 4)
        if len(words) < 5 or namespaces.get(words[1]) != words[0]:
            continue
        if _is_index(words[2]) and value is not None:
            gathered = lists.get(words[1])
            if gathered is None:
                gathered = lists[words[1]] = Flattened()
            gathered.items.setdefault(int(words[2]), {})[words[4]] = value
            gathered.names.append(name)
    return lists


def nested(item: Attributes) -> dict[str, list[Attributes]]:
    """The lists inside an item (list, index, kind of item, field), as in `tool_calls.{m}.tool_call.id`."""
    lists: dict[str, dict[int, Attributes]] = {}
    for path, value in item.items():
        words = path.split(".", 3)
        if len(words) == 4 and _is_index(words[1]):
            lists.setdefault(words[0], {}).setdefault(int(words[1]), {})[words[3]] = value
    return {name: [rows[index] for index in sorted(rows)] for name, rows in lists.items()}


def _is_index(word: str) -> bool:
    return word.isdecimal() and len(word) <= MAX_INDEX_DIGITS
