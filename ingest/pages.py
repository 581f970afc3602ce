"""What people read about ingest: a project's status and rejections, the installation's status, and `/metrics`."""

import hmac
import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from ingest import charts, queries, quota, status
from ingest.exposition import exposition
from ingest.queries import Lag, Rejection
from ingest.reasons import Explanation, explain, is_retried
from ingest.status import StoreState
from ingest.tasks import KEEP
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.limits import limits_of
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.tenancy.scope import Window
from tracehouse.web import time_range, zones
from tracehouse.web.htmx import part_asked_for
from tracehouse.web.time_range import TimeRange

TOP_REASONS = 5
# Headers of proxies: a request that carries one came from farther away than its address says.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Explained:
    """A rejection with words for people."""

    rejection: Rejection
    explanation: Explanation
    is_retried: bool


@require_safe
@project_page()
def project_status(request: ProjectRequest) -> HttpResponse:
    now = timezone.now()
    chosen = _range(request, now)
    scope = request.scope.during(_counted(chosen.window, now))
    volume = queries.volume(scope)
    rejections = _explained(queries.rejections(scope))
    stores = status.stores()
    lag, lag_problem = _lag(request, now, stores)
    context = {
        **_range_context(chosen),
        "volume": volume,
        "spans_a_minute": volume.spans
        * 60
        / max((scope.window.end - scope.window.start).total_seconds(), 60),
        "until": scope.window.end,
        "chart": charts.volume_chart(volume),
        "has_sent": volume.requests > 0 or queries.has_sent(scope),
        "rejections": rejections[:TOP_REASONS],
        "rejections_left_out": max(len(rejections) - TOP_REASONS, 0),
        "lag": lag,
        "lag_problem": lag_problem,
        "lag_minutes": queries.LAG_MINUTES,
        "limits": quota.states(limits_of(request.project), request.project.pk),
        "may_change_limits": may(request.role, Role.ADMIN),
        "stores": stores,
        "worker": status.worker(),
    }
    template = "ingest/status.html#content" if part_asked_for(request) == "ingest" else "ingest/status.html"
    return render(request, template, context)


@require_safe
@project_page()
def rejected(request: ProjectRequest) -> HttpResponse:
    now = timezone.now()
    chosen = _range(request, now)
    scope = request.scope.during(_counted(chosen.window, now))
    context = {
        **_range_context(chosen),
        "rejections": _explained(queries.rejections(scope)),
        "volume": queries.volume(scope),
        "kept_days": KEEP.days,
    }
    return render(request, "ingest/rejected.html", context)


@require_safe
@login_required
def installation_status(request: HttpRequest) -> HttpResponse:
    """For superusers: everything that is not one project's."""
    if not request.user.is_superuser:
        raise PermissionDenied("This needs an administrator of the installation.")
    context = {
        "stores": status.stores(),
        "spools": status.spools(),
        "spool_limit": settings.SPOOL_MAX_BYTES,
        "worker": status.worker(),
    }
    template = "ingest/installation.html"
    return render(
        request, f"{template}#content" if part_asked_for(request) == "status" else template, context
    )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus: with the token of the settings, or without one on a machine of one's own."""
    if not _may_read_metrics(request):
        message = (
            "Send Authorization: Bearer <TRACEHOUSE_METRICS_TOKEN>.\n"
            if settings.METRICS_TOKEN
            else "Set TRACEHOUSE_METRICS_TOKEN and send it as Authorization: Bearer <token>.\n"
        )
        headers = {"WWW-Authenticate": 'Bearer realm="tracehouse metrics"'}
        return HttpResponse(message, status=401, content_type="text/plain; charset=utf-8", headers=headers)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    """A set token decides alone. Without one, only an installation that is at home on loopback answers, and only
    to its own machine: behind a proxy every request comes from loopback."""
    if settings.METRICS_TOKEN:
        sent = request.headers.get("Authorization", "")
        return hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    at_home = _is_loopback(urlsplit(settings.PUBLIC_URL).hostname or "")
    direct = not any(name in request.headers for name in FORWARDED)
    return at_home and direct and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lag(request: ProjectRequest, now: datetime, stores: list[StoreState]) -> tuple[Lag | None, str]:
    if not all(store.ok for store in stores if store.name == "clickhouse"):
        return None, "ClickHouse does not answer"  # asking one that hangs would take its whole timeout
    try:
        return queries.lag(request.scope, now=now), ""
    except QueryUnavailable as error:
        problem = "ClickHouse does not answer"
        cause: BaseException = error.__cause__ or error
    except QueryTooLarge as error:
        problem = "too many spans to look at in time"
        cause = error
    log.warning("ingest.lag_not_read", project=request.project.slug, error=type(cause).__name__)
    return None, problem


def _explained(rejections: list[Rejection]) -> list[Explained]:
    return [Explained(found, explain(found.reason), is_retried(found.reason)) for found in rejections]


def _range(request: ProjectRequest, now: datetime) -> TimeRange:
    return time_range.parse(
        request.GET.dict(), now=now, zone=zones.shown(request), home=zones.home(request.project)
    )


def _counted(window: Window, now: datetime) -> Window:
    """The part of the window for which there may be counts: not before they are deleted, not after now."""
    start = max(window.start, now - KEEP - timedelta(days=1))
    return replace(window, start=start, end=max(min(window.end, now), start))


def _range_context(chosen: TimeRange) -> dict[str, Any]:
    return {
        "range": chosen,
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
    }
