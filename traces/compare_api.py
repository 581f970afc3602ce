"""REST: two traces side by side, aligned step by step, as the page of a comparison has them."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tracehouse.tenancy.authentication import scope_of
from tracehouse.web.api import plain_decimal
from traces import compare, compare_queries
from traces.api import TraceSchema, plain, validated
from traces.compare import Mark, Pair, Step
from traces.queries import MAX_SPANS


class CompareParameters(serializers.Serializer[Any]):
    a = serializers.CharField(help_text="The trace that is the measure; 32 hex digits.")
    b = serializers.CharField(help_text="The trace that is held against it.")


class StepSchema(serializers.Serializer[Any]):
    """A span without its content."""

    span_id = serializers.CharField()
    parent_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=["unset", "ok", "error"])
    failure = serializers.CharField(allow_null=True, help_text="The first line of its error.")
    model = serializers.CharField(allow_null=True)
    tool_name = serializers.CharField(allow_null=True)
    prompt = serializers.CharField(allow_null=True, help_text="Name and version.")
    latency_ms = serializers.FloatField()
    tokens = serializers.IntegerField(allow_null=True)
    cost_usd = serializers.CharField(allow_null=True)
    cost_state = serializers.ChoiceField(choices=["computed", "reported", "unpriced"], allow_null=True)


class PairSchema(serializers.Serializer[Any]):
    """The same step of both traces, or a step that only one of them has."""

    depth = serializers.IntegerField(help_text="0 for the root.")
    a = StepSchema(allow_null=True)
    b = StepSchema(allow_null=True)
    differs_in = serializers.ListField(
        child=serializers.ChoiceField(choices=list(Mark)),
        help_text="The heaviest difference first; none for the same step, or one that only one trace has.",
    )
    in_words = serializers.CharField()
    more_ms = serializers.FloatField(allow_null=True, help_text="How much longer it took in B.")
    more_tokens = serializers.IntegerField(allow_null=True)
    more_cost_usd = serializers.CharField(allow_null=True)


class ComparisonSchema(serializers.Serializer[Any]):
    a = TraceSchema()
    b = TraceSchema()
    steps = PairSchema(many=True, help_text="Every step of both once, parents before what is inside them.")
    first_difference = serializers.IntegerField(
        allow_null=True, help_text="The place in `steps` where the traces go apart; null where they do not."
    )
    failing = serializers.IntegerField(
        allow_null=True,
        help_text="The place of the innermost step after it that failed on one side only, where there is one.",
    )
    asked_the_same = serializers.BooleanField(
        allow_null=True,
        help_text="Whether the first input of both is the same; null where one carries none.",
    )
    truncated = serializers.BooleanField(
        help_text=f"True when a trace has more than {MAX_SPANS} spans; the first are compared."
    )


class Compare(APIView):
    """Two traces, aligned step by step, with what differs."""

    @extend_schema(
        parameters=[CompareParameters],
        responses={
            200: ComparisonSchema,
            404: OpenApiResponse(description="One of them is not in the project."),
        },
        operation_id="compare_traces",
    )
    def get(self, request: Request) -> Response:
        given = validated(CompareParameters, request)
        sides = {name: compare_queries.get_side(scope_of(request), given[name]) for name in ("a", "b")}
        a, b = sides["a"], sides["b"]
        if a is None or b is None:
            raise NotFound(f"No trace of the id `{'b' if a else 'a'}` in the project.")
        found = compare.compare(a.steps, b.steps)
        return Response(
            {
                "a": plain(a.trace),
                "b": plain(b.trace),
                "steps": [_pair(row) for row in found.rows],
                "first_difference": found.first,
                "failing": found.failing,
                "asked_the_same": found.asked_the_same,
                "truncated": a.truncated or b.truncated,
            }
        )


def _pair(row: Pair) -> dict[str, Any]:
    return {
        "depth": row.depth,
        "a": _step(row.a),
        "b": _step(row.b),
        "differs_in": row.marks,
        "in_words": row.in_words,
        "more_ms": row.more_ms,
        "more_tokens": row.more_tokens,
        "more_cost_usd": None if row.more_usd is None else plain_decimal(row.more_usd),
    }


_SHOWN = frozenset(StepSchema().fields)


def _step(step: Step | None) -> dict[str, Any] | None:
    """Without what stands for content: that is good for comparing only."""
    return {name: value for name, value in plain(step).items() if name in _SHOWN} if step else None
