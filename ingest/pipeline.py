"""From bytes to stored spans: named steps of one signature, each timed."""

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import InitVar, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

import msgspec
import structlog
from django.conf import settings

from costs.book import PriceBook
from costs.loading import book_of
from ingest import admission, draining, log_parts, media, plain
from ingest.limits import MAX_SPAN_BYTES
from ingest.normalize import normalize as normalize_span
from ingest.otlp import logs, metrics
from ingest.otlp.decode import Decoded, Malformed, Refusal, decode_json, decode_protobuf
from ingest.otlp.pieces import TooMany
from ingest.otlp.records import OtlpLog, OtlpSpan
from ingest.own_patterns import redact_spans as redact_own
from ingest.policies import policy_for
from ingest.policy import Policy
from ingest.redact import redact as redact_texts
from ingest.redact import redact_identity
from ingest.spool import Spool, SpoolFailed, SpoolFull, process_spool
from tracehouse.tenancy.keys import KeyHolder
from traces import store as span_store
from traces.redactions import added
from traces.span import Span

log = structlog.get_logger()

MAX_TURN_BYTES = 4 * 1024 * 1024
_turn = threading.Lock()

DAY_NS = 86_400_000_000_000
MAX_AHEAD_NS = DAY_NS
IDENTITY_FIELDS = ("user_id", "session_id", "organization_id")

Wire = Literal["protobuf", "json"]
SpanId: TypeAlias = tuple[str, str]  # trace id, span id
Item: TypeAlias = OtlpSpan | OtlpLog | Span | span_store.Row


@dataclass(slots=True)
class Batch:
    """One request on its way through the steps. `refused` counts spans and log records left out, by reason.

    Made with its project's policy, whatever door it came by. Raises `LookupUnavailable`.
    """

    body: bytes
    wire: Wire
    holder: KeyHolder
    now_ns: int
    given_policy: InitVar[Policy | None] = None
    size: int = field(init=False)  # of the body, after decompression
    decoded: int = 0  # items that were counted against the project's limits
    newest_end_ns: int = 0
    refused: dict[Refusal, int] = field(default_factory=dict)
    refused_ids: dict[SpanId, Refusal] = field(default_factory=dict)
    outcomes: list[plain.Outcome] = field(default_factory=list)  # of each plain span, in the order sent
    lines: list[bytes] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    policy: Policy = field(init=False)

    def __post_init__(self, given_policy: Policy | None) -> None:
        self.size = len(self.body)
        self.policy = given_policy or policy_for(self.holder)

    def refuse(self, reason: Refusal, what: Item | None = None) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        if what is not None:
            ids = span_store.ids(what) if isinstance(what, span_store.Row) else (what.trace_id, what.span_id)
            self.refused_ids[ids] = reason


def decode(batch: Batch) -> list[OtlpSpan]:
    """Raises `Malformed`, `TooMany`."""
    decoded: Decoded = (decode_json if batch.wire == "json" else decode_protobuf)(batch.body)
    batch.refused = decoded.refused
    batch.body = b""
    return decoded.spans


def admit(batch: Batch, items: Sequence[OtlpSpan | OtlpLog | Span]) -> None:
    """Counts the batch against the project's limits. Raises `OverLimit`; then nothing was counted."""
    batch.decoded = len(items)
    batch.newest_end_ns = max((getattr(item, "end_ns", None) or 0 for item in items), default=0)
    admission.admit(batch.holder, spans=batch.decoded, size=batch.size)


def normalize(batch: Batch, records: Sequence[OtlpSpan]) -> list[Span]:
    spans = []
    earliest, latest = _earliest_ns(batch.now_ns), batch.now_ns + MAX_AHEAD_NS
    for record in records:
        reason = _time_problem(record, earliest, latest)
        if reason:
            batch.refuse(reason, record)
        else:
            spans.append(_span(record, batch.holder.project_id))
    return spans


def decode_logs(batch: Batch) -> list[OtlpLog]:
    """Raises `Malformed`, `TooMany`."""
    records = (logs.decode_json if batch.wire == "json" else logs.decode_protobuf)(batch.body)
    batch.body = b""
    return records


