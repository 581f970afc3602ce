"""The menu "Export" of the trace list: the same traces, as a file."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from exports import slots
from exports.answers import answer
from exports.services import Asked
from exports.shape import Format
from ingest.policies import policy_of
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from traces.list_views import list_address, state_of
from traces.views import explains_failed_reads


@require_GET
@project_page()
@explains_failed_reads
def export_traces(request: ProjectRequest) -> HttpResponseBase:
    """What the address of the list shows, whichever page of it."""
    state = state_of(request, request.GET.dict())
    wanted = request.GET.get("format", "")
    form = Format(wanted) if wanted in set(Format) else Format.CSV
    asked = Asked(
        scope=request.scope.during(state.range.window),
        filters=state.form.filters,
        order=state.order,
        format=form,
        with_spans=form is Format.JSONL and request.GET.get("include") == "spans",
        actor=request.user.email,
        project=request.project,
        policy=policy_of(request.project),
    )
    try:
        return answer(request, asked)
    except slots.Busy as error:
        messages.error(request, str(error))
        return redirect(list_address(request, state.pairs))
