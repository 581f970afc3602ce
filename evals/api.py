"""REST: scores of the project behind the API key: written, listed, deleted."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals import queries, services, shapes
from evals.queries import ScoreFilters
from evals.score import Score
from ingest import loose_text
from ingest.policies import policy_for
from ingest.policy import Policy
from tracehouse.clickhouse.insert import InsertUnavailable
from tracehouse.read_cache import LookupUnavailable
from tracehouse.tenancy.authentication import StoreUnavailable, holder_of, scope_of
from tracehouse.tenancy.models import Project
from traces.api import scope_during, validated
from traces.cursor import BadCursor

MAX_SCORES = 1_000
MAX_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
_EXAMPLE = {
    "id": "ticket-4711",
    "name": "feedback",
    "value": "wrong",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "comment": "The renewal date is not in the contract.",
    "author": "u-1042",
}


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body is larger than {MAX_BYTES // 2**20} MiB; send fewer scores at once."
    default_code = "too_large"


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "Send Content-Length: scores are not taken in chunks."
    default_code = "length_required"


class Scores(APIView):
    """Scores: what people and programs say of traces, spans and sessions."""

    @extend_schema(
        parameters=[shapes.ScoreParameters],
        responses=shapes.ScorePageSchema,
        operation_id="list_scores",
        description="Scores of the project, newest first, a page at a time.",
    )
    def get(self, request: Request) -> Response:
        given = validated(shapes.ScoreParameters, request)
        policy = _policy(request)
        filters = ScoreFilters(
            **{name: given.get(name, "") for name in ("trace_id", "span_id", "name", "data_type", "source")},
            # As sent or as stored: what is hashed already stays as it is.
            session_id=loose_text.identity(given["session_id"], policy),
            author=loose_text.identity(given["author"], policy),
        )
        try:
            page = queries.list_scores(
                scope_during(request, given), filters, limit=given["limit"], cursor=given["cursor"]
            )
        except BadCursor as error:
            raise ValidationError({"cursor": [str(error)]}) from error
        data = [shapes.plain(score) for score in page.scores]
        return Response({"data": data, "next_cursor": page.next_cursor})

    @extend_schema(
        request=PolymorphicProxySerializer(
            component_name="ScoreInputs",
            serializers=[shapes.ScoreInput, shapes.ScoreInput(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={
            200: shapes.ScoresSchema,
            400: OpenApiResponse(description="Something is not valid; nothing was stored."),
            411: OpenApiResponse(description="The body came in chunks, without its length."),
            413: OpenApiResponse(description="The body is too large."),
            503: OpenApiResponse(description="Nothing was stored; come back after `Retry-After` seconds."),
        },
        operation_id="write_scores",
        examples=[OpenApiExample("A user's complaint", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Stores one score (an object) or up to 1,000 (a list): all of them, or none where one is not valid."""
        holder = holder_of(request)
        _check_length(request)
        scores = shapes.scores_in(_checked(request.data), now=timezone.now())
        try:
            stored = services.write_scores(
                project_id=holder.project_id, scores=scores, policy=_policy(request)
            )
        except InsertUnavailable as error:
            raise StoreUnavailable from error
        return Response({"data": [shapes.plain(score) for score in stored]})


_BY_ID = OpenApiParameter("score_id", str, OpenApiParameter.PATH, description="As sent, or as stored.")
_NONE = OpenApiResponse(description="No score of this id in the project.")


class OneScore(APIView):
    """One score, by its id."""

    @extend_schema(
        parameters=[_BY_ID], responses={200: shapes.ScoreSchema, 404: _NONE}, operation_id="get_score"
    )
    def get(self, request: Request, score_id: str) -> Response:
        """The score, whenever it was given."""
        return Response(shapes.plain(_found(request, score_id)))

    @extend_schema(parameters=[_BY_ID], responses={204: None, 404: _NONE}, operation_id="delete_score")
    def delete(self, request: Request, score_id: str) -> Response:
        """Deletes the score; the audit log says which key did."""
        holder, found = holder_of(request), _found(request, score_id)
        try:
            services.delete_score(project_id=holder.project_id, score_id=found.id)
        except InsertUnavailable as error:
            raise StoreUnavailable from error
        services.record_removal(
            found, project=Project.objects.get(pk=holder.project_id), actor=holder.public_key
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _found(request: Request, score_id: str) -> Score:
    found = queries.get_score(scope_of(request), services.stored_id(score_id, _policy(request)))
    if found is None:
        raise NotFound("No score of this id in the project.")
    return found


def _check_length(request: Request) -> None:
    """A body without its length would be read as an empty one."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    if int(length or 0) > MAX_BYTES:
        raise TooLarge


def _checked(data: Any) -> list[dict[str, Any]]:
    """The scores of a body, each valid. Raises `ValidationError` that names each wrong field by its place."""
    many = isinstance(data, list)
    if many and not 0 < len(data) <= MAX_SCORES:
        raise ValidationError({"scores": [f"Send 1 to {MAX_SCORES:,} scores at once, not {len(data):,}."]})
    inputs = [shapes.ScoreInput(data=one) for one in (data if many else [data])]
    errors = {
        f"[{place}].{field}" if many else str(field): messages
        for place, given in enumerate(inputs)
        if not given.is_valid()
        for field, messages in given.errors.items()
    }
    if errors:
        raise ValidationError(errors)
    return [given.validated_data for given in inputs]


def _policy(request: Request) -> Policy:
    try:
        return policy_for(holder_of(request))
    except LookupUnavailable as error:
        raise StoreUnavailable from error
