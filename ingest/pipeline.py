"""From bytes to stored spans: named steps of one signature, each timed."""

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import IO, Literal

import msgspec
import structlog
from django.conf import settings

from costs.catalog import rates_for
from costs.pricing import price as price_span
from ingest.limits import MAX_SPAN_BYTES
from ingest.normalize import normalize as normalize_span
from ingest.otlp.decode import Decoded, Refusal, decode_json, decode_protobuf
from ingest.otlp.records import OtlpSpan
from ingest.policy import Policy
from ingest.redact import redact as redact_spans
from ingest.spool import Spool, process_spool
from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.tenancy.keys import KeyHolder
from traces import store as span_store
from traces.span import BILLED_KINDS, Span

log = structlog.get_logger()

DAY_NS = 86_400_000_000_000
MAX_AHEAD_NS = DAY_NS

Wire = Literal["protobuf", "json"]


@dataclass(slots=True)
class Batch:
    """One request on its way through the steps. `refused` counts spans left out, by reason."""

    body: bytes
    wire: Wire
    holder: KeyHolder
    now_ns: int
    records: list[OtlpSpan] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    refused: dict[Refusal, int] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def refuse(self, reason: Refusal) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1


def decode(batch: Batch) -> None:
    decoded: Decoded = (decode_json if batch.wire == "json" else decode_protobuf)(batch.body)
    batch.records, batch.refused = decoded.spans, decoded.refused
    batch.body = b""


def normalize(batch: Batch) -> None:
    for record in batch.records:
        reason = _time_problem(record, batch.now_ns)
        if reason:
            batch.refuse(reason)
        else:
            batch.spans.append(_span(record, batch.holder.project_id))
    batch.records = []


def redact(batch: Batch) -> None:
    holder = batch.holder
    policy = Policy(
        key=holder.redaction_key, regions=holder.phone_regions, keep_identity=holder.keep_identity
    )
    batch.spans = redact_spans(batch.spans, policy)


def price(batch: Batch) -> None:
    batch.spans = [_priced(span) for span in batch.spans]


def encode(batch: Batch) -> None:
    for line in span_store.json_lines(batch.spans):
        if len(line) > MAX_SPAN_BYTES:
            batch.refuse(Refusal.TOO_LARGE)
        else:
            batch.lines.append(line)


def store(batch: Batch) -> None:
    """Returns once the rows are on the disk. Raises `SpoolFull` or `SpoolFailed`."""
    if batch.lines:
        spool().append(b"".join(batch.lines))


# Steps that take spans one by one where a batch fails: normalize works on records, the others on spans.
PER_SPAN = frozenset({"normalize", "redact", "price", "encode"})
STEPS: Mapping[str, Callable[[Batch], None]] = {
    "decode": decode,
    "normalize": normalize,
    "redact": redact,
    "price": price,
    "encode": encode,
    "store": store,
}


def run(batch: Batch) -> Batch:
    """Takes a request through every step. Raises what `decode` and `store` document; then nothing was stored.

    A span that one of our own steps cannot take (a fault of ours) is refused alone, with a reason, so that it
    neither loses its batch nor comes back with every retry.
    """
    for name, step in STEPS.items():
        started = time.perf_counter()
        if name in PER_SPAN:
            _isolated(name, step, batch)
        else:
            step(batch)
        batch.seconds[name] = time.perf_counter() - started
    return batch


def _isolated(name: str, step: Callable[[Batch], None], batch: Batch) -> None:
    records, spans, refused = batch.records, batch.spans, dict(batch.refused)
    try:
        step(batch)
    except Exception:  # tried again span by span, where each failure is logged and counted
        done: list[Span] = []
        batch.refused = refused
        for record, span in zip_longest(records, spans):
            batch.records, batch.spans = [record] if record else [], [span] if span else []
            try:
                step(batch)
            except Exception as error:
                # The class and the frames alone: an exception's text may quote what the span carries.
                log.error("ingest.step_failed", step=name, error=type(error).__name__, frames=_frames(error))
                batch.refuse(Refusal.OUR_FAULT)
            else:
                done += batch.spans
        batch.records, batch.spans = [], done


def _frames(error: Exception) -> list[str]:
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]


def spool() -> Spool:
    return process_spool(_make_spool)


def _make_spool() -> Spool:
    return Spool(Path(settings.DATA_DIR) / "spool", _insert, max_bytes=settings.SPOOL_MAX_BYTES)


def _insert(lines: IO[bytes], token: str) -> None:
    insert_json_lines(span_store.TABLE, lines, token=token)


def _time_problem(record: OtlpSpan, now_ns: int) -> Refusal | None:
    if not record.start_ns:
        return Refusal.NO_START
    if record.start_ns < now_ns - settings.MAX_SPAN_AGE_DAYS * DAY_NS:
        return Refusal.TOO_OLD
    if max(record.start_ns, record.end_ns) > now_ns + MAX_AHEAD_NS:
        return Refusal.IN_FUTURE
    return None


def _span(record: OtlpSpan, project_id: int) -> Span:
    span = normalize_span(record, project_id=project_id)
    if span.start_ns is not None and span.end_ns is not None and span.end_ns < span.start_ns:
        # A clock was set back while the span ran; a negative duration would spoil sums and bars.
        return msgspec.structs.replace(span, end_ns=span.start_ns)
    return span


def _priced(span: Span) -> Span:
    if span.kind not in BILLED_KINDS:
        return span
    rates = rates_for(span.model or span.request_model, span.provider, span.start_ns or 0)
    cost = price_span(span, rates)
    return msgspec.structs.replace(span, cost=cost) if cost else span
