"""A trace in the form it was sent: OTLP/JSON by the REST API."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from tracehouse.tenancy.authentication import scope_of
from traces import queries, raw


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
        detail = queries.get_trace(scope_of(request), trace_id)
        if detail is None:
            raise NotFound("No trace of this id in the project.")
        asked = request.query_params.get("span_id")
        spans = [span for span in detail.spans if asked in (None, span.span_id)]
        if not spans:
            raise NotFound("No span of this id in the trace.")
        return StreamingHttpResponse(
            raw.chunks(detail.trace.trace_id, spans), content_type="application/json"
        )
