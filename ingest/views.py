"""The OTLP/HTTP door: who sends, in what wire format, and the answer the protocol asks for.

Answers follow the OTLP specification 1.x, section OTLP/HTTP: the response's encoding is the request's, an error's
body is a `google.rpc.Status`, and what may be tried again is 429 or 503 with Retry-After.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest import limits, pipeline
from ingest.otlp.decode import Malformed, Refusal
from ingest.spool import SpoolFailed, SpoolFull
from tracehouse.tenancy.authentication import CHALLENGE
from tracehouse.tenancy.keys import KeyHolder, KeyProblem, LookupUnavailable, identify

log = structlog.get_logger()

CONTENT_TYPES: Mapping[str, pipeline.Wire] = {
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
    "application/json": "json",
}
CONTENT_TYPE_OF: Mapping[pipeline.Wire, str] = {
    "protobuf": "application/x-protobuf",
    "json": "application/json",
}
# google.rpc.Code
INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE = 3, 16, 7, 8, 14

_in_flight = limits.InFlight(limits.IN_FLIGHT_BODIES * settings.MAX_BODY_BYTES)


class Problem(Exception):
    """An answer other than 200: HTTP status, rpc code, a sentence, and when to come back."""

    def __init__(self, status: int, code: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


@csrf_exempt
@require_POST
def receive_traces(request: HttpRequest) -> HttpResponse:
    answer_in = CONTENT_TYPES.get(request.content_type or "", "json")
    try:
        holder = _sender(request)
        batch = _store(request, _wire(request), holder)
    except Problem as problem:
        return _problem_answer(problem, answer_in)
    return _answer(batch.refused, answer_in)


def _wire(request: HttpRequest) -> pipeline.Wire:
    sent = request.content_type or ""
    wire = CONTENT_TYPES.get(sent)
    if wire is None:
        message = f"Content-Type must be one of {', '.join(CONTENT_TYPES)}, not {sent[:80]!r}."
        raise Problem(415, INVALID_ARGUMENT, message)
    return wire


def _sender(request: HttpRequest) -> KeyHolder:
    try:
        found = identify(request.headers.get("Authorization", ""))
    except LookupUnavailable:
        raise Problem(503, UNAVAILABLE, "The key cannot be checked just now.", retry_after=5) from None
    if isinstance(found, KeyProblem):
        if found is KeyProblem.OTHER_PROJECT:
            raise Problem(403, PERMISSION_DENIED, f"{found.capitalize()}.")
        raise Problem(401, UNAUTHENTICATED, f"{found.capitalize()}. Send Authorization: Bearer <secret key>.")
    named = request.headers.get("X-Tracehouse-Project")
    if named and named != found.project_slug:
        raise Problem(403, PERMISSION_DENIED, f"{KeyProblem.OTHER_PROJECT.capitalize()}.")
    return found


def _store(request: HttpRequest, wire: pipeline.Wire, holder: KeyHolder) -> pipeline.Batch:
    limit = settings.MAX_BODY_BYTES
    try:
        sent = limits.read_body(_stream(request), limit)
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        body = limits.inflate(sent, encoding, limit)
        with _in_flight.holding(len(body)):
            return pipeline.run(pipeline.Batch(body, wire, holder, now_ns=time.time_ns()))
    except limits.TooLarge:
        message = f"The body is larger than {limit // 2**20} MiB; send smaller batches."
        raise Problem(413, INVALID_ARGUMENT, message) from None
    except limits.UnknownEncoding:
        message = "Content-Encoding must be gzip, deflate, zstd or none."
        raise Problem(415, INVALID_ARGUMENT, message) from None
    except limits.BadEncoding as error:
        message = f"The body is not valid {encoding} ({error})."
        raise Problem(400, INVALID_ARGUMENT, message) from None
    except Malformed as error:
        raise Problem(400, INVALID_ARGUMENT, f"Malformed request: {error}.") from None
    except limits.Busy:
        message = "Too many large bodies at once; try again shortly."
        raise Problem(429, RESOURCE_EXHAUSTED, message, retry_after=1) from None
    except SpoolFull:
        message = "Too many spans wait to be stored; try again later."
        raise Problem(503, UNAVAILABLE, message, retry_after=10) from None
    except SpoolFailed as error:
        log.error("ingest.spool_failed", error=str(error))
        message = "The disk did not take the spans; nothing was stored."
        raise Problem(503, UNAVAILABLE, message, retry_after=10) from None


class _Bounded:
    """`wsgi.input` up to the announced length: some servers block when more is read."""

    def __init__(self, stream: limits.Readable, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int, /) -> bytes:
        chunk = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(chunk)
        return chunk


def _stream(request: HttpRequest) -> limits.Readable:
    """The body as the server hands it over.

    JavaScript exporters send chunked bodies without Content-Length, which Django reads as empty; the server says
    by `wsgi.input_terminated` that its stream ends with the body.
    """
    environ: dict[str, Any] = request.META
    stream: limits.Readable = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        if int(length) > settings.MAX_BODY_BYTES:
            raise limits.TooLarge
        return _Bounded(stream, int(length))
    if environ.get("wsgi.input_terminated"):
        return stream
    raise Problem(411, INVALID_ARGUMENT, "Send Content-Length or a chunked body.")


def _answer(refused: Mapping[Refusal, int], wire: pipeline.Wire) -> HttpResponse:
    count = sum(refused.values())
    message = "; ".join(f"{number} x {reason}" for reason, number in refused.items())
    if wire == "protobuf":
        answer = ExportTraceServiceResponse()
        if count:
            answer.partial_success.rejected_spans = count
            answer.partial_success.error_message = message
        content = answer.SerializeToString()
    else:
        partial = {"partialSuccess": {"rejectedSpans": str(count), "errorMessage": message}}
        content = msgspec.json.encode(partial if count else {})
    return HttpResponse(content, content_type=CONTENT_TYPE_OF[wire])


def _problem_answer(problem: Problem, wire: pipeline.Wire) -> HttpResponse:
    if wire == "protobuf":
        content = Status(code=problem.code, message=problem.message).SerializeToString()
    else:
        content = msgspec.json.encode({"code": problem.code, "message": problem.message})
    response = HttpResponse(content, status=problem.status, content_type=CONTENT_TYPE_OF[wire])
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    return response
