"""Reading ten million spans by HTTP, as the trace explorer does, and what the engine reads for it."""

import math
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from clickhouse_connect.driver.client import Client

from bench.installation import Installation
from bench.load import percentile
from bench.many import LONG_TRACES, long_trace_id
from bench.store import read_so_far
from ingest.demo.platform import Platform, Refused
from traces.span import JSONValue

DAYS = 30
REPEATS = 20
FEW_REPEATS = 5  # of requests that may take a second
COLD_REPEATS = 5  # of requests that find nothing of the stores in memory
ASKED = REPEATS + COLD_REPEATS
COUNTED = 3  # requests whose reading is counted; the least of them is free of what else the engine does


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request: what it asks, and the milliseconds that 95 in a hundred may take."""

    name: str
    paths: list[str]  # the last COLD_REPEATS of them are asked from disk, unless there are no more
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    name: str
    target: int
    p50: float
    p95: float
    rows: int  # in the answer
    rows_read: int  # by the engine, for one answer
    bytes_read: int
    from_disk: float = math.nan  # milliseconds at the median; asked once all else is


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Values of the stored spans to ask for, another one each time: the engine remembers what it was asked."""

    user_ids: list[str]
    session_ids: list[str]
    organization_ids: list[str]
    marks: list[str]  # words that one span says


LIST, TEXT_DAY, TEXT_MONTH = 250, 500, 3000
TRACE_TARGETS = {100: 100, 10_000: 1000}


def measure(installation: Installation, client: Client) -> list[Read]:
    """One connection, kept alive, one request after another; from disk in the end. Raises `Refused`."""
    kinds = list(_kinds(_examples(client)))
    with installation.platform() as platform:
        reads = [_timed(platform, client, kind) for kind in kinds]
        return [
            replace(read, from_disk=_from_disk(platform, installation.data, kind))
            for read, kind in zip(reads, kinds, strict=True)
        ]


def _kinds(examples: Examples) -> Iterator[Kind]:
    for name, filters in _filters(examples).items():
        yield Kind(name=f"list, {name}", paths=[_list(chosen) for chosen in filters], target=LIST)
    for order in ("time", "-latency", "-cost", "-tokens"):
        yield Kind(name=f"list, order {order}", paths=[_list({"order": order})] * ASKED, target=LIST)
    for name, texts in _searches(examples).items():
        day = [_list({"q": q}, days=1, ago=ago) for ago, q in enumerate(texts, start=1)]
        month = [_list({"q": q}) for q in texts[: FEW_REPEATS + COLD_REPEATS]]
        yield Kind(name=f"search, a day, {name}", paths=day, target=TEXT_DAY)
        yield Kind(name=f"search, 30 days, {name}", paths=month, target=TEXT_MONTH)
    dear = [_list({"q": "needle", "order": "-cost"})] * (FEW_REPEATS + COLD_REPEATS)
    yield Kind(name="search, 30 days, rare word, order -cost", paths=dear, target=TEXT_MONTH)
    for spans, traces in LONG_TRACES.items():
        paths = [f"/api/v1/traces/{long_trace_id(spans, number)}" for number in range(traces)]
        yield Kind(name=f"a trace of {spans:,} spans", paths=paths, target=TRACE_TARGETS[spans])


def _filters(examples: Examples) -> dict[str, list[dict[str, str]]]:
    def same(**chosen: str) -> list[dict[str, str]]:
        return [chosen] * ASKED

    def each(name: str, values: Iterable[str]) -> list[dict[str, str]]:
        return [{name: value} for value in values]

    numbers = range(ASKED)
    return {
        "no filter": same(),
        "user_id": each("user_id", examples.user_ids),
        "session_id": each("session_id", examples.session_ids),
        "organization_id": each("organization_id", examples.organization_ids),
        "feature": same(feature="draft"),
        "environment": same(environment="production"),
        "status": same(status="error"),
        "has_error": same(has_error="true"),
        "has_error, none": same(has_error="false"),
        "name": same(name="agent.invocation"),
        "model": same(model="gpt-4.1-mini"),
        "tool": same(tool="ga4_query"),
        "prompt": same(prompt_name="bench", prompt_version="7"),
        "prompt_version alone": same(prompt_version="7"),
        "without user_id": same(without="user_id"),
        "without prompt_name": same(without="prompt_name"),
        "score": each("score", (f"quality>={0.9 + number / 1000}" for number in numbers)),
        "score of its session": same(score="feedback=wrong"),
        "tags": same(tags="vip"),
        "attribute": each("attribute", (f"bench.shard:{77 + number}" for number in numbers)),
        "attribute, name alone": same(attribute="gen_ai.tool.name"),
        "min_latency_ms": each("min_latency_ms", (str(13_000 + number) for number in numbers)),
        "min_cost_usd": each("min_cost_usd", (f"{0.07 + number / 10_000:.4f}" for number in numbers)),
    }