def join_logs(batch: Batch, records: Sequence[OtlpLog]) -> list[Span]:
    """Log records to the parts of spans that they are."""
    holder, parts = batch.holder, []
    earliest, latest = _earliest_ns(batch.now_ns), batch.now_ns + MAX_AHEAD_NS
    for record in records:
        part = log_parts.part(
            record, project_id=holder.project_id, secret=holder.redaction_key, now_ns=batch.now_ns
        )
        if isinstance(part, Refusal):
            batch.refuse(part, record)
        elif not earliest <= (part.recorded_ns or 0) <= latest:
            batch.refuse(Refusal.LOG_TIME, record)
        else:
            parts.append(part)
    return parts


def decode_metrics(batch: Batch) -> list[Span]:
    """Only whether it is what it says: metrics are not kept. Raises `Malformed`, `TooMany`."""
    (metrics.count_json if batch.wire == "json" else metrics.count_protobuf)(batch.body)
    batch.body = b""
    return []


def decode_plain(batch: Batch) -> list[Span]:
    """Raises `Malformed`, `TooMany`."""
    terms = plain.Terms(
        project_id=batch.holder.project_id,
        now_ns=batch.now_ns,
        earliest_ns=_earliest_ns(batch.now_ns),
        latest_ns=batch.now_ns + MAX_AHEAD_NS,
    )
    batch.outcomes = plain.read(batch.body, terms)
    batch.body = b""
    spans = [outcome.span for outcome in batch.outcomes if outcome.span is not None]
    for _ in range(len(batch.outcomes) - len(spans)):
        batch.refuse(Refusal.INVALID)
    return spans


def price(batch: Batch, spans: Sequence[Span]) -> list[Span]:
    book = book_of(batch.holder.project_id)
    return [_priced(span, book) for span in spans]


def encode(batch: Batch, spans: Sequence[Span]) -> list[span_store.Row]:
    """Spans as rows of text, in memory; identities are redacted here, where they are known as such."""
    policy = batch.policy
    if policy.patterns:
        # A project's own patterns see every string as it was sent, but not what is cut out.
        spans = redact_own([media.without_media_span(span) for span in spans], policy)
    if not policy.keep_identity:
        spans = [_anonymous(span, policy) for span in spans]
    rows = [span_store.encode(span) for span in spans]
    if media.may_be_in(b"\n".join([row.body for row in rows])):
        rows = [span_store.encode(media.without_media_span(span)) for span in spans]
    return rows


def redact(batch: Batch, rows: Sequence[span_store.Row]) -> list[bytes]:
    """From here on nothing private is left: the lines are what is written."""
    cleaned = redact_texts([row.body for row in rows], batch.policy)
    lines = []
    for row, (text, counts) in zip(rows, cleaned, strict=True):
        line = span_store.line(row.head, text, added(row.redactions, counts))
        if len(line) > MAX_SPAN_BYTES:
            batch.refuse(Refusal.TOO_LARGE, row)
        else:
            lines.append(line)
    return lines


def store(batch: Batch, lines: Sequence[bytes]) -> list[bytes]:
    """Returns once the rows are on the disk. Raises `SpoolFull` or `SpoolFailed`."""
    try:
        if lines:
            spool().append(b"".join(lines), map(span_store.key, lines))
    except (SpoolFull, SpoolFailed):
        admission.give_back(batch.holder, spans=batch.decoded, size=batch.size)
        raise
    return list(lines)


ItemStep: TypeAlias = Callable[[Batch, Any], list[Any]]


@dataclass(frozen=True, slots=True)
class Steps:
    """What a door does with a request: to items, each step from those of the one before, and at last to lines.

    The steps between decoding and storing take their items one by one where a batch fails.
    """

    decode: Callable[[Batch], list[Any]]
    per_item: Mapping[str, ItemStep]


_FROM_SPANS: Mapping[str, ItemStep] = {"price": price, "encode": encode, "redact": redact}
TRACES = Steps(decode, {"normalize": normalize, **_FROM_SPANS})
LOGS = Steps(decode_logs, {"normalize": join_logs, **_FROM_SPANS})
METRICS = Steps(decode_metrics, {})
PLAIN = Steps(decode_plain, _FROM_SPANS)
STEPS = ("decode", *TRACES.per_item, "store")


