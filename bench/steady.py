"""Load for minutes on end, with the memory of each process once a minute: does anything grow?"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import load, processes, workload
from bench.installation import Installation

MINUTES = 5
# Made anew for each burst: the same spans again would be stored as one.
SPANS_A_BURST = 10_000
FIRST_SEED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What had been sent after that many minutes, and what the processes held then, in mebibytes by name."""

    spans: int
    resident: Mapping[str, float]


def measure(installation: Installation, connections: int, minutes: int = MINUTES) -> list[Minute]:
    """Raises what `load.measure` raises: every burst is waited for until the API counts it."""
    began, sent, found = time.monotonic(), 0, list[Minute]()
    while len(found) < minutes:
        burst = workload.build(SPANS_A_BURST, datetime.now(UTC), seed=FIRST_SEED + sent)
        sent += load.measure(installation, burst, connections).spans
        if time.monotonic() - began >= 60 * (len(found) + 1):
            held = {group.name: group.resident for group in processes.measure(installation.data)}
            found.append(Minute(spans=sent, resident=held))
    return found
