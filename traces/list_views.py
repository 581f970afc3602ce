"""The trace list, the chart above it and its live mode. Each view: read the address, few queries, one template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy import snippets
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web import time_range, zones
from tracehouse.web.addresses import query
from tracehouse.web.htmx import part_asked_for
from traces import attribute_queries, charts, columns, list_state, queries, saved_views, strip_queries
from traces.attribute import joined, split
from traces.filters import Order
from traces.forms import TraceFilterForm
from traces.list_state import ListState
from traces.queries import TracePage
from traces.views import explains_failed_reads

PAGE = 50
# A chart of more traces is drawn after the list, so that the list need not wait for it, and not by what was said.
DRAWN_AT_ONCE = 100_000
# So much of a trace id tells it from the others on a page.
SEEN = 8
ORDERS = (
    (Order.NEWEST, "Newest first"),
    (Order.OLDEST, "Oldest first"),
    (Order.SLOWEST, "Slowest first"),
    (Order.DEAREST, "Dearest first"),
    (Order.MOST_TOKENS, "Most tokens first"),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many traces match; `about` where the spans may decide otherwise than what was counted."""

    traces: int
    failed: int
    about: bool


@require_safe
@project_page()
@explains_failed_reads
def trace_list(request: ProjectRequest) -> HttpResponse:
    part = part_asked_for(request)
    state = _state(request)
    if not part and "" in request.GET.values():
        # A form without script sends its empty fields too; the address keeps only what says something.
        return redirect(f"{request.path}{query(state.pairs)}")
    scope = request.scope.during(state.range.window)
    page = queries.list_traces(scope, state.form.filters, order=state.order, limit=PAGE, cursor=state.cursor)
    if not page.traces and not state.cursor and not queries.has_spans(request.scope):
        return _setup(request)
    form = state.form
    if part != "results":
        form = TraceFilterForm(request.GET, queries.choices(scope))
    context = {
        "page": page,
        "rows": [(trace, columns.cells(trace, state.columns)) for trace in page.traces],
        "seen": ",".join(trace.trace_id[-SEEN:] for trace in page.traces),
        "form": form,
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
        "updates_parts": bool(part),
        "updates_toolbar": part == "results",
        **_common(request, state),
        **_toolbar(request, state),
        **_chart(request, state, page),
    }
    template = {"results": "traces/list.html#results", "list": "traces/list.html#content"}
    response = render(request, template.get(part, "traces/list.html"), context)
    if part:
        response["HX-Push-Url"] = f"{request.path}{query(state.pairs, cursor=state.cursor)}"
    return response


@require_safe
@project_page()
@explains_failed_reads
def chart(request: ProjectRequest) -> HttpResponse:
    """The chart alone, which the list asks for where counting takes longer than the list itself."""
    state = _state(request)
    if part_asked_for(request) != "overview":
        return redirect(list_address(request, {**state.pairs, "draw": "1"}))
    context = {**_common(request, state), **_drawn(request, state, by_spans=False)}
    return render(request, "traces/overview.html", context)


@require_safe
@project_page()
@explains_failed_reads
def first_span(request: ProjectRequest) -> HttpResponse:
    """What the set-up page asks every two seconds: nothing, until a span is there."""
    if queries.has_spans(request.scope):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return HttpResponse(status=204)


@require_safe
@project_page()
@explains_failed_reads
def attribute_offers(request: ProjectRequest) -> HttpResponse:
    """What the last of the attributes typed so far may become, as options that hold the ones before it too."""
    *before, last = split(request.GET.get("attribute", "")) or ("",)
    scope = request.scope.during(_state(request).range.window)
    offers = [joined([*before, offer.attribute]) for offer in attribute_queries.completions(scope, last)]
    return render(request, "traces/attribute_offers.html", {"offers": offers})


@require_safe
@project_page()
def newer(request: ProjectRequest) -> HttpResponse:
    """What live mode asks every few seconds: how many traces on the first page the reader has not been shown."""
    seen = set(request.GET.get("seen", "").split(","))
    try:
        state = _state(request)
        page = queries.list_traces(request.scope.during(state.range.window), state.form.filters, limit=PAGE)
    except (QueryUnavailable, QueryTooLarge):
        return render(request, "traces/list.html#newer", {"problem": True})
    fresh = sum(trace.trace_id[-SEEN:] not in seen for trace in page.traces)
    if not fresh:
        return HttpResponse(status=204)
    context = {"fresh": fresh, "all_fresh": fresh == PAGE, "state": state.pairs}
    return render(request, "traces/list.html#newer", context)


