"""The only writer of the table `spans`: a span to one JSON line that ClickHouse reads as it is."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from traces.span import Attributes, EntryKind, JSONValue, LogEntry, Span

TABLE = "spans"
# Indexes of `spans` that merges build: an insert that did would take nearly twice as long (schema/README.md).
INDEXED_LATER = "words,facets"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_encoder = msgspec.json.Encoder(decimal_format="string")


class _Head(msgspec.Struct, omit_defaults=True, gc=False):
    """Columns that hold ids, times, counts and words of our own, and identities, which are redacted one by one."""

    project_id: int
    trace_id: str
    span_id: int
    day: str
    parent_id: int | None = None
    start_time: str | None = None
    end_time: str | None = None
    kind: str | None = None
    status: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    organization_id: str | None = None
    time_to_first_token_ns: int | None = None
    input_uncached_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: str | None = None
    reported_cost_usd: str | None = None
    cost_state: str | None = None
    cost_source: str | None = None
    output_bytes: int | None = None
    vocabulary: str | None = None


class _Entry(msgspec.Struct, gc=False):
    """The value of one log entry. `revision` comes first: the table keeps the greatest text of each key."""

    revision: int
    kind: EntryKind
    name: str
    time: str
    place: int
    content: Attributes


class _Body(msgspec.Struct, omit_defaults=True, gc=False):
    """Columns that hold text from outside. A structured value is written as itself: ClickHouse reads an object or
    list into a String column verbatim."""

    name: str | None = None
    status_message: str | None = None
    error_type: str | None = None
    feature: str | None = None
    environment: str | None = None
    release: str | None = None
    input_type: str | None = None
    tags: tuple[str, ...] | None = None
    agent_name: str | None = None
    workflow_name: str | None = None
    model: str | None = None
    request_model: str | None = None
    provider: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    finish_reason: str | None = None
    response_id: str | None = None
    input: JSONValue = None
    output: JSONValue = None
    tool_definitions: JSONValue = None
    request_params: Attributes | None = None
    attributes: Attributes | None = None
    resource: Attributes | None = None
    scope: str | None = None
    events: list[dict[str, JSONValue]] | None = None
    links: list[dict[str, JSONValue]] | None = None
    log_entries: dict[str, _Entry] | None = None


# What follows the sorting key in every line: `_Head` has its fields in this order, and these are always there.
_AFTER_KEY = b',"day":'
# It stands among ids and times of known length, before any text from outside.
_ENDED, _HEAD_BYTES = re.compile(rb'"end_time":"([0-9.]+)"'), 300
# How the text begins of a part that holds one log entry and nothing else.
_ENTRY_ALONE = b'{"log_entries":'


class Row(msgspec.Struct, frozen=True):
    """A span as two JSON objects: what needs no redaction, and the text that does. A field left out is absent: it
    does not wipe what is stored. `redactions` counts what was replaced in the span so far, by detector."""

    head: bytes
    body: bytes
    redactions: Mapping[str, int] = {}


def encode(span: Span) -> Row:
    return Row(_encoder.encode(_head(span)), _encoder.encode(_body(span)), span.redactions or {})


def line(head: bytes, body: bytes, redactions: Mapping[str, int]) -> bytes:
    """What a row holds as a line of `INSERT INTO spans FORMAT JSONEachRow`."""
    text: tuple[bytes | memoryview, ...] = (b",", memoryview(body)[1:-1]) if len(body) > 2 else ()
    counts = b',"redactions":' + _encoder.encode(redactions) if redactions else b""
    if counts and body.startswith(_ENTRY_ALONE):
        # Into the entry: as a column they would take the place of the span's own counts.
        text, counts = (b",", memoryview(body)[1:-3], counts), b"}}"
    return b"".join((head[:-1], *text, counts, b"}\n"))


def key(line: bytes) -> int:
    """The same for all parts of one span, and seldom for those of two: a line begins with its sorting key."""
    return hash(line[: line.index(_AFTER_KEY)])


def ended(line: bytes) -> float | None:
    """When the span of a line ended, in seconds of the epoch; None where the line does not say."""
    found = _ENDED.search(line, 0, _HEAD_BYTES)
    return float(found[1]) if found else None


def json_lines(spans: Iterable[Span]) -> list[bytes]:
    """Spans that hold nothing private, or are redacted already, as lines in order."""
    return [line(row.head, row.body, row.redactions) for row in map(encode, spans)]


def cost_lines(spans: Iterable[Span]) -> list[bytes]:
    """Each span's cost as a part of a row: nothing else that is stored of it changes.

    A part cannot take a value away. So a call that becomes unpriced gets a zero, which its state overrules. The
    start is said once more: a part without one would make the trace look as if it were still arriving.
    """
    return [_encoder.encode(_cost_of(span)) + b"\n" for span in spans if span.cost]


def _cost_of(span: Span) -> _Head:
    cost = span.cost
    return _Head(
        project_id=span.project_id,
        trace_id=span.trace_id,
        span_id=int(span.span_id, 16),
        day=_day(span.start_ns or 0),
        start_time=_seconds(span.start_ns or 0),
        cost_usd=f"{cost.total or 0:f}" if cost else None,
        cost_state=cost.state if cost else None,
        cost_source=cost.source if cost else None,
    )


def _head(span: Span) -> _Head:
    usage, cost = span.usage, span.cost
    # By position: half of the time of building it by name.
    return _Head(
        span.project_id,
        span.trace_id,
        int(span.span_id, 16),
        _day(span.start_ns if span.start_ns is not None else span.recorded_ns or 0),
        int(span.parent_id or "0", 16) if span.parent_id is not None else None,
        _seconds(span.start_ns) if span.start_ns is not None else None,
        _seconds(span.end_ns) if span.end_ns is not None else None,
        span.kind,
        span.status,
        span.user_id,
        span.session_id,
        span.organization_id,
        span.time_to_first_token_ns,
        usage.input_uncached,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.output,
        usage.reasoning,
        f"{cost.total:f}" if cost and cost.total is not None else None,
        f"{span.reported_cost:f}" if span.reported_cost is not None else None,
        cost.state if cost else None,
        (cost.source or None) if cost else None,
        span.output_bytes,
        span.vocabulary,
    )


def _body(span: Span) -> _Body:
    return _Body(
        span.name,
        span.status_message,
        span.error_type,
        span.feature,
        span.environment,
        span.release,
        span.input_type,
        span.tags,
        span.agent_name,
        span.workflow_name,
        span.model,
        span.request_model,
        span.provider,
        span.tool_name,
        span.tool_call_id,
        span.prompt_name,
        span.prompt_version,
        span.finish_reason,
        span.response_id,
        span.input,
        span.output,
        span.tool_definitions,
        span.request_params or None,
        span.attributes or None,
        span.resource or None,
        span.scope or None,
        _events(span),
        _links(span),
        {entry.key: _entry(entry) for entry in span.log_entries} if span.log_entries else None,
    )


def _entry(entry: LogEntry) -> _Entry:
    return _Entry(0, entry.kind, entry.name, _rfc3339(entry.time_ns), entry.place, entry.attributes)


def ids(row: Row) -> tuple[str, str]:
    """Trace id and span id of a row."""
    head = msgspec.json.decode(row.head)
    return head["trace_id"], f"{head['span_id']:016x}"


def _events(span: Span) -> list[dict[str, JSONValue]] | None:
    if not span.events:
        return None
    return [
        {"name": event.name, "time": _rfc3339(event.time_ns), "attributes": event.attributes}
        for event in span.events
    ]


def _links(span: Span) -> list[dict[str, JSONValue]] | None:
    if not span.links:
        return None
    return [
        {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": link.attributes}
        for link in span.links
    ]


def _day(nanoseconds: int) -> str:
    return _date(nanoseconds // 86_400_000_000_000)


@lru_cache(maxsize=1024)
def _date(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).isoformat()


def _seconds(nanoseconds: int) -> str:
    """Seconds with nine decimals, which ClickHouse reads into DateTime64(9) without loss."""
    digits = f"{nanoseconds:019d}"
    return f"{digits[:-9]}.{digits[-9:]}"


def _rfc3339(nanoseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(nanoseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 1_000_000_000:09d}Z"
