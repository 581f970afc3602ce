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

from ingest import accounting, admission, limits, pipeline
from ingest.admission import OverLimit
from ingest.otlp.decode import Malformed
from ingest.otlp.pieces import TooMany
from ingest.pipeline import Batch, Wire
from ingest.reasons import Reason, explain
from ingest.spool import SpoolFailed, SpoolFull
from tracehouse.read_cache import LookupUnavailable
from tracehouse.tenancy.authentication import CHALLENGE
from tracehouse.tenancy.keys import KeyHolder, KeyProblem, identify

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
    """An answer other than 200: HTTP status, rpc code, a sentence, when to come back, and the reason counted."""

    def __init__(
        self,
        status: int,
        code: Code,
        message: str,
        *,
        reason: Reason,
        retry_after: int | None = None,
        spans: int = 0,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after
        self.reason, self.spans = reason, spans


@dataclass(frozen=True, slots=True)
class Door:
    name: str  # as counts and metrics have it
    content_types: Mapping[str, Wire]
    steps: pipeline.Steps
    answer: Callable[[Batch], HttpResponse]
    explain: Callable[[Problem, Wire], HttpResponse]


def receive(request: HttpRequest, door: Door) -> HttpResponse:
    """1. Let the sender in, 2. read the body, 3. take it through the door's steps, 4. answer."""
    answer_in = door.content_types.get(request.content_type or "", "json")
    with accounting.Visit(request, door.name) as visit:
        try:
            visit.holder = identified(request)
            admit(request, visit.holder)
            batch = _take(request, door, visit.holder)
        except Problem as problem:
            visit.refused(problem.reason, problem.status, spans=problem.spans)
            return _problem_answer(problem, door, answer_in)
        visit.accepted(batch)
        return door.answer(batch)


def identified(request: HttpRequest) -> KeyHolder:
    """Whose request it is. Raises `Problem`."""
    try:
        found = identify(request.headers.get("Authorization", ""))
    except LookupUnavailable:
        message = "The key cannot be checked just now."
        raise Problem(503, Code.UNAVAILABLE, message, reason=Reason.KEY_UNCHECKED, retry_after=5) from None
    if isinstance(found, KeyProblem):
        if found is KeyProblem.OTHER_PROJECT:
            raise Problem(403, Code.PERMISSION_DENIED, f"{found.capitalize()}.", reason=Reason.OTHER_PROJECT)
        message = f"{found.capitalize()}. Send Authorization: Bearer <secret key>."
        raise Problem(401, Code.UNAUTHENTICATED, message, reason=Reason.NO_KEY)
    return found


def admit(request: HttpRequest, holder: KeyHolder) -> None:
    """The one place that lets a request in, before its body is read. Raises `Problem`."""
    named = request.headers.get("X-Tracehouse-Project")
    if named and named != holder.project_slug:
        message = f"{KeyProblem.OTHER_PROJECT.capitalize()}."
        raise Problem(403, Code.PERMISSION_DENIED, message, reason=Reason.OTHER_PROJECT)
    try:
        admission.check_remembered(holder)
    except OverLimit as error:
        raise _over_limit(error) from None


def _over_limit(error: OverLimit) -> Problem:
    return Problem(
        429,
        Code.RESOURCE_EXHAUSTED,
        f"{explain(error.reason).title}; nothing was stored, try again later.",
        reason=error.reason,
        retry_after=error.retry_after,
        spans=error.spans,
    )


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
        raise Problem(503, Code.UNAVAILABLE, message, reason=Reason.RULES_UNREAD, retry_after=5) from None
    except (limits.TooLarge, TooMany) as error:
        much = (
            "holds too many items" if isinstance(error, TooMany) else f"is larger than {limit // 2**20} MiB"
        )
        message = f"The body {much}; send smaller batches."
        raise Problem(413, Code.INVALID_ARGUMENT, message, reason=Reason.TOO_LARGE) from None
    except limits.UnknownEncoding:
        message = "Content-Encoding must be gzip, deflate, zstd or none."
        raise Problem(415, Code.INVALID_ARGUMENT, message, reason=Reason.WRONG_ENCODING) from None
    except limits.BadEncoding as error:
        message = f"The body is not valid {encoding} ({error})."
        raise Problem(400, Code.INVALID_ARGUMENT, message, reason=Reason.BAD_ENCODING) from None
    except Malformed as error:
        message = f"Malformed request: {error}."
        raise Problem(400, Code.INVALID_ARGUMENT, message, reason=Reason.MALFORMED) from None
    except OverLimit as error:
        raise _over_limit(error) from None
    except limits.Busy:
        message = "Too many large bodies at once; try again shortly."
        raise Problem(429, Code.RESOURCE_EXHAUSTED, message, reason=Reason.BUSY, retry_after=1) from None
    except SpoolFull:
        message = "Too many spans wait to be stored; try again later."
        raise Problem(503, Code.UNAVAILABLE, message, reason=Reason.SPOOL_FULL, retry_after=10) from None
    except SpoolFailed as error:
        log.error("ingest.spool_failed", error=str(error))
        message = "The disk did not take the spans; nothing was stored."
        raise Problem(503, Code.UNAVAILABLE, message, reason=Reason.SPOOL_FAILED, retry_after=10) from None


def _wire(request: HttpRequest, door: Door) -> Wire:
    sent = request.content_type or ""
    wire = door.content_types.get(sent)
    if wire is None:
        names = list(door.content_types)
        wanted = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
        message = f"Content-Type must be {wanted}, not {sent[:80]!r}."
        raise Problem(415, Code.INVALID_ARGUMENT, message, reason=Reason.WRONG_TYPE)
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
    message = "Send Content-Length or a chunked body."
    raise Problem(411, Code.INVALID_ARGUMENT, message, reason=Reason.NO_LENGTH)


def _problem_answer(problem: Problem, door: Door, wire: Wire) -> HttpResponse:
    response = door.explain(problem, wire)
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    return response
