"""A span as sent to the one shape of a span: each vocabulary it speaks is read, the first to know wins."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec

from ingest.conventions import (
    claude_code,
    google_adk,
    laminar,
    langfuse,
    langsmith,
    litellm,
    mlflow,
    openinference,
    openlit,
    otel_genai,
    others,
    pydantic_ai,
    strands,
    traceloop,
    vercel_ai,
)
from ingest.messages import is_messages
from ingest.otlp.records import OtlpSpan
from ingest.providers import provider_name
from ingest.reading import Reading, present
from ingest.values import first_text, first_texts, take, text
from traces.span import Attributes, Event, JSONValue, Kind, Span, Status, Usage


class Vocabulary(Protocol):
    NAME: str

    def recognise(self, record: OtlpSpan, prefixes: frozenset[str], /) -> bool: ...

    def read(self, record: OtlpSpan, /) -> Reading: ...


# The first that recognises a span is its dialect: dialects that mark their spans come before general conventions.
VOCABULARIES: tuple[Vocabulary, ...] = (
    langfuse,
    openinference,
    pydantic_ai,
    vercel_ai,
    google_adk,
    mlflow,
    langsmith,
    laminar,
    litellm,
    claude_code,
    traceloop,
    openlit,
    strands,
    others,
    otel_genai,
)

# After its dialect a span is read in the general conventions, before the names of any other vendor.
GENERAL = (otel_genai.NAME, openinference.NAME)

# The platform's own names: set by someone who meant this platform, so they come first.
OWN: Mapping[str, tuple[str, ...]] = {
    "organization_id": ("tracehouse.organization.id",),
    "feature": ("tracehouse.feature",),
    "input_type": ("tracehouse.input_type",),
    "tags": ("tracehouse.tags",),
}
# Names that anyone may set, on the span or on its resource: they come last.
DEPLOYMENT: Mapping[str, tuple[str, ...]] = {
    "environment": (
        "deployment.environment.name",
        "deployment.environment",
        "gen_ai.environment",
        "langfuse.environment",
    ),
    "release": ("service.version", "langfuse.release"),
}
IDENTITY: Mapping[str, tuple[str, ...]] = {
    "user_id": ("user.id", "enduser.id", "user_id"),
    "session_id": ("session.id", "session_id"),
    "organization_id": ("organization.id", "organization_id", "tenant.id", "tenant_id"),
    "feature": ("feature", "agent.feature"),
    "input_type": ("input.type", "input_type"),
    "tags": ("tags", "tag.tags"),
}
GENERIC: Mapping[str, tuple[str, ...]] = {
    "agent_name": ("agent.name",),
    "tool_name": ("tool.name",),
    "model": ("model",),
    "response_id": ("llm.response.id",),
}
SPAN_NAME = "otel.span.name"
_FIELDS = tuple(name for name in Reading.__struct_fields__ if name != "consumed")
_NOTHING = Usage()
MAX_REMEMBERED = 4096
# The values that recognising a span looks at, besides the names of its attributes, its scope, its events and the SDK
# that its resource names.
SDK = openlit.SDK
MARKS = (
    claude_code.SPAN_TYPE,
    openlit.SDK,
    strands.SYSTEM,
    strands.PROVIDER,
    traceloop.DB_SYSTEM,
    vercel_ai.NAMED_OPERATION,
)
# Values of marks that are remembered with a set of names, and their length: they too come from outside.
MAX_MARKED, MAX_MARK = 64, 200


_IDENTITY_NAMES = frozenset(name for names in IDENTITY.values() for name in names)
_STATUSES: Mapping[int, Status] = {1: Status.OK, 2: Status.ERROR}


def normalize(record: OtlpSpan, *, project_id: int) -> Span:
    """Never raises, whatever the attributes hold: what cannot be read stays among them as it was sent."""
    reading, kind, vocabulary = _read(record)
    status, status_message, error_type = _outcome(record, reading)
    consumed = reading.consumed
    return Span(
        project_id=project_id,
        trace_id=record.trace_id,
        span_id=record.span_id,
        parent_id=record.parent_id,
        start_ns=record.start_ns,
        end_ns=record.end_ns or record.start_ns,
        name=reading.name or record.name,
        kind=kind,
        status=status,
        status_message=status_message,
        error_type=error_type,
        user_id=reading.user_id,
        session_id=reading.session_id,
        organization_id=reading.organization_id,
        feature=reading.feature,
        environment=reading.environment,
        release=reading.release,
        input_type=reading.input_type,
        tags=reading.tags,
        agent_name=reading.agent_name,
        workflow_name=reading.workflow_name,
        model=reading.model,
        request_model=reading.request_model,
        provider=_provider(reading.provider, record.attributes),
        tool_name=reading.tool_name,
        tool_call_id=reading.tool_call_id,
        prompt_name=reading.prompt_name,
        prompt_version=reading.prompt_version,
        finish_reason=reading.finish_reason,
        response_id=reading.response_id,
        time_to_first_token_ns=reading.time_to_first_token_ns,
        usage=reading.usage or _NOTHING,
        reported_cost=reading.reported_cost,
        input=reading.input,
        output=reading.output,
        output_bytes=output_size(reading.output),
        tool_definitions=reading.tool_definitions,
        request_params=reading.request_params,
        attributes=_left_over(record, reading),
        resource=record.resource,
        scope=record.scope or None,
        vocabulary=vocabulary,
        events=_other_events(record.events, consumed),
        links=record.links or None,
    )


def _read(record: OtlpSpan) -> tuple[Reading, Kind, str | None]:
    attributes, resource = record.attributes, record.resource
    names = tuple(attributes)
    # What is remembered is bounded: names come from outside.
    shape = _shape_of(names) if sum(map(len, names)) <= MAX_REMEMBERED else _shape_of.__wrapped__(names)
    recognised = _vocabularies(record, shape)
    readings = [
        otel_genai.read(record, shape.genai) if vocabulary is otel_genai else vocabulary.read(record)
        for vocabulary in recognised
    ]
    if shape.own:
        readings.insert(0, _named(Reading(), attributes, shape.own))
    merged = _merge(readings) if readings else Reading()
    if shape.generic or shape.content:
        _add_generic(merged, attributes, shape)
    _named(merged, resource, DEPLOYMENT)
    if not _IDENTITY_NAMES.isdisjoint(resource):
        _named(merged, resource, IDENTITY)
    kind = merged.kind or implied_kind(merged)
    if kind is Kind.LLM and len(readings) > 1:
        _prefer_messages(merged, readings)
    return merged, kind, recognised[0].NAME if recognised else None


class _Shape(NamedTuple):
    """What the names of a span's attributes say before any value is looked at."""

    prefixes: frozenset[str]  # the text before the first dot of each
    own: Mapping[str, tuple[str, ...]]  # field -> those of its names that are there
    generic: Mapping[str, tuple[str, ...]]
    content: bool
    genai: otel_genai.Shape
    marks: tuple[str, ...]
    recognised: dict[tuple[JSONValue, ...], tuple[Vocabulary, ...]]  # by scope, SDK and values of the marks