def run(batch: Batch, steps: Steps = TRACES) -> Batch:
    """Takes a request through every step. Raises what decode, admit and store document; then nothing was stored.

    A span that one of our own steps cannot take (a fault of ours) is refused alone, with a reason, so that it
    neither loses its batch nor comes back with every retry.
    """
    # Threads that take turns at the interpreter every few milliseconds push each other's data out of the cache:
    # a tenth of the work. A body that takes long must not keep small ones waiting, and takes no turn.
    with _turn if batch.size <= MAX_TURN_BYTES else nullcontext():
        items = made_lines(batch, steps)
    batch.lines = _timed(batch, "store", lambda: store(batch, items))
    return batch


def made_lines(batch: Batch, steps: Steps) -> list[bytes]:
    """Everything before storing. Raises `Malformed`, `TooMany` or `OverLimit`."""
    try:
        items: list[Any] = _timed(batch, "decode", lambda: steps.decode(batch))
    except (Malformed, TooMany):
        admission.charge(batch.holder, size=batch.size)  # it was read, and may come again and again
        raise
    admit(batch, items)
    for name, step in steps.per_item.items():
        items = _timed(batch, name, partial(_isolated, name, step, batch, items))
    return items


def _timed(batch: Batch, name: str, step: Callable[[], list[Any]]) -> list[Any]:
    started = time.perf_counter()
    made = step()
    batch.seconds[name] = time.perf_counter() - started
    return made


def _isolated(
    name: str, step: Callable[[Batch, Any], list[Any]], batch: Batch, items: Sequence[Any]
) -> list[Any]:
    refused = dict(batch.refused)
    try:
        return step(batch, items)
    except Exception:  # tried again one by one, where each failure is logged and counted
        batch.refused = refused
        made: list[Any] = []
        for item in items:
            try:
                made += step(batch, [item])
            except Exception as error:
                # The class and the frames alone: an exception's text may quote what the span carries.
                log.error("ingest.step_failed", step=name, error=type(error).__name__, frames=_frames(error))
                batch.refuse(Refusal.OUR_FAULT, item)
        return made


def _anonymous(span: Span, policy: Policy) -> Span:
    changes: dict[str, Any] = {}
    counts: Mapping[str, int] = span.redactions or {}
    for name in IDENTITY_FIELDS:
        value = getattr(span, name)
        if value:
            hashed, found = redact_identity(value, policy)
            if found:
                changes[name] = hashed
                counts = added(counts, found)
    return msgspec.structs.replace(span, **changes, redactions=dict(counts)) if changes else span


def _frames(error: Exception) -> list[str]:
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]


def spool() -> Spool:
    return process_spool(_make_spool)


def _make_spool() -> Spool:
    return Spool(Path(settings.DATA_DIR) / "spool", _insert, max_bytes=settings.SPOOL_MAX_BYTES)


def _insert(lines: IO[bytes], token: str, /, *, is_distinct: bool) -> None:
    draining.insert(
        span_store.TABLE,
        lines,
        token,
        later=span_store.INDEXED_LATER,
        is_distinct=is_distinct,
        ended=span_store.ended,
    )


def _earliest_ns(now_ns: int) -> int:
    return now_ns - settings.MAX_SPAN_AGE_DAYS * DAY_NS


def _time_problem(record: OtlpSpan, earliest_ns: int, latest_ns: int) -> Refusal | None:
    if not record.start_ns:
        return Refusal.NO_START
    if record.start_ns < earliest_ns:
        return Refusal.TOO_OLD
    if record.start_ns > latest_ns or record.end_ns > latest_ns:
        return Refusal.IN_FUTURE
    return None


def _span(record: OtlpSpan, project_id: int) -> Span:
    span = normalize_span(record, project_id=project_id)
    if span.start_ns is not None and span.end_ns is not None and span.end_ns < span.start_ns:
        # A clock was set back while the span ran; a negative duration would spoil sums and bars.
        return msgspec.structs.replace(span, end_ns=span.start_ns)
    return span


def _priced(span: Span, book: PriceBook) -> Span:
    cost = book.price(span)
    return msgspec.structs.replace(span, cost=cost) if cost else span
