"""REST: plans, budgets and their state, margins and anomalies of the project behind the API key."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs import (
    anomaly_queries,
    budget_queries,
    budget_services,
    day_range,
    economics,
    margin_queries,
    plan_services,
    tenth_queries,
)
from costs import margin_shapes as shapes
from costs.day_range import DayRange
from costs.days import day_of
from costs.economics import Filter, Order
from costs.models import Budget, Payer, Plan
from costs.plan_csv import PlanRow, Subject
from costs.rollup_queries import Step
from tracehouse.tenancy.authentication import holder_of, scope_of
from tracehouse.tenancy.identity import stored_identity
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope
from tracehouse.web import time_range
from traces.api import validated


class Plans(APIView):
    """What customers pay: monthly prices of users and organizations."""

    @extend_schema(
        parameters=[shapes.PlanParameters], responses=shapes.PlansSchema, operation_id="list_plans"
    )
    def get(self, request: Request) -> Response:
        given = validated(shapes.PlanParameters, request)
        project = _project(request)
        found = Plan.objects.filter(project=project)
        for name, subject in (("user_id", Payer.USER), ("organization_id", Payer.ORGANIZATION)):
            if given[name]:
                found = found.filter(subject=subject, key=stored_identity(project)(given[name]))
        page = found[given["offset"] : given["offset"] + given["limit"]]
        return Response({"data": [shapes.plan(plan) for plan in page], "total": found.count()})

    @extend_schema(
        request=PolymorphicProxySerializer(
            component_name="PlanInputs",
            serializers=[shapes.PlanInput, shapes.PlanInput(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={
            200: shapes.PlanChangesSchema,
            400: OpenApiResponse(description="Something is not valid; nothing was stored."),
        },
        operation_id="put_plans",
    )
    def put(self, request: Request) -> Response:
        """Stores one price (an object) or up to 1,000 (a list), each in place of the customer's from the same day."""
        project = _project(request)
        rows = _plan_rows(request.data, project)
        changes = plan_services.import_plans(rows, project=project, actor=holder_of(request).public_key)
        return Response(
            {"new": len(changes.new), "changed": len(changes.changed), "unchanged": changes.unchanged}
        )


class OnePlan(APIView):
    """One price, by its number."""

    @extend_schema(responses={204: None}, operation_id="delete_plan")
    def delete(self, request: Request, plan_id: int) -> Response:
        plan = get_object_or_404(Plan, pk=plan_id, project=scope_of(request).project_id)
        plan_services.delete_plan(plan, actor=holder_of(request).public_key)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UnitEconomics(APIView):
    """What each customer cost and paid, as the page says it."""

    @extend_schema(
        parameters=[shapes.EconomicsParameters],
        responses=shapes.EconomicsSchema,
        operation_id="get_unit_economics",
    )
    def get(self, request: Request) -> Response:
        given = validated(shapes.EconomicsParameters, request)
        scope = _scope(request)
        found = margin_queries.unit_economics(
            scope, Payer(given["by"]), _days(scope, given), now=timezone.now()
        )
        only = Filter(given["only"])
        kept = economics.chosen(found.customers, only)
        order = Order(given["order"].removeprefix("-"))
        rows = economics.ordered(kept, order, descending=given["order"].startswith("-"))
        everybody = economics.totals(found.customers)
        kept_totals = everybody if only is Filter.ALL else economics.totals(kept)
        dearest = economics.chosen(found.customers, Filter.TOP)
        top, behind = economics.totals(dearest), economics.totals(found.behind(dearest))
        page = rows[given["offset"] : given["offset"] + given["limit"]]
        return Response(
            {
                "data": [shapes.customer(one) for one in page],
                "total": len(rows),
                "totals": shapes.totals(kept_totals, everybody),
                "top": shapes.totals(top, everybody),
                "top_organizations": shapes.totals(behind, everybody),
                "everybody": shapes.totals(everybody, everybody),
                "nobody_usd": shapes.money(found.nobody.cost),
            }
        )


class TopUsers(APIView):
    """The dearest tenth of the users in each day, week or month, and their share of what all users cost in it."""

    @extend_schema(
        parameters=[shapes.TopUsersParameters], responses=shapes.TopUsersSchema, operation_id="list_top_users"
    )
    def get(self, request: Request) -> Response:
        scope = _scope(request)
        given = validated(shapes.TopUsersParameters, request)
        found = tenth_queries.tenths(scope, _days(scope, given), Step(given["by"]))
        return Response({"data": [shapes.step_tenth(one) for one in found]})


