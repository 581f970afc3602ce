"""A span as the REST API answers it: stored JSON goes through as it is, and tools are joined to the calls that asked.

Nothing of a body is taken apart that need not be: a trace of ten thousand spans is forty megabytes of it. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from traces import tool_calls
from traces.logged import read as read_entries
from traces.logged import with_own_events
from traces.nesting import decoded
from traces.redactions import added
from traces.span import JSONValue
from traces.tool_calls import Executed, Requested

# Stored JSON as it stands, or what was made here.
Content: TypeAlias = Raw | JSONValue
# Spans that are made JSON at once.
AT_ONCE = 500
NO_FIELDS, NO_ITEMS = Raw("{}"), Raw("[]")
_encode = msgspec.json.Encoder().encode
_checked = msgspec.json.Decoder(Raw).decode


class UsageAnswer(msgspec.Struct, frozen=True):
    """Tokens, in disjoint buckets but for `input`, the sum of the next four, and `reasoning`, a part of `output`."""

    input: int
    input_uncached: int | None
    cache_read: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    output: int | None
    reasoning: int | None


class RequestedAnswer(msgspec.Struct, frozen=True):
    id: str | None
    name: str
    arguments: JSONValue
    executed_by: list[str]


class ExecutedAnswer(msgspec.Struct, frozen=True):
    span_id: str
    tool_call_id: str | None
    name: str
    parameters: JSONValue
    result: Content
    status: str
    error: str | None
    latency_ms: float


class SpanAnswer(msgspec.Struct):
    """The fields in the order of the answer. Absent text is None; times are RFC 3339, money decimal text."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    status_message: str | None
    error_type: str | None
    start_time: str
    end_time: str
    latency_ms: float
    is_open: bool
    model: str | None
    request_model: str | None
    provider: str | None
    agent_name: str | None
    workflow_name: str | None
    tool_name: str | None
    tool_call_id: str | None
    prompt_name: str | None
    prompt_version: str | None
    finish_reason: str | None
    response_id: str | None
    time_to_first_token_ms: float | None
    user_id: str | None
    session_id: str | None
    organization_id: str | None
    feature: str | None
    environment: str | None
    release: str | None
    input_type: str | None
    tags: Content
    usage: UsageAnswer | None
    cost_usd: str | None
    reported_cost_usd: str | None
    cost_state: str | None
    cost_source: str | None
    counted_in: str | None
    input: Content
    output: Content
    output_bytes: int | None
    tool_definitions: Content
    request_params: Content
    attributes: Content
    resource: Content
    scope: str | None
    vocabulary: str | None
    events: Content
    links: Content
    redactions: Content
    tool_calls_requested: list[RequestedAnswer] | None = None
    tool_calls_executed: list[ExecutedAnswer] | None = None


def content(text: str | None) -> Content:
    """Structured content as it is stored; anything that is not a JSON object or list is text."""
    if text and text[0] in "[{":
        try:
            return _one_line(text)
        except (msgspec.DecodeError, RecursionError):
            return text
    return text or None


def definitions(text: str | None) -> Content:
    """Those of tools; an empty list defines none."""
    return None if text in {"[]", "{}"} else content(text)


def structure(text: str | None, absent: Raw) -> Raw:
    """What is always stored as JSON."""
    return _one_line(text) if text else absent


def usage(counts: tuple[int | None, ...]) -> UsageAnswer | None:
    """Of the buckets in their order, or None when none is known."""
    if counts == _NO_COUNTS:
        return None
    return UsageAnswer(sum(count or 0 for count in counts[:4]), *counts)


def add_logged(span: SpanAnswer, entries: Mapping[str, str], *, says_input: bool, says_output: bool) -> None:
    """Adds what log records say of a span to what it says itself."""
    logged = read_entries(entries)
    if not says_input:
        span.input = logged.input or None
    if not says_output:
        span.output, span.output_bytes = logged.output or None, logged.output_bytes
    if span.tool_definitions is None:
        span.tool_definitions = logged.tool_definitions or None
    span.events = with_own_events(logged, _parsed(span.events), _parsed(span.attributes))
    span.redactions = dict[str, JSONValue](added(_parsed(span.redactions), logged.redactions))


class _Step(msgspec.Struct, frozen=True):
    """What `tool_calls` looks at of a span."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    status_message: str
    error_type: str
    start_ns: int
    latency_ms: float
    tool_name: str
    tool_call_id: str
    input: JSONValue
    output: Any  # what a tool answered is only handed on, as it is stored


def join_tools(spans: Sequence[tuple[int, SpanAnswer]]) -> None:
    """Writes to each model call which tools it asked for and what was run; each span comes with its start."""
    calls = tool_calls.by_model_call(
        _step(start_ns, span) for start_ns, span in spans if span.kind in _JOINED
    )
    for _, span in spans:
        if found := calls.get(span.span_id):
            span.tool_calls_requested = [_requested(one) for one in found.requested]
            span.tool_calls_executed = [_executed(one) for one in found.executed]


def in_pieces(
    head: Mapping[str, object], spans: Sequence[SpanAnswer], tail: Mapping[str, object]
) -> Iterator[bytes]:
    """The JSON of one object: what `head` says, then `spans`, then what `tail` says. Neither is empty."""
    yield _encode(head)[:-1] + b',"spans":['
    for first in range(0, len(spans), AT_ONCE):
        yield (b"," if first else b"") + _encode(spans[first : first + AT_ONCE])[1:-1]
    yield b"]," + _encode(tail)[1:]


_JOINED = frozenset({"llm", "tool"})
_NO_COUNTS = (None,) * 6


def _step(start_ns: int, span: SpanAnswer) -> _Step:
    is_tool = span.kind == "tool"
    return _Step(
        span.span_id,
        span.parent_id,
        span.name,
        span.kind,
        span.status,
        span.status_message or "",
        span.error_type or "",
        start_ns,
        span.latency_ms,
        span.tool_name or "",
        span.tool_call_id or "",
        _parsed(span.input) if is_tool else None,
        span.output if is_tool else _parsed(span.output),
    )


def _one_line(text: str) -> Raw:
    """JSON as it stands, without line breaks: an export has a trace a line. Raises `DecodeError`, `RecursionError`."""
    checked = _checked(text)
    return Raw(msgspec.json.format(text, indent=-1)) if "\n" in text or "\r" in text else checked


def _parsed(told: Content) -> Any:
    """Stored JSON as structure; as text where it holds or nests more than can be read."""
    if not isinstance(told, Raw):
        return told
    text = bytes(told).decode()
    try:
        return decoded(text)
    except msgspec.DecodeError:
        return text


def _requested(call: Requested) -> RequestedAnswer:
    return RequestedAnswer(call.id or None, call.name, _or_none(call.arguments), call.executed_by)


def _executed(call: Executed) -> ExecutedAnswer:
    return ExecutedAnswer(
        call.span_id,
        call.tool_call_id or None,
        call.name,
        _or_none(call.parameters),
        _or_none(call.result),
        call.status,
        call.error or None,
        call.latency_ms,
    )


def _or_none(value: Any) -> Any:
    return None if value == "" else value
