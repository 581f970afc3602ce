"""What a project's limits are, and how much of its quotas is used: for people, not for deciding."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from ingest import pacing
from ingest.reasons import Reason
from tracehouse import valkey
from tracehouse.tenancy.limits import Limits


@dataclass(frozen=True, slots=True)
class LimitState:
    """`used` is None for a pace, and while Valkey does not answer."""

    name: str
    limit: str
    used: int | None
    share: float | None

    @property
    def is_used_up(self) -> bool:
        return self.share is not None and self.share >= 1


def states(limits: Limits | None, project_id: int) -> list[LimitState]:
    """One for each limit that is set."""
    if limits is None:
        return []
    found: list[LimitState] = []
    if limits.max_spans_per_second:
        words = f"{limits.max_spans_per_second:,} spans a second, averaged over a minute"
        found.append(LimitState("Rate", words, None, None))
    if limits.max_mb_per_minute:
        found.append(LimitState("Volume", f"{limits.max_mb_per_minute:,} MB a minute", None, None))
    used = _used(limits, project_id)
    if limits.max_spans_per_day:
        found.append(_quota("Today", limits.max_spans_per_day, used.get(Reason.DAILY_QUOTA)))
    if limits.max_spans_per_month:
        found.append(_quota("This month", limits.max_spans_per_month, used.get(Reason.MONTHLY_QUOTA)))
    return found


def _quota(name: str, limit: int, used: int | None) -> LimitState:
    return LimitState(name, f"{limit:,} spans", used, None if used is None else used / limit)


def _used(limits: Limits, project_id: int) -> Mapping[Reason, int]:
    now = time.time()
    periods = {
        Reason.DAILY_QUOTA: pacing.day_of(now, limits.time_zone),
        Reason.MONTHLY_QUOTA: pacing.month_of(now, limits.time_zone),
    }
    keys = [pacing.quota_key(reason, project_id, period) for reason, period in periods.items()]
    try:
        values: Any = valkey.client().mget(keys)
    except RedisError:
        return {}
    return {reason: int(value or 0) for reason, value in zip(periods, values, strict=True)}
