"""A protobuf body cut into smaller messages before it is parsed: two bytes of an empty message become two hundred.

So no more than a piece of a body is parsed at once, and what holds more parts than anything real is refused unparsed.
Wire format: protobuf.dev, "Encoding".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

PIECE_BYTES = 1024 * 1024
MAX_PARTS = 100_000
# Field numbers from the request down to spans, log records or metrics: the same in all three.
PATH = (1, 2, 2)

_VARINT, _DELIMITED, _GROUP, _END_OF_GROUP = 0, 2, 3, 4
_FIXED = {1: 8, 5: 4}
Buffer: TypeAlias = bytes | bytearray | memoryview
Shape: TypeAlias = Mapping[int, "Shape"]


class Garbled(ValueError):
    """Not the wire format of protobuf."""


class TooMany(ValueError):
    """More messages, or more beside the repeated ones, than one request may carry."""


def pieces(body: bytes, shape: Shape, size: int = PIECE_BYTES) -> Iterator[bytes]:
    """Messages of about `size` bytes that together say what `body` says, in its order.

    Each has some of the repeated messages that `PATH` leads to, and all that stands beside them. One of those is never
    cut; `shape` says which of its fields are messages. Raises `Garbled` and `TooMany`.
    """
    yield from map(bytes, _cut(memoryview(body), PATH, shape, size)) if len(body) > size else (body,)


def _cut(message: memoryview, path: Sequence[int], shape: Shape, size: int) -> Iterator[Buffer]:
    if len(message) <= size:
        yield message
        return
    if not path:
        _check_parts(message, shape)
        yield message
        return
    repeated, beside = _parted(message, path[0], size)
    piece, is_begun = bytearray(beside), False
    for one in repeated:
        for part in _cut(one, path[1:], shape, size):
            framed = _encoded(path[0] << 3 | _DELIMITED) + _encoded(len(part))
            if is_begun and len(piece) + len(framed) + len(part) > size:
                yield piece
                piece = bytearray(beside)
            piece += framed
            piece += part
            is_begun = True
    yield piece


def _parted(message: memoryview, number: int, size: int) -> tuple[list[memoryview], bytes]:
    """The contents of the field `number`, and all other fields as they are."""
    repeated, beside, at = list[memoryview](), bytearray(), 0
    for found, start, end in _fields(message):
        if found == number and start:
            repeated.append(message[start:end])
        else:
            beside += message[at:end]
        if len(repeated) > MAX_PARTS or len(beside) > size:
            raise TooMany
        at = end
    return repeated, bytes(beside)


def _check_parts(message: memoryview, shape: Shape) -> None:
    found, waiting = 0, [(message, shape)]
    while waiting:
        view, known = waiting.pop()
        for number, start, end in _fields(view):
            if start and number in known:
                found += 1
                if found > MAX_PARTS:
                    raise TooMany
                waiting.append((view[start:end], known[number]))


def _fields(message: memoryview) -> Iterator[tuple[int, int, int]]:
    """Number, where its content starts (0 for one without a length) and where the field ends."""
    at, size = 0, len(message)
    while at < size:
        tag, at = _varint(message, at)
        start, at = _content(message, tag & 7, at)
        if at > size:
            raise Garbled
        yield tag >> 3, start, at


def _content(message: memoryview, kind: int, at: int) -> tuple[int, int]:
    """Where the content of a field starts, 0 for one without a length, and where it ends."""
    if kind == _DELIMITED:
        length, start = _varint(message, at)
        return start, start + length
    if kind == _VARINT:
        return 0, _varint(message, at)[1]
    if kind in _FIXED:
        return 0, at + _FIXED[kind]
    if kind == _GROUP:
        return 0, _after_group(message, at)
    raise Garbled


def _after_group(message: memoryview, at: int) -> int:
    """Groups are gone from every format of ours, and still parsed: as fields that nobody knows."""
    depth = 1
    while depth:
        tag, at = _varint(message, at)
        if tag & 7 == _GROUP:
            depth += 1
        elif tag & 7 == _END_OF_GROUP:
            depth -= 1
        else:
            at = _content(message, tag & 7, at)[1]
    return at


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in zip(range(0, 70, 7), message[at : at + 10], strict=False):
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise Garbled


def _encoded(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


# Which fields are messages that hold others (common.proto, trace.proto, logs.proto, metrics.proto of OTLP).
_ANY_VALUE: dict[int, Shape] = {}
_KEY_VALUE: Shape = {2: _ANY_VALUE}
_ANY_VALUE |= {5: {1: _ANY_VALUE}, 6: {1: _KEY_VALUE}}
SPAN: Shape = {9: _KEY_VALUE, 11: {3: _KEY_VALUE}, 13: {4: _KEY_VALUE}}
LOG_RECORD: Shape = {5: _ANY_VALUE, 6: _KEY_VALUE}
# Of a gauge, sum, histogram, exponential histogram and summary: points, with attributes and exemplars.
_ATTRIBUTES: Shape = {7: _KEY_VALUE, **_KEY_VALUE}
_POINTS: Shape = {1: dict.fromkeys((1, 5, 7, 8, 9, 11), _ATTRIBUTES)}
METRIC: Shape = {**dict.fromkeys((5, 7, 9, 10, 11), _POINTS), 12: _KEY_VALUE}