# A program's spans carry the same few sets of names again and again.
@lru_cache(maxsize=2048)
def _shape_of(names: tuple[str, ...]) -> _Shape:
    return _Shape(
        prefixes=frozenset(name.partition(".")[0] for name in names),
        own=present(OWN, names),
        generic=present({**IDENTITY, **DEPLOYMENT, **GENERIC}, names),
        content="input" in names or "output" in names,
        genai=otel_genai.Shape.of(names),
        marks=tuple(name for name in MARKS if name in names),
        recognised={},
    )


def _vocabularies(record: OtlpSpan, shape: _Shape) -> tuple[Vocabulary, ...]:
    """The vocabularies that recognise a span, by precedence; remembered by all that they look at."""
    if record.events:
        return _recognising(record, shape)
    attributes, known = record.attributes, shape.recognised
    looked_at = (record.scope, record.resource.get(SDK), *[attributes.get(name) for name in shape.marks])
    try:
        return known[looked_at]
    except (KeyError, TypeError):  # a list or an object cannot be looked up
        found = _recognising(record, shape)
    if len(known) < MAX_MARKED and all(_is_remembered(value) for value in looked_at):
        known[looked_at] = found
    return found


def _recognising(record: OtlpSpan, shape: _Shape) -> tuple[Vocabulary, ...]:
    return _by_precedence([one for one in VOCABULARIES if one.recognise(record, shape.prefixes)])


def _is_remembered(value: JSONValue) -> bool:
    """Numbers are not: 1 and true are one key, and two values."""
    return value is None or (isinstance(value, str) and len(value) <= MAX_MARK)


