"""The page of the dearest tenth of the users over time."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import day_range, days, tenth_queries
from costs.day_range import DayRange
from costs.days import day_of
from costs.margin_views import around, scope_and_zone
from costs.rollup_queries import Step
from costs.tenth_queries import STEPS
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from traces.views import explains_failed_reads

MONTHS = 12


@require_safe
@project_page()
@explains_failed_reads
def top_users(request: ProjectRequest) -> HttpResponse:
    scope, zone = scope_and_zone(request)
    asked = request.GET.dict()
    step = next((one for one in STEPS if one.value == asked.get("by")), Step.DAY)
    chosen = read_days(asked, step, day_of(timezone.now(), zone))
    rows = tenth_queries.tenths(scope, chosen, step)[::-1]
    shares = [one.tenth.share for one in rows if one.tenth.share is not None]
    context: dict[str, Any] = {
        **around(request, chosen, zone),
        "step": step.value,
        "steps": [one.value for one in STEPS],
        "pairs": {
            "by": step.value,
            **chosen.parameters,
            **({"range": chosen.preset} if chosen.preset else {}),
        },
        "rows": rows,
        "least": min(shares, default=None),
        "most": max(shares, default=None),
    }
    return render(request, "costs/top_users.html", context)


def read_days(asked: dict[str, str], step: Step, today: date) -> DayRange:
    """What is asked for; else enough days for some steps of that length."""
    if {"from", "to", "range"} & asked.keys():
        return day_range.parse(asked, today)
    if step is Step.MONTH:
        first = days.first_of_month(today)
        for _ in range(MONTHS - 1):
            first = days.first_of_month(first - days.ONE)
        return day_range.parse({"from": first.isoformat(), "to": today.isoformat()}, today)
    return day_range.parse({"range": "90d" if step is Step.WEEK else "30d"}, today)
