"""REST: one trace with its spans, and what was said of it and of each of them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals import queries, shapes
from evals.queries import MAX_SHOWN
from tracehouse.tenancy.authentication import scope_of
from traces.api import TraceDetailSchema, plain_trace
from traces.queries import get_trace


class ScoredTraceSchema(TraceDetailSchema):
    scores = shapes.ScoreSchema(
        many=True, help_text=f"Of the trace and of its spans, newest first; at most {MAX_SHOWN}."
    )


class OneTrace(APIView):
    """One trace with all its spans, flat, by start time."""

    @extend_schema(
        parameters=[OpenApiParameter("trace_id", str, OpenApiParameter.PATH, description="32 hex digits.")],
        responses=ScoredTraceSchema,
        operation_id="get_trace",
    )
    def get(self, request: Request, trace_id: str) -> Response:
        detail = get_trace(scope_of(request), trace_id)
        if detail is None:
            raise NotFound("No trace of this id in the project.")
        scores = queries.of_trace(scope_of(request), detail.trace.trace_id)
        answer: dict[str, Any] = {**plain_trace(detail), "scores": [shapes.plain(score) for score in scores]}
        return Response(answer)
