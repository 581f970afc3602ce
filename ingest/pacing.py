"""When a limited project may send again: the arithmetic of paces and quotas, done by Valkey in one script.

A pace is a generic cell rate algorithm (ITU-T I.371): the key holds the time at which everything taken so far is
paid off at the allowed pace. A minute's worth may come at once. A quota counts the spans of a calendar day or month.
Both refuse once they are used up, and take the batch that crosses the line whole: a batch larger than what is left
would otherwise be refused for ever. What is refused is not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from ingest.reasons import Reason
from tracehouse.tenancy.limits import Limits

BURST_SECONDS = 60.0
# A quota's counter outlives its period a little, for clocks that differ between web processes.
QUOTA_SLACK_SECONDS = 3_600

# Per key: kind, amount, seconds a unit (pace) or limit (quota), seconds to keep.
# Gives {number of the refusing rule or 0, seconds to wait}.
SCRIPT = """
local now, burst, check = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local holds = {}
for i, key in ipairs(KEYS) do
  local at = 4 * i
  local kind, limit = ARGV[at], tonumber(ARGV[at + 2])
  local held = tonumber(redis.call('GET', key) or '0')
  if kind == 'pace' then
    if check and held - now >= burst then return {i, tostring(held - now - burst)} end
    holds[i] = string.format('%.6f', math.max(held, now) + tonumber(ARGV[at + 1]) * limit)
  else
    if check and held >= limit then return {i, '0'} end
    holds[i] = string.format('%.0f', math.max(held + tonumber(ARGV[at + 1]), 0))
  end
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, holds[i], 'EX', ARGV[4 * i + 3])
end
return {0, '0'}
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit at one moment. `wait` is the time until a used-up quota starts anew; 0 for a pace."""

    reason: Reason
    key: str
    kind: str
    amount: int
    limit: float
    keep: int
    wait: float


def rules(limits: Limits, *, project_id: int, spans: int, size: int, now: float) -> list[Rule]:
    """The rules that hold for a batch of that many spans and bytes."""
    found: list[Rule] = []
    if limits.max_spans_per_second:
        pace = 1 / limits.max_spans_per_second
        found.append(_pace(Reason.SPAN_RATE, project_id, spans, pace))
    if limits.max_mb_per_minute:
        pace = 60 / (limits.max_mb_per_minute * 1_000_000)
        found.append(_pace(Reason.BYTE_RATE, project_id, size, pace))
    if limits.max_spans_per_day:
        period = day_of(now, limits.time_zone)
        found.append(_quota(Reason.DAILY_QUOTA, project_id, spans, limits.max_spans_per_day, period))
    if limits.max_spans_per_month:
        period = month_of(now, limits.time_zone)
        found.append(_quota(Reason.MONTHLY_QUOTA, project_id, spans, limits.max_spans_per_month, period))
    return found


def arguments(rules: Sequence[Rule], *, now: float, check: bool) -> list[str | int | float]:
    """What `SCRIPT` takes after the keys. Without `check` it counts (or, with negative amounts, gives back) only."""
    given: list[str | int | float] = [f"{now:.6f}", BURST_SECONDS, int(check)]
    for rule in rules:
        given += (rule.kind, rule.amount, repr(rule.limit), rule.keep)
    return given


@dataclass(frozen=True, slots=True)
class Period:
    name: str
    seconds_left: float


def day_of(now: float, time_zone: str) -> Period:
    local = datetime.fromtimestamp(now, _zone(time_zone))
    following = _midnight(local + timedelta(days=1))
    return Period(f"{local:%Y-%m-%d}", following.timestamp() - now)


def month_of(now: float, time_zone: str) -> Period:
    local = datetime.fromtimestamp(now, _zone(time_zone))
    following = _midnight(local.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Period(f"{local:%Y-%m}", following.timestamp() - now)


def quota_key(reason: Reason, project_id: int, period: Period) -> str:
    return f"limit:{{{project_id}}}:{reason}:{period.name}"


def _pace(reason: Reason, project_id: int, amount: int, seconds_a_unit: float) -> Rule:
    keep = int(BURST_SECONDS + max(amount, 0) * seconds_a_unit) + 60
    return Rule(reason, f"limit:{{{project_id}}}:{reason}", "pace", amount, seconds_a_unit, keep, 0)


def _quota(reason: Reason, project_id: int, amount: int, limit: int, period: Period) -> Rule:
    key = quota_key(reason, project_id, period)
    keep = int(period.seconds_left) + QUOTA_SLACK_SECONDS
    return Rule(reason, key, "quota", amount, limit, keep, period.seconds_left)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
