"""The overview of costs: where the money goes, against the stretch before. One snapshot of the roll-up a page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, TypeAlias

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import anomaly_queries, budget_queries, dashboard, rolled, spend_chart, spend_plot
from costs import dashboard_queries as reads
from costs.budgeting import State
from costs.dashboard import DIMENSIONS, TILES, Change
from costs.dashboard_queries import Breakdown, Part, Spender, Sums, Timeline, Users
from costs.day_range import PRESETS
from costs.days import day_of
from costs.periods import Compared, compared
from costs.spend_chart import Chart, Column
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.tenancy.scope import Scope
from tracehouse.web import spreadsheet, time_range
from tracehouse.web.addresses import query
from tracehouse.web.plot import short
from traces import queries as traces
from traces.views import explains_failed_reads

PARTS = 20
MAX_CSV_ROWS = 10_000
FEW = 5
Row: TypeAlias = tuple[Sums, str, dict[str, str], Change, float | None]
# The roll-up runs hourly.
BEHIND = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Overview:
    chosen: Compared
    tiles: list[dashboard.Tile]
    total: Sums
    before: Sums
    chart: Chart
    breakdown: Breakdown
    users: Users


@require_safe
@project_page()
@explains_failed_reads
def overview(request: ProjectRequest) -> HttpResponse:
    now, zone = timezone.now(), time_range.zone_of(request.project.time_zone)
    scope = replace(request.scope, time_zone=request.project.time_zone)
    state = dashboard.read_state(request.GET.dict(), day_of(now, zone))
    found = _overview(scope, state, now, zone)
    parts = found.breakdown.parts
    columns = spend_chart.columns(found.users.histogram)
    rows = [_row(one, state, found, zone) for one in parts]
    rolled_until = rolled.rolled_up_until(request.scope)
    context = {
        "state": state,
        "by_label": DIMENSIONS[state.by].lower(),
        "rest": spend_chart.SERIES,
        "days": state.days,
        "pairs": state.pairs,
        "presets": [(name, label) for name, (label, _) in PRESETS.items()],
        "dimensions": DIMENSIONS.items(),
        "found": found,
        "traced": state.days.of_traces(zone),
        "change": Change(found.total.cost_usd, found.before.cost_usd),
        "invocations": Change(Decimal(found.total.invocations), Decimal(found.before.invocations)),
        "tiles": [(one, one.compared.days.of_traces(zone)) for one in found.tiles],
        "rows": rows,
        "dearest": _dearest(rows),
        "more": parts[0].keys - len(parts) if parts else 0,
        "spenders": _spenders(found.users.top, found.total),
        "today": _spenders(found.users.top_today, found.tiles[0].sums),
        "range_tenth": found.users.tenths[0],
        "tenths": [
            (tile.compared, tenth) for tile, tenth in zip(found.tiles, found.users.tenths[1:], strict=True)
        ],
        "most_users": max((one.users for one in columns), default=0),
        "median_below": spend_chart.median_below(found.users.histogram),
        **_drawn(request, state, found, columns, zone),
        "rolled_up_until": rolled_until,
        "is_behind": rolled_until is not None and now - rolled_until > BEHIND,
        "nothing": {},
    }
    if not found.total.invocations:
        context["has_spans"] = traces.has_spans(request.scope)
    return render(request, "costs/overview.html", context)


@require_safe
@project_page()
@explains_failed_reads
def attention(request: ProjectRequest) -> HttpResponse:
    """Budgets near or over their limit, and the anomalies of the days: read apart, for they look at every user."""
    now, zone = timezone.now(), time_range.zone_of(request.project.time_zone)
    scope = replace(request.scope, time_zone=request.project.time_zone)
    state = dashboard.read_state(request.GET.dict(), day_of(now, zone))
    budgets = [
        (one, one.standings[:FEW])
        for one in budget_queries.budget_states(scope, now=now)
        if one.state is not State.OK
    ]
    spikes = anomaly_queries.anomalies(scope, state.days.first, state.days.last).spikes
    context = {
        "days": state.days,
        "budgets": budgets[:FEW],
        "more_budgets": len(budgets) - FEW,
        "spikes": spikes[:FEW],
        "spike_count": len(spikes),
    }
    return render(request, "costs/attention.html", context)


@require_safe
@project_page()
@explains_failed_reads
def breakdown_csv(request: ProjectRequest) -> HttpResponse:
    """The table of the page with all its rows."""
    now, zone = timezone.now(), time_range.zone_of(request.project.time_zone)
    scope = replace(request.scope, time_zone=request.project.time_zone)
    state = dashboard.read_state(request.GET.dict(), day_of(now, zone))
    chosen = compared(state.days, now, zone)
    (rows,) = rolled.read_together(scope, reads.breakdown(chosen, state.by, limit=MAX_CSV_ROWS))
    header = (
        state.by.value, "from", "to", "invocations", "failed", "calls", "unpriced_calls", "input_tokens",
        "output_tokens", "cost_usd", "cost_before_usd",
    )  # fmt: skip
    days = state.days
    lines = [
        (
            dashboard.said(state.by, one.key) if one.key else "", days.first, days.last, spent.invocations,
            spent.failed, spent.calls, spent.unpriced_calls, spent.input_tokens, spent.output_tokens, spent.cost_usd,
            reads.total(one.timeline, chosen.before).cost_usd,
        )
        for one in reads.breakdown_of(rows, MAX_CSV_ROWS).parts
        for spent in (reads.total(one.timeline, chosen.now),)
    ]  # fmt: skip
    name = f"costs-by-{state.by.value}-{days.first.isoformat()}-{days.last.isoformat()}.csv"
    return spreadsheet.download(name, spreadsheet.as_csv(header, lines))


def _overview(scope: Scope, state: dashboard.State, now: datetime, zone: tzinfo) -> Overview:
    chosen = compared(state.days, now, zone)
    step = spend_chart.step_of(state.days)
    named = [dashboard.named(name, now, zone) for name in TILES]
    today, week, month = named
    stretches = [window for one in (chosen, *named) for window in (one.now, one.before)]
    steps = [w for days in (state.days, chosen.before_days) for w in spend_chart.steps(days, step, zone)]
    windows = [*stretches, *steps]
    asked = [
        reads.users(chosen, today, week.now, month.now),
        reads.breakdown(chosen, state.by, windows=windows, limit=PARTS),
    ]
    if not reads.is_by_trace(state.by):
        asked.append(reads.everything(windows))
    users, parts, *rows = rolled.read_together(scope, *asked)
    breakdown = reads.breakdown_of(parts, PARTS)
    everything = (
        reads.timeline_of(rows[0])
        if rows
        else reads.added([*(one.timeline for one in breakdown.parts), breakdown.others])
    )
    return Overview(
        chosen=chosen,
        tiles=[_tile(one, everything, now, zone) for one in named],
        total=reads.total(everything, chosen.now),
        before=reads.total(everything, chosen.before),
        chart=spend_chart.chart(chosen, breakdown, everything, step, zone),
        breakdown=breakdown,
        users=reads.users_of(users),
    )


def _drawn(
    request: ProjectRequest, state: dashboard.State, found: Overview, columns: list[Column], zone: tzinfo
) -> dict[str, Any]:
    """The two charts: what is drawn, beside what each bar says and leads to."""
    slug, days = request.project.slug, state.days
    unranged = {name: value for name, value in state.pairs.items() if name not in days.parameters}
    spend = spend_plot.spend(
        found.chart,
        state.by,
        zone,
        traces=reverse("traces:list", args=[slug]),
        zoom=request.path + query(unranged),
    )
    users = spend_plot.users(
        columns, reverse("economics:list", args=[slug]), {**days.parameters, "range": days.preset}
    )
    return {
        "spend": spend,
        "bars": list(zip(found.chart.bars, spend.places, strict=True)),
        "names": [(y, one, spend_plot.named(one, state.by)) for y, one in spend_chart.names(found.chart)],
        "spread": users,
        "columns": list(zip(columns, users.places, strict=True)),
    }


def _tile(about: Compared, everything: Timeline, now: datetime, zone: tzinfo) -> dashboard.Tile:
    so_far, before = reads.total(everything, about.now), reads.total(everything, about.before)
    return dashboard.tile(about, so_far, before, now, zone)


def _dearest(rows: Sequence[Row]) -> tuple[str, float] | None:
    """The answer of the breakdown in its title: which of several keys cost most, and what share that is."""
    if len(rows) < 2:
        return None
    _, said, _, _, share = rows[0]
    return (short(said), share) if share else None


def _row(one: Part, state: dashboard.State, found: Overview, zone: tzinfo) -> Row:
    """With what narrows the list of traces to those behind it."""
    around = {**state.days.of_traces(zone), **dashboard.behind(state.by, one.key)}
    spent, before = (
        reads.total(one.timeline, found.chosen.now),
        reads.total(one.timeline, found.chosen.before),
    )
    change = Change(spent.cost_usd, before.cost_usd)
    return spent, dashboard.said(state.by, one.key), around, change, _share(spent.cost_usd, found.total)


def _spenders(found: Sequence[Spender], everybody: Sums) -> list[tuple[Spender, Change, float | None]]:
    return [(one, Change(one.cost_usd, one.cost_before), _share(one.cost_usd, everybody)) for one in found]


def _share(cost: Decimal, total: Sums) -> float | None:
    return float(cost / total.cost_usd) if total.cost_usd else None
