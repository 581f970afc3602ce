"""How late new spans are: how long the oldest that was accepted has been waiting to be inserted."""

import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from ingest import spool_state
from tracehouse import pulse

STALE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Freshness:
    waiting_seconds: float

    @property
    def is_stale(self) -> bool:
        return self.waiting_seconds > STALE_SECONDS

    @property
    def waiting_ms(self) -> float:
        return self.waiting_seconds * 1000


def freshness() -> Freshness:
    """The worst of every living web server's spool; of this one's alone while Valkey is away."""
    own = spool_state.report()
    try:
        others = pulse.spools(time.time())
    except RedisError:
        others = []
    reports = [own, *(report for report in others if report.host != own.host)]
    return Freshness(max(report.oldest_seconds for report in reports))
