"""Cursors of lists: the place after which a page begins, as text that a caller hands back unread. Pure."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

P = TypeVar("P", bound=tuple[Any, ...])
# Whole numbers that the store can compare with its own.
_STORABLE = range(-(2**63), 2**63)
_FOREIGN = "The cursor is not one that this list gave out."


class BadCursor(ValueError):
    """The cursor was not made by this list, or by it in another order."""


def encode(place: Sequence[str | int]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode(cursor: str, shape: type[P]) -> P:
    """Raises `BadCursor` for anything that `encode` did not make of this shape."""
    try:
        payload = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place: P = msgspec.json.decode(payload, type=shape)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise BadCursor(_FOREIGN) from error
    if any(isinstance(part, int) and part not in _STORABLE for part in place):
        raise BadCursor(_FOREIGN)
    return place