@require_POST
@project_page()
@explains_failed_reads
def choose_columns(request: ProjectRequest) -> HttpResponse:
    """Keeps the columns for the person's next visits, and shows them."""
    chosen = columns.as_text(columns.named(request.POST.getlist("columns")))
    saved_views.choose_columns(user=request.user, project=request.project, columns=chosen)
    state = state_of(request, QueryDict(request.POST.get("state", "")).dict())
    return redirect(list_address(request, {**state.pairs, "columns": chosen}))


def state_of(request: ProjectRequest, parameters: Mapping[str, str]) -> ListState:
    """Raises `QueryTooLarge`, `QueryUnavailable`."""
    own = saved_views.columns_of(request.user, request.project)
    if not own and not parameters.get("columns") and queries.has_scores(request.scope):
        own = ".".join(columns.STANDARD_SCORED)
    home = zones.home(request.project)
    return list_state.read(
        parameters, own_columns=own, now=timezone.now(), zone=zones.shown(request), home=home
    )


def list_address(request: ProjectRequest, pairs: Mapping[str, str]) -> str:
    return f"{reverse('traces:list', args=[request.project.slug])}{query(pairs)}"


def _state(request: ProjectRequest) -> ListState:
    return state_of(request, request.GET.dict())


def _common(request: ProjectRequest, state: ListState) -> dict[str, Any]:
    pairs = state.pairs
    return {
        "range": state.range,
        "order": state.order,
        "live": state.live,
        "state": pairs,
        "unranged": state.unranged,
        "unfiltered": state.unfiltered,
        "unlive": state.unlive,
        "chips": [(chip, query(pairs, **{chip.field: ""})) for chip in state.form.chips],
        "problems": [(problem, query(pairs, **{problem.field: ""})) for problem in state.form.problems],
        "is_first_page": not state.cursor,
        "zoomed_out": list_state.zoomed_out(state.range, now=timezone.now()),
    }


def _toolbar(request: ProjectRequest, state: ListState) -> dict[str, Any]:
    """The menus beside the filters: saved views, columns and order."""
    views = saved_views.visible_to(request.user, request.project)
    view = next((view for view in views if str(view.pk) == state.view), None)
    return {
        "views": views,
        "view": view,
        "view_differs": view is not None and view.parameters != state.to_save,
        "may_change_view": view is not None and saved_views.may_change(view, request.user, request.role),
        "may_share": saved_views.may_share(request.role),
        "columns": state.columns,
        "shows_scores": any(column.kind == "scores" for column in state.columns),
        "is_standard": columns.is_standard(state.columns),
        "offered_columns": [(column, column in state.columns) for column in columns.COLUMNS],
        "orders": ORDERS,
    }


def _chart(request: ProjectRequest, state: ListState, page: TracePage) -> dict[str, Any]:
    """The chart, or how many traces it would be of; nothing where the list is empty."""
    if not page.traces:
        return {}
    rows = strip_queries.indexed_rows(request.scope.during(state.range.window))
    if rows > DRAWN_AT_ONCE and "draw" not in request.GET:
        return {"chart_of": rows}
    drawn = _drawn(request, state, by_spans=rows <= DRAWN_AT_ONCE)
    if not state.cursor and not page.next_cursor:
        # All of them are on the page, decided by their spans.
        failed = sum(trace.status == "error" for trace in page.traces)
        drawn["counted"] = Counted(len(page.traces), failed, about=False)
    return drawn


def _drawn(request: ProjectRequest, state: ListState, *, by_spans: bool) -> dict[str, Any]:
    window, zone, filters = state.range.window, zones.shown(request), state.form.filters
    edges = charts.edges_of(window, zone)
    try:
        found = strip_queries.strip(request.scope.during(window), filters, edges, by_spans=by_spans)
    except QueryTooLarge:
        return {"chart_too_large": True}
    left_out = strip_queries.left_out(filters, by_spans=by_spans)
    total = found.total
    return {
        "chart": charts.chart(found, window, edges, zone),
        "left_out": [state.form.fields[name].label for name in left_out],
        "counted": None if left_out else Counted(total.traces, total.failed, about=total.unsure > 0),
    }


def _setup(request: ProjectRequest) -> HttpResponse:
    made = snippets.take_new_key(request, request.project.pk)
    secret = made.secret if made else ""
    context = {
        "new_key": made,
        "snippet": snippets.opentelemetry(secret),
        "environment": snippets.environment(secret),
        "may_make_keys": may(request.role, Role.ADMIN),
    }
    return render(request, "traces/setup.html", context)
