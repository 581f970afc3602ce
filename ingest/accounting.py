"""Every request at an ingest door, counted: in metrics at once, and by project for the pages every few seconds.

A request costs a few additions under a lock; a thread adds the sums to PostgreSQL. While that is away the sums wait in
memory, up to a bound; past it the least needed distinctions are dropped first. At the process's end they are written
once more. Each sum is written in one transaction; only a connection that breaks while committing can count it twice.
"""

import atexit
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Protocol

import structlog
from django.db import connection, transaction
from django.http import HttpRequest
from prometheus_client import Histogram
from redis.exceptions import RedisError

from ingest import metrics, spool_state, store
from ingest.otlp.decode import Refusal
from ingest.policy import Policy
from ingest.reasons import Reason, code_of
from ingest.redact import redact_text
from ingest.store import MinuteDelta, RejectionDelta
from tracehouse import pulse
from tracehouse.tenancy.keys import KeyHolder

log = structlog.get_logger()

FLUSH_SECONDS = 5.0
MAX_KEYS = 5_000
# Kinds of senders (program and content type) told apart in a project and hour.
MAX_SENDERS = 20
OTHER = "other"
_PRODUCT = re.compile(r"[A-Za-z][\w.+-]{1,39}(?:/v?\d[\w.+-]{0,19})?")
_CONTENT_TYPE = re.compile(r"[a-z0-9.+-]{1,29}/[a-z0-9.+-]{1,30}")


class Sender(NamedTuple):
    content_type: str
    agent: str


class _RejectionKey(NamedTuple):
    project_id: int
    hour: int
    door: str
    reason: str
    status: int
    sender: Sender


@dataclass(slots=True)
class _Minute:
    requests: int = 0
    refused_requests: int = 0
    spans: int = 0
    rejected_spans: int = 0
    body_bytes: int = 0


@dataclass(slots=True)
class _Rejection:
    requests: int
    spans: int
    body_bytes: int
    largest_bytes: int
    first_at: float
    last_at: float

    def add(self, other: "_Rejection") -> None:
        self.requests += other.requests
        self.spans += other.spans
        self.body_bytes += other.body_bytes
        self.largest_bytes = max(self.largest_bytes, other.largest_bytes)
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)


class Taken(Protocol):
    """What `accepted` reads of a batch that went through the pipeline."""

    lines: list[bytes]
    refused: dict[Refusal, int]
    size: int
    newest_end_ns: int
    seconds: dict[str, float]


Write = Callable[[Sequence[MinuteDelta], Sequence[RejectionDelta]], None]


