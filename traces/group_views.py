"""The lists of sessions, users and organizations. Each view: read the address, one query, one template."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web import time_range, zones
from tracehouse.web.addresses import query
from traces import group_queries, queries
from traces.forms import TraceFilterForm
from traces.group_queries import Grouping, GroupOrder
from traces.views import explains_failed_reads

PAGE = 50
ORDERS = (
    (GroupOrder.LATEST, "Latest first"),
    (GroupOrder.DEAREST, "Dearest first"),
    (GroupOrder.MOST_TRACES, "Most traces first"),
    (GroupOrder.MOST_FAILED, "Most failed first"),
    (GroupOrder.MOST_TOKENS, "Most tokens first"),
)


@require_safe
@project_page()
@explains_failed_reads
def sessions(request: ProjectRequest) -> HttpResponse:
    return _listed(request, Grouping.SESSION, "traces/sessions.html")


@require_safe
@project_page()
@explains_failed_reads
def users(request: ProjectRequest) -> HttpResponse:
    return _listed(request, Grouping.USER, "traces/users.html")


@require_safe
@project_page()
@explains_failed_reads
def organizations(request: ProjectRequest) -> HttpResponse:
    return _listed(request, Grouping.ORGANIZATION, "traces/users.html")


def _listed(request: ProjectRequest, grouping: Grouping, template: str) -> HttpResponse:
    chosen = zones.asked_range(request)
    form = TraceFilterForm(request.GET)
    order = _order_of(request.GET.dict())
    narrowed = {**form.typed, **chosen.parameters}
    state = {**narrowed, **({} if order is GroupOrder.LATEST else {"order": order.value})}
    if "" in request.GET.values():
        # A form without script sends its empty fields too; the address keeps only what says something.
        return redirect(f"{request.path}{query(state)}")
    cursor = request.GET.get("cursor", "")
    scope = request.scope.during(chosen.window)
    page = group_queries.list_groups(
        scope, grouping, filters=form.filters, order=order, limit=PAGE, cursor=cursor
    )
    context: dict[str, Any] = {
        "page": page,
        "by": grouping,
        "form": TraceFilterForm(request.GET, queries.choices(scope)),
        "range": chosen,
        "order": order,
        "orders": ORDERS,
        "state": state,
        "narrowed": narrowed,  # what lists of traces that cells link to are filtered by
        "around": chosen.parameters,
        "unranged": {name: value for name, value in state.items() if name not in chosen.parameters},
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
        "chips": [(chip, query(state, **{chip.field: ""})) for chip in form.chips],
        "problems": [(problem, query(state, **{problem.field: ""})) for problem in form.problems],
        "is_first_page": not cursor,
    }
    return render(request, template, context)


def _order_of(parameters: Mapping[str, str]) -> GroupOrder:
    try:
        return GroupOrder(parameters.get("order", ""))
    except ValueError:
        return GroupOrder.LATEST
