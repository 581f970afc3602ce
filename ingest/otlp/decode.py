"""An OTLP/HTTP body, protobuf or JSON, to records (opentelemetry-proto 1.x, OTLP specification 1.x).

Spans that the specification calls invalid (no trace id, no span id) are counted and left out one by one; bytes
that are not OTLP at all raise `Malformed`.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from ingest.otlp.pieces import SPAN, Garbled, Shape, TooMany, pieces
from ingest.otlp.records import OtlpSpan
from traces.span import Attributes, Event, JSONValue, Link

# The depth that protobuf's own parser allows; JSON is held to the same.
MAX_DEPTH = 64
MAX_NANOS = 2**64
# Spans with their events and links, or log records: a hundred times what exporters send at once.
MAX_ITEMS = 500_000
# Objects and lists of a JSON body: each is a hundred bytes in memory, and may be three as sent.
MAX_CONTAINERS = 4_000_000
M = TypeVar("M", bound=Message)


class Malformed(Exception):
    """The body is not what this door takes. The message says what is wrong, never what the body held."""


class Refusal(StrEnum):
    """Why one span or log record was refused; these are the words of `partial_success.error_message`."""

    NO_TRACE_ID = "span without a valid trace id (16 bytes, not all zero)"
    NO_SPAN_ID = "span without a valid span id (8 bytes, not all zero)"
    NO_START = "span without a start time"
    TOO_OLD = "span started too long ago"
    IN_FUTURE = "span starts more than a day in the future"
    TOO_LARGE = "span is larger than 4 MiB"
    OUR_FAULT = "span could not be read; the server's log has the reason"
    INVALID = "span with fields that are not valid"
    LOG_NOT_KEPT = "log record is neither a GenAI event nor an exception; other log records are not kept"
    LOG_WITHOUT_SPAN = "log record belongs to no span (no valid trace id and span id)"
    LOG_EMPTY = "log record carries no content"
    LOG_TIME = "log record was written too long ago or more than a day in the future"


@dataclass(slots=True)
class Decoded:
    spans: list[OtlpSpan] = field(default_factory=list)
    refused: dict[Refusal, int] = field(default_factory=dict)
    items: int = 0

    def count(self, items: int) -> None:
        """Spans, events and links. Raises `TooMany`."""
        self.items += items
        if self.items > MAX_ITEMS:
            raise TooMany

    def refuse(self, reason: Refusal) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1


def decode_protobuf(body: bytes) -> Decoded:
    """Raises `Malformed`, `TooMany`."""
    decoded = Decoded()
    for request in parsed(ExportTraceServiceRequest, body, SPAN):
        for resource_spans in request.resource_spans:
            resource = read_attributes(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                scope = scope_spans.scope.name
                for span in scope_spans.spans:
                    _append_wire_span(decoded, span, resource, scope)
    return decoded


def parsed(kind: type[M], body: bytes, shape: Shape) -> Iterator[M]:
    """The body as messages of that kind, a piece at a time. Raises `Malformed`, `TooMany`."""
    try:
        for piece in pieces(body, shape):
            yield kind.FromString(piece)
    except (DecodeError, Garbled) as error:
        raise Malformed(f"the body is not a protobuf {kind.__name__}") from error


def _append_wire_span(decoded: Decoded, span: WireSpan, resource: Attributes, scope: str) -> None:
    decoded.count(1 + len(span.events) + len(span.links))
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or not any(trace_id):
        return decoded.refuse(Refusal.NO_TRACE_ID)
    if len(span_id) != 8 or not any(span_id):
        return decoded.refuse(Refusal.NO_SPAN_ID)
    status = span.status
    decoded.spans.append(
        OtlpSpan(
            trace_id=trace_id.hex(),
            span_id=span_id.hex(),
            parent_id=_parent(span.parent_span_id.hex()),
            name=span.name,
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
            status_code=status.code,
            status_message=status.message,
            attributes=read_attributes(span.attributes),
            events=tuple(map(_event, span.events)) if span.events else (),
            links=tuple(map(_link, span.links)) if span.links else (),
            resource=resource,
            scope=scope,
        )
    )
    return None


def _event(event: WireSpan.Event) -> Event:
    return Event(name=event.name, time_ns=event.time_unix_nano, attributes=read_attributes(event.attributes))


def _link(link: WireSpan.Link) -> Link:
    return Link(
        trace_id=link.trace_id.hex(), span_id=link.span_id.hex(), attributes=read_attributes(link.attributes)
    )


def _parent(hex_id: str) -> str:
    return hex_id if len(hex_id) == 16 and hex_id.strip("0") else ""


def read_attributes(pairs: Iterable[KeyValue]) -> Attributes:
    values: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most values are text or counts, and asking for one costs a third of asking which kind it is.
        values[pair.key] = (
            value.string_value or value.int_value or read_value(value, value.WhichOneof("value"))
        )
    return values


def read_value(value: AnyValue, kind: str | None) -> JSONValue:
    if kind is None:
        return None
    read = _READERS.get(kind)
    return read(value) if read else None


def _array(value: AnyValue) -> JSONValue:
    return [read_value(item, item.WhichOneof("value")) for item in value.array_value.values]


# Missing kinds (an index into a string table that no request of ours carries) read as absent.
_READERS: dict[str, Callable[[AnyValue], JSONValue]] = {
    "string_value": lambda value: value.string_value,
    "int_value": lambda value: value.int_value,
    "bool_value": lambda value: value.bool_value,
    "double_value": lambda value: _finite(value.double_value),
    "bytes_value": lambda value: _bytes(value.bytes_value),
    "array_value": _array,
    "kvlist_value": lambda value: read_attributes(value.kvlist_value.values),
}


def _bytes(content: bytes) -> str:
    """Text where it is text, so that what looks for personal data can read it; else base64."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def _json_bytes(encoded: str) -> str:
    try:
        return _bytes(base64.b64decode(encoded, validate=True))
    except ValueError:  # not base64, or not ASCII
        return encoded


