"""REST: what users cost as a file, for billing by usage."""

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from exports import slots, user_costs
from exports.answers import user_costs_answer
from exports.api import FormatIsOurs, TooManyExports
from exports.shape import CONTENT_TYPES, Format
from exports.user_costs import Asked, TooManyUsers
from tracehouse.tenancy.authentication import holder_of
from tracehouse.tenancy.models import Project
from traces.api import WindowParameters, scope_during, validated


class UserCostExportParameters(WindowParameters):
    format = serializers.ChoiceField(
        choices=[form.value for form in user_costs.FORMATS],
        default=Format.CSV.value,
        help_text="CSV (RFC 4180, UTF-8, formulas defused) or Parquet (typed columns).",
    )


class UserCostExport(APIView):
    """What each user cost in each organization, as a file."""

    http_method_names = ["get", "options"]  # HEAD would read everything and send nothing
    content_negotiation_class = FormatIsOurs

    @extend_schema(
        parameters=[UserCostExportParameters],
        responses={
            **{
                (200, CONTENT_TYPES[form].partition(";")[0]): OpenApiTypes.BINARY
                for form in user_costs.FORMATS
            },
            400: OpenApiResponse(description="Something is not valid, or the time range holds too much."),
            429: OpenApiResponse(description="Too many exports run; come back after `Retry-After` seconds."),
            503: OpenApiResponse(
                description="A store does not answer; come back after `Retry-After` seconds."
            ),
        },
        operation_id="export_user_costs",
        description="The rows of `GET /api/v1/user-costs` in one file, all of one moment, in the order of their ids;"
        " `row` is `user`. The last row is `checksum`: in `user_id` the SHA-256 of the rows before it as in the CSV"
        " (without its heading), in `organization_id` their number, and the sums of their numbers. A file without it is"
        " not whole.",
    )
    def get(self, request: Request) -> FileResponse:
        given: dict[str, Any] = validated(UserCostExportParameters, request)
        holder = holder_of(request)
        asked = Asked(
            scope=scope_during(request, given),
            format=Format(given["format"]),
            actor=holder.public_key,
            project=Project.objects.select_related("team").get(pk=holder.project_id),
        )
        try:
            return user_costs_answer(request._request, asked)
        except slots.Busy as error:
            raise TooManyExports(str(error)) from error
        except TooManyUsers as error:
            raise ValidationError(str(error)) from error
