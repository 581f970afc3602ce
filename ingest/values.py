"""Attribute values that may be anything, to clean ones: what cannot be read is None, and nothing raises."""

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

import msgspec

from traces.nesting import is_written_deeper
from traces.span import Attributes, JSONValue

# Counts are stored as unsigned 64-bit and shown by JavaScript, which is exact up to here.
MAX_COUNT = 2**53
MAX_DOLLARS = Decimal(10) ** 12
STORED = Decimal("1e-12")
NS_A_SECOND = 1_000_000_000
NS_A_MILLISECOND = 1_000_000
MAX_NS = 2**62
# The depth that the decoder allows for attributes; every later step walks values recursively.
MAX_DEPTH = 64
# What emitters write where content was left out on purpose (Claude Code, OpenInference, JSON encoders).
ABSENT_TEXTS = frozenset({"", "null", "<REDACTED>", "__REDACTED__"})


def text(value: JSONValue) -> str | None:
    """A name or id; blank text, truth values and structures are none."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < MAX_COUNT else None
    return str(value) if isinstance(value, int) and abs(value) < 2**64 else None


def first_text(attributes: Mapping[str, JSONValue], names: Iterable[str]) -> str | None:
    for name in names:
        value = attributes.get(name)
        if value is not None and (found := text(value)) is not None:
            return found
    return None


def first_texts(attributes: Mapping[str, JSONValue], names: Iterable[str]) -> tuple[str, ...] | None:
    for name in names:
        value = attributes.get(name)
        if value is not None and (found := texts(value)) is not None:
            return found
    return None


def texts(value: JSONValue) -> tuple[str, ...] | None:
    """A list of names: a list, JSON text of one, or text with commas."""
    if isinstance(value, str):
        value = structured(value)
    if isinstance(value, str):
        # The comma of a `data:` URL parts no names: what it holds could no longer be told for what it is.
        value = [value] if ";base64," in value else [item.strip() for item in value.split(",")]
    if not isinstance(value, list):
        return None
    return tuple(found for item in value if (found := text(item)) is not None) or None


def count(value: JSONValue) -> int | None:
    """A number of tokens; OTLP/JSON and some emitters write it as text."""
    if type(value) is int:
        return value if 0 <= value < MAX_COUNT else None
    if isinstance(value, str):
        value = int(value) if value.isdecimal() and len(value) <= 16 else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if value is None or not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < MAX_COUNT else None


def first_count(attributes: Mapping[str, JSONValue], names: Iterable[str]) -> int | None:
    for name in names:
        value = attributes.get(name)
        if value is not None and (found := count(value)) is not None:
            return found
    return None


def dollars(value: JSONValue) -> Decimal | None:
    """An amount of money as the decimal it was written as, at the twelve decimals that are stored."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        amount = Decimal(str(value))
        return amount.quantize(STORED) if amount.is_finite() and 0 <= amount < MAX_DOLLARS else None
    except (InvalidOperation, ValueError):
        return None


def summed_dollars(amounts: Iterable[JSONValue]) -> Decimal | None:
    """What the parts of a cost come to; those that cannot be read are none."""
    parts = [found for amount in amounts if (found := dollars(amount)) is not None]
    return sum(parts, Decimal(0)) if parts else None


def nanoseconds(value: JSONValue, unit: int) -> int | None:
    """A duration that was sent in units of `unit` nanoseconds."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value) * unit
    except (ValueError, OverflowError):
        return None
    return round(number) if math.isfinite(number) and 0 <= number < MAX_NS else None


def content(value: JSONValue) -> JSONValue:
    """Prompts, answers, arguments, results: structure stays structure, also where it was sent as JSON text.
    What is empty, or a placeholder for what was withheld, is None."""
    if isinstance(value, str):
        if value in ABSENT_TEXTS:
            return None
        value = structured(value)
    return None if isinstance(value, (dict, list)) and not value else value


def take(attributes: Mapping[str, JSONValue], names: Iterable[str], consumed: set[str]) -> JSONValue:
    """The first content there is; its name is added to `consumed`."""
    for name in names:
        value = attributes.get(name)
        if value is not None and (found := content(value)) is not None:
            consumed.add(name)
            return found
    return None


def mapping(value: JSONValue) -> Attributes | None:
    """A JSON object, sent as structure or as text."""
    value = content(value)
    return value if isinstance(value, dict) else None


def structured(source: str) -> JSONValue:
    """The object or list that JSON text holds; any other text as it is."""
    start = source[:1]
    if start.isspace():
        start = source.lstrip()[:1]
    return any_json(source) if start in {"{", "["} else source


def any_json(source: str) -> JSONValue:
    """Whatever JSON text holds; text that is not JSON, or is nested too deep, as it is."""
    try:
        value: JSONValue = msgspec.json.decode(source)
    except (msgspec.DecodeError, ValueError, RecursionError):
        value = _with_constants(source)
    return source if is_written_deeper(source, value, MAX_DEPTH) else value


def _with_constants(source: str) -> JSONValue:
    """Python's encoder writes NaN and infinities, which JSON lacks; they become text, as in OTLP/JSON."""
    if "NaN" not in source and "Infinity" not in source:
        return source
    try:
        value: JSONValue = json.loads(source, parse_constant=str)
        # Escaped half surrogates decode to text that can never be written.
        msgspec.json.encode(value)
    except (ValueError, RecursionError):
        return source
    return value
