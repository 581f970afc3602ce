"""Load for minutes on end, with the memory of each process all the while: does anything grow?"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from bench import load, processes, workload
from bench.installation import Installation

MINUTES = 5
# Made anew for each burst: the same spans again would be stored as one.
SPANS_A_BURST = 10_000
FIRST_SEED = 50_000
# The read that waits for a burst takes in no more than the bursts of this time, however many there were before.
WITHIN = timedelta(minutes=1)
SAMPLE_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What had been sent by its end, and by name the least and the most that processes held during it, in mebibytes."""

    spans: int
    resident: Mapping[str, tuple[float, float]]


def measure(installation: Installation, connections: int, minutes: int = MINUTES) -> list[Minute]:
    """Raises what `load.measure` raises: every burst is waited for until the API counts it."""
    began, sent, found = time.monotonic(), 0, list[Minute]()
    with _sampled(installation.data) as samples:
        while len(found) < minutes:
            burst = workload.build(SPANS_A_BURST, datetime.now(UTC), seed=FIRST_SEED + sent, within=WITHIN)
            sent += load.measure(installation, burst, connections).spans
            if time.monotonic() - began >= 60 * (len(found) + 1):
                found.append(Minute(spans=sent, resident=samples.taken()))
    return found


class _Samples:
    """What processes held, by name, since the last look."""

    def __init__(self) -> None:
        self._lock, self._held = Lock(), dict[str, list[float]]()

    def add(self, data: Path) -> None:
        groups = processes.measure(data)
        with self._lock:
            for group in groups:
                self._held.setdefault(group.name, []).append(group.resident)

    def taken(self) -> dict[str, tuple[float, float]]:
        with self._lock:
            held, self._held = self._held, {}
        return {name: (min(sizes), max(sizes)) for name, sizes in held.items()}


@contextmanager
def _sampled(data: Path) -> Iterator[_Samples]:
    samples, ended = _Samples(), Event()

    def sample() -> None:
        samples.add(data)
        while not ended.wait(SAMPLE_SECONDS):
            samples.add(data)

    thread = Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
