"""The menus "Export": the traces of a list, or what users cost on some days, as a file."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from costs import day_range
from costs.days import day_of
from exports import slots, user_costs
from exports.answers import answer, user_costs_answer
from exports.services import Asked
from exports.shape import Format
from ingest.policies import policy_of
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web import time_range
from traces.list_views import list_address, state_of
from traces.views import explains_failed_reads


@require_GET
@project_page()
@explains_failed_reads
def export_traces(request: ProjectRequest) -> HttpResponseBase:
    """What the address of the list shows, whichever page of it."""
    state = state_of(request, request.GET.dict())
    if state.form.errors or state.range.problem:  # others than were asked for must not end up in a file
        what = "a filter" if state.form.errors else "the time range"
        messages.error(request, f"Nothing was exported, because {what} could not be read.")
        return redirect(list_address(request, state.pairs))
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


@require_GET
@project_page()
@explains_failed_reads
def export_user_costs(request: ProjectRequest) -> HttpResponseBase:
    """What each user cost in each organization on the days of the address, for billing."""
    scope = replace(request.scope, time_zone=request.project.time_zone)
    zone = time_range.zone_of(scope.time_zone)
    days = day_range.parse(request.GET.dict(), day_of(timezone.now(), zone))
    if days.problem:  # other days than were asked for must not end up on a bill
        return _back(request, days.problem)
    asked = user_costs.Asked(
        scope=scope.during(days.whole(zone)),
        format=Format.PARQUET if request.GET.get("format") == Format.PARQUET else Format.CSV,
        actor=request.user.email,
        project=request.project,
    )
    try:
        return user_costs_answer(request, asked)
    except (slots.Busy, user_costs.TooManyUsers) as error:
        return _back(request, str(error))


def _back(request: ProjectRequest, problem: str) -> HttpResponseBase:
    messages.error(request, problem)
    return redirect(f"{reverse('economics:list', args=[request.project.slug])}?{request.GET.urlencode()}")
