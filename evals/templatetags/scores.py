"""Scores on pages of other apps: a panel of one trace, step or session, and a cell of a list."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template import Context

from evals import panel, queries
from evals.score import Score, Subject, Verdict
from traces.filters import TraceFilters
from traces.group_queries import Group
from traces.queries import Trace

register = template.Library()
# In a cell, of one trace; the rest is a number.
MAX_IN_CELL = 2
# That are read for it, feedback before others; that there are more, it says.
MAX_COUNTED = queries.MAX_OF_ONE


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
def scores_of_traces(
    context: Context, traces: Sequence[Trace], *, sessions: bool = True
) -> Mapping[str, list[Score]]:
    """The scores of each trace of a list, of its spans, and, with `sessions`, of its session; none while they cannot
    be read."""
    scope, trace_ids = context["request"].scope, [trace.trace_id for trace in traces]
    session_ids = {trace.session_id for trace in traces if trace.session_id} if sessions else set[str]()

    def read() -> dict[str, list[Score]]:
        found = queries.scores_of(scope, trace_ids, most=MAX_COUNTED + 1)
        of_sessions = queries.of_sessions(scope, sorted(session_ids), most=MAX_COUNTED + 1)
        both = {
            trace.trace_id: found.get(trace.trace_id, []) + of_sessions.get(trace.session_id, [])
            for trace in traces
        }
        return {trace_id: scores for trace_id, scores in both.items() if scores}

    return panel.unless_away(context["request"], read) or {}


@register.simple_tag(takes_context=True)
def scores_of_sessions(context: Context, sessions: Sequence[Group]) -> Mapping[str, list[Score]]:
    """The scores of each session of a list itself; none while they cannot be read."""
    request, keys = context["request"], [session.key for session in sessions]
    most = MAX_COUNTED + 1
    return panel.unless_away(request, lambda: queries.of_sessions(request.scope, keys, most=most)) or {}


@register.inclusion_tag("evals/cell.html")
def score_cell(scored: Mapping[str, list[Score]], key: str, *, of_session: bool = False) -> dict[str, Any]:
    """Verdicts by count, then other scores by name and value: of a session, or of a trace and after it its session."""
    scores = scored.get(key, [])
    own = [score for score in scores if of_session or not score.subject.session_id]
    around = [score for score in scores if score not in own]
    return {"parts": [_part(part, is_around=part is around) for part in (own, around) if part]}


def _part(scores: Sequence[Score], *, is_around: bool) -> dict[str, Any]:
    others = [score for score in scores if not panel.is_verdict(score)]
    return {
        "is_around": is_around,
        "verdicts": panel.verdict_counts(scores),
        "others": others[:MAX_IN_CELL],
        "left_out": others[MAX_IN_CELL:],
        "is_cut": len(scores) > MAX_COUNTED,
    }


@register.simple_tag(takes_context=True)
def score_marks(context: Context, trace_id: str) -> Mapping[str, panel.Mark]:
    """What the rows of a trace's tree show of the scores of their steps, by span id."""
    return panel.marks_of(context["request"], trace_id)


@register.filter
def mark_of(marks: Mapping[str, panel.Mark], span_id: str) -> panel.Mark | None:
    return marks.get(span_id)


@register.filter
def as_columns(marks: Mapping[str, panel.Mark]) -> dict[str, list[str]]:
    """The same for the script of the page: an icon and words by span id."""
    return {span_id: [mark.icon, mark.words] for span_id, mark in marks.items()}


@register.inclusion_tag("evals/feedback.html", takes_context=True)
def feedback_summary(context: Context, filters: TraceFilters) -> dict[str, Any]:
    """How many of the traces that match in the page's time range were given which verdict, and the newest comments."""
    request, chosen = context["request"], context["range"]
    scope = request.scope.during(chosen.window)
    found = panel.unless_away(request, lambda: queries.feedback(scope, filters))
    return {
        "found": found,
        "verdicts": [(verdict.value, found.traces.get(verdict, 0)) for verdict in Verdict] if found else [],
        "narrowed": context["narrowed"],
        "range": chosen,
        "shell": context["shell"],
    }


register.filter("score_value", panel.value_in_words)