def _by_precedence(recognised: list[Vocabulary]) -> tuple[Vocabulary, ...]:
    """Langfuse, then the dialect of the span, then the general conventions, then the rest."""
    if len(recognised) < 3:
        return tuple(recognised)
    first = 2 if recognised[0].NAME == langfuse.NAME else 1
    return (*recognised[:first], *sorted(recognised[first:], key=_generality))


def _generality(vocabulary: Vocabulary) -> int:
    return GENERAL.index(vocabulary.NAME) if vocabulary.NAME in GENERAL else len(GENERAL)


def _merge(readings: list[Reading]) -> Reading:
    """The first reading, with what it does not say filled in from the next; usage is never mixed from two."""
    merged = readings[0]
    if len(readings) == 1:
        return merged
    merged = msgspec.structs.replace(merged)
    for other in readings[1:]:
        for name in _FIELDS:
            if getattr(merged, name) is None and (value := getattr(other, name)) is not None:
                setattr(merged, name, value)
        merged.consumed |= other.consumed
    return merged


def _prefer_messages(merged: Reading, readings: Iterable[Reading]) -> None:
    """On a model call structured messages beat flat text, whichever vocabulary they came in."""
    for name in ("input", "output"):
        if not is_messages(getattr(merged, name)):
            found = (getattr(reading, name) for reading in readings)
            setattr(merged, name, next(filter(is_messages, found), getattr(merged, name)))


def _add_generic(merged: Reading, attributes: Attributes, shape: _Shape) -> None:
    _named(merged, attributes, shape.generic)
    if not shape.content:
        return
    consumed: set[str] = set()
    merged.input = merged.input if merged.input is not None else take(attributes, ("input",), consumed)
    merged.output = merged.output if merged.output is not None else take(attributes, ("output",), consumed)
    merged.consumed |= consumed


def _named(reading: Reading, attributes: Attributes, names: Mapping[str, tuple[str, ...]]) -> Reading:
    """`reading` with its absent fields filled in from attributes of these names."""
    for field, candidates in names.items():
        if getattr(reading, field) is None:
            if field == "tags":
                reading.tags = first_texts(attributes, candidates)
            else:
                setattr(reading, field, first_text(attributes, candidates))
    return reading


def implied_kind(reading: Reading) -> Kind:
    """The kind of a span that names none: marks of a tool, or a model that used tokens or got messages."""
    if reading.tool_name or reading.tool_call_id:
        return Kind.TOOL
    called = reading.usage is not None or is_messages(reading.input) or is_messages(reading.output)
    return Kind.LLM if reading.model and called else Kind.SPAN


def _provider(name: str | None, attributes: Attributes) -> str | None:
    return provider_name(name, text(attributes.get("server.address"))) if name else None


def _outcome(record: OtlpSpan, reading: Reading) -> tuple[Status, str | None, str | None]:
    """Status, message and type of the error. An exception on a span that says it is fine was handled."""
    status = _STATUSES.get(record.status_code, Status.UNSET)
    exception = _last_exception(record.events) if record.events else None
    error_type = text(record.attributes.get("error.type")) or reading.error_type
    if status is Status.UNSET and (exception is not None or error_type or reading.error_message is not None):
        status = Status.ERROR
    message = record.status_message or reading.error_message
    if status is Status.ERROR and exception is not None:
        message = message or text(exception.get("exception.message"))
        error_type = error_type or text(exception.get("exception.type"))
    return status, message or None, error_type


def _last_exception(events: tuple[Event, ...]) -> Attributes | None:
    """The last one is the one that got out."""
    return next((event.attributes for event in reversed(events) if event.name == "exception"), None)


def _left_over(record: OtlpSpan, reading: Reading) -> Attributes:
    """What no field holds; the span's own name too, where it is shown under a better one."""
    attributes, consumed = record.attributes, reading.consumed
    if consumed:
        attributes = attributes.copy()
        for name in consumed:
            attributes.pop(name, None)
    if reading.name and reading.name != record.name:
        attributes = {**attributes, SPAN_NAME: record.name}
    return attributes


def _other_events(events: tuple[Event, ...], consumed: frozenset[str]) -> tuple[Event, ...] | None:
    return tuple([event for event in events if event.name not in consumed]) or None if events else None


def output_size(output: JSONValue) -> int | None:
    if output is None:
        return None
    if isinstance(output, str):
        return len(output) if output.isascii() else len(output.encode("utf-8", "surrogatepass"))
    try:
        return len(msgspec.json.encode(output))
    except UnicodeEncodeError:
        return None
