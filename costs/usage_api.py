"""REST: what was used and what it cost, from the roll-up: sums by one key, and users one by one."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs import rollup_queries
from costs.rollup_queries import Dimension, KeyTotal, Step, StepTotal, UserTotal
from tracehouse.tenancy.scope import Scope
from tracehouse.web.api import plain_decimal
from traces import cursor as cursors
from traces.api import UsageRowSchema, WindowParameters, scope_during, validated
from traces.cursor import BadCursor
from traces.queries import MAX_USAGE_ROWS, UsageGroup

MAX_USERS = 10_000
_DIMENSIONS = {
    UsageGroup.USER: Dimension.USER,
    UsageGroup.ORGANIZATION: Dimension.ORGANIZATION,
    UsageGroup.FEATURE: Dimension.FEATURE,
    UsageGroup.MODEL: Dimension.MODEL,
    UsageGroup.TOOL: Dimension.TOOL,
}
_STEPS = {UsageGroup.DAY: (Step.DAY, "%Y-%m-%d"), UsageGroup.HOUR: (Step.HOUR, "%Y-%m-%dT%H:00:00Z")}


class UsageParameters(WindowParameters):
    group_by = serializers.ChoiceField(choices=[group.value for group in UsageGroup])
    limit = serializers.IntegerField(default=1000, min_value=1, max_value=MAX_USAGE_ROWS)


class UsageSchema(serializers.Serializer[Any]):
    data = UsageRowSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class UserCostParameters(WindowParameters):
    limit = serializers.IntegerField(default=1000, min_value=1, max_value=MAX_USERS)
    cursor = serializers.CharField(default="", help_text="`next_cursor` of the page before.")


class UserCostSchema(serializers.Serializer[Any]):
    """`cost_usd` sums the calls that have a price; `unpriced_calls` says how many have none."""

    user_id = serializers.CharField(help_text="Empty for invocations without one.")
    organization_id = serializers.CharField(help_text="Empty for invocations without one.")
    invocations = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Of the invocations.")
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd = serializers.CharField()
    unpriced_calls = serializers.IntegerField()


class UserCostPageSchema(serializers.Serializer[Any]):
    data = UserCostSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    next_cursor = serializers.CharField(allow_null=True)


class Usage(APIView):
    """Sums over the traces that start in the window, by one key, dearest first."""

    @extend_schema(parameters=[UsageParameters], responses=UsageSchema, operation_id="get_usage")
    def get(self, request: Request) -> Response:
        given = validated(UsageParameters, request)
        rows = _usage(scope_during(request, given), UsageGroup(given["group_by"]), given["limit"])
        return Response({"data": list(rows)})


class UserCosts(APIView):
    """What each user cost in each organization in the window, in the order of their ids, a page at a time."""

    @extend_schema(
        parameters=[UserCostParameters], responses=UserCostPageSchema, operation_id="list_user_costs"
    )
    def get(self, request: Request) -> Response:
        given = validated(UserCostParameters, request)
        scope, wanted = scope_during(request, given), given["limit"]
        found = rollup_queries.users_page(scope, after=_decoded(given["cursor"]), limit=wanted + 1)
        more = len(found) > wanted
        return Response(
            {
                "data": [_plain(user) for user in found[:wanted]],
                "next_cursor": cursors.encode(_place(found[wanted - 1])) if more else None,
            }
        )


def _usage(scope: Scope, group: UsageGroup, limit: int) -> Iterable[dict[str, Any]]:
    if group in _DIMENSIONS:
        found = rollup_queries.by_key(scope, _DIMENSIONS[group], limit=limit)
        return (_usage_row(one.key, one) for one in found)
    step, form = _STEPS[group]
    steps = rollup_queries.by_step(scope, step)
    steps.sort(key=lambda one: (-one.cost_usd, -one.invocations, one.start))
    return (_usage_row(one.start.strftime(form), one) for one in steps[:limit])


def _usage_row(key: str, total: KeyTotal | StepTotal) -> dict[str, Any]:
    return {
        "key": key,
        "invocations": total.invocations,
        "llm_calls": total.llm_calls,
        "tool_calls": total.tool_calls,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cost_usd": plain_decimal(total.cost_usd),
        "unpriced_calls": total.unpriced_calls,
        "errors": total.failed,
    }


def _plain(user: UserTotal) -> dict[str, Any]:
    return {**asdict(user), "cost_usd": plain_decimal(user.cost_usd)}


def _place(user: UserTotal) -> tuple[str, str]:
    return user.user_id, user.organization_id


def _decoded(cursor: str) -> tuple[str, str] | None:
    try:
        return cursors.decode(cursor, tuple[str, str]) if cursor else None
    except BadCursor as error:
        raise ValidationError({"cursor": [str(error)]}) from error
