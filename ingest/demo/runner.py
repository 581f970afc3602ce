"""Sends every scenario to a running platform, waits until the API shows it, and says where to look."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from ingest.demo import chat
from ingest.demo.catalog import SCENARIOS
from ingest.demo.otlp import Trace, requests
from ingest.demo.plans import plans
from ingest.demo.platform import Platform
from ingest.demo.ratings import ratings
from ingest.demo.scenario import Page, Scenario

POLL_SECONDS = 0.2
VISIBLE_SECONDS = 60.0
PAGE, LISTED_PAGES = 200, 10


class NotVisible(Exception):
    """The platform acknowledged traces that its API does not show in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    scenarios: tuple[Scenario, ...]
    traces: int
    spans: int


def build_all(now: datetime, ids: random.Random) -> tuple[Scenario, ...]:
    return tuple(build(now, ids) for build in SCENARIOS)


def send_all(platform: Platform, now: datetime, ids: random.Random, say: Callable[[str], object]) -> Sent:
    """Raises `Refused`, `PlatformUnavailable` or `NotVisible`."""
    scenarios = build_all(now, ids)
    traces = [trace for scenario in scenarios for trace in scenario.traces]
    sent = Sent(scenarios=scenarios, traces=len(traces), spans=sum(trace.span_count for trace in traces))
    say(f"Sending {sent.traces} traces with {sent.spans} spans ...")
    for request in requests(traces, ids):
        platform.send(request.SerializeToString())
    platform.score(ratings(traces))
    if not _has_plans(platform):
        platform.plan(plans(now))
    say("Waiting until the API shows them ...")
    wait_until_visible(platform, traces)
    return sent


def _has_plans(platform: Platform) -> bool:
    """Prices that somebody has set are left alone."""
    found: Any = platform.get("/api/v1/plans", limit=1)
    return bool(found["total"])


def wait_until_visible(platform: Platform, traces: Sequence[Trace]) -> None:
    """Returns once every span of the traces is there. Raises `NotVisible` after a minute.

    Once the last is there so are most: the list tells of hundreds at once, and the others are asked for one by one.
    """
    deadline = time.monotonic() + VISIBLE_SECONDS
    _wait_for(platform, traces[-1], deadline)
    listed = _listed(platform)
    for trace in traces:
        if listed.get(trace.trace_id) != trace.span_count:
            _wait_for(platform, trace, deadline)


def _wait_for(platform: Platform, trace: Trace, deadline: float) -> None:
    while not _is_whole(platform, trace):
        if time.monotonic() > deadline:
            raise NotVisible(f"trace {trace.trace_id} was acknowledged, but the API does not show all of it")
        time.sleep(POLL_SECONDS)


def _is_whole(platform: Platform, trace: Trace) -> bool:
    found = platform.get(f"/api/v1/traces/{trace.trace_id}")
    return isinstance(found, dict) and found.get("span_count") == trace.span_count


def _listed(platform: Platform) -> dict[str, int]:
    """How many spans the first pages of the list show, by trace."""
    shown: dict[str, int] = {}
    cursor = ""
    for _ in range(LISTED_PAGES):
        page: Any = platform.get("/api/v1/traces", limit=PAGE, cursor=cursor)
        shown |= {trace["trace_id"]: trace["span_count"] for trace in page["data"]}
        cursor = page["next_cursor"]
        if not cursor:
            break
    return shown


def links(public_url: str, slug: str, sent: Sent) -> list[Link]:
    pages = [page for scenario in sent.scenarios for page in scenario.pages]
    base = f"{public_url}/p/{slug}/traces"
    margins = Link(
        title="The top 10 % of users, and what they leave",
        url=f"{public_url}/p/{slug}/costs/economics?only=top&range=7d",
    )
    return [*(_trace_link(base, page) for page in pages), *_list_links(base), margins]


def _trace_link(base: str, page: Page) -> Link:
    return Link(title=page.title, url=f"{base}/{page.trace_id}")


def _list_links(base: str) -> list[Link]:
    filters = {
        "Failed traces": {"status": "error"},
        "Answers that were called wrong": {"score": "feedback=wrong", "range": "7d"},
        "One user": {"user_id": "u-1003"},
        "One session": {"session_id": chat.SESSION},
    }
    return [Link(title=title, url=f"{base}?{urlencode(chosen)}") for title, chosen in filters.items()]
