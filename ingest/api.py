"""REST: spans in the plain JSON shape, for senders without an SDK."""

from collections.abc import Mapping

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from ingest import pipeline
from ingest.door import Code, Door, Problem, receive
from ingest.openapi import schema_of
from ingest.pipeline import Batch, Wire
from ingest.plain import Outcome
from ingest.plain_shape import FieldError, GivenSpan

# The names that the other REST routes use for the same problems.
_NAMES: Mapping[Code, str] = {
    Code.INVALID_ARGUMENT: "invalid",
    Code.PERMISSION_DENIED: "permission_denied",
    Code.RESOURCE_EXHAUSTED: "throttled",
    Code.UNAVAILABLE: "unavailable",
    Code.UNAUTHENTICATED: "not_authenticated",
}
_EXAMPLE = {
    "spans": [
        {
            "name": "chat claude-sonnet-4-5",
            "kind": "llm",
            "model": "claude-sonnet-4-5",
            "provider": "anthropic",
            "start_time": "2026-01-31T12:00:00.25Z",
            "duration_ms": 412,
            "user_id": "u_1",
            "usage": {"input_tokens": 1000, "output_tokens": 200},
            "input": [{"role": "user", "content": "Good morning!"}],
            "output": "Good morning to you.",
        }
    ]
}


class SentSpans(msgspec.Struct, forbid_unknown_fields=True):
    """Spans of one or several traces, in any order."""

    spans: list[GivenSpan]


class SpanResult(msgspec.Struct, omit_defaults=True):
    """What became of the span at the same place of the request. `errors` stands on a refused one."""

    trace_id: str | None
    span_id: str | None
    status: str
    errors: list[FieldError] = []


class Received(msgspec.Struct):
    """How many spans are stored, and one result a span in the order sent."""

    accepted: int
    results: list[SpanResult]


def _answer(batch: Batch) -> HttpResponse:
    results = [_result(batch, place, outcome) for place, outcome in enumerate(batch.outcomes)]
    received = Received(sum(result.status == "accepted" for result in results), results)
    return HttpResponse(msgspec.json.encode(received), content_type="application/json")


def _result(batch: Batch, place: int, outcome: Outcome) -> SpanResult:
    errors = outcome.errors
    late = batch.refused_ids.get((outcome.trace_id or "", outcome.span_id or ""))
    if late is not None and outcome.span is not None:
        errors = [FieldError(f"spans[{place}]", late)]
    return SpanResult(outcome.trace_id, outcome.span_id, "refused" if errors else "accepted", errors)


def _explain(problem: Problem, wire: Wire) -> HttpResponse:
    error = {"code": _NAMES[problem.code], "message": problem.message}
    return HttpResponse(
        msgspec.json.encode({"error": error}), status=problem.status, content_type="application/json"
    )


PLAIN = Door("json-spans", {"application/json": "json"}, pipeline.PLAIN, _answer, _explain)


class Spans(APIView):
    """Takes spans as plain JSON; each is accepted or refused on its own, with the fields that are wrong.

    A 200 means that every accepted span is on disk. Bodies may be compressed (`Content-Encoding` gzip, deflate
    or zstd) and chunked.
    """

    # The door lets senders in, the same way for every way in.
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="send_spans",
        request={"application/json": schema_of(SentSpans)},
        responses={
            (200, "application/json"): OpenApiResponse(schema_of(Received), "Stored, or refused one by one."),
            400: OpenApiResponse(description='The body is not JSON, or not `{"spans": [...]}`.'),
            401: OpenApiResponse(description="No key, or an unknown one."),
            403: OpenApiResponse(description="The key belongs to another project."),
            413: OpenApiResponse(description="The body is too large; send smaller batches."),
            415: OpenApiResponse(description="Another Content-Type or Content-Encoding."),
            429: OpenApiResponse(description="Too much at once; come back after `Retry-After` seconds."),
            503: OpenApiResponse(description="Nothing was stored; come back after `Retry-After` seconds."),
        },
        examples=[OpenApiExample("One model call", _EXAMPLE, request_only=True)],
        auth=[{"basicKey": []}, {"bearerSecret": []}],  # type: ignore[list-item]  # as its documentation shows
    )
    def post(self, request: Request) -> HttpResponse:
        return receive(request._request, PLAIN)  # the body is read by the door
