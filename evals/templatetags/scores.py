"""Scores on pages of other apps: a panel of one trace, step or session, and a cell of a list."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django import template
from django.template import Context

from evals import panel, queries
from evals.score import FEEDBACK, Score, Subject, Value, Verdict
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from traces.filters import TraceFilters
from traces.queries import Trace

register = template.Library()
log = structlog.get_logger()
# In a cell, of one trace; the rest is a number.
MAX_IN_CELL = 2


@register.inclusion_tag("evals/panel.html", takes_context=True)
def scores_panel(
    context: Context, *, trace_id: str = "", span_id: str = "", session_id: str = ""
) -> dict[str, Any]:
    """Feedback buttons and the scores of just this trace, this span of it, or this session."""
    subject = Subject(trace_id=trace_id, span_id=span_id, session_id=session_id)
    request = context["request"]
    return {
        "panel": panel.panel_of(request, subject),
        "shell": context["shell"],
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag(takes_context=True)
def scores_of_traces(context: Context, traces: Sequence[Trace]) -> Mapping[str, list[Score]]:
    """The scores of each trace of a list and of its spans, in one read; none while they cannot be read."""
    request = context["request"]
    try:
        return queries.scores_of(request.scope, [trace.trace_id for trace in traces])
    except (QueryUnavailable, QueryTooLarge) as error:
        log.warning("scores_read_failed", project=request.project.slug, error=type(error).__name__)
        return {}


@register.inclusion_tag("evals/cell.html")
def score_cell(scored: Mapping[str, list[Score]], trace_id: str) -> dict[str, Any]:
    """Verdicts by count, then other scores by name and value."""
    scores = scored.get(trace_id, [])
    others = [score for score in scores if score.name != FEEDBACK]
    return {
        "verdicts": panel.verdict_counts(scores),
        "others": others[:MAX_IN_CELL],
        "left_out": others[MAX_IN_CELL:],
    }


@register.inclusion_tag("evals/feedback.html", takes_context=True)
def feedback_summary(context: Context, filters: TraceFilters) -> dict[str, Any]:
    """How many of the traces that match in the page's time range were given which verdict, and the newest comments."""
    request, chosen = context["request"], context["range"]
    found: queries.Feedback | None = None
    try:
        found = queries.feedback(request.scope.during(chosen.window), filters)
    except (QueryUnavailable, QueryTooLarge) as error:
        log.warning("scores_read_failed", project=request.project.slug, error=type(error).__name__)
    return {
        "found": found,
        "verdicts": [(verdict.value, found.traces.get(verdict, 0)) for verdict in Verdict] if found else [],
        "narrowed": context["narrowed"],
        "range": chosen,
        "shell": context["shell"],
    }


@register.filter
def score_value(value: Value) -> str:
    """yes or no, 0.82, or the text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.6g}"