def _finite(number: float) -> JSONValue:
    """NaN and infinities as text, as OTLP/JSON writes them: JSON has no number for them."""
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def decode_json(body: bytes) -> Decoded:
    """OTLP/JSON: ids as hex, 64-bit integers as decimal text or numbers, unknown fields ignored. Raises `Malformed`."""
    request = parse_json(body)
    if not isinstance(request, dict):
        raise Malformed("the body is not a JSON object")
    decoded = Decoded()
    try:
        for resource_spans in objects(request, "resourceSpans"):
            resource = read_json_attributes(objects(member(resource_spans, "resource"), "attributes"))
            for scope_spans in objects(resource_spans, "scopeSpans"):
                scope = text_of(member(scope_spans, "scope"), "name")
                for span in objects(scope_spans, "spans"):
                    _append_json_span(decoded, span, resource, scope)
    except RecursionError as error:
        raise Malformed("values are nested too deep") from error
    return decoded


def parse_json(body: bytes) -> object:
    """Raises `Malformed`, `TooMany`."""
    if body.count(b"{") + body.count(b"[") > MAX_CONTAINERS:
        raise TooMany
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # JavaScript escapes half of a cut emoji as a lone surrogate, which strict parsers refuse with the whole body.
    try:
        mended = json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.decode(mended)
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON") from None


