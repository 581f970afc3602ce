"""REST: prices in force, the ledger of unpriced models, and re-pricing runs of the project behind the API key."""

from dataclasses import asdict
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs import queries
from costs.models import (
    RATE_FIELDS,
    DatedPrice,
    Match,
    ModelPrice,
    PriceTier,
    RepricingRun,
    RunState,
    ToolPrice,
)
from tracehouse.tenancy.authentication import scope_of
from tracehouse.web.api import plain_decimal, rfc3339
from traces.api import WindowParameters, scope_during, validated

MAX_RUNS = 200


class UnpricedParameters(WindowParameters):
    limit = serializers.IntegerField(default=200, min_value=1, max_value=queries.MAX_MODELS)


class RunParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_RUNS)


class UnpricedModelSchema(serializers.Serializer[Any]):
    """Calls of one model that have no price. They add nothing to any cost."""

    provider = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()


class UnpricedSchema(serializers.Serializer[Any]):
    data = UnpricedModelSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class _DatedSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    of_project = serializers.BooleanField(help_text="False: set for the whole installation.")
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)


class _RatesSchema(serializers.Serializer[Any]):
    """US dollars per million tokens."""

    def get_fields(self) -> dict[str, Any]:
        rates = {name: serializers.CharField(allow_null=True) for name in RATE_FIELDS}
        return {**super().get_fields(), **rates}


class PriceTierSchema(_RatesSchema):
    above_tokens = serializers.IntegerField()


class ModelPriceSchema(_DatedSchema, _RatesSchema):
    provider = serializers.CharField(allow_null=True, help_text="Null: any.")
    match = serializers.ChoiceField(choices=Match.values)
    model = serializers.CharField()
    per_request = serializers.CharField(allow_null=True)
    tiers = PriceTierSchema(many=True)


class ToolPriceSchema(_DatedSchema):
    tool = serializers.CharField()
    per_call = serializers.CharField(allow_null=True)
    per_second = serializers.CharField(allow_null=True)


class PricesSchema(serializers.Serializer[Any]):
    models = ModelPriceSchema(many=True)
    tools = ToolPriceSchema(many=True)


class RepricingRunSchema(serializers.Serializer[Any]):
    """What pricing stored calls again changed. Costs are sums over the calls looked at."""

    id = serializers.IntegerField()
    subject = serializers.ChoiceField(choices=["model", "tool"])
    match = serializers.ChoiceField(choices=Match.values)
    name = serializers.CharField()
    provider = serializers.CharField(allow_null=True)
    window_start = serializers.DateTimeField()
    window_end = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=RunState.values)
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    calls_looked_at = serializers.IntegerField()
    calls_changed = serializers.IntegerField()
    calls_unpriced_before = serializers.IntegerField()
    calls_unpriced_after = serializers.IntegerField()
    cost_before = serializers.CharField()
    cost_after = serializers.CharField()


class RepricingRunsSchema(serializers.Serializer[Any]):
    data = RepricingRunSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class Prices(APIView):
    """Prices that people set, for the project and for the whole installation. The public prices are not listed."""

    @extend_schema(responses=PricesSchema, operation_id="list_prices")
    def get(self, request: Request) -> Response:
        ours = Q(project=scope_of(request).project_id) | Q(project=None)
        models = ModelPrice.objects.filter(ours).prefetch_related("tiers")
        tools = ToolPrice.objects.filter(ours)
        return Response(
            {
                "models": [_model_price(price) for price in models],
                "tools": [_tool_price(price) for price in tools],
            }
        )


class UnpricedModels(APIView):
    """Models whose calls in the window have no price, most calls first."""

    @extend_schema(
        parameters=[UnpricedParameters], responses=UnpricedSchema, operation_id="list_unpriced_models"
    )
    def get(self, request: Request) -> Response:
        given = validated(UnpricedParameters, request)
        rows = queries.unpriced_models(scope_during(request, given), limit=given["limit"])
        return Response({"data": [_unpriced(row) for row in rows]})


class RepricingRuns(APIView):
    """Runs that priced stored calls again, newest first."""

    @extend_schema(
        parameters=[RunParameters], responses=RepricingRunsSchema, operation_id="list_repricing_runs"
    )
    def get(self, request: Request) -> Response:
        given = validated(RunParameters, request)
        runs = RepricingRun.objects.filter(project=scope_of(request).project_id, dry=False)
        return Response({"data": [_run(run) for run in runs[: given["limit"]]]})


def _unpriced(row: queries.UnpricedModel) -> dict[str, Any]:
    return {
        **asdict(row),
        "provider": row.provider or None,
        "model": row.model or None,
        "first_seen": rfc3339(row.first_seen),
        "last_seen": rfc3339(row.last_seen),
    }


def _dated(price: DatedPrice) -> dict[str, Any]:
    return {
        "id": price.pk,
        "of_project": price.project_id is not None,
        "valid_from": rfc3339(price.valid_from) if price.valid_from else None,
        "valid_until": rfc3339(price.valid_until) if price.valid_until else None,
    }


def _rates(row: ModelPrice | PriceTier) -> dict[str, str | None]:
    return {name: _money(getattr(row, name)) for name in RATE_FIELDS}


def _model_price(price: ModelPrice) -> dict[str, Any]:
    return {
        **_dated(price),
        **_rates(price),
        "provider": price.provider or None,
        "match": price.match,
        "model": price.model,
        "per_request": _money(price.per_request),
        "tiers": [{"above_tokens": tier.above_tokens, **_rates(tier)} for tier in price.tiers.all()],
    }


def _tool_price(price: ToolPrice) -> dict[str, Any]:
    return {
        **_dated(price),
        "tool": price.tool,
        "per_call": _money(price.per_call),
        "per_second": _money(price.per_second),
    }


def _run(run: RepricingRun) -> dict[str, Any]:
    plain = ("subject", "match", "name", "state", "asked_by", "calls_looked_at", "calls_changed")
    counts = ("calls_unpriced_before", "calls_unpriced_after")
    return {
        "id": run.pk,
        **{name: getattr(run, name) for name in (*plain, *counts)},
        "provider": run.provider or None,
        "window_start": rfc3339(run.window_start),
        "window_end": rfc3339(run.window_end),
        "asked_at": rfc3339(run.asked_at),
        "finished_at": rfc3339(run.finished_at) if run.finished_at else None,
        "cost_before": plain_decimal(run.cost_before),
        "cost_after": plain_decimal(run.cost_after),
    }


def _money(value: Any) -> str | None:
    return None if value is None else plain_decimal(value)
