"""The page of one session: its traces as a conversation."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web import time_range
from traces import session_queries
from traces.filters import Order
from traces.group_queries import Group
from traces.views import explains_failed_reads

PAGE = 20


@require_safe
@project_page()
@explains_failed_reads
def session(request: ProjectRequest) -> HttpResponse:
    session_id = request.GET.get("id", "")
    cursor = request.GET.get("cursor", "")
    newest_first = request.GET.get("order", "") == Order.NEWEST.value
    order = Order.NEWEST if newest_first else Order.OLDEST
    found = session_queries.get_session(request.scope, session_id, order=order, limit=PAGE, cursor=cursor)
    if found is None:
        return render(request, "traces/session_missing.html", {"session_id": session_id}, status=404)
    context: dict[str, Any] = {
        "session": found,
        "sums": found.sums,
        "newest_first": newest_first,
        "is_first_page": not cursor,
        "around": _around(found.sums),
    }
    return render(request, "traces/session.html", context)


def _around(sums: Group) -> dict[str, str]:
    """The time range in which lists show all of the session."""
    return time_range.covering(sums.first_time, until=sums.last_time, now=timezone.now())
