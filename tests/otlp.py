"""Small OTLP requests for tests, in both wire formats."""

import base64
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


def with_base64_ids(value: Any) -> Any:
    """OTLP/JSON as protobuf's own JSON form has it: ids in base64 where OTLP writes hex."""
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in _IDS else with_base64_ids(item)
            for key, item in value.items()
        }
    return [with_base64_ids(item) for item in value] if isinstance(value, list) else value


_IDS = {"traceId", "spanId", "parentSpanId"}


def wire_log(
    name: str, *, trace: str, span: int = 1, body: Any = None, ago: float = 9, **attributes: Any
) -> dict[str, Any]:
    """A log record as OTLP/JSON; `body` is text or a plain dictionary."""
    return {
        "traceId": trace,
        "spanId": f"{span:016x}" if span else "",
        "eventName": name,
        "timeUnixNano": str(time.time_ns() - int(ago * SECOND)),
        "body": _body(body),
        "attributes": [
            {"key": key.replace("__", "."), "value": _value(value)} for key, value in attributes.items()
        ],
    }


def _body(body: Any) -> dict[str, Any]:
    if isinstance(body, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": _body(item)} for key, item in body.items()]}}
    return _value(body) if body is not None else {}


def logs_as_json(*records: dict[str, Any]) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
