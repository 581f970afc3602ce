"""Two traces side by side: which two, how their steps are aligned, and one pair of steps in detail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web import time_range
from tracehouse.web.addresses import query
from tracehouse.web.htmx import part_asked_for
from traces import compare, compare_queries, pair
from traces.compare import Comparison, Pair
from traces.compare_queries import Side
from traces.views import explains_failed_reads, missing_trace

# Rows drawn at once; a longer comparison says so and offers the rest.
ROWS = 1_000
# In place of the id of A: the last trace of B's name and feature with the other outcome.
LAST_OTHER = "other"
_ID = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the whole traces: how much more B has."""

    latency_ms: float
    tokens: int | None
    cost_usd: Decimal | None
    spans: int
    tools_more: list[str]
    tools_less: list[str]


@require_safe
@project_page()
@explains_failed_reads
def compare_traces(request: ProjectRequest) -> HttpResponse:
    if "t" in request.GET:
        return _of_ticked(request, request.GET.getlist("t"))
    wanted = {name: id_in(request.GET.get(name, "")) for name in ("a", "b")}
    sides = {name: compare_queries.get_side(request.scope, wanted[name]) for name in wanted if wanted[name]}
    b = sides.get("b")
    if b and request.GET.get("a") == LAST_OTHER:
        others = compare_queries.offered(request.scope, b.trace)
        if others:
            return redirect(f"{request.path}{query({'a': others[0].trace_id, 'b': b.trace.trace_id})}")
    a = sides.get("a")
    if a and b:
        return _compared(request, a, b)
    return _choose(request, wanted, a, b)


def id_in(text: str) -> str:
    """The trace id in what somebody entered: an id, or a link to a trace; "" when there is none."""
    found = _ID.search(text.strip().lower())
    return found[0].replace("-", "") if found else ""


def _of_ticked(request: ProjectRequest, ticked: Sequence[str]) -> HttpResponse:
    """Of two rows of a list the one that is the measure becomes A: the good one, else the older one."""
    ids = list(dict.fromkeys(filter(None, map(id_in, ticked))))
    sides = [side for trace_id in ids[:2] if (side := compare_queries.get_side(request.scope, trace_id))]
    if len(ids) != 2 or len(sides) != 2:
        chosen = sides[0] if len(sides) == 1 else None
        return _choose(request, {"a": "", "b": ids[0] if chosen else ""}, None, chosen, ticked=len(ids))
    a, b = sorted(sides, key=lambda side: (side.trace.status == "error", side.trace.start_time))
    return redirect(f"{request.path}{query({'a': a.trace.trace_id, 'b': b.trace.trace_id})}")


def _choose(
    request: ProjectRequest, wanted: dict[str, str], a: Side | None, b: Side | None, ticked: int | None = None
) -> HttpResponse:
    """Asks for what is missing, and offers traces that go with the one that is there."""
    if part_asked_for(request) == "pair":  # of a comparison that was there: one of the two is gone since
        return missing_trace(request, next(wanted[name] for name, side in (("a", a), ("b", b)) if not side))
    known = b or a
    context = {
        "given": {name: request.GET.get(name, "") for name in ("a", "b")},
        "a": a.trace if a else None,
        "b": b.trace if b else None,
        "ticked": ticked,
        "unknown": [name.upper() for name, side in (("a", a), ("b", b)) if wanted[name] and side is None],
        "unreadable": [name.upper() for name in ("a", "b") if _is_unreadable(request, name, wanted)],
        "none_other": request.GET.get("a") == LAST_OTHER,
        "known": known.trace if known else None,
        "offered": compare_queries.offered(request.scope, known.trace) if known else [],
        "other_side": "b" if a and not b else "a",
    }
    is_wrong = context["unknown"] or context["unreadable"]
    return render(request, "traces/compare_choose.html", context, status=404 if is_wrong else 200)


def _is_unreadable(request: HttpRequest, name: str, wanted: dict[str, str]) -> bool:
    given = request.GET.get(name, "").strip()
    return bool(given) and given != LAST_OTHER and not wanted[name]


def _compared(request: ProjectRequest, a: Side, b: Side) -> HttpResponse:
    found = compare.compare(a.steps, b.steps)
    place = _place(request, found)
    row = found.rows[place]
    context: dict[str, Any] = {
        "a": a.trace,
        "b": b.trace,
        "state": {"a": a.trace.trace_id, "b": b.trace.trace_id},
        "row": row,
        "pair": pair.describe(
            compare_queries.get_span(request.scope, a, row.a),
            compare_queries.get_span(request.scope, b, row.b),
        ),
        "is_first": place == found.first,
    }
    if part_asked_for(request) == "pair":
        return render(request, "traces/compare_pair.html", context)
    return render(request, "traces/compare.html", {**context, **_table(request, found, place, a, b)})


def _table(request: ProjectRequest, found: Comparison, place: int, a: Side, b: Side) -> dict[str, Any]:
    only = "only" in request.GET
    rows = compare.differing_only(found.rows) if only else list(enumerate(found.rows))
    shown = rows if "all" in request.GET else rows[:ROWS]
    oldest, newest = sorted((a.trace.start_time, b.trace.start_time))
    return {
        "found": found,
        "rows": shown,
        "rows_left_out": len(rows) - len(shown),
        "all_rows": len(rows),
        "only": only,
        "chosen": place,
        "first": found.rows[found.first] if found.first is not None else None,
        "failing": found.rows[found.failing] if found.failing is not None else None,
        "a_said": a,
        "b_said": b,
        "difference": _difference(a, b),
        "truncated": a.truncated or b.truncated,
        "around": time_range.covering(oldest, until=newest, now=timezone.now()),
    }


def _place(request: HttpRequest, found: Comparison) -> int:
    """The row asked for by the step of either side; else the one where the traces go apart; else the first."""
    asked = {"a": request.GET.get("sa", ""), "b": request.GET.get("sb", "")}
    for place, row in enumerate(found.rows):
        if _is_asked_for(row, asked):
            return place
    return found.first or 0


def _is_asked_for(row: Pair, asked: dict[str, str]) -> bool:
    return bool((row.a and row.a.span_id == asked["a"]) or (row.b and row.b.span_id == asked["b"]))


def _difference(left: Side, right: Side) -> Difference:
    """None where one side says nothing of it."""
    a, b = left.trace, right.trace
    tokens = b.input_tokens + b.output_tokens - a.input_tokens - a.output_tokens
    is_priced = left.costs and right.costs and a.cost_usd is not None and b.cost_usd is not None
    return Difference(
        latency_ms=b.latency_ms - a.latency_ms,
        tokens=tokens if left.tokens and right.tokens else None,
        cost_usd=(b.cost_usd or Decimal(0)) - (a.cost_usd or Decimal(0)) if is_priced else None,
        spans=b.span_count - a.span_count,
        tools_more=[tool for tool in b.tools if tool not in a.tools],
        tools_less=[tool for tool in a.tools if tool not in b.tools],
    )
