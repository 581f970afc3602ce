"""Reading by the HTTP API with a million spans stored: lists with each filter, a trace, and sums."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from bench.installation import Installation
from bench.load import percentile
from bench.stored import DAYS, long_trace_id
from ingest.demo.platform import Platform, Refused
from traces.span import JSONValue

REPEATS = 40
SUM_REPEATS = 5
FILTERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("no filter", {}),
    ("user_id", {"user_id": "user-42"}),
    ("status", {"status": "error"}),
    ("model", {"model": "claude-haiku-4-5"}),
    ("tool", {"tool": "ga4_query"}),
    ("feature", {"feature": "draft"}),
    ("session_id", {"session_id": "session-42-3"}),
    ("min_latency_ms", {"min_latency_ms": "13000"}),
    ("min_cost_usd", {"min_cost_usd": "0.07"}),
)
GROUPS = ("user_id", "organization_id", "feature", "model", "tool", "day", "hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Milliseconds of one kind of request, and how much it answered."""

    name: str
    p50: float
    p95: float
    p99: float
    rows: int


def measure(installation: Installation) -> list[Reading]:
    """One connection, kept alive, one request after another. Raises `Refused`."""
    with installation.platform() as platform:
        return [*_lists(platform), _second_page(platform), _trace(platform), *_sums(platform)]


def _lists(platform: Platform) -> Iterator[Reading]:
    for name, chosen in FILTERS:
        yield _timed(platform, f"trace list, {name}", [_list(chosen)] * REPEATS)


def _second_page(platform: Platform) -> Reading:
    first = platform.get(_list({}))
    cursor = first["next_cursor"] if isinstance(first, dict) else None
    return _timed(platform, "trace list, page 2", [_list({"cursor": str(cursor)})] * REPEATS)


def _trace(platform: Platform) -> Reading:
    paths = [f"/api/v1/traces/{long_trace_id(number)}" for number in range(REPEATS)]
    return _timed(platform, "a trace of 50 spans", paths)


def _sums(platform: Platform) -> Iterator[Reading]:
    for group in GROUPS:
        path = f"/api/v1/usage?{urlencode({**_window(), 'group_by': group, 'limit': '1000'})}"
        yield _timed(platform, f"usage by {group}", [path] * SUM_REPEATS)


def _list(chosen: dict[str, str]) -> str:
    return f"/api/v1/traces?{urlencode({**_window(), 'limit': '50', **chosen})}"


def _window() -> dict[str, str]:
    now = datetime.now(UTC)
    return {"from": (now - timedelta(days=DAYS)).isoformat(), "to": now.isoformat()}


def _timed(platform: Platform, name: str, paths: list[str]) -> Reading:
    """The first answer is checked and not counted: it compiles the query and warms the page cache."""
    rows = _rows(name, platform.get(paths[0]))
    milliseconds = []
    for path in paths:
        began = time.perf_counter()
        platform.get(path)
        milliseconds.append((time.perf_counter() - began) * 1000)
    return Reading(
        name=name,
        p50=percentile(milliseconds, 50),
        p95=percentile(milliseconds, 95),
        p99=percentile(milliseconds, 99),
        rows=rows,
    )


def _rows(name: str, answer: JSONValue) -> int:
    found = (answer.get("data") or answer.get("spans")) if isinstance(answer, dict) else None
    if not isinstance(found, list) or not found:
        raise Refused(f"{name}: no rows in the answer")
    return len(found)
