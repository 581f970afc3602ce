"""REST: traces and usage sums of the project behind the API key; and the shape of one trace, which `evals` answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from tracehouse.tenancy.authentication import scope_of
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web.api import no_such, plain_decimal, rfc3339
from traces import attribute, attribute_queries, queries, search
from traces.cursor import BadCursor
from traces.filters import LACKS, Order, TraceFilters
from traces.score_filters import BadScoreCondition, ScoreCondition
from traces.score_filters import parse as parse_score

DEFAULT_DAYS = 30
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MAX_USAGE_ROWS = queries.MAX_USAGE_ROWS


class WindowParameters(serializers.Serializer[Any]):
    """`from` is a Python keyword, hence the fields are added by name."""

    def get_fields(self) -> dict[str, Any]:
        window = {
            "from": serializers.DateTimeField(
                required=False,
                default_timezone=UTC,
                help_text=f"Traces that start at or after this time; {DEFAULT_DAYS} days before `to` when absent.",
            ),
            "to": serializers.DateTimeField(
                required=False,
                default_timezone=UTC,
                help_text="Traces that start before this time; now when absent.",
            ),
        }
        return {**window, **super().get_fields()}


def _exact(help_text: str | None = None) -> serializers.CharField:
    """Compared as it is, as on the page: blanks count."""
    return serializers.CharField(default="", trim_whitespace=False, help_text=help_text)


class FilterParameters(WindowParameters):
    user_id = _exact()
    session_id = _exact()
    organization_id = _exact()
    feature = _exact()
    environment = _exact()
    status = serializers.ChoiceField(
        choices=["ok", "error"], required=False, help_text="Of the trace: that of its root."
    )
    has_error = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Whether any span of the trace failed."
    )
    name = _exact("Name of the root span.")
    model = _exact("A model that any span of the trace used.")
    tool = _exact("A tool that any span of the trace called.")
    prompt_name = _exact("A prompt that any span of the trace used.")
    prompt_version = _exact("With `prompt_name`: on the same span as the name.")
    without = serializers.ListField(
        child=serializers.ChoiceField(choices=list(LACKS)),
        default=list,
        max_length=len(LACKS),
        help_text="What the trace does not name at all; for `model`, `tool` and `prompt_name`, what some call of it "
        "does not name. Several times for traces that lack all of them.",
    )
    tags = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False),
        default=list,
        max_length=attribute.MAX_ITEMS,
        help_text="A tag; several times for traces that have all of them.",
    )
    attribute = serializers.ListField(
        child=serializers.CharField(max_length=1_000, trim_whitespace=False),
        default=list,
        max_length=attribute.MAX_ITEMS,
        help_text="`key:value` or `key`, an attribute of a span or its resource; several times for all of them. "
        "A colon within the key is written `\\:`. A list has each of its items.",
    )
    score = serializers.CharField(
        required=False,
        max_length=500,
        help_text="A score of the trace, of any span or of its session: `name>=0.5`, `name<=0.5`, `name=value`, or a "
        "name alone.",
    )
    min_latency_ms = serializers.IntegerField(required=False, min_value=0, max_value=10**12)
    min_cost_usd = serializers.DecimalField(
        required=False, min_value=Decimal(0), max_digits=30, decimal_places=12
    )
    q = serializers.CharField(
        default="",
        max_length=200,
        help_text="Words in names, errors, inputs, outputs, events and log records, in any span, whatever their case: "
        'all of them. Words in "double quotes" follow each other; `timeo*` is a part of a word.',
    )

    def validate_q(self, text: str) -> str:
        if text and not search.terms(text):
            raise serializers.ValidationError(search.NOTHING_TO_FIND)
        return text

    def validate_score(self, text: str) -> ScoreCondition:
        try:
            return parse_score(text)
        except BadScoreCondition as error:
            raise serializers.ValidationError(str(error)) from error


class TraceParameters(FilterParameters):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=queries.MAX_PAGE)
    cursor = serializers.CharField(default="", help_text="`next_cursor` of the page before.")
    order = serializers.ChoiceField(choices=[order.value for order in Order], default=Order.NEWEST.value)


class AttributeParameters(WindowParameters):
    attribute = serializers.CharField(
        default="",
        max_length=1_000,
        help_text="What is typed so far: a part of a name, or `key:` and a part of a value.",
    )


class AttributeSchema(serializers.Serializer[Any]):
    attribute = serializers.CharField(help_text="As the filter `attribute` takes it.")
    spans = serializers.IntegerField(
        help_text=f"How many of the spans looked at carry it: at most {attribute_queries.SAMPLED_SPANS:,}, of traces "
        "spread over the window."
    )


class AttributesSchema(serializers.Serializer[Any]):
    data = AttributeSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class TraceSchema(serializers.Serializer[Any]):
    """One trace. `cost_usd` is null when no call of it has a known price and at least one should have."""

    trace_id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["ok", "error"])
    has_root = serializers.BooleanField(help_text="False while the root span has not arrived.")
    is_open = serializers.BooleanField(
        help_text="True while the root span is there without an end: it still runs, or was cut off."
    )
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    latency_ms = serializers.FloatField()
    user_id = serializers.CharField(allow_null=True)
    session_id = serializers.CharField(allow_null=True)
    organization_id = serializers.CharField(allow_null=True)
    feature = serializers.CharField(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    release = serializers.CharField(allow_null=True)
    input_type = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    models = serializers.ListField(child=serializers.CharField())
    tools = serializers.ListField(child=serializers.CharField())
    span_count = serializers.IntegerField()
    llm_calls = serializers.IntegerField()
    tool_calls = serializers.IntegerField()
    error_count = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd = serializers.CharField(allow_null=True)
    unpriced_calls = serializers.IntegerField()


class SpanUsageSchema(serializers.Serializer[Any]):
    """Tokens. `input` is the sum of the four disjoint input buckets; `reasoning` is a part of `output`."""

    def get_fields(self) -> dict[str, Any]:
        names = [field.name for field in fields(queries.SpanUsage)]
        return {name: serializers.IntegerField(allow_null=True) for name in names}


class ToolCallRequestedSchema(serializers.Serializer[Any]):
    """A call as the model asked for it."""

    id = serializers.CharField(
        allow_null=True, help_text="The model's id of the call; null when it gave none."
    )
    name = serializers.CharField()
    arguments = serializers.JSONField(allow_null=True)
    executed_by = serializers.ListField(
        child=serializers.CharField(),
        help_text="Ids of the spans that ran it: none while none has arrived, several when it was retried.",
    )


class ToolCallExecutedSchema(serializers.Serializer[Any]):
    """A call as it was run, told by a tool span of the same trace."""

    span_id = serializers.CharField()
    tool_call_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    parameters = serializers.JSONField(allow_null=True)
    result = serializers.JSONField(allow_null=True)
    status = serializers.ChoiceField(choices=["unset", "ok", "error"])
    error = serializers.CharField(allow_null=True)
    latency_ms = serializers.FloatField()


class SpanSchema(serializers.Serializer[Any]):
    span_id = serializers.CharField()
    parent_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=["unset", "ok", "error"])
    status_message = serializers.CharField(allow_null=True)
    error_type = serializers.CharField(allow_null=True)
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    latency_ms = serializers.FloatField()
    is_open = serializers.BooleanField(
        help_text="True while no end has arrived; `end_time` is the start then."
    )
    model = serializers.CharField(allow_null=True)
    request_model = serializers.CharField(allow_null=True)
    provider = serializers.CharField(allow_null=True)
    agent_name = serializers.CharField(allow_null=True)
    workflow_name = serializers.CharField(allow_null=True)
    tool_name = serializers.CharField(allow_null=True)
    tool_call_id = serializers.CharField(allow_null=True)
    prompt_name = serializers.CharField(allow_null=True)
    prompt_version = serializers.CharField(allow_null=True)
    finish_reason = serializers.CharField(allow_null=True)
    response_id = serializers.CharField(allow_null=True)
    time_to_first_token_ms = serializers.FloatField(allow_null=True)
    user_id = serializers.CharField(allow_null=True)
    session_id = serializers.CharField(allow_null=True)
    organization_id = serializers.CharField(allow_null=True)
    feature = serializers.CharField(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    release = serializers.CharField(allow_null=True)
    input_type = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    usage = SpanUsageSchema(allow_null=True)
    cost_usd = serializers.CharField(allow_null=True)
    reported_cost_usd = serializers.CharField(allow_null=True)
    cost_state = serializers.ChoiceField(choices=["computed", "reported", "unpriced"], allow_null=True)
    cost_source = serializers.CharField(allow_null=True)
    counted_in = serializers.CharField(
        allow_null=True,
        help_text="Another span of the same model call, whose tokens and cost are counted in place of this one's.",
    )
    input = serializers.JSONField(allow_null=True)
    output = serializers.JSONField(allow_null=True)
    output_bytes = serializers.IntegerField(allow_null=True)
    tool_definitions = serializers.JSONField(allow_null=True)
    request_params = serializers.DictField()
    attributes = serializers.DictField()
    resource = serializers.DictField()
    scope = serializers.CharField(allow_null=True)
    vocabulary = serializers.CharField(allow_null=True)
    events = serializers.ListField(child=serializers.DictField())
    links = serializers.ListField(child=serializers.DictField())
    redactions = serializers.DictField(child=serializers.IntegerField())
    tool_calls_requested = ToolCallRequestedSchema(
        many=True,
        allow_null=True,
        help_text="The tools that a model call asked for; null on every other kind of span.",
    )
    tool_calls_executed = ToolCallExecutedSchema(
        many=True,
        allow_null=True,
        help_text="What was run of them, matched by call id, else by tool and time; null as above.",
    )


class TraceDetailSchema(TraceSchema):
    spans = SpanSchema(many=True, help_text=f"By start time, {queries.MAX_SPANS} at a time.")
    truncated = serializers.BooleanField(help_text="True when the trace has more spans after these.")
    next_spans_cursor = serializers.CharField(
        allow_null=True,
        help_text="Where the spans go on: the same address with it as `spans_cursor`. Null after the last span.",
    )


class TracePageSchema(serializers.Serializer[Any]):
    data = TraceSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    next_cursor = serializers.CharField(allow_null=True)


class UsageRowSchema(serializers.Serializer[Any]):
    """`cost_usd` sums the calls that have a price; `unpriced_calls` says how many have none."""

    key = serializers.CharField(help_text="Empty for what carries no value.")
    invocations = serializers.IntegerField()
    llm_calls = serializers.IntegerField()
    tool_calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd = serializers.CharField()
    unpriced_calls = serializers.IntegerField()
    errors = serializers.IntegerField(  # type: ignore[assignment]  # the answer names it so
        help_text="Failed invocations; failed calls when grouped by model or tool."
    )


class TraceList(APIView):
    """Traces of the project, newest first unless ordered otherwise, a page at a time."""

    @extend_schema(parameters=[TraceParameters], responses=TracePageSchema, operation_id="list_traces")
    def get(self, request: Request) -> Response:
        given = validated(TraceParameters, request)
        try:
            page = queries.list_traces(
                scope_during(request, given),
                filters_of(given),
                order=Order(given["order"]),
                limit=given["limit"],
                cursor=given["cursor"],
            )
        except BadCursor as error:
            raise ValidationError({"cursor": [str(error)]}) from error
        return Response({"data": [plain(trace) for trace in page.traces], "next_cursor": page.next_cursor})


class Attributes(APIView):
    """Attributes that spans of the window carry, and after `key:` their values: what completes a filter."""

    @extend_schema(
        parameters=[AttributeParameters], responses=AttributesSchema, operation_id="list_attributes"
    )
    def get(self, request: Request) -> Response:
        given = validated(AttributeParameters, request)
        offers = attribute_queries.completions(scope_during(request, given), given["attribute"])
        return Response({"data": [asdict(offer) for offer in offers]})


def filters_of(given: dict[str, Any]) -> TraceFilters:
    """The filters among validated parameters."""
    chosen = {field.name: given[field.name] for field in fields(TraceFilters) if field.name in given}
    several = {name: tuple(chosen[name]) for name in ("tags", "without")}
    carried = tuple(map(attribute.parse, chosen["attribute"]))
    return TraceFilters(**{**chosen, **several, "attribute": carried})


def validated(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The parameters of the address. One that is not known is refused: a filter with a slip would filter nothing. So is
    one said twice that has one value: half of what was asked for would."""
    parameters = serializer(data=request.query_params)
    known = {*parameters.fields, api_settings.URL_FORMAT_OVERRIDE}
    if unknown := [name for name in request.query_params if name not in known]:
        raise ValidationError(
            {name[:100]: [no_such("parameter", name, parameters.fields)] for name in unknown}
        )
    if repeated := [
        name for name, values in request.query_params.lists() if _is_repeated(parameters, name, values)
    ]:
        raise ValidationError({name: ["Give it once; it takes one value."] for name in repeated})
    parameters.is_valid(raise_exception=True)
    given: dict[str, Any] = parameters.validated_data
    return given


