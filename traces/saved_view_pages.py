"""Saving, changing and deleting views of the trace list. Each answers by going back to where one was."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from tracehouse.tenancy.permissions import ProjectRequest, project_page
from traces import saved_views
from traces.forms import TraceFilterForm
from traces.list_state import ListState
from traces.list_views import list_address, state_of
from traces.models import SavedView
from traces.views import explains_failed_reads


@require_safe
@project_page()
def manage(request: ProjectRequest) -> HttpResponse:
    views = saved_views.visible_to(request.user, request.project)
    rows = [
        {
            "view": view,
            "address": address_of(request, view),
            "chips": TraceFilterForm(view.parameters).chips,
            "may_change": saved_views.may_change(view, request.user, request.role),
        }
        for view in views
    ]
    context = {"rows": rows, "may_share": saved_views.may_share(request.role)}
    return render(request, "traces/saved_views.html", context)


@require_POST
@project_page()
@explains_failed_reads
def save(request: ProjectRequest) -> HttpResponse:
    state = _posted_state(request)
    view = SavedView(project=request.project, created_by=request.user, parameters=state.to_save)
    if _stored(request, view):
        messages.success(request, f"Saved the view “{view.name}”.")
        return redirect(address_of(request, view))
    return redirect(list_address(request, state.pairs))


@require_POST
@project_page()
@explains_failed_reads
def update(request: ProjectRequest, view_id: int) -> HttpResponse:
    """Puts what the list shows now in place of what the view showed."""
    view = _changeable(request, view_id)
    view.parameters = _posted_state(request).to_save
    saved_views.save_view(view=view, actor=request.user.email)
    messages.success(request, f"Changed the view “{view.name}”.")
    return redirect(address_of(request, view))


@require_POST
@project_page()
def rename(request: ProjectRequest, view_id: int) -> HttpResponse:
    view = _changeable(request, view_id)
    if _stored(request, view):
        messages.success(request, f"Changed the view “{view.name}”.")
    return redirect("traces:views", request.project.slug)


@require_POST
@project_page()
def delete(request: ProjectRequest, view_id: int) -> HttpResponse:
    view = _changeable(request, view_id)
    saved_views.delete_view(view=view, actor=request.user.email)
    messages.success(request, f"Deleted the view “{view.name}”.")
    return redirect("traces:views", request.project.slug)


def address_of(request: ProjectRequest, view: SavedView) -> str:
    return list_address(request, {**view.parameters, "view": str(view.pk)})


def _posted_state(request: ProjectRequest) -> ListState:
    return state_of(request, QueryDict(request.POST.get("state", "")).dict())


def _stored(request: ProjectRequest, view: SavedView) -> bool:
    """Stores the posted name and sharing; says so when they cannot be."""
    shared = "shared" in request.POST
    if shared and not view.shared and not saved_views.may_share(request.role):
        raise PermissionDenied("Sharing a view needs the role member.")
    view.name, view.shared = request.POST.get("name", "").strip(), shared
    try:
        saved_views.save_view(view=view, actor=request.user.email)
    except ValidationError as error:
        messages.error(request, "The view was not saved. " + " ".join(error.messages))
        return False
    except IntegrityError:
        messages.error(request, "The view was not saved. Another one of this name was saved just now.")
        return False
    return True


def _changeable(request: ProjectRequest, view_id: int) -> SavedView:
    view = get_object_or_404(SavedView, pk=view_id, project=request.project)
    if not view.shared and view.created_by_id != request.user.pk:
        raise Http404("No such view, or it is not yours to see.")
    if not saved_views.may_change(view, request.user, request.role):
        raise PermissionDenied("Only who made a shared view, or an admin, may change it.")
    return view
