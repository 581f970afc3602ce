"""Small OTLP requests for tests, in both wire formats."""

import json
import time
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

SECOND = 10**9


def wire_span(
    number: int, *, trace: str, parent: int = 0, ago: float = 10, lasts: float = 1, **fields: Any
) -> dict[str, Any]:
    """A span as OTLP/JSON: `attributes` and `resource` as plain dictionaries."""
    start = time.time_ns() - int(ago * SECOND)
    attributes = fields.pop("attributes", {})
    return {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"span {number}",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(lasts * SECOND)),
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        **fields,
    }


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value}


def as_json(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def as_protobuf(*spans: dict[str, Any]) -> bytes:
    request = ExportTraceServiceRequest()
    wire = request.resource_spans.add().scope_spans.add().spans
    for given in spans:
        status = given.get("status", {})
        span = wire.add(
            trace_id=bytes.fromhex(given["traceId"]),
            span_id=bytes.fromhex(given["spanId"]),
            parent_span_id=bytes.fromhex(given["parentSpanId"]),
            name=given["name"],
            start_time_unix_nano=int(given["startTimeUnixNano"]),
            end_time_unix_nano=int(given["endTimeUnixNano"]),
        )
        span.status.code = status.get("code", 0)
        span.status.message = status.get("message", "")
        for pair in given["attributes"]:
            span.attributes.append(KeyValue(key=pair["key"], value=_any_value(pair["value"])))
    return request.SerializeToString()


def _any_value(value: dict[str, Any]) -> AnyValue:
    [(kind, content)] = value.items()
    name = {"stringValue": "string_value", "boolValue": "bool_value", "doubleValue": "double_value"}.get(kind)
    return AnyValue(**{name: content}) if name else AnyValue(int_value=int(content))
