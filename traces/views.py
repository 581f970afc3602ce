"""The trace list and the trace page. Each view: read the address, one query, one template."""

import secrets
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy import snippets
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web import time_range
from tracehouse.web.addresses import query
from tracehouse.web.htmx import part_asked_for
from tracehouse.web.time_range import TimeRange
from traces import queries, step, tree
from traces.filters import Order
from traces.forms import TraceFilterForm, order_of
from traces.queries import BadCursor, StoredSpan, TraceDetail

P = ParamSpec("P")
PAGE = 50
# Rows drawn at once; a longer trace says so and offers the rest.
ROWS = 2_000
log = structlog.get_logger()


def explains_failed_reads(
    view: Callable[Concatenate[ProjectRequest, P], HttpResponse],
) -> Callable[Concatenate[ProjectRequest, P], HttpResponseBase]:
    """A read that is refused or not answered becomes a page that says what to do."""

    @wraps(view)
    def wrapped(request: ProjectRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except QueryUnavailable as error:
            return _problem(request, "unavailable", 503, error)
        except QueryTooLarge as error:
            return _problem(request, "too_large", 400, error)
        except BadCursor as error:
            return _problem(request, "bad_cursor", 400, error)

    return wrapped


@require_safe
@project_page()
@explains_failed_reads
def trace_list(request: ProjectRequest) -> HttpResponse:
    part = part_asked_for(request)
    chosen = _range(request)
    form = TraceFilterForm(request.GET)
    order = order_of(request.GET)
    state = {**form.values, **chosen.parameters, **_order_parameter(order)}
    cursor = request.GET.get("cursor", "")
    if not part and "" in request.GET.values():
        # A form without script sends its empty fields too; the address keeps only what says something.
        return redirect(f"{request.path}{query(state)}")
    scope = request.scope.during(chosen.window)
    page = queries.list_traces(scope, form.filters, order=order, limit=PAGE, cursor=cursor)
    if not page.traces and not cursor and not queries.has_spans(request.scope):
        return _setup(request)
    if part != "results":
        form = TraceFilterForm(request.GET, queries.choices(scope))
    context = {
        "page": page,
        "form": form,
        "range": chosen,
        "order": order,
        "state": state,
        "unranged": {name: value for name, value in state.items() if name not in chosen.parameters},
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
        "chips": [(chip, query(state, **{chip.field: ""})) for chip in form.chips],
        "is_first_page": not cursor,
        "updates_parts": bool(part),
    }
    template = {"results": "traces/list.html#results", "list": "traces/list.html#content"}
    response = render(request, template.get(part, "traces/list.html"), context)
    if part:
        response["HX-Push-Url"] = f"{request.path}{query(state, cursor=cursor)}"
    return response


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
def trace_detail(request: ProjectRequest, trace_id: str) -> HttpResponse:
    detail = queries.get_trace(request.scope, trace_id)
    if detail is None:
        return render(request, "traces/missing.html", {"trace_id": trace_id}, status=404)
    asked = request.GET.get("span", "")
    built = tree.build(detail.spans)
    chosen = next((span for span in detail.spans if span.span_id == asked), None)
    span = chosen or _speaks_first([row.span for row in built.rows])
    context = {
        "trace": detail.trace,
        "step": step.describe(span, detail.spans),
        "attributes": step.pairs(span.attributes),
        "parameters": step.pairs(span.request_params),
        "resource": step.pairs(span.resource),
        "unknown_span": asked if asked and not chosen else "",
    }
    if part_asked_for(request) == "step":
        return render(request, "traces/step.html", context)
    return render(request, "traces/detail.html", {**context, **_table(request, detail, built)})


def _table(request: ProjectRequest, detail: TraceDetail, built: tree.Tree[StoredSpan]) -> dict[str, Any]:
    shown = built.rows if "all" in request.GET else built.rows[:ROWS]
    zone = time_range.zone_of(request.project.time_zone)
    return {
        "tree": built,
        "rows": shown,
        "rows_left_out": len(built.rows) - len(shown),
        "truncated": detail.truncated,
        "max_spans": queries.MAX_SPANS,
        # Filtered lists that the header links to must show at least this trace.
        "around": time_range.covering(detail.trace.start_time, now=timezone.now(), zone=zone),
    }


def _speaks_first(spans: Sequence[StoredSpan]) -> StoredSpan:
    """The span shown when none is asked for: the first failed one that no child explains, or the top."""
    explained = {span.parent_id for span in spans if span.status == "error"}
    failed = (span for span in spans if span.status == "error" and span.span_id not in explained)
    return next(failed, spans[0])


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


def _problem(request: ProjectRequest, kind: str, status: int, error: Exception) -> HttpResponse:
    reference = secrets.token_hex(4)
    # Classes alone: the text of an error may hold what somebody searched for.
    cause = type(error.__cause__ or error).__name__
    log.warning("page_read_failed", kind=kind, reference=reference, project=request.project.slug, error=cause)
    template = "traces/problem.html#problem" if part_asked_for(request) else "traces/problem.html"
    response = render(request, template, {"kind": kind, "reference": reference}, status=status)
    if status == 503:
        response["Retry-After"] = "5"
    return response


def _range(request: ProjectRequest) -> TimeRange:
    zone = time_range.zone_of(request.project.time_zone)
    return time_range.parse(request.GET.dict(), now=timezone.now(), zone=zone)


def _order_parameter(order: Order) -> dict[str, str]:
    return {} if order is Order.NEWEST else {"order": order.value}
