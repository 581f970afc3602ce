"""Sends a workload over several keep-alive connections and measures until the API counts all of it."""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.installation import Installation
from bench.workload import Payload, Workload
from ingest.demo.platform import Platform

POLL_SECONDS = 0.05
VISIBLE_SECONDS = 300.0


class NotAllVisible(Exception):
    """Spans were acknowledged and the API does not count them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    spans: int
    acknowledged_seconds: float
    visible_seconds: float
    p50_ms: float
    p99_ms: float
    tried_again: int

    @property
    def acknowledged_rate(self) -> float:
        return self.spans / self.acknowledged_seconds

    @property
    def visible_rate(self) -> float:
        return self.spans / self.visible_seconds


@dataclass(slots=True)
class _Senders:
    """What the connections share: the next payload, and what each acknowledgement took."""

    payloads: Iterator[Payload]
    seconds: list[float] = field(default_factory=list)
    tried_again: int = 0
    problems: list[Exception] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, platform: Platform) -> None:
        try:
            with platform:
                while payload := self._take():
                    self._send(platform, payload)
        except Exception as error:
            self.problems.append(error)

    def _take(self) -> Payload | None:
        with self.lock:
            return next(self.payloads, None)

    def _send(self, platform: Platform, payload: Payload) -> None:
        began = time.perf_counter()
        again = platform.send(payload.body)
        took = time.perf_counter() - began
        with self.lock:
            self.seconds.append(took)
            self.tried_again += again


def measure(installation: Installation, workload: Workload, connections: int) -> Figures:
    """Raises `NotAllVisible`, or what the first failing connection raised."""
    with installation.platform() as platform:
        before = invocations(platform, workload)
        began = time.perf_counter()
        senders = _send_all(installation, workload.payloads, connections)
        acknowledged = time.perf_counter() - began
        visible = _when_counted(platform, workload, before) - began
    return Figures(
        spans=workload.spans,
        acknowledged_seconds=acknowledged,
        visible_seconds=visible,
        p50_ms=percentile(senders.seconds, 50) * 1000,
        p99_ms=percentile(senders.seconds, 99) * 1000,
        tried_again=senders.tried_again,
    )


def invocations(platform: Platform, workload: Workload) -> int:
    window = {"from": workload.began.isoformat(), "to": workload.ended.isoformat()}
    answer = platform.get("/api/v1/usage", group_by="day", **window)
    rows = answer["data"] if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise NotAllVisible(f"/api/v1/usage answered {answer!r}")
    return sum(int(str(row["invocations"])) for row in rows if isinstance(row, dict))


def _is_there(platform: Platform, trace_id: str) -> bool:
    status, _, _ = platform.request("GET", f"/api/v1/traces/{trace_id}")
    return status == 200


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` in a hundred of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _send_all(installation: Installation, payloads: Sequence[Payload], connections: int) -> _Senders:
    senders = _Senders(iter(payloads))
    threads = [
        threading.Thread(target=senders.run, args=(installation.platform(),)) for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if senders.problems:
        raise senders.problems[0]
    return senders


def _when_counted(platform: Platform, workload: Workload, before: int) -> float:
    """When the API was asked for the count that has every trace: what a count sees was there when it was asked for.

    Counting is work for the processors that are measured, so it begins once the traces that were sent last can be read.
    """
    deadline = time.monotonic() + VISIBLE_SECONDS
    for trace_id in workload.last:
        while not _is_there(platform, trace_id) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    while True:
        asked = time.perf_counter()
        found = invocations(platform, workload) - before
        if found >= workload.traces:
            return asked
        if time.monotonic() > deadline:
            raise NotAllVisible(f"the API counts {found} of {workload.traces} traces")
        time.sleep(POLL_SECONDS)
