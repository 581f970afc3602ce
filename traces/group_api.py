"""REST: sessions, users and organizations of the project behind the API key, as their pages show them.

An id may be any text. As a part of the path it comes back as it was sent, percent-encoded; what clients and proxies
change in paths (`.`, `..`, `//`) goes as a parameter, to the route of the same name in the singular.
"""

from dataclasses import asdict, fields
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tracehouse.tenancy.authentication import scope_of
from tracehouse.web.api import plain_decimal
from traces import group_queries, session_queries, user_queries
from traces.api import (
    TraceParameters,
    TraceSchema,
    UsageRowSchema,
    WindowParameters,
    filters_of,
    plain,
    scope_during,
    validated,
)
from traces.cursor import BadCursor
from traces.filters import Order
from traces.group_queries import Group, Grouping, GroupOrder
from traces.queries import UsageRow
from traces.session_queries import Turn

MAX_TURNS = 50
MAX_BREAKDOWN = 100
_ALWAYS_WHOLE = "A session is always shown whole: leave it out, or sum a window by GET /api/v1/sessions."


class GroupParameters(TraceParameters):
    """The filters of traces: a group sums those of its traces that match."""

    order = serializers.ChoiceField(
        choices=[order.value for order in GroupOrder], default=GroupOrder.LATEST.value
    )


class TurnParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=MAX_TURNS)
    cursor = serializers.CharField(default="", help_text="`next_cursor` of the page before.")
    order = serializers.ChoiceField(
        choices=[Order.OLDEST.value, Order.NEWEST.value], default=Order.OLDEST.value
    )


class SessionIdParameters(TurnParameters):
    session_id = serializers.CharField(trim_whitespace=False)


class UserIdParameters(WindowParameters):
    user_id = serializers.CharField(trim_whitespace=False)


class OrganizationIdParameters(WindowParameters):
    organization_id = serializers.CharField(trim_whitespace=False)


class SumsSchema(serializers.Serializer[Any]):
    """`cost_usd` is null when no call has a known price and at least one should have."""

    traces = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="Failed traces.")  # type: ignore[assignment]  # the answer names it so
    first_time = serializers.DateTimeField(help_text="When the first trace began.")
    last_time = serializers.DateTimeField(help_text="When the last trace began.")
    end_time = serializers.DateTimeField(help_text="When the last span ended.")
    feature_count = serializers.IntegerField()
    features = serializers.ListField(child=serializers.CharField(), help_text="Up to twenty of them.")
    llm_calls = serializers.IntegerField()
    tool_calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd = serializers.CharField(allow_null=True)
    unpriced_calls = serializers.IntegerField()


class SessionSchema(SumsSchema):
    session_id = serializers.CharField()
    users = serializers.IntegerField()
    organizations = serializers.IntegerField()
    user_ids = serializers.ListField(child=serializers.CharField(), help_text="Up to twenty of them.")
    organization_ids = serializers.ListField(child=serializers.CharField(), help_text="Up to twenty of them.")


class UserSchema(SumsSchema):
    user_id = serializers.CharField()
    sessions = serializers.IntegerField()
    organizations = serializers.IntegerField()
    organization_ids = serializers.ListField(child=serializers.CharField(), help_text="Up to twenty of them.")


class OrganizationSchema(SumsSchema):
    organization_id = serializers.CharField()
    sessions = serializers.IntegerField()
    users = serializers.IntegerField()
    user_ids = serializers.ListField(child=serializers.CharField(), help_text="Up to twenty of them.")


class SessionPageSchema(serializers.Serializer[Any]):
    data = SessionSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    next_cursor = serializers.CharField(allow_null=True)


class UserPageSchema(serializers.Serializer[Any]):
    data = UserSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    next_cursor = serializers.CharField(allow_null=True)


class OrganizationPageSchema(serializers.Serializer[Any]):
    data = OrganizationSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    next_cursor = serializers.CharField(allow_null=True)


class SaidSchema(serializers.Serializer[Any]):
    text = serializers.CharField()
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="Attachments, and tools asked for in place of an answer."
    )


class TurnSchema(serializers.Serializer[Any]):
    """A trace as a turn of the conversation."""

    trace = TraceSchema()
    asked = SaidSchema(allow_null=True, help_text="What the user said; null where no span carries it.")
    answered = SaidSchema(
        allow_null=True, help_text="What the agent answered; null where no span carries it."
    )
    failure = serializers.CharField(allow_null=True, help_text="What a failed trace says of it.")


