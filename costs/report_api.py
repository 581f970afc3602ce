"""REST: the weekly reports of the project behind the API key, as they were made."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs import report
from costs.margin_shapes import PageParameters
from costs.models import Report
from tracehouse.tenancy.authentication import scope_of
from tracehouse.web.api import rfc3339
from tracehouse.web.figures import plain_decimal
from traces.api import validated


class ReportSchema(serializers.Serializer[Any]):
    """Costs are those the report told; `unpriced_calls` are in no sum."""

    id = serializers.IntegerField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    version = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    cost_usd = serializers.CharField()
    cost_before_usd = serializers.CharField()
    unpriced_calls = serializers.IntegerField()


class ReportsSchema(serializers.Serializer[Any]):
    data = ReportSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    total = serializers.IntegerField()


class WholeReportSchema(ReportSchema):
    content = serializers.DictField(
        help_text="Everything the report says: top spenders, features that grew, anomalies, customers who cost more"
        " than they pay, unpriced models. Money is text."
    )


class Reports(APIView):
    """Weekly reports, the newest week first."""

    @extend_schema(parameters=[PageParameters], responses=ReportsSchema, operation_id="list_cost_reports")
    def get(self, request: Request) -> Response:
        given = validated(PageParameters, request)
        found = Report.objects.filter(project=scope_of(request).project_id)
        page = found[given["offset"] : given["offset"] + given["limit"]]
        return Response({"data": [_report(one) for one in page], "total": found.count()})


class OneReport(APIView):
    """One report, by its number."""

    @extend_schema(responses=WholeReportSchema, operation_id="get_cost_report")
    def get(self, request: Request, report_id: int) -> Response:
        found = get_object_or_404(Report, pk=report_id, project=scope_of(request).project_id)
        return Response({**_report(found), "content": found.content})


def _report(kept: Report) -> dict[str, Any]:
    content = report.from_data(kept.content)
    return {
        "id": kept.pk,
        "first_day": content.first_day.isoformat(),
        "last_day": content.last_day.isoformat(),
        "version": kept.version,
        "made_at": rfc3339(kept.made_at),
        "cost_usd": plain_decimal(content.total.now.cost),
        "cost_before_usd": plain_decimal(content.total.before.cost),
        "unpriced_calls": content.unpriced_calls,
    }
