"""The time zone that a page shows: the viewer's, as the browser told it by a cookie; else the project's.

Pages about money stay in the project's zone, by whose days money is counted (docs/decisions/0019).
"""

from datetime import tzinfo

from django.http import HttpRequest
from django.utils import timezone

from tracehouse.tenancy.models import Project
from tracehouse.tenancy.permissions import ProjectRequest
from tracehouse.web import time_range
from tracehouse.web.time_range import TimeRange

# `static/shell.js` sets it.
COOKIE = "zone"
# Namespaces of the pages whose days are those that money is counted by.
OF_MONEY = frozenset({"costs", "economics", "prices"})


def home(project: Project) -> tzinfo:
    return time_range.zone_of(project.time_zone)


def is_of_money(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.namespace in OF_MONEY


def told(request: HttpRequest) -> tzinfo | None:
    """The viewer's zone; None where it is not known, or the page shows the project's to everybody."""
    if is_of_money(request):
        return None
    return time_range.known_zone(request.COOKIES.get(COOKIE, ""))


def shown(request: ProjectRequest) -> tzinfo:
    return told(request) or home(request.project)


def asked_range(request: ProjectRequest) -> TimeRange:
    """The time range of the address, as its viewer reads it."""
    return time_range.parse(
        request.GET.dict(), now=timezone.now(), zone=shown(request), home=home(request.project)
    )
