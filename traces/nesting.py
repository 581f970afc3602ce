"""JSON text as structure, where it is not nested deeper than anything here could walk through. Pure."""

from collections.abc import Iterable

import msgspec

from traces.span import JSONValue

# More than ingest keeps as structure (64), with what it wraps around that.
MAX_DEPTH = 100


def decoded(text: str) -> JSONValue:
    """Raises `msgspec.DecodeError` for what is no JSON, holds a number past any float, or is nested deeper."""
    try:
        value: JSONValue = msgspec.json.decode(text)
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deep") from error
    if is_written_deeper(text, value, MAX_DEPTH):
        raise msgspec.DecodeError("nested too deep")
    return value


def is_written_deeper(text: str, value: JSONValue, depth: int) -> bool:
    """As `is_deeper`, of the value that the text says: one with few brackets needs no look."""
    return text.count("[") + text.count("{") > depth and is_deeper(value, depth)


def is_deeper(value: JSONValue, depth: int) -> bool:
    """Whether lists and objects stand in each other more than `depth` times."""
    level: list[JSONValue] = [value]
    for _ in range(depth):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(value: JSONValue) -> Iterable[JSONValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
