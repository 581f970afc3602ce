"""The pages of unit economics, outcomes and anomalies. Each view: what the address asks, one read, one template."""

from dataclasses import replace
from datetime import tzinfo
from decimal import Decimal
from typing import Any

import structlog
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import anomaly_queries, day_range, economics, margin_queries, margin_state, spikes
from costs.day_range import PRESETS, DayRange
from costs.days import day_of
from costs.economics import Customer, Filter, Order, Totals
from costs.margin_queries import Economics, Outcome
from costs.margin_state import PAGE, MarginState
from costs.models import Payer
from costs.spend_queries import Series
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.identity import stored_identity
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.tenancy.scope import Scope
from tracehouse.web import spreadsheet, time_range
from traces.score_filters import BadScoreCondition, ScoreCondition
from traces.score_filters import parse as parse_score
from traces.views import explains_failed_reads

log = structlog.get_logger()
COLUMNS = (
    (Order.KEY, "", ""),
    (Order.INVOCATIONS, "Invocations", "number"),
    (Order.COST, "Cost", "number c-cost"),
    (Order.REVENUE, "Revenue", "number"),
    (Order.MARGIN, "Margin", "number"),
    (Order.MARGIN_SHARE, "Margin %", "number"),
)
FILTERS = {
    Filter.ALL: "Everybody",
    Filter.TOP: "Top 10 % by cost",
    Filter.UNDER_WATER: "Under water",
    Filter.NO_PLAN: "Without a plan",
}
MAX_CONDITION = 500
MAX_SHOWN = 100


