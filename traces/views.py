"""The trace page: read the address, one query, one template."""

import secrets
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web import time_range
from tracehouse.web.htmx import part_asked_for
from traces import queries, step, tree
from traces.queries import BadCursor, StoredSpan, TraceDetail

P = ParamSpec("P")
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
