"""A trace in the form it was sent: OTLP/JSON by the REST API."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from tracehouse.tenancy.authentication import scope_of
from tracehouse.tenancy.scope import Scope
from traces import queries, raw
from traces.outline_queries import parse_span_id
from traces.queries import StoredSpan


class TraceOtlp(APIView):
    """One trace, or one of its spans, as OTLP/JSON: the body that `/v1/traces` takes. As stored, so redacted."""

    @extend_schema(
        parameters=[
            OpenApiParameter("trace_id", str, OpenApiParameter.PATH, description="32 hex digits."),
            OpenApiParameter("span_id", str, description="Only this span; 16 hex digits."),
        ],
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
        operation_id="get_trace_otlp",
    )
    def get(self, request: Request, trace_id: str) -> StreamingHttpResponse:
        scope, asked = scope_of(request), request.query_params.get("span_id")
        if asked is not None:
            return _answer(trace_id, _one_span(scope, trace_id, asked))
        whole = queries.get_whole_trace(scope, trace_id)
        if whole is None:
            raise NotFound("No trace of this id in the project.")
        return _answer(whole.trace.trace_id, whole.spans)


def _one_span(scope: Scope, trace_id: str, span_id: str) -> list[StoredSpan]:
    parsed, number = queries.parse_trace_id(trace_id), parse_span_id(span_id)
    found = queries.get_spans(scope, parsed, [number]) if parsed and number is not None else []
    if not found:
        raise NotFound("No span of this id in a trace of this id.")
    return found


def _answer(trace_id: str, spans: Iterable[StoredSpan]) -> StreamingHttpResponse:
    return StreamingHttpResponse(raw.chunks(trace_id, spans), content_type="application/json")
