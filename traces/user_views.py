"""The page of one user, and of one organization: what they did, what it cost, what failed."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web import time_range, zones
from tracehouse.web.addresses import query
from traces import bars, user_queries
from traces.group_queries import Grouping
from traces.user_queries import SPENT_ON
from traces.views import explains_failed_reads


@require_safe
@project_page()
@explains_failed_reads
def user(request: ProjectRequest) -> HttpResponse:
    return _profile(request, Grouping.USER)


@require_safe
@project_page()
@explains_failed_reads
def organization(request: ProjectRequest) -> HttpResponse:
    return _profile(request, Grouping.ORGANIZATION)


def _profile(request: ProjectRequest, by: Grouping) -> HttpResponse:
    zone, chosen = zones.shown(request), zones.asked_range(request)
    key = request.GET.get("id", "")
    scope = replace(request.scope.during(chosen.window), time_zone=str(zone))
    profile = user_queries.get_profile(scope, by, key)
    context: dict[str, Any] = {
        "key": key,
        "by": by,
        "range": chosen,
        "state": {"id": key, **chosen.parameters},
        "unranged": {"id": key},
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
        "around": chosen.parameters,
        # What lists are filtered by to show what this page sums.
        "narrowed": {by.value: key, **chosen.parameters},
        "filters": by.only(key),
    }
    if profile is not None:
        context |= {
            "profile": profile,
            "sums": profile.sums,
            **_drawn(
                request,
                bars.bars(profile.over_time, profile.steps, chosen.window, zone),
                {by.value: key},
                zoom=request.path + query({"id": key}),
            ),
            "spent_on": [(group, profile.spent_on[group]) for group in SPENT_ON],
            "newest": user_queries.get_newest(scope, by, key),
        }
    return render(request, "traces/user.html", context, status=200 if key else 404)


def _drawn(request: ProjectRequest, chart: bars.Bars, only: dict[str, str], zoom: str) -> dict[str, Any]:
    """Both charts over time: what is drawn, beside what each bar says and leads to."""
    traces = reverse("traces:list", args=[request.project.slug])
    costs = bars.cost_plot(chart, traces, only, zoom)
    counts = bars.traces_plot(chart, traces, only, zoom)
    return {
        "chart": chart,
        "costs": costs,
        "cost_bars": list(chart.placed(costs)),
        "counts": counts,
        "count_bars": list(chart.placed(counts)),
    }