def _is_repeated(parameters: serializers.Serializer[Any], name: str, values: Sequence[str]) -> bool:
    return len(values) > 1 and not isinstance(parameters.fields.get(name), serializers.ListField)


def scope_during(request: Request, given: dict[str, Any]) -> Scope:
    until: datetime = given.get("to") or timezone.now() + timedelta(minutes=1)
    end = _kept(until)
    start: datetime = given.get("from") or end - timedelta(days=DEFAULT_DAYS)
    if "from" in given and start > until:
        raise ValidationError({"from": ["`from` is later than `to`."]})
    return scope_of(request).during(Window(min(_kept(start), end), end))


def _kept(moment: datetime) -> datetime:
    """The moment, or the nearest that the store can hold: whoever asks from the year 1 on means all there is."""
    return min(max(moment, EARLIEST), LATEST)


_KEPT_EMPTY = {"name", "kind", "status", "trace_id", "span_id"}


def plain(row: Any) -> dict[str, Any]:
    """A row as JSON values: absent text is null, money text, times RFC 3339."""
    return {name: _plain_value(name, getattr(row, name)) for name in _names(row.__class__)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _plain_value(name: str, value: Any) -> Any:
    written = _WRITTEN.get(type(value))
    return written(name, value) if written else value


# By their exact types.
_WRITTEN: Mapping[type, Callable[[str, Any], Any]] = {
    str: lambda name, text: text or (text if name in _KEPT_EMPTY else None),
    datetime: lambda name, moment: rfc3339(moment),
    Decimal: lambda name, amount: plain_decimal(amount),
}
