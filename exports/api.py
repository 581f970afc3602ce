"""REST: the traces of a list as a file, all of them and not a page."""

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from exports import slots
from exports.answers import answer
from exports.services import MAX_TRACES, Asked
from exports.shape import CONTENT_TYPES, Format
from ingest.policies import policy_for
from tracehouse.read_cache import LookupUnavailable
from tracehouse.tenancy.authentication import StoreUnavailable, holder_of
from tracehouse.tenancy.models import Project
from traces.api import FilterParameters, filters_of, scope_during, validated
from traces.filters import Order


class ExportParameters(FilterParameters):
    format = serializers.ChoiceField(
        choices=[one.value for one in Format],
        default=Format.JSONL.value,
        help_text="JSON lines, CSV (RFC 4180, UTF-8, formulas defused) or Parquet (typed columns).",
    )
    order = serializers.ChoiceField(choices=[order.value for order in Order], default=Order.NEWEST.value)
    include = serializers.ChoiceField(
        choices=["spans"],
        required=False,
        help_text="`spans`, for JSON lines: each trace with all its spans, prompts and responses, as "
        "`GET /api/v1/traces/{trace_id}` has them.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "include" in attrs and attrs["format"] != Format.JSONL:
            raise serializers.ValidationError({"include": ["Spans are exported as JSON lines only."]})
        return attrs


class TooManyExports(APIException):
    status_code = 429
    default_code = "busy"
    wait = slots.RETRY_SECONDS  # becomes `Retry-After`


class FormatIsOurs(BaseContentNegotiation):
    """`format` names the file; REST framework would take it for the name of a renderer."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class TraceExport(APIView):
    """All traces that match, as a file."""

    http_method_names = ["get", "options"]  # HEAD would read everything and send nothing
    content_negotiation_class = FormatIsOurs

    @extend_schema(
        parameters=[ExportParameters],
        responses={
            **{
                (200, content_type.partition(";")[0]): OpenApiTypes.BINARY
                for content_type in CONTENT_TYPES.values()
            },
            400: OpenApiResponse(
                description="Something is not valid, or the time range is too long to look through."
            ),
            429: OpenApiResponse(description="Too many exports run; come back after `Retry-After` seconds."),
            503: OpenApiResponse(
                description="A store does not answer; come back after `Retry-After` seconds."
            ),
        },
        operation_id="export_traces",
        description="All traces that match, streamed as a file: a row a trace, with the fields of `GET /api/v1/traces` "
        f"and `scores`. At most {MAX_TRACES:,} traces; a file that is cut says so at its end, one that broke off ends "
        "with a broken connection.",
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        given = validated(ExportParameters, request)
        holder = holder_of(request)
        try:
            policy = policy_for(holder)
        except LookupUnavailable as error:
            raise StoreUnavailable from error
        asked = Asked(
            scope=scope_during(request, given),
            filters=filters_of(given),
            order=Order(given["order"]),
            format=Format(given["format"]),
            with_spans="include" in given,
            actor=holder.public_key,
            project=Project.objects.select_related("team").get(pk=holder.project_id),
            policy=policy,
        )
        try:
            return answer(request._request, asked)
        except slots.Busy as error:
            raise TooManyExports(str(error)) from error
