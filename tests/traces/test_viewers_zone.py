"""Times as the viewer's clock has them, and sums of money as the project's days do, on the real engine."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests.costs.money import spend
from tracehouse.tenancy.models import Project, User
from traces.span import Span, Status

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
KOLKATA, HONOLULU = "Asia/Kolkata", "Pacific/Honolulu"
# 20:00 in UTC: already the next day in Kolkata, the same day in Honolulu.
EVENING = (datetime.now(UTC) - timedelta(days=3)).replace(hour=20, minute=0, second=0, microsecond=0)
TRACE = f"{0xABCDEF:032x}"
FOOT = re.compile(r'<footer class="zone-note note">\s*(.*?)\s*</footer>', re.DOTALL)


def run(project: Project) -> Span:
    start = int(EVENING.timestamp()) * 10**9
    return Span(
        project_id=project.pk, trace_id=TRACE, span_id=f"{1:016x}", parent_id="", start_ns=start,
        end_ns=start + 10**9, name="run", status=Status.OK, user_id="ann", session_id="talk",
    )  # fmt: skip


@pytest.fixture
def stored(store_spans: Callable[[list[Span]], None], project: Project) -> Project:
    Project.objects.filter(pk=project.pk).update(time_zone=HONOLULU)
    store_spans([run(project)])
    return project


def viewer_in(viewer: User, zone: str) -> Client:
    client = Client()
    client.force_login(viewer)
    if zone:
        client.cookies["zone"] = zone
    return client


def foot(page: Any) -> str:
    found = FOOT.search(page.content.decode())
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("told", "day", "clock", "foot_says"),
    [
        (KOLKATA, 1, "01:30", f"Times in {KOLKATA}, your browser’s time zone."),
        ("", 0, "10:00", f"Times in {HONOLULU}, the project’s time zone."),
        ("Mars/Olympus", 0, "10:00", f"Times in {HONOLULU}, the project’s time zone."),
        ("../../etc/passwd", 0, "10:00", f"Times in {HONOLULU}, the project’s time zone."),
    ],
)
def test_moments_are_on_the_viewers_clock_and_utc_is_on_hover(
    stored: Project, viewer: User, told: str, day: int, clock: str, foot_says: str
) -> None:
    client = viewer_in(viewer, told)
    local = EVENING + timedelta(days=day)
    shown = f">{local.day} {local:%b} {clock}</time>"
    exact = f'title="{EVENING:%Y-%m-%d %H:%M:%S}.000 UTC, {local:%Y-%m-%d} {clock}:00.000 '
    for path in (
        f"/p/{stored.slug}/traces?range=7d",
        f"/p/{stored.slug}/traces/{TRACE}",
        f"/p/{stored.slug}/session?id=talk",
        f"/p/{stored.slug}/user?id=ann&range=7d",
    ):
        page = client.get(path)
        assert shown in page.content.decode(), path
        assert exact in page.content.decode(), path
        assert foot(page) == foot_says


def test_bars_are_days_and_hours_of_the_viewers_clock(stored: Project, viewer: User) -> None:
    client = viewer_in(viewer, KOLKATA)
    local = EVENING + timedelta(days=1)
    user = client.get(f"/p/{stored.slug}/user?id=ann&range=7d")
    (bar,) = [bar for bar in user.context["chart"].bars if bar.traces]
    assert bar.label == f"{local:%a} {local.day} {local:%b %Y}"
    assert bar.since == f"{EVENING:%Y-%m-%d}T18:30Z"
    (bar,) = [
        bar
        for bar in client.get(f"/p/{stored.slug}/traces?range=7d").context["chart"].bars
        if bar.counts.traces
    ]
    assert bar.begins.startswith(f"{local.day} {local:%b} ")


def test_what_is_typed_into_a_range_is_of_the_zone_beside_it(stored: Project, viewer: User) -> None:
    client = viewer_in(viewer, KOLKATA)
    page = client.get(f"/p/{stored.slug}/traces?range=7d").content.decode()
    assert f'<input type="hidden" name="zone" value="{KOLKATA}">' in page
    local = EVENING + timedelta(hours=5, minutes=30)
    typed = {"from": f"{local:%Y-%m-%dT%H}:29", "to": f"{local:%Y-%m-%dT%H}:31", "zone": KOLKATA}
    found = client.get(f"/p/{stored.slug}/traces", typed)
    assert [trace.trace_id for trace in found.context["page"].traces] == [TRACE]
    elsewhere = viewer_in(viewer, "America/New_York").get(f"/p/{stored.slug}/traces", typed)
    assert [trace.trace_id for trace in elsewhere.context["page"].traces] == [TRACE]


@pytest.mark.parametrize("told", [KOLKATA, ""])
def test_a_day_of_costs_is_the_projects_and_its_link_shows_what_it_sums(
    stored: Project, viewer: User, told: str
) -> None:
    days = [EVENING.date() + timedelta(days=one) for one in (-1, 0, 1)]
    client = viewer_in(viewer, told)
    spend(stored, "ann", "5", on=EVENING.date(), hour=EVENING.hour)
    page = client.get(
        reverse("costs:overview", args=[stored.slug]), {"from": f"{days[0]}", "to": f"{days[2]}"}
    )
    assert (
        foot(page) == f"Days and times in {HONOLULU}, the project’s time zone: money is counted by its days."
    )
    (bar,) = [bar for bar, _ in page.context["bars"] if bar.cost_usd]
    (href,) = [place.href for bar, place in page.context["bars"] if bar.cost_usd]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}
    assert asked["from"] == f"{EVENING:%Y-%m-%d}T10:00Z"
    listed = client.get(href)
    assert sum(trace.cost_usd for trace in listed.context["page"].traces) == bar.cost_usd
    assert listed.context["range"].window == bar.window