def _append_json_span(decoded: Decoded, span: dict[str, Any], resource: Attributes, scope: str) -> None:
    decoded.count(1)
    trace_id, span_id = hex_id(span, "traceId", 32), hex_id(span, "spanId", 16)
    if not trace_id:
        return decoded.refuse(Refusal.NO_TRACE_ID)
    if not span_id:
        return decoded.refuse(Refusal.NO_SPAN_ID)
    status = member(span, "status")
    decoded.spans.append(
        OtlpSpan(
            trace_id=trace_id,
            span_id=span_id,
            parent_id=hex_id(span, "parentSpanId", 16),
            name=text_of(span, "name"),
            start_ns=nanos(span, "startTimeUnixNano"),
            end_ns=nanos(span, "endTimeUnixNano"),
            status_code=_status_code(status.get("code")),
            status_message=text_of(status, "message"),
            attributes=read_json_attributes(objects(span, "attributes")),
            events=tuple(
                Event(
                    name=text_of(event, "name"),
                    time_ns=nanos(event, "timeUnixNano"),
                    attributes=read_json_attributes(objects(event, "attributes")),
                )
                for event in objects(span, "events")
            ),
            links=tuple(
                Link(
                    trace_id=hex_id(link, "traceId", 32),
                    span_id=hex_id(link, "spanId", 16),
                    attributes=read_json_attributes(objects(link, "attributes")),
                )
                for link in objects(span, "links")
            ),
            resource=resource,
            scope=scope,
        )
    )
    return None


def objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The list of objects under `name`; absent is empty. Raises `Malformed` for anything else."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Malformed(f"{name} is not a list of objects")
    return value


def member(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not an object")
    return value


def text_of(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{name} is not text")
    return value


def hex_id(holder: dict[str, Any], name: str, digits: int) -> str:
    """Lower-case hex of the right length that is not all zero, else ""."""
    value = text_of(holder, name).lower()
    if len(value) != digits or not value.strip("0"):
        return ""
    try:
        return binascii.unhexlify(value).hex()
    except (binascii.Error, ValueError):
        return ""


def nanos(holder: dict[str, Any], name: str) -> int:
    value = holder.get(name)
    if value is None:
        return 0
    try:
        count = int(value) if isinstance(value, (int, str)) else -1
    except ValueError:
        count = -1
    if not 0 <= count < MAX_NANOS:
        raise Malformed(f"{name} is not a count of nanoseconds")
    return count


_STATUS_NAMES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


def _status_code(value: object) -> int:
    if isinstance(value, str):
        return _STATUS_NAMES.get(value, 0)
    return value if isinstance(value, int) else 0


def read_json_attributes(pairs: Sequence[dict[str, Any]], depth: int = 0) -> Attributes:
    return {text_of(pair, "key"): read_json_value(member(pair, "value"), depth) for pair in pairs}


def read_json_value(value: dict[str, Any], depth: int) -> JSONValue:
    if depth > MAX_DEPTH:
        raise Malformed("values are nested too deep")
    for name in value:
        reader = _JSON_READERS.get(name)
        if reader is not None:
            return reader(value, name, depth)
    return None


def _json_array(value: dict[str, Any], name: str, depth: int) -> JSONValue:
    return [read_json_value(item, depth + 1) for item in objects(member(value, name), "values")]


def _json_kvlist(value: dict[str, Any], name: str, depth: int) -> JSONValue:
    return read_json_attributes(objects(member(value, name), "values"), depth + 1)


def _integer(content: object) -> int:
    try:
        number = int(content) if isinstance(content, (int, str)) else None
    except ValueError:
        number = None
    if number is None or not -(2**63) <= number < 2**63:
        raise Malformed("intValue is not a whole number of 64 bits")
    return number


def _double(content: object) -> JSONValue:
    try:
        return _finite(float(content)) if isinstance(content, (int, float, str)) else None
    except (ValueError, OverflowError) as error:
        raise Malformed("doubleValue is not a number") from error


_JSON_READERS: Mapping[str, Callable[[dict[str, Any], str, int], JSONValue]] = {
    "stringValue": lambda value, name, depth: text_of(value, name),
    "intValue": lambda value, name, depth: _integer(value[name]),
    "doubleValue": lambda value, name, depth: _double(value[name]),
    "boolValue": lambda value, name, depth: bool(value[name]),
    "bytesValue": lambda value, name, depth: _json_bytes(text_of(value, name)),
    "arrayValue": _json_array,
    "kvlistValue": _json_kvlist,
}