class Budgets(APIView):
    """Limits of what somebody may cost in a day or a month, and how they stand."""

    @extend_schema(responses=shapes.BudgetsSchema, operation_id="list_budgets")
    def get(self, request: Request) -> Response:
        states = budget_queries.budget_states(_scope(request), now=timezone.now())
        return Response({"data": [shapes.budget_state(one) for one in states]})

    @extend_schema(
        request=shapes.BudgetInput,
        responses={200: shapes.BudgetInput},
        operation_id="put_budget",
    )
    def put(self, request: Request) -> Response:
        """Stores a budget, in place of the one for the same and the same period."""
        project = _project(request)
        given = _valid(shapes.BudgetInput(data=request.data))
        if given["key"]:
            given["key"] = stored_identity(project)(given["key"])
        budget = budget_services.put_budget(project=project, actor=holder_of(request).public_key, **given)
        return Response(shapes.budget(budget))


class OneBudget(APIView):
    """One budget, by its number."""

    @extend_schema(responses={204: None}, operation_id="delete_budget")
    def delete(self, request: Request, budget_id: int) -> Response:
        budget = get_object_or_404(Budget, pk=budget_id, project=scope_of(request).project_id)
        budget_services.delete_budget(budget, actor=holder_of(request).public_key)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Anomalies(APIView):
    """Days that cost more than the mean of the seven days before by three standard deviations."""

    @extend_schema(
        parameters=[shapes.DayParameters], responses=shapes.AnomaliesSchema, operation_id="list_anomalies"
    )
    def get(self, request: Request) -> Response:
        scope = _scope(request)
        days = _days(scope, validated(shapes.DayParameters, request))
        found = anomaly_queries.anomalies(scope, days.first, days.last)
        return Response(
            {
                "data": [shapes.anomaly(one) for one in found.spikes],
                "too_new": [shapes.anomaly(one) for one in found.newcomers],
            }
        )


def _project(request: Request) -> Project:
    return Project.objects.get(pk=scope_of(request).project_id)


def _scope(request: Request) -> Scope:
    return replace(scope_of(request), time_zone=_project(request).time_zone)


def _days(scope: Scope, given: Mapping[str, Any]) -> DayRange:
    asked = {name: given[name].isoformat() for name in ("from", "to") if given.get(name)}
    today = day_of(timezone.now(), time_range.zone_of(scope.time_zone))
    found = day_range.parse(asked, today)
    if found.problem:
        raise ValidationError({"from": [found.problem]})
    return found


def _plan_rows(data: Any, project: Project) -> list[PlanRow]:
    """The prices of a body, each valid and none twice. Raises `ValidationError` that names each field by its place."""
    many = isinstance(data, list)
    if many and not 0 < len(data) <= shapes.MAX_ROWS:
        raise ValidationError(
            {"plans": [f"Send 1 to {shapes.MAX_ROWS:,} prices at once, not {len(data):,}."]}
        )
    inputs = [shapes.PlanInput(data=one) for one in (data if many else [data])]
    errors = {
        f"[{place}].{field}" if many else str(field): messages
        for place, given in enumerate(inputs)
        if not given.is_valid()
        for field, messages in given.errors.items()
    }
    if errors:
        raise ValidationError(errors)
    stored = stored_identity(project)
    rows = [_plan_row(given.validated_data, stored(_key(given.validated_data))) for given in inputs]
    first: dict[object, int] = {}
    for place, row in enumerate(rows):
        if first.setdefault(row.identity, place) != place:
            message = f"[{first[row.identity]}] is a price of this customer from that day on already."
            raise ValidationError({f"[{place}].from": [message]})
    return rows


def _key(given: Mapping[str, Any]) -> str:
    return str(given["user_id"] or given["organization_id"])


def _plan_row(given: Mapping[str, Any], key: str) -> PlanRow:
    subject = Subject.USER if given["user_id"] else Subject.ORGANIZATION
    return PlanRow(subject, key, given["monthly_usd"], given["from"], given["to"], given["plan"])


def _valid(given: serializers.Serializer[Any]) -> dict[str, Any]:
    given.is_valid(raise_exception=True)
    found: dict[str, Any] = given.validated_data
    return found
