"""An OTLP/HTTP logs body, protobuf or JSON, to records. Knows the wire, not what an event means."""

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingest.otlp.decode import (
    MAX_ITEMS,
    Malformed,
    hex_id,
    member,
    nanos,
    objects,
    parse_json,
    parsed,
    read_attributes,
    read_json_attributes,
    read_json_value,
    read_value,
    text_of,
)
from ingest.otlp.pieces import LOG_RECORD, TooMany
from ingest.otlp.records import OtlpLog
from traces.span import Attributes

# Where SDKs wrote the name before log records had a field for it.
EVENT_NAME = "event.name"


def decode_protobuf(body: bytes) -> list[OtlpLog]:
    """Raises `Malformed`, `TooMany`."""
    found: list[OtlpLog] = []
    for request in parsed(ExportLogsServiceRequest, body, LOG_RECORD):
        for resource_logs in request.resource_logs:
            resource = read_attributes(resource_logs.resource.attributes)
            for scope_logs in resource_logs.scope_logs:
                scope = scope_logs.scope.name
                for record in scope_logs.log_records:
                    _append(found, _wire_log(record, resource, scope, len(found)))
    return found


def _append(found: list[OtlpLog], record: OtlpLog) -> None:
    if len(found) == MAX_ITEMS:
        raise TooMany
    found.append(record)


def _wire_log(record: LogRecord, resource: Attributes, scope: str, place: int) -> OtlpLog:
    attributes = read_attributes(record.attributes)
    return OtlpLog(
        trace_id=_id(record.trace_id, 16),
        span_id=_id(record.span_id, 8),
        name=record.event_name or _name(attributes),
        time_ns=record.time_unix_nano,
        observed_ns=record.observed_time_unix_nano,
        body=read_value(record.body, record.body.WhichOneof("value")),
        attributes=attributes,
        resource=resource,
        scope=scope,
        place=place,
    )


def _id(sent: bytes, size: int) -> str:
    return sent.hex() if len(sent) == size and any(sent) else ""


def _name(attributes: Attributes) -> str:
    name = attributes.get(EVENT_NAME)
    return name if isinstance(name, str) else ""


def decode_json(body: bytes) -> list[OtlpLog]:
    """Raises `Malformed`."""
    request = parse_json(body)
    if not isinstance(request, dict):
        raise Malformed("the body is not a JSON object")
    found: list[OtlpLog] = []
    try:
        for resource_logs in objects(request, "resourceLogs"):
            resource = read_json_attributes(objects(member(resource_logs, "resource"), "attributes"))
            for scope_logs in objects(resource_logs, "scopeLogs"):
                scope = text_of(member(scope_logs, "scope"), "name")
                for record in objects(scope_logs, "logRecords"):
                    _append(found, _json_log(record, resource, scope, len(found)))
    except RecursionError as error:
        raise Malformed("values are nested too deep") from error
    return found


def _json_log(record: dict[str, Any], resource: Attributes, scope: str, place: int) -> OtlpLog:
    attributes = read_json_attributes(objects(record, "attributes"))
    return OtlpLog(
        trace_id=hex_id(record, "traceId", 32),
        span_id=hex_id(record, "spanId", 16),
        name=text_of(record, "eventName") or _name(attributes),
        time_ns=nanos(record, "timeUnixNano"),
        observed_ns=nanos(record, "observedTimeUnixNano"),
        body=read_json_value(member(record, "body"), 0),
        attributes=attributes,
        resource=resource,
        scope=scope,
        place=place,
    )