def _searches(examples: Examples) -> dict[str, list[str]]:
    return {
        "one span's word": examples.marks,
        "rare word": ["needle"] * ASKED,
        "phrase": ['"in a haystack"'] * ASKED,
        "common words": ["role content"] * ASKED,
        "part of a word": ["haystac*"] * ASKED,
        "no span's word": [f"nobodysaidthis{number}" for number in range(ASKED)],
    }


def _examples(client: Client) -> Examples:
    asked = {"repeats": ASKED}
    belonging = client.query(_BELONGINGS, parameters=asked).result_rows[0]
    marks = [row[0] for row in client.query(_MARKS, parameters=asked).result_rows]
    return Examples(
        **dict(zip(("user_ids", "session_ids", "organization_ids"), belonging, strict=True)), marks=marks
    )


def _list(chosen: dict[str, str], *, days: int = DAYS, ago: int = 0) -> str:
    end = datetime.now(UTC) - timedelta(days=ago)
    window = {"from": (end - timedelta(days=days)).isoformat(), "to": end.isoformat()}
    return f"/api/v1/traces?{urlencode({**window, 'limit': '50', **chosen})}"


def _timed(platform: Platform, client: Client, kind: Kind) -> Read:
    """The first answer is not timed: it compiles the query and warms the page cache."""
    rows = _rows(platform.get(kind.paths[0]))
    milliseconds, reading = [], []
    for number, path in enumerate(kind.paths[:-COLD_REPEATS] or kind.paths):
        before = read_so_far(client) if number < COUNTED else None
        milliseconds.append(_ask(platform, path))
        if before:
            after = read_so_far(client)
            reading.append((after[0] - before[0], after[1] - before[1]))
    rows_read, bytes_read = min(reading)
    return Read(
        name=kind.name,
        target=kind.target,
        p50=percentile(milliseconds, 50),
        p95=percentile(milliseconds, 95),
        rows=rows,
        rows_read=rows_read,
        bytes_read=bytes_read,
    )


def _from_disk(platform: Platform, stores: Path, kind: Kind) -> float:
    """The median of requests before each of which no page of a store's file is in memory."""
    milliseconds = []
    for path in kind.paths[-COLD_REPEATS:]:
        _let_go(stores)
        milliseconds.append(_ask(platform, path))
    return percentile(milliseconds, 50)


def _let_go(folder: Path) -> None:
    """Asks the system to keep no page of these files: a merge may take one away meanwhile."""
    for file in filter(Path.is_file, folder.rglob("*")):
        with suppress(FileNotFoundError), file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _ask(platform: Platform, path: str) -> float:
    """Milliseconds. Raises `Refused`."""
    began = time.perf_counter()
    status, _, _ = platform.request("GET", path)
    took = (time.perf_counter() - began) * 1000
    if status != HTTPStatus.OK:
        raise Refused(f"{path}: HTTP {status}")
    return took


def _rows(answer: JSONValue) -> int:
    found = answer.get("data", answer.get("spans")) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise Refused("no rows in the answer")
    return len(found)


_BELONGINGS = """
SELECT
    groupUniqArray({repeats:UInt8})(assumeNotNull(user_id)),
    groupUniqArray({repeats:UInt8})(assumeNotNull(session_id)),
    groupUniqArray({repeats:UInt8})(assumeNotNull(organization_id))
FROM spans
WHERE day = today() - 9
  AND parent_id = 0
"""
_MARKS = """
SELECT extract(assumeNotNull(input), 'ref[0-9a-f]+')
FROM spans
WHERE day = today() - 12
  AND kind = 'llm'
  AND input LIKE '%ref%'
LIMIT {repeats:UInt8}
"""
