"""What the right side of the trace page shows of the chosen step, by tab; and the picture of a trace's calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse

from tracehouse.tenancy.permissions import ProjectRequest
from tracehouse.tenancy.scope import Scope, Window
from traces import (
    call_graph,
    call_queries,
    outline_queries,
    prompt_choice,
    prompt_diff,
    queries,
    raw,
    step,
    texts,
    tool_calls,
)
from traces.body import Texts, plain
from traces.call_graph import Graph
from traces.call_queries import CallSpan
from traces.filters import TraceFilters
from traces.outline_queries import SpanInTrace, parse_span_id
from traces.prompt_diff import PromptDiff
from traces.queries import StoredSpan, Trace

# How far back the trace before is looked for, among how many, and how many earlier calls are offered.
SESSION_DAYS = 30
MAX_BEFORE = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_CHOICES = 50


def context(request: ProjectRequest, trace_id: str, chosen: SpanInTrace) -> dict[str, Any]:
    """For `traces/step.html`."""
    span = chosen.span
    address = reverse("traces:text", args=[request.project.slug, trace_id])
    tab = request.GET.get("show", "")
    found: dict[str, Any] = {
        "trace_id": trace_id,
        "step": step.describe(
            span,
            chosen.neighbours,
            address,
            all_calls=_all_calls(request.scope, trace_id, span) if _asks_for_all_calls(chosen) else [],
            everything="messages" in request.GET,
        ),
        "tab": tab,
    }
    if tab == "diff" and span.kind == "llm":
        found["max_before"] = MAX_BEFORE
        found["comparison"] = compare(request.scope, trace_id, span, request.GET.get("with", ""))
    if tab == "otlp":
        found["otlp"] = otlp(trace_id, span, Texts(address, span.span_id).at("otlp"))
    return found


def _asks_for_all_calls(chosen: SpanInTrace) -> bool:
    """Whether the calls nearest to a step leave open what ran what it asked for, or who asked for it."""
    span = chosen.span
    if chosen.are_all or span.kind not in {"llm", "tool"}:
        return False
    calls = tool_calls.by_model_call(chosen.neighbours)
    if span.kind == "tool":
        return not tool_calls.asked_by(calls, span.span_id)
    return any(not asked.executed_by for asked in calls[span.span_id].requested)


def _all_calls(scope: Scope, trace_id: str, span: StoredSpan) -> list[CallSpan]:
    """The calls of a trace that has more of them than are read whole, the nearest to a step first."""
    calls = [call for call in call_queries.get_calls(scope, trace_id) if call.kind in {"llm", "tool"}]
    nearest_first = sorted(calls, key=lambda call: abs(call.start_ns - span.start_ns))
    return call_queries.with_answers(scope, trace_id, nearest_first)


@dataclass(frozen=True, slots=True)
class Choice:
    """A model call that the prompt can be compared with."""

    address: str  # "trace/span", both hex
    call: CallSpan
    is_earlier_trace: bool
    earlier_ms: float


@dataclass(frozen=True, slots=True)
class Comparison:
    choices: list[Choice] = field(default_factory=list)
    chosen: Choice | None = None
    diff: PromptDiff | None = None
    missing: bool = False  # the call asked for is not there


def compare(scope: Scope, trace_id: str, span: StoredSpan, asked: str) -> Comparison:
    """The prompt of a model call beside that of the one before it in its conversation, or of the one asked for."""
    calls = call_queries.get_calls(scope, trace_id)
    here = prompt_choice.earlier(calls, span.span_id)
    default = prompt_choice.previous(calls, span.span_id)
    before = [] if default else _trace_before(scope, span, calls)
    choices = [_choice(trace_id, call, span) for call in here[:MAX_CHOICES]] + before
    wanted = asked or _default(trace_id, default, before)
    chosen = next((choice for choice in choices if choice.address == wanted), None)
    if chosen is None:
        return Comparison(choices, missing=bool(asked))
    other_trace, _, other_span = chosen.address.partition("/")
    other = whole_span(scope, other_trace, other_span)
    return Comparison(choices, chosen, prompt_diff.compare(other, span))


def _default(trace_id: str, previous: CallSpan | None, before: Sequence[Choice]) -> str:
    if previous:
        return f"{trace_id}/{previous.span_id}"
    return before[0].address if before else ""


def _choice(trace_id: str, call: CallSpan, span: StoredSpan, *, is_earlier_trace: bool = False) -> Choice:
    earlier_ms = (span.start_ns - call.start_ns) / 1e6
    return Choice(f"{trace_id}/{call.span_id}", call, is_earlier_trace, earlier_ms)


def _trace_before(scope: Scope, span: StoredSpan, calls: Sequence[CallSpan]) -> list[Choice]:
    """The last model call of the same agent in the nearest trace before, in the same session, that has any."""
    session_id = prompt_choice.session_of(calls)
    if not session_id or not calls:
        return []
    start = _EPOCH + timedelta(microseconds=calls[0].start_ns // 1000)
    window = Window(start - timedelta(days=SESSION_DAYS), start)
    filters = TraceFilters(session_id=session_id)
    page = queries.list_traces(scope.during(window), filters, limit=MAX_BEFORE)
    found = (_last_call(scope, trace, span, calls) for trace in page.traces)
    return list(islice(filter(None, found), 1))


def _last_call(scope: Scope, trace: Trace, span: StoredSpan, calls: Sequence[CallSpan]) -> Choice | None:
    by_id = {call.span_id: call for call in calls}
    agent = prompt_choice.agent_of(by_id[span.span_id], by_id).name if span.span_id in by_id else ""
    found = prompt_choice.last(call_queries.get_calls(scope, trace.trace_id), agent)
    return _choice(trace.trace_id, found, span, is_earlier_trace=True) if found else None


@dataclass(frozen=True, slots=True)
class Otlp:
    text: str
    source: str
    fetch: str
    send: str


def otlp(trace_id: str, span: StoredSpan, source: str) -> Otlp:
    """A span in its raw form, and the commands that fetch it and send it once more."""
    address = f"{settings.PUBLIC_URL}/api/v1/traces/{trace_id}"
    key = '-H "Authorization: Bearer $TRACEHOUSE_SECRET_KEY"'
    fetch = f'curl -sf {key} "{address}/otlp?span_id={span.span_id}"'
    send = (
        f'curl -sf {key} -H "Content-Type: application/json" --data-binary @- {settings.PUBLIC_URL}/v1/traces'
    )
    return Otlp(
        text=plain(raw.request(trace_id, [span])),
        source=source,
        fetch=f"curl -sf {key} {address}",
        send=f"{fetch} |\n{send}",
    )


def whole_text(scope: Scope, trace_id: str, span_id: str, place: str) -> str:
    """The whole of a text that pages show the beginning of. Raises `Http404`."""
    span = whole_span(scope, trace_id, span_id)
    found = plain(raw.request(trace_id, [span])) if place == "otlp" else texts.find(span, place)
    if found is None:
        raise Http404("The span has no such text.")
    return found


def whole_span(scope: Scope, trace_id: str, span_id: str) -> StoredSpan:
    """Raises `Http404`."""
    parsed, number = queries.parse_trace_id(trace_id), parse_span_id(span_id)
    found = queries.get_spans(scope, parsed, [number]) if parsed and number is not None else []
    if not found:
        raise Http404("No such span in the trace.")
    return found[0]


def graph(scope: Scope, trace_id: str) -> Graph:
    """The picture of a trace's calls. Answers are read for the model calls that are drawn."""
    calls = call_graph.calls_of(_explained(scope, trace_id, call_queries.get_calls(scope, trace_id)))
    shown = [span for span, _, _ in call_graph.drawn(calls)[0]]
    return call_graph.draw(calls, tool_calls.by_model_call(call_queries.with_answers(scope, trace_id, shown)))


def _explained(scope: Scope, trace_id: str, calls: Sequence[CallSpan]) -> list[CallSpan]:
    """The calls; failed ones without a message say that of their exception."""
    parsed = queries.parse_trace_id(trace_id)
    silent = (
        int(call.span_id, 16) for call in calls if call.status == "error" and not call.status_message.strip()
    )
    told = outline_queries.failures(scope, parsed, silent) if parsed else {}
    return [
        replace(call, status_message=told[call.span_id]) if call.span_id in told else call for call in calls
    ]