@require_safe
@project_page()
@explains_failed_reads
def economics_page(request: ProjectRequest) -> HttpResponse:
    scope, zone = scope_and_zone(request)
    state = margin_state.parse(request.GET.dict(), day_of(timezone.now(), zone))
    found = margin_queries.unit_economics(scope, state.by, state.days, now=timezone.now())
    rows = _rows(request, state, found)
    first = (state.page - 1) * PAGE
    everybody = economics.totals(found.customers)
    dearest = economics.chosen(found.customers, Filter.TOP)
    top, behind = economics.totals(dearest), economics.totals(found.behind(dearest))
    context = {
        **around(request, state.days, zone),
        "state": state,
        "pairs": state.pairs,
        "filters": [(one.value, label) for one, label in FILTERS.items()],
        "columns": COLUMNS,
        "found": found,
        "everybody": everybody,
        "top": top,
        "top_share": economics.share_of(top.cost, everybody.cost),
        "behind": behind,
        "verdict": _verdict(top, behind),
        "organizations": economics.totals(found.organizations),
        "totals": economics.totals(rows) if state.narrows else everybody,
        "count": len(rows),
        "rows": [(one, _break_even(one.cost, found, state)) for one in rows[first : first + PAGE]],
        "next_page": state.page + 1 if len(rows) > first + PAGE else None,
        "pages": -(-len(rows) // PAGE),
        "is_empty": not found.customers and not found.nobody.invocations,
    }
    return render(request, "costs/economics.html", context)


@require_safe
@project_page()
@explains_failed_reads
def economics_csv(request: ProjectRequest) -> HttpResponse:
    """Every row that the page of this address counts, and no sums."""
    scope, zone = scope_and_zone(request)
    state = margin_state.parse(request.GET.dict(), day_of(timezone.now(), zone))
    found = margin_queries.unit_economics(scope, state.by, state.days, now=timezone.now())
    header = (
        f"{state.by.value}_id", "plan", "from", "to", "invocations", "failed", "unpriced_calls", "cost_usd",
        "revenue_usd", "margin_usd", "margin_share", "cost_per_success_usd", "break_even_monthly_usd", "top_10_percent",
        "paid_by_organizations", "paid_by_organizations_usd",
    )  # fmt: skip
    days = state.days
    rows = [
        (
            one.key, one.plan, days.first, days.last, one.invocations, one.failed, one.unpriced_calls, one.cost,
            one.revenue, one.margin, one.margin_share, one.cost_per_success, _break_even(one.cost, found, state),
            "yes" if one.is_top else "no", ", ".join(one.organizations), one.paid_by_them,
        )
        for one in _rows(request, state, found)
    ]  # fmt: skip
    name = f"unit-economics-{days.first.isoformat()}-{days.last.isoformat()}.csv"
    return spreadsheet.download(name, spreadsheet.as_csv(header, rows))


@require_safe
@project_page()
@explains_failed_reads
def outcomes(request: ProjectRequest) -> HttpResponse:
    scope, zone = scope_and_zone(request)
    days = day_range.parse(request.GET.dict(), day_of(timezone.now(), zone))
    text = request.GET.get("score", "").strip()[:MAX_CONDITION]
    condition, problem = _condition(text)
    found, unread = _outcomes(request, scope, days, condition)
    context = {
        **around(request, days, zone),
        "pairs": days.parameters,
        "score": text,
        "condition": condition,
        "problem": problem or unread,
        "rows": found,
    }
    return render(request, "costs/outcomes.html", context, status=400 if problem else 200)


@require_safe
@project_page()
@explains_failed_reads
def anomalies(request: ProjectRequest) -> HttpResponse:
    scope, zone = scope_and_zone(request)
    asked = request.GET.dict()
    if not {"from", "to", "range"} & asked.keys():
        asked["range"] = "7d"
    days = day_range.parse(asked, day_of(timezone.now(), zone))
    found = anomaly_queries.anomalies(scope, days.first, days.last)
    context = {
        **around(request, days, zone),
        "spikes": [_with_day(one, zone) for one in found.spikes[:MAX_SHOWN]],
        "newcomers": [_with_day(one, zone) for one in found.newcomers[:MAX_SHOWN]],
        "spike_count": len(found.spikes),
        "left_out": len(found.spikes) - MAX_SHOWN,
        "newcomers_left_out": len(found.newcomers) - MAX_SHOWN,
        "rule": spikes,
        "today": day_of(timezone.now(), zone),
    }
    return render(request, "costs/anomalies.html", context)


def scope_and_zone(request: ProjectRequest) -> tuple[Scope, tzinfo]:
    """The scope with the zone that days are counted in."""
    name = request.project.time_zone
    return replace(request.scope, time_zone=name), time_range.zone_of(name)


def around(request: ProjectRequest, days: DayRange, zone: tzinfo) -> dict[str, Any]:
    """What every page about days needs."""
    return {
        "days": days,
        "presets": [(name, label) for name, (label, _) in PRESETS.items()],
        "traced": days.of_traces(zone),
        "is_admin": may(request.role, Role.ADMIN),
        "nothing": {},  # for links that keep nothing of the address
    }


def _rows(request: ProjectRequest, state: MarginState, found: Economics) -> list[Customer]:
    words = stored_identity(request.project)(state.words) if state.words else ""
    kept = economics.chosen(found.customers, state.only, words, state.band)
    return economics.ordered(kept, state.order, descending=state.descending)


def _break_even(cost: Decimal, found: Economics, state: MarginState) -> Decimal | None:
    return economics.break_even(cost, found.months, state.margin)


def _verdict(top: Totals, behind: Totals) -> str:
    """What the dearest tenth and the organizations that pay for them leave us, as the template words it."""
    margins = [one.margin for one in (top, behind) if one.margin is not None]
    if not margins:
        return "no_plan"
    return "loses" if sum(margins) < 0 else "earns"


def _condition(text: str) -> tuple[ScoreCondition | None, str]:
    if not text:
        return None, ""
    try:
        return parse_score(text), ""
    except BadScoreCondition as error:
        return None, str(error)


def _outcomes(
    request: ProjectRequest, scope: Scope, days: DayRange, condition: ScoreCondition | None
) -> tuple[list[Outcome], str]:
    """Features with their outcomes, else without them and why."""
    try:
        return margin_queries.outcomes(scope, days, condition), ""
    except (QueryUnavailable, QueryTooLarge) as error:
        log.warning("outcomes_read_failed", project=request.project.slug, error=type(error).__name__)
        said = (
            "Counting outcomes is more than one read may take. Choose fewer days."
            if isinstance(error, QueryTooLarge)
            else "ClickHouse does not answer, so outcomes cannot be counted now. Try again in a minute."
        )
        return margin_queries.outcomes(scope, days, None), said


def _with_day(one: anomaly_queries.Anomaly, zone: tzinfo) -> tuple[anomaly_queries.Anomaly, dict[str, str]]:
    """An anomaly, and what narrows the list of traces to those behind it."""
    day = one.judgement.day
    narrowed = DayRange(day, day, "", "").of_traces(zone)
    names = {spend: f"{spend.value}_id" if spend.value == Payer.USER else spend.value for spend in _KEYED}
    if one.key and one.series in names:
        narrowed[names[one.series]] = one.key
    return one, {**narrowed, "order": "-cost"}


_KEYED = (Series.USER, Series.FEATURE)