class Ledger:
    """Sums of one process that wait to be added to PostgreSQL."""

    def __init__(self, write: Write, *, max_keys: int = MAX_KEYS) -> None:
        self._write = write
        self._max_keys = max_keys
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._minutes: dict[tuple[int, int], _Minute] = {}
        self._rejections: dict[_RejectionKey, _Rejection] = {}
        self._senders: dict[tuple[int, int], set[Sender]] = {}

    def accept(
        self, project_id: int, *, spans: int, rejected_spans: int, body_bytes: int, now: float
    ) -> None:
        with self._lock:
            minute = self._minute(project_id, now)
            minute.requests += 1
            minute.spans += spans
            minute.rejected_spans += rejected_spans
            minute.body_bytes += body_bytes

    def refuse(self, project_id: int, *, spans: int, now: float) -> None:
        """A request refused as a whole; `reject` says why."""
        with self._lock:
            minute = self._minute(project_id, now)
            minute.requests += 1
            minute.refused_requests += 1
            minute.rejected_spans += spans

    def reject(
        self,
        project_id: int,
        door: str,
        reason: str,
        status: int,
        sender: Sender,
        *,
        spans: int,
        size: int,
        now: float,
    ) -> None:
        added = _Rejection(1, spans, size, size, now, now)
        hour = int(now // 3600)
        with self._lock:
            key = _RejectionKey(project_id, hour, door, reason, status, self._known(project_id, hour, sender))
            self._add(key, added)

    def flush(self) -> None:
        """Writes what there is. Raises what writing raises; then everything is kept for the next time."""
        with self._writing:
            with self._lock:
                minutes, self._minutes = self._minutes, {}
                rejections, self._rejections = self._rejections, {}
                self._forget_past_senders()
            if not minutes and not rejections:
                return
            try:
                self._write(
                    [_minute_delta(key, value) for key, value in sorted(minutes.items())],
                    [_rejection_delta(key, value) for key, value in sorted(rejections.items())],
                )
            except BaseException:
                self._put_back(minutes, rejections)
                raise

    def waiting(self) -> int:
        with self._lock:
            return len(self._minutes) + len(self._rejections)

    def _minute(self, project_id: int, now: float) -> _Minute:
        key = (project_id, int(now // 60))
        found = self._minutes.get(key)
        if found is None:
            found = _Minute()
            if len(self._minutes) < self._max_keys:
                self._minutes[key] = found
            else:
                metrics.counts_dropped.inc()
        return found

    def _add(self, key: _RejectionKey, added: _Rejection) -> None:
        if key not in self._rejections and len(self._rejections) >= self._max_keys:
            key = key._replace(sender=Sender(OTHER, OTHER))
            if key not in self._rejections and len(self._rejections) >= 2 * self._max_keys:
                metrics.counts_dropped.inc()
                return
        found = self._rejections.get(key)
        if found is None:
            self._rejections[key] = added
        else:
            found.add(added)

    def _known(self, project_id: int, hour: int, sender: Sender) -> Sender:
        known = self._senders.setdefault((project_id, hour), set())
        if sender in known or len(known) < MAX_SENDERS:
            known.add(sender)
            return sender
        return Sender(OTHER, OTHER)

    def _forget_past_senders(self) -> None:
        this_hour = int(time.time() // 3600)
        self._senders = {key: known for key, known in self._senders.items() if key[1] >= this_hour - 1}

    def _put_back(
        self, minutes: dict[tuple[int, int], _Minute], rejections: dict[_RejectionKey, _Rejection]
    ) -> None:
        with self._lock:
            for (project_id, number), old in minutes.items():
                minute = self._minute(project_id, number * 60)
                minute.requests += old.requests
                minute.refused_requests += old.refused_requests
                minute.spans += old.spans
                minute.rejected_spans += old.rejected_spans
                minute.body_bytes += old.body_bytes
            for key, rejection in rejections.items():
                self._add(key, rejection)


class Visit(AbstractContextManager["Visit"]):
    """One request at a door, from its arrival to its answer. What nobody told about is a fault of ours."""

    __slots__ = ("_door", "_request", "_settled", "_started", "holder", "size")

    def __init__(self, request: HttpRequest, door: str) -> None:
        self._request = request
        self._door = door
        self._started = time.perf_counter()
        self._settled = False
        self.holder: KeyHolder | None = None
        length = request.META.get("CONTENT_LENGTH") or ""
        self.size = int(length) if length.isdigit() else 0  # as sent

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._settled:
            self.refused(Reason.FAULT, 500)

    def refused(self, reason: Reason, status: int, *, spans: int = 0) -> None:
        """Nothing of the request was stored. `spans`: how many, where they were counted before."""
        self._settle(status)
        metrics.refused_requests.labels(reason.value).inc()
        if spans:
            metrics.spans.labels("rejected", reason.value).inc(spans)
        if self.holder is not None:
            now = time.time()
            ledger = process_ledger()
            ledger.refuse(self.holder.project_id, spans=spans, now=now)
            self._reject(ledger, self.holder, reason.value, status, spans, now)

    def accepted(self, batch: Taken) -> None:
        """The request's spans are stored, apart from those refused one by one."""
        self._settle(200)
        spans, refused, now = len(batch.lines), batch.refused, time.time()
        _accepted_spans.inc(spans)
        metrics.body_bytes.inc(batch.size)
        _steps.add(batch.seconds)
        if batch.newest_end_ns:
            metrics.sender_delay_seconds.observe(max(now - batch.newest_end_ns / 1e9, 0))
        if self.holder is None:
            return
        rejected = sum(refused.values()) if refused else 0
        ledger = process_ledger()
        ledger.accept(
            self.holder.project_id, spans=spans, rejected_spans=rejected, body_bytes=batch.size, now=now
        )
        for refusal, count in refused.items():
            code = code_of(refusal)
            metrics.spans.labels("rejected", code).inc(count)
            self._reject(ledger, self.holder, code, 200, count, now)

    def _settle(self, status: int) -> None:
        self._settled = True
        _timer(self._door, status).observe(time.perf_counter() - self._started)

    def _reject(
        self, ledger: Ledger, holder: KeyHolder, reason: str, status: int, spans: int, now: float
    ) -> None:
        sender = sender_of(self._request, holder)
        ledger.reject(
            holder.project_id, self._door, reason, status, sender, spans=spans, size=self.size, now=now
        )


_accepted_spans = metrics.spans.labels("accepted", "")
# Looking a labelled metric up costs more than adding to it.
_timers: dict[tuple[str, int], Histogram] = {}


def _timer(door: str, status: int) -> Histogram:
    found = _timers.get((door, status))
    if found is None:
        found = _timers[door, status] = metrics.request_seconds.labels(door, str(status))
    return found


class _Steps:
    """Seconds of pipeline steps, summed here first: seven metrics a request would cost more than all the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    def add(self, seconds: dict[str, float]) -> None:
        with self._lock:
            sums = self._seconds
            for step, took in seconds.items():
                sums[step] = sums.get(step, 0.0) + took

    def publish(self) -> None:
        with self._lock:
            sums, self._seconds = self._seconds, {}
        for step, took in sums.items():
            metrics.step_seconds.labels(step).inc(took)


_steps = _Steps()


def sender_of(request: HttpRequest, holder: KeyHolder) -> Sender:
    """What kind of program sent it: names and versions alone, in case a header holds more than that."""
    policy = Policy(key=holder.redaction_key, regions=holder.phone_regions)
    sent_type = (request.content_type or "").lower()
    content_type = sent_type if _CONTENT_TYPE.fullmatch(sent_type) else (OTHER if sent_type else "")
    agent = " ".join(_products(redact_text(request.headers.get("User-Agent", "")[:200], policy)[0]))
    return Sender(redact_text(content_type, policy)[0][:60], agent[:80])


def _products(agent: str) -> list[str]:
    """The first products of a User-Agent (RFC 9110, 10.1.5), without comments and other words."""
    first, *others = re.sub(r"\([^)]*\)?", " ", agent).split() or [""]
    named = [word for word in others if "/" in word]
    return [word for word in (first, *named) if _PRODUCT.fullmatch(word)][:2]


def write(minutes: Sequence[MinuteDelta], rejections: Sequence[RejectionDelta]) -> None:
    with transaction.atomic():
        store.add(minutes, rejections)


def _minute_delta(key: tuple[int, int], minute: _Minute) -> MinuteDelta:
    project_id, number = key
    return MinuteDelta(
        project_id,
        datetime.fromtimestamp(number * 60, UTC),
        minute.requests,
        minute.refused_requests,
        minute.spans,
        minute.rejected_spans,
        minute.body_bytes,
    )


def _rejection_delta(key: _RejectionKey, rejection: _Rejection) -> RejectionDelta:
    return RejectionDelta(
        key.project_id,
        datetime.fromtimestamp(key.hour * 3600, UTC),
        key.door,
        key.reason,
        key.status,
        key.sender.content_type,
        key.sender.agent,
        rejection.requests,
        rejection.spans,
        rejection.body_bytes,
        rejection.largest_bytes,
        datetime.fromtimestamp(rejection.first_at, UTC),
        datetime.fromtimestamp(rejection.last_at, UTC),
    )


class _Flusher:
    """Writes a ledger, and tells what the spool holds, every few seconds and at the end of the process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-counts", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        _steps.publish()
        try:
            self._ledger.flush()
        except Exception as error:  # a thread that ends would lose every count from then on
            log.warning("ingest.counts_wait", error=type(error).__name__, waiting=self._ledger.waiting())
        finally:
            connection.close()
        try:
            pulse.report_spool(spool_state.report())
        except RedisError as error:
            log.warning("ingest.spool_not_reported", error=type(error).__name__)


_ledgers: dict[int, tuple[Ledger, _Flusher]] = {}
_ledgers_lock = threading.Lock()


def process_ledger() -> Ledger:
    """This process's ledger, made at first use; a fork makes its own."""
    pid = os.getpid()
    found = _ledgers.get(pid)
    if found is None:
        with _ledgers_lock:
            found = _ledgers.get(pid)
            if found is None:
                ledger = Ledger(write)
                found = _ledgers[pid] = (ledger, _Flusher(ledger))
    return found[0]