class SessionDetailSchema(SessionSchema):
    turns = TurnSchema(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class BreakdownSchema(serializers.Serializer[Any]):
    by_time = UsageRowSchema(many=True, help_text="By hour in a window of up to fifty hours, else by day.")
    by_feature = UsageRowSchema(many=True)
    by_model = UsageRowSchema(many=True)
    by_tool = UsageRowSchema(many=True)


class UserDetailSchema(UserSchema, BreakdownSchema):
    pass


class OrganizationDetailSchema(OrganizationSchema, BreakdownSchema):
    pass


_OF_ITSELF = {
    Grouping.SESSION: {"key", "sessions"},
    Grouping.USER: {"key", "users", "user_ids"},
    Grouping.ORGANIZATION: {"key", "organizations", "organization_ids"},
}
_SHOWN = {
    grouping: [field.name for field in fields(Group) if field.name not in left_out]
    for grouping, left_out in _OF_ITSELF.items()
}


class _GroupList(APIView):
    grouping: Grouping

    def listed(self, request: Request) -> Response:
        given = validated(GroupParameters, request)
        try:
            page = group_queries.list_groups(
                scope_during(request, given),
                self.grouping,
                filters=filters_of(given),
                order=GroupOrder(given["order"]),
                limit=given["limit"],
                cursor=given["cursor"],
            )
        except BadCursor as error:
            raise ValidationError({"cursor": [str(error)]}) from error
        data = [_plain_group(self.grouping, group) for group in page.groups]
        return Response({"data": data, "next_cursor": page.next_cursor})


class SessionList(_GroupList):
    """Sessions with a trace that matches, the one with the newest trace first unless ordered otherwise."""

    grouping = Grouping.SESSION

    @extend_schema(parameters=[GroupParameters], responses=SessionPageSchema, operation_id="list_sessions")
    def get(self, request: Request) -> Response:
        return self.listed(request)


class UserList(_GroupList):
    """Users with a trace that matches, the last one seen first unless ordered otherwise."""

    grouping = Grouping.USER

    @extend_schema(parameters=[GroupParameters], responses=UserPageSchema, operation_id="list_users")
    def get(self, request: Request) -> Response:
        return self.listed(request)


class OrganizationList(_GroupList):
    """Organizations with a trace that matches, the last one seen first unless ordered otherwise."""

    grouping = Grouping.ORGANIZATION

    @extend_schema(
        parameters=[GroupParameters], responses=OrganizationPageSchema, operation_id="list_organizations"
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class SessionDetail(APIView):
    """One session with a page of its turns: what was asked, what was answered, and the trace of each."""

    @extend_schema(parameters=[TurnParameters], responses=SessionDetailSchema, operation_id="get_session")
    def get(self, request: Request, session_id: str) -> Response:
        return _session(request, session_id, _asked(TurnParameters, request))


class AnySession(APIView):
    """The same, for an id that does not survive in a path."""

    @extend_schema(
        parameters=[SessionIdParameters], responses=SessionDetailSchema, operation_id="get_session_by_id"
    )
    def get(self, request: Request) -> Response:
        given = _asked(SessionIdParameters, request)
        return _session(request, given["session_id"], given)


class UserDetail(APIView):
    """One user in a window: sums, over time, and by feature, model and tool."""

    @extend_schema(parameters=[WindowParameters], responses=UserDetailSchema, operation_id="get_user")
    def get(self, request: Request, user_id: str) -> Response:
        return _profile(request, Grouping.USER, user_id, validated(WindowParameters, request))


class AnyUser(APIView):
    """The same, for an id that does not survive in a path."""

    @extend_schema(parameters=[UserIdParameters], responses=UserDetailSchema, operation_id="get_user_by_id")
    def get(self, request: Request) -> Response:
        given = validated(UserIdParameters, request)
        return _profile(request, Grouping.USER, given["user_id"], given)


class OrganizationDetail(APIView):
    """One organization in a window: sums, over time, and by feature, model and tool."""

    @extend_schema(
        parameters=[WindowParameters], responses=OrganizationDetailSchema, operation_id="get_organization"
    )
    def get(self, request: Request, organization_id: str) -> Response:
        given = validated(WindowParameters, request)
        return _profile(request, Grouping.ORGANIZATION, organization_id, given)


class AnyOrganization(APIView):
    """The same, for an id that does not survive in a path."""

    @extend_schema(
        parameters=[OrganizationIdParameters],
        responses=OrganizationDetailSchema,
        operation_id="get_organization_by_id",
    )
    def get(self, request: Request) -> Response:
        given = validated(OrganizationIdParameters, request)
        return _profile(request, Grouping.ORGANIZATION, given["organization_id"], given)


def _asked(parameters: type[TurnParameters], request: Request) -> dict[str, Any]:
    if window := {"from", "to"} & request.query_params.keys():
        raise ValidationError({name: [_ALWAYS_WHOLE] for name in sorted(window)})
    return validated(parameters, request)


def _session(request: Request, session_id: str, given: dict[str, Any]) -> Response:
    try:
        found = session_queries.get_session(
            scope_of(request),
            session_id,
            order=Order(given["order"]),
            limit=given["limit"],
            cursor=given["cursor"],
        )
    except BadCursor as error:
        raise ValidationError({"cursor": [str(error)]}) from error
    if found is None:
        raise NotFound("No session of this id in the project.")
    return Response(
        {
            **_plain_group(Grouping.SESSION, found.sums),
            "turns": [_plain_turn(turn) for turn in found.turns],
            "next_cursor": found.next_cursor,
        }
    )


def _profile(request: Request, grouping: Grouping, key: str, given: dict[str, Any]) -> Response:
    found = user_queries.get_profile(scope_during(request, given), grouping, key, limit=MAX_BREAKDOWN)
    if found is None:
        what = "user" if grouping is Grouping.USER else "organization"
        raise NotFound(f"No trace of this {what} began in this time.")
    return Response(
        {
            **_plain_group(grouping, found.sums),
            "by_time": _plain_usage(found.over_time),
            **{f"by_{group.value}": _plain_usage(rows) for group, rows in found.spent_on.items()},
        }
    )


def _plain_group(grouping: Grouping, group: Group) -> dict[str, Any]:
    values = plain(group)
    return {grouping.value: group.key, **{name: values[name] for name in _SHOWN[grouping]}}


def _plain_turn(turn: Turn) -> dict[str, Any]:
    return {
        "trace": plain(turn.trace),
        "asked": asdict(turn.asked) if turn.asked else None,
        "answered": asdict(turn.answered) if turn.answered else None,
        "failure": turn.failure or None,
    }


def _plain_usage(rows: list[UsageRow]) -> list[dict[str, Any]]:
    return [{**asdict(row), "cost_usd": plain_decimal(row.cost_usd)} for row in rows]
