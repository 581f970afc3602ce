"""The trace page: read the address, one query, one template."""

import secrets
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.tenancy.scope import Window
from tracehouse.web import time_range
from tracehouse.web.htmx import part_asked_for
from traces import outline_queries as outline
from traces import queries, rows, step_page, tree
from traces.cursor import BadCursor
from traces.outline_queries import Outline, OutlineSpan
from traces.rows import Only, OutlineRow, OutlineTree

P = ParamSpec("P")
# Rows of the tree that a page is drawn with; its script draws the others as one scrolls.
ROWS = 100
# Steps beside or after the root make a trace longer than its latency: said from this much on.
LONGER = 1.01
log = structlog.get_logger()


def explains_failed_reads(
    view: Callable[Concatenate[ProjectRequest, P], HttpResponseBase],
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
    asked = request.GET.get("span", "")
    if part_asked_for(request) == "step" and (found := outline.get_span(request.scope, trace_id, asked)):
        return render(request, "traces/step.html", step_page.context(request, trace_id, found))
    whole = outline.get_outline(request.scope, trace_id)
    if whole is None:
        return missing_trace(request, trace_id)
    built = tree.build(whole.spans)
    scope = request.scope.during(Window(whole.trace.start_time, whole.trace.end_time))
    # A span past those of the outline is there all the same.
    chosen = outline.get_span(scope, trace_id, asked) if asked else None
    known = chosen is not None
    if chosen is None:
        chosen = outline.get_span(scope, trace_id, _speaks_first([row.span for row in built.rows]).span_id)
    if chosen is None:  # erased between the two reads
        return missing_trace(request, trace_id)
    context = {**step_page.context(request, trace_id, chosen), "unknown_span": "" if known else asked}
    if part_asked_for(request) == "step":
        return render(request, "traces/step.html", context)
    if request.GET.get("view") == "graph":
        context["graph"] = step_page.graph(scope, trace_id)
    span_id = chosen.span.span_id
    return render(request, "traces/detail.html", {**context, **_tree(request, whole, built, span_id)})


@require_safe
@project_page()
@explains_failed_reads
def find_in_trace(request: ProjectRequest, trace_id: str) -> HttpResponse:
    """Which steps hold a text, for the script of the trace page: span id to where it stands."""
    return JsonResponse(outline.find_text(request.scope, trace_id, request.GET.get("q", "")))


def missing_trace(request: ProjectRequest, trace_id: str) -> HttpResponse:
    """The page that says so, or of it the part that a panel shows."""
    template = "traces/missing.html#missing" if part_asked_for(request) else "traces/missing.html"
    return render(request, template, {"trace_id": trace_id}, status=404)


def _tree(request: ProjectRequest, whole: Outline, built: OutlineTree, chosen: str) -> dict[str, Any]:
    """The page of rows that the template draws, and all of them for the script that takes over."""
    text, only = request.GET.get("q", "").strip(), _only(request)
    matches = outline.find_text(request.scope, whole.trace.trace_id, text) if text else {}
    drawn = _narrowed(built.rows, only, matches if text else None)
    page = Paginator(drawn, ROWS).get_page(
        request.GET.get("page") or _page_of(drawn, request.GET.get("span", ""))
    )
    failed = [row.span.span_id for row in built.rows if row.span.status == "error"]
    return {
        "trace": whole.trace,
        "tree": built,
        "page": page,
        "blank": rows.BLANK,
        "q": text,
        "only": only,
        "choices": rows.ONLY_WORDS,
        "state": {"q": text, "only": only.value},
        "chosen": chosen,
        "first_failed": failed[0] if failed else "",
        "failed": len(failed),
        # A call that says neither what it used nor what it cost makes no 0 of it.
        "used": sum(span.tokens is not None for span in whole.spans),
        "priced": sum(bool(span.cost_state) for span in whole.spans),
        "lasts_longer": built.length_ms > whole.trace.latency_ms * LONGER,
        "critical": sum(row.critical for row in built.rows),
        "matches": matches,
        "prompts": rows.prompts(whole.spans),
        "data": {**rows.columns(built.rows), "chosen": chosen, "matches": matches},
        "truncated": whole.truncated,
        "max_spans": queries.MAX_SPANS,
        # Filtered lists that the header links to must show at least this trace.
        "around": time_range.covering(whole.trace.start_time, now=timezone.now()),
    }


def _only(request: ProjectRequest) -> Only:
    asked = request.GET.get("only", "")
    return Only(asked) if asked in set(Only) else Only.EVERYTHING


def _narrowed(all_rows: list[OutlineRow], only: Only, matches: dict[str, str] | None) -> list[OutlineRow]:
    if only is Only.EVERYTHING and matches is None:
        return all_rows
    wanted = {
        row.span.span_id
        for row in all_rows
        if only.holds(row.span) and (matches is None or row.span.span_id in matches)
    }
    return rows.kept(all_rows, wanted)


def _page_of(drawn: list[OutlineRow], span_id: str) -> int:
    place = next((place for place, row in enumerate(drawn) if row.span.span_id == span_id), 0)
    return place // ROWS + 1


def _speaks_first(spans: Sequence[OutlineSpan]) -> OutlineSpan:
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
