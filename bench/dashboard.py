"""The pages of costs by HTTP, as a signed-in person loads them: of a month of a million invocations."""

import http.client
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import django
from clickhouse_connect.driver.client import Client

from bench import costs, stored
from bench.installation import Installation
from bench.load import percentile
from bench.queries import Reading
from ingest.demo.platform import Refused

REPEATS = 20
# Of an hour of such a month, which the next roll-up will take.
LIVE_SPANS = 7_000
PAGES = {
    "overview, last 30 days": "costs",
    "overview, this month": "costs?range=month",
    "overview, by model": "costs?by=model",
    "overview, by organization": "costs?by=organization_id",
    "budgets and anomalies of the overview": "costs/attention",
    "unit economics of users": "costs/economics",
    "unit economics of organizations": "costs/economics?by=organization",
    "share of the top 10 % of users, by day": "costs/top-users",
    "share of the top 10 % of users, by week": "costs/top-users?by=week",
    "share of the top 10 % of users, by month": "costs/top-users?by=month",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardRun:
    invocations: int  # of the month that is shown
    live_spans: int
    month: list[Reading]  # that month alone
    compared: list[Reading]  # with as many in the month before
    live: list[Reading]  # and with spans that are not rolled up yet


def measure(installation: Installation, client: Client) -> DashboardRun:
    os.environ.update(installation.environment())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracehouse.settings.base")
    django.setup()
    from django.test import Client as Browser  # noqa: PLC0415  # needs Django

    from tracehouse.tenancy import services  # noqa: PLC0415
    from tracehouse.tenancy.models import Team, User  # noqa: PLC0415

    team, browser = Team.objects.get(), Browser()
    browser.force_login(User.objects.filter(memberships__team=team).earliest("pk"))
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    month, compared = (
        services.create_project(team=team, name=name, actor="bench") for name in ("Month", "Months")
    )
    now = datetime.now(UTC)
    costs.fill(client, month.pk, costs.Month(end=now, user_costs=False))
    costs.fill(
        client,
        compared.pk,
        costs.Month(end=now, invocations=2 * costs.INVOCATIONS, days=2 * costs.DAYS, user_costs=False),
    )
    alone, both = (_timed(installation, cookie, project.slug) for project in (month, compared))
    traces = LIVE_SPANS // stored.SPANS_A_TRACE
    batch = stored.Batch(prefix="", first=0, traces=traces, spans=stored.SPANS_A_TRACE)
    stored.insert(client, month.pk, batch, spread=timedelta(hours=1))
    return DashboardRun(
        invocations=costs.INVOCATIONS,
        live_spans=LIVE_SPANS,
        month=alone,
        compared=both,
        live=_timed(installation, cookie, month.slug),
    )


def _timed(installation: Installation, cookie: str, slug: str) -> list[Reading]:
    """One connection, kept alive. The first answer is not timed: it compiles templates and statements."""
    address = urlsplit(installation.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    found = []
    for name, page in PAGES.items():
        milliseconds, size = [], 0
        for number in range(REPEATS + 1):
            began = time.perf_counter()
            connection.request("GET", f"/p/{slug}/{page}", headers={"Cookie": cookie})
            answer = connection.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                raise Refused(f"{name}: {answer.status}")
            if number:
                milliseconds.append((time.perf_counter() - began) * 1000)
        p50, p95, p99 = (percentile(milliseconds, percent) for percent in (50, 95, 99))
        found.append(Reading(name=name, p50=p50, p95=p95, p99=p99, rows=size))
    connection.close()
    return found
