"""A log record to the part of a span that it is, for the events that carry GenAI content. Pure.

The part holds one entry and nothing else: a record may arrive before its span, after it or twice, and what it
says must neither be lost nor wipe what the span or another record says.
"""

import hashlib
import hmac
import re

import msgspec

from ingest.conventions import otel_genai
from ingest.otlp.decode import Refusal
from ingest.otlp.logs import EVENT_NAME
from ingest.otlp.records import OtlpLog, OtlpSpan
from ingest.values import content, mapping
from traces.span import Attributes, EntryKind, Event, LogEntry, Span

_MESSAGE = re.compile(r"gen_ai\.(?P<role>[a-z]{1,20})\.message")
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_KEY_BYTES = 12


def part(log: OtlpLog, *, project_id: int, secret: bytes, now_ns: int) -> Span | Refusal:
    """The part of its span that a record is, or why nothing of it is kept. `secret` keys the entry's name."""
    if not _is_kept(log):
        return Refusal.LOG_NOT_KEPT
    if not (log.trace_id and log.span_id):
        return Refusal.LOG_WITHOUT_SPAN
    entry = _entry(log, secret)
    if entry is None:
        return Refusal.LOG_EMPTY
    return Span(
        project_id=project_id,
        trace_id=log.trace_id,
        span_id=log.span_id,
        recorded_ns=entry.time_ns or now_ns,
        log_entries=(entry,),
    )


def _is_kept(log: OtlpLog) -> bool:
    return log.name.startswith("gen_ai.") or _is_exception(log)


def _is_exception(log: OtlpLog) -> bool:
    """The event, or a log line that was written with an exception."""
    return log.name == "exception" or (not log.name and "exception.type" in log.attributes)


def _entry(log: OtlpLog, secret: bytes) -> LogEntry | None:
    kind, told = _told(log)
    if not told:
        return None
    return LogEntry(
        key=_key(log, secret),
        kind=kind,
        name=log.name or "exception",
        time_ns=log.time_ns or log.observed_ns,
        place=log.place,
        attributes=told,
    )


def _told(log: OtlpLog) -> tuple[EntryKind, Attributes | None]:
    """What kind of entry a record is, and its content; None where it carries none."""
    if log.name == otel_genai.CHOICE_EVENT:
        return EntryKind.OUTPUT, _spoken(otel_genai.event_choice(_event(log)))
    if (found := _MESSAGE.fullmatch(log.name)) is not None:
        return EntryKind.INPUT, _spoken(otel_genai.event_message(_event(log), found["role"]))
    if log.name == otel_genai.DETAILS_EVENT:
        return EntryKind.DETAILS, _details(log)
    return EntryKind.EVENT, _attributes(log)


def _spoken(message: Attributes) -> Attributes | None:
    return message if message["parts"] else None


def _event(log: OtlpLog) -> Event:
    """The record as the event of a span that it once was: its body holds what attributes held there."""
    body = mapping(log.body)
    told = body if body is not None else {"content": log.body} if log.body is not None else {}
    return Event(name=log.name, time_ns=log.time_ns, attributes={**log.attributes, **told})


def _details(log: OtlpLog) -> Attributes | None:
    """The details of a call, read as the same attributes on a span are."""
    attributes = {**log.attributes, **(mapping(log.body) or {})}
    attributes.pop(EVENT_NAME, None)
    reading = otel_genai.read(_as_span(log, attributes))
    told = {
        "input": reading.input,
        "output": reading.output,
        "tool_definitions": reading.tool_definitions,
    }
    found: Attributes = {name: value for name, value in told.items() if value is not None}
    if not found:
        return None
    left = {name: value for name, value in attributes.items() if name not in reading.consumed}
    return {**found, "attributes": left}


def _as_span(log: OtlpLog, attributes: Attributes) -> OtlpSpan:
    return OtlpSpan(
        trace_id=log.trace_id,
        span_id=log.span_id,
        parent_id="",
        name=log.name,
        start_ns=log.time_ns,
        end_ns=log.time_ns,
        status_code=0,
        status_message="",
        attributes=attributes,
        events=(),
        links=(),
        resource=log.resource,
        scope=log.scope,
    )


def _attributes(log: OtlpLog) -> Attributes:
    told = {name: value for name, value in log.attributes.items() if name != EVENT_NAME}
    body = content(log.body)
    return {**told, "body": body} if body is not None else told


def _key(log: OtlpLog, secret: bytes) -> str:
    """The same for the same record however often it is sent. Keyed, because a plain digest of short content
    would give it away; in letters, because digits could pass for a phone number and be redacted."""
    sent = (log.name, log.time_ns or log.observed_ns, log.attributes, log.body)
    digest = hmac.new(secret, msgspec.json.encode(sent, order="sorted"), hashlib.sha256).digest()
    return digest[:_KEY_BYTES].hex().translate(_LETTERS)
