"""REST: one trace with its spans, and what was said of it and of each of them."""

from collections.abc import Iterator

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from evals import queries, shapes
from evals.queries import MAX_SHOWN
from tracehouse.tenancy.authentication import scope_of
from traces.answer import AT_ONCE, in_pieces
from traces.answer_queries import TraceAnswer, get_trace
from traces.api import TraceDetailSchema, plain
from traces.cursor import BadCursor


class ScoredTraceSchema(TraceDetailSchema):
    scores = shapes.ScoreSchema(
        many=True, help_text=f"Of the trace and of its spans, newest first; at most {MAX_SHOWN}."
    )


class OneTrace(APIView):
    """One trace with its spans, flat, by start time: all of them, or of a very long trace a page at a time."""

    @extend_schema(
        parameters=[
            OpenApiParameter("trace_id", str, OpenApiParameter.PATH, description="32 hex digits."),
            OpenApiParameter(
                "spans_cursor",
                str,
                description="`next_spans_cursor` of the answer before: gives the spans that follow.",
            ),
        ],
        responses=ScoredTraceSchema,
        operation_id="get_trace",
    )
    def get(self, request: Request, trace_id: str) -> HttpResponseBase:
        try:
            found = get_trace(
                scope_of(request), trace_id, cursor=request.query_params.get("spans_cursor", "")
            )
        except BadCursor as error:
            raise ValidationError({"spans_cursor": [str(error)]}) from error
        if found is None:
            raise NotFound("No trace of this id in the project.")
        scores = queries.of_trace(scope_of(request), found.trace.trace_id)
        rest = {
            "truncated": found.next_cursor is not None,
            "next_spans_cursor": found.next_cursor,
            "scores": [shapes.plain(score) for score in scores],
        }
        return _answer(found, in_pieces(plain(found.trace), found.spans, rest))


def _answer(found: TraceAnswer, pieces: Iterator[bytes]) -> HttpResponseBase:
    """In one piece with its length; a long one piece by piece, each sent while the next one is written."""
    if len(found.spans) > AT_ONCE:
        return StreamingHttpResponse(pieces, content_type="application/json")
    return HttpResponse(b"".join(pieces), content_type="application/json")
