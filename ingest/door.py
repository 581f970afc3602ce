"""What every ingest door shares: who is let in, how a body is read, and what a problem is answered with.

A door differs from another in what it takes (`steps`) and in how it says things (`answer`, `explain`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ingest import limits, pipeline
from ingest.otlp.decode import Malformed
from ingest.pipeline import Batch, Wire
from ingest.spool import SpoolFailed, SpoolFull
from tracehouse.tenancy.authentication import CHALLENGE
from tracehouse.tenancy.keys import KeyHolder, KeyProblem, LookupUnavailable, identify

log = structlog.get_logger()

_in_flight = limits.InFlight(limits.IN_FLIGHT_BODIES * settings.MAX_BODY_BYTES)


class Code(IntEnum):
    """google.rpc.Code"""

    INVALID_ARGUMENT = 3
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Problem(Exception):
    """An answer other than 200: HTTP status, rpc code, a sentence, and when to come back."""

    def __init__(self, status: int, code: Code, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


@dataclass(frozen=True, slots=True)
class Door:
    content_types: Mapping[str, Wire]
    steps: pipeline.Steps
    answer: Callable[[Batch], HttpResponse]
    explain: Callable[[Problem, Wire], HttpResponse]


def receive(request: HttpRequest, door: Door) -> HttpResponse:
    """1. Let the sender in, 2. read the body, 3. take it through the door's steps, 4. answer."""
    answer_in = door.content_types.get(request.content_type or "", "json")
    try:
        holder = admit(request)
        batch = _take(request, door, holder)
    except Problem as problem:
        return _problem_answer(problem, door, answer_in)
    return door.answer(batch)


def admit(request: HttpRequest) -> KeyHolder:
    """Whose request it is. The one place that lets a request in, before its body is read. Raises `Problem`."""
    try:
        found = identify(request.headers.get("Authorization", ""))
    except LookupUnavailable:
        raise Problem(503, Code.UNAVAILABLE, "The key cannot be checked just now.", retry_after=5) from None
    if isinstance(found, KeyProblem):
        if found is KeyProblem.OTHER_PROJECT:
            raise Problem(403, Code.PERMISSION_DENIED, f"{found.capitalize()}.")
        message = f"{found.capitalize()}. Send Authorization: Bearer <secret key>."
        raise Problem(401, Code.UNAUTHENTICATED, message)
    named = request.headers.get("X-Tracehouse-Project")
    if named and named != found.project_slug:
        raise Problem(403, Code.PERMISSION_DENIED, f"{KeyProblem.OTHER_PROJECT.capitalize()}.")
    return found


def _take(request: HttpRequest, door: Door, holder: KeyHolder) -> Batch:
    wire = _wire(request, door)
    limit = settings.MAX_BODY_BYTES
    try:
        sent = limits.read_body(_stream(request), limit)
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        body = limits.inflate(sent, encoding, limit)
        with _in_flight.holding(len(body)):
            return pipeline.run(Batch(body, wire, holder, now_ns=time.time_ns()), door.steps)
    except LookupUnavailable:
        message = "The project's redaction rules cannot be read just now."
        raise Problem(503, Code.UNAVAILABLE, message, retry_after=5) from None
    except limits.TooLarge:
        message = f"The body is larger than {limit // 2**20} MiB; send smaller batches."
        raise Problem(413, Code.INVALID_ARGUMENT, message) from None
    except limits.UnknownEncoding:
        message = "Content-Encoding must be gzip, deflate, zstd or none."
        raise Problem(415, Code.INVALID_ARGUMENT, message) from None
    except limits.BadEncoding as error:
        message = f"The body is not valid {encoding} ({error})."
        raise Problem(400, Code.INVALID_ARGUMENT, message) from None
    except Malformed as error:
        raise Problem(400, Code.INVALID_ARGUMENT, f"Malformed request: {error}.") from None
    except limits.Busy:
        message = "Too many large bodies at once; try again shortly."
        raise Problem(429, Code.RESOURCE_EXHAUSTED, message, retry_after=1) from None
    except SpoolFull:
        message = "Too many spans wait to be stored; try again later."
        raise Problem(503, Code.UNAVAILABLE, message, retry_after=10) from None
    except SpoolFailed as error:
        log.error("ingest.spool_failed", error=str(error))
        message = "The disk did not take the spans; nothing was stored."
        raise Problem(503, Code.UNAVAILABLE, message, retry_after=10) from None


def _wire(request: HttpRequest, door: Door) -> Wire:
    sent = request.content_type or ""
    wire = door.content_types.get(sent)
    if wire is None:
        names = list(door.content_types)
        wanted = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
        raise Problem(415, Code.INVALID_ARGUMENT, f"Content-Type must be {wanted}, not {sent[:80]!r}.")
    return wire


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
    raise Problem(411, Code.INVALID_ARGUMENT, "Send Content-Length or a chunked body.")


def _problem_answer(problem: Problem, door: Door, wire: Wire) -> HttpResponse:
    response = door.explain(problem, wire)
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    return response
