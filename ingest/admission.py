"""Whether a project may send now: counted in Valkey, one round trip a request, none for projects without a limit.

While Valkey is away spans are taken uncounted: it must not stop ingest. A refusal is remembered in the process, so
that the requests that follow are refused before their bodies are read.
"""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import structlog
from redis.exceptions import NoScriptError, RedisError

from ingest import metrics, pacing
from ingest.reasons import Reason
from tracehouse import valkey
from tracehouse.tenancy.keys import KeyHolder
from tracehouse.tenancy.limits import Limits

log = structlog.get_logger()

# A remembered refusal is asked again after this long: limits are raised, and counters cleared.
REMEMBER_SECONDS = 5.0
MAX_REMEMBERED = 10_000
# After a failure Valkey is left alone this long, so that its timeouts do not add up.
AWAY_SECONDS = 5.0


class OverLimit(Exception):
    """The project has used up one of its limits; nothing was counted or stored."""

    def __init__(self, reason: Reason, wait: float, *, spans: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.spans = spans  # 0 when the body was not read
        self.retry_after = max(1, math.ceil(wait))


@dataclass(frozen=True, slots=True)
class _Refusal:
    limits: Limits
    until: float
    ask_again: float
    reason: Reason


_refusals: OrderedDict[int, _Refusal] = OrderedDict()
_refusals_lock = threading.Lock()
_away_until = 0.0
_sha = ""


def check_remembered(holder: KeyHolder, *, now: float | None = None) -> None:
    """Before the body is read: raises `OverLimit` while an earlier refusal of this process still holds."""
    if holder.limits is None:
        return
    found = _refusals.get(holder.project_id)
    if found is None:
        return
    moment = time.time() if now is None else now
    if found.limits == holder.limits and moment < found.ask_again:
        raise OverLimit(found.reason, found.until - moment)
    with _refusals_lock:
        _refusals.pop(holder.project_id, None)


def admit(holder: KeyHolder, *, spans: int, size: int, now: float | None = None) -> None:
    """Counts a batch against the project's limits. Raises `OverLimit`, and then has counted nothing."""
    limits = holder.limits
    if limits is None or not (spans or size):
        return
    moment = time.time() if now is None else now
    refusing, wait = _ask(limits, holder.project_id, spans, size, moment, check=True)
    if refusing:
        _remember(
            holder.project_id, _Refusal(limits, moment + wait, moment + min(wait, REMEMBER_SECONDS), refusing)
        )
        raise OverLimit(refusing, wait, spans=spans)


def charge(holder: KeyHolder, *, size: int, now: float | None = None) -> None:
    """Counts the bytes of a body that was read and holds nothing that could be taken."""
    if holder.limits is not None:
        _ask(holder.limits, holder.project_id, 0, size, time.time() if now is None else now, check=False)


def give_back(holder: KeyHolder, *, spans: int, size: int, now: float | None = None) -> None:
    """Takes back what `admit` counted for a batch that then could not be stored: it will be sent again."""
    if holder.limits is not None and spans:
        moment = time.time() if now is None else now
        _ask(holder.limits, holder.project_id, -spans, -size, moment, check=False)


def forget_all() -> None:
    """Forgets remembered refusals and that Valkey was away."""
    global _away_until  # noqa: PLW0603
    with _refusals_lock:
        _refusals.clear()
    _away_until = 0.0


def _ask(
    limits: Limits, project_id: int, spans: int, size: int, now: float, *, check: bool
) -> tuple[Reason | None, float]:
    """The reason of the rule that refuses and the seconds to wait; nothing refuses while Valkey is away."""
    global _away_until  # noqa: PLW0603
    if time.monotonic() < _away_until:
        metrics.limits_unchecked.inc()
        return None, 0
    rules = pacing.rules(limits, project_id=project_id, spans=spans, size=size, now=now)
    keys = [rule.key for rule in rules]
    try:
        number, wait = _run(keys, pacing.arguments(rules, now=now, check=check))
    except (RedisError, OSError) as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        metrics.limits_unchecked.inc()
        log.warning("ingest.limits_unchecked", error=type(error).__name__, seconds=AWAY_SECONDS)
        return None, 0
    if not number:
        return None, 0
    rule = rules[number - 1]
    return rule.reason, rule.wait or wait


def _run(keys: list[str], arguments: list[str | int | float]) -> tuple[int, float]:
    global _sha  # noqa: PLW0603
    client = valkey.client()
    try:
        number, wait = client.evalsha(_sha or "0" * 40, len(keys), *keys, *arguments)
    except NoScriptError:  # the first time, and after a restart of Valkey
        _sha = str(client.script_load(pacing.SCRIPT))
        number, wait = client.evalsha(_sha, len(keys), *keys, *arguments)
    return int(number), float(wait)


def _remember(project_id: int, refusal: _Refusal) -> None:
    with _refusals_lock:
        _refusals[project_id] = refusal
        if len(_refusals) > MAX_REMEMBERED:
            _refusals.popitem(last=False)
