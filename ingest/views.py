"""The OTLP/HTTP doors: traces, logs and metrics, and the answers the protocol asks for.

Answers follow the OTLP specification 1.x, section OTLP/HTTP: the response's encoding is the request's, an error's
body is a `google.rpc.Status`, and what may be tried again is 429 or 503 with Retry-After.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest import pipeline
from ingest.door import Door, Problem, receive
from ingest.pipeline import Batch, Wire

CONTENT_TYPES: Mapping[str, Wire] = {
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
    "application/json": "json",
}
CONTENT_TYPE_OF: Mapping[Wire, str] = {
    "protobuf": "application/x-protobuf",
    "json": "application/json",
}
METRICS_NOT_KEPT = (
    "Metrics are not kept: this server computes its figures from spans. Nothing is wrong with the request;"
    " to save the traffic, switch the metrics exporter off (OTEL_METRICS_EXPORTER=none)."
)


def _traces(rejected: int, message: str) -> Message:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = rejected
    answer.partial_success.error_message = message
    return answer


def _logs(rejected: int, message: str) -> Message:
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = rejected
    answer.partial_success.error_message = message
    return answer


def _metrics(rejected: int, message: str) -> Message:
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = rejected
    answer.partial_success.error_message = message
    return answer


class _Partial(Protocol):
    """A response with `partial_success` filled in."""

    def __call__(self, rejected: int, message: str, /) -> Message: ...


def _answer(partial: _Partial, rejected_name: str) -> Callable[[Batch], HttpResponse]:
    """The answer that counts what was refused, by reason; empty when nothing was."""

    def answer(batch: Batch) -> HttpResponse:
        rejected = sum(batch.refused.values())
        message = "; ".join(f"{number} x {reason}" for reason, number in batch.refused.items())
        return _response(batch.wire, partial, rejected_name, rejected, message)

    return answer


def _response(wire: Wire, partial: _Partial, rejected_name: str, rejected: int, message: str) -> HttpResponse:
    if wire == "protobuf":
        content = partial(rejected, message).SerializeToString() if message else b""
    else:
        told = {"partialSuccess": {rejected_name: str(rejected), "errorMessage": message}}
        content = msgspec.json.encode(told if message else {})
    return HttpResponse(content, content_type=CONTENT_TYPE_OF[wire])


def _metrics_answer(batch: Batch) -> HttpResponse:
    """A warning, in the protocol's terms: none rejected and a message that says what became of them."""
    return _response(batch.wire, _metrics, "rejectedDataPoints", 0, METRICS_NOT_KEPT)


def _explain(problem: Problem, wire: Wire) -> HttpResponse:
    if wire == "protobuf":
        content = Status(code=problem.code, message=problem.message).SerializeToString()
    else:
        content = msgspec.json.encode({"code": problem.code, "message": problem.message})
    return HttpResponse(content, status=problem.status, content_type=CONTENT_TYPE_OF[wire])


TRACES = Door("otlp-traces", CONTENT_TYPES, pipeline.TRACES, _answer(_traces, "rejectedSpans"), _explain)
LOGS = Door("otlp-logs", CONTENT_TYPES, pipeline.LOGS, _answer(_logs, "rejectedLogRecords"), _explain)
METRICS = Door("otlp-metrics", CONTENT_TYPES, pipeline.METRICS, _metrics_answer, _explain)


@csrf_exempt
@require_POST
def receive_traces(request: HttpRequest) -> HttpResponse:
    return receive(request, TRACES)


@csrf_exempt
@require_POST
def receive_logs(request: HttpRequest) -> HttpResponse:
    return receive(request, LOGS)


@csrf_exempt
@require_POST
def receive_metrics(request: HttpRequest) -> HttpResponse:
    return receive(request, METRICS)
