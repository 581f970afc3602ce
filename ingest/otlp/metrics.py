"""An OTLP/HTTP metrics body, looked at and let go: whether it is what it says, and how much it held."""

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingest.otlp.decode import Malformed, objects, parse_json, parsed
from ingest.otlp.pieces import METRIC


def count_protobuf(body: bytes) -> int:
    """How many metrics there are. Raises `Malformed`, `TooMany`."""
    return sum(
        len(scope.metrics)
        for request in parsed(ExportMetricsServiceRequest, body, METRIC)
        for found in request.resource_metrics
        for scope in found.scope_metrics
    )


def count_json(body: bytes) -> int:
    """How many metrics there are. Raises `Malformed`, `TooMany`."""
    request = parse_json(body)
    if not isinstance(request, dict):
        raise Malformed("the body is not a JSON object")
    return sum(
        len(objects(scope, "metrics"))
        for found in objects(request, "resourceMetrics")
        for scope in objects(found, "scopeMetrics")
    )
