"""REST: the views of the trace list that are shared in the project. A key is nobody: it sees no views of one's own."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as NotValid
from django.db import IntegrityError
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tracehouse.tenancy.authentication import holder_of
from tracehouse.tenancy.models import Project
from tracehouse.web import time_range
from tracehouse.web.api import rfc3339
from traces import list_state, saved_views
from traces.columns import COLUMNS
from traces.filters import Order
from traces.forms import WORDS, TraceFilterForm
from traces.models import SavedView

_EXAMPLE = {"name": "Failures in production", "parameters": {"status": "error", "environment": "production"}}
_KNOWN = (*WORDS, "order", "columns", "range")
_VIEW_ID = OpenApiParameter("view_id", int, OpenApiParameter.PATH)
_MISSING = OpenApiResponse(description="No shared view of this id in the project.")


class ViewInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    parameters = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=1_000),
        required=False,
        help_text="As they stand in the address of the list: filters (several tags or attributes with commas between), "
        f"`order`, `range` ({', '.join(time_range.PRESETS)}) and `columns` (keys with dots between: "
        f"{', '.join(column.key for column in COLUMNS)}).",
    )


class ViewSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    parameters = serializers.DictField(child=serializers.CharField())
    created_by = serializers.CharField(allow_null=True, help_text="Who made it on a page; null for a key.")
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class ViewsSchema(serializers.Serializer[Any]):
    data = ViewSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class Views(APIView):
    """Saved views of the trace list, shared in the project."""

    @extend_schema(responses=ViewsSchema, operation_id="list_views")
    def get(self, request: Request) -> Response:
        """All of them, by name."""
        shared = saved_views.shared_in(_project(request))
        return Response({"data": [_plain(view) for view in shared]})

    @extend_schema(
        request=ViewInput,
        responses={201: ViewSchema, 400: OpenApiResponse(description="Something is not valid.")},
        operation_id="create_view",
        examples=[OpenApiExample("Failures", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Saves a view for everybody in the project."""
        given = _checked(request, partial=False)
        project = _project(request)
        parameters = _parameters(given.get("parameters", {}), project)
        view = SavedView(project=project, shared=True, name=given["name"], parameters=parameters)
        _save(view, request)
        return Response(_plain(view), status=status.HTTP_201_CREATED)


class OneView(APIView):
    """One saved view, by its id."""

    @extend_schema(
        parameters=[_VIEW_ID],
        request=ViewInput(partial=True),
        responses={200: ViewSchema, 404: _MISSING},
        operation_id="change_view",
    )
    def patch(self, request: Request, view_id: int) -> Response:
        """Gives it another name, or other parameters in place of all it had."""
        view, given = _view(request, view_id), _checked(request, partial=True)
        view.name = given.get("name", view.name)
        if "parameters" in given:
            view.parameters = _parameters(given["parameters"], view.project)
        _save(view, request)
        return Response(_plain(view))

    @extend_schema(parameters=[_VIEW_ID], responses={204: None, 404: _MISSING}, operation_id="delete_view")
    def delete(self, request: Request, view_id: int) -> Response:
        """Deletes it, for everybody."""
        saved_views.delete_view(view=_view(request, view_id), actor=holder_of(request).public_key)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _project(request: Request) -> Project:
    return Project.objects.select_related("team").get(pk=holder_of(request).project_id)


def _view(request: Request, view_id: int) -> SavedView:
    found = next((view for view in saved_views.shared_in(_project(request)) if view.pk == view_id), None)
    if found is None:
        raise NotFound("No shared view of this id in the project.")
    return found


def _checked(request: Request, *, partial: bool) -> dict[str, Any]:
    given = ViewInput(data=request.data, partial=partial)
    given.is_valid(raise_exception=True)
    checked: dict[str, Any] = given.validated_data
    return checked


def _parameters(given: Mapping[str, str], project: Project) -> dict[str, str]:
    """What the list would keep of them. Raises `ValidationError` that names what it would not."""
    form = TraceFilterForm(given)
    wrong = {f"parameters.{name}": [str(error) for error in errors] for name, errors in form.errors.items()}
    wrong |= {f"parameters.{name}": ["There is no such parameter."] for name in given if name not in _KNOWN}
    if given.get("order") and given["order"] not in set(Order):
        wrong["parameters.order"] = [f"is not one of {', '.join(Order)}"]
    if given.get("range") and given["range"] not in time_range.PRESETS:
        wrong["parameters.range"] = [f"is not one of {', '.join(time_range.PRESETS)}"]
    if wrong:
        raise ValidationError(wrong)
    zone = time_range.zone_of(project.time_zone)
    return list_state.read(given, own_columns="", now=timezone.now(), zone=zone).to_save


def _save(view: SavedView, request: Request) -> None:
    try:
        saved_views.save_view(view=view, actor=holder_of(request).public_key)
    except NotValid as error:
        raise ValidationError({"name": error.messages}) from error
    except IntegrityError as error:
        raise ValidationError({"name": ["Another one of this name was saved just now."]}) from error


def _plain(view: SavedView) -> dict[str, Any]:
    return {
        "id": view.pk,
        "name": view.name,
        "parameters": view.parameters,
        "created_by": view.created_by.email if view.created_by else None,
        "created_at": rfc3339(view.created_at),
        "changed_at": rfc3339(view.changed_at),
    }
