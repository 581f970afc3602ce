"""A span as sent to the one shape of a span: each vocabulary it speaks is read, the first to know wins."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeAlias

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

    def recognise(self, record: OtlpSpan, prefixes: frozenset[str], /) -> bool:
        """Whether there is anything of it to read."""

    def is_dialect(self, record: OtlpSpan, prefixes: frozenset[str], /) -> bool:
        """Whether the span carries its mark, besides names that others set too."""

    def read(self, record: OtlpSpan, /) -> Reading: ...


class _CurrentNames:
    """The OTel names of today, for spans on which OpenInference comes between them and the deprecated ones."""

    NAME = otel_genai.NAME
    recognise = staticmethod(otel_genai.recognise)
    is_dialect = staticmethod(otel_genai.is_dialect)
    read = staticmethod(otel_genai.read_current)


CURRENT = _CurrentNames()

# The first whose mark a span carries is its dialect: those that mark their spans come before general conventions.
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

# A span is read in Langfuse's names, then in those of its dialect, then in all others that are on it, in this order.
PRECEDENCE: tuple[Vocabulary, ...] = (
    strands,  # says in which unit it wrote an OTel name
    CURRENT,
    openinference,
    otel_genai,
    traceloop,
    mlflow,
    langsmith,
    laminar,
    litellm,
    # These have no place of their own beside another dialect.
    pydantic_ai,
    vercel_ai,
    google_adk,
    claude_code,
    openlit,
    others,
)

# The platform's own names: set by someone who meant this platform, so they come first.
OWN: Mapping[str, tuple[str, ...]] = {
    "organization_id": ("tracehouse.organization.id",),
    "feature": ("tracehouse.feature",),
    "input_type": ("tracehouse.input_type",),
    "tags": ("tracehouse.tags",),
}
# Names that anyone may set, on the span or on its resource: they come after those of every vocabulary.
DEPLOYMENT: Mapping[str, tuple[str, ...]] = {
    "environment": ("deployment.environment.name", "deployment.environment"),
    "release": ("service.version",),
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
# Names that come after everything else, also after the resource: who owns a key is not who asks with it.
LAST: Mapping[str, tuple[str, ...]] = {
    "environment": ("gen_ai.environment", "langfuse.environment"),
    "release": ("langfuse.release",),
    "user_id": ("metadata.user_api_key_user_id",),
}
SESSION, CONVERSATION = otel_genai.SESSION
SPAN_NAME = "otel.span.name"
EVALUATION = "gen_ai.evaluation.result"
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


_ON_A_RESOURCE = frozenset(name for table in (IDENTITY, LAST) for names in table.values() for name in names)
_STATUSES: Mapping[int, Status] = {1: Status.OK, 2: Status.ERROR}


def normalize(record: OtlpSpan, *, project_id: int) -> Span:
    """Never raises, whatever the attributes hold: what cannot be read stays among them as it was sent."""
    reading, kind, vocabulary = _read(record)
    status, status_message, error_type = _outcome(record, reading)
    return Span(
        project_id=project_id,
        trace_id=record.trace_id,
        span_id=record.span_id,
        parent_id=record.parent_id,
        start_ns=record.start_ns,
        end_ns=record.end_ns or None,
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
        events=_events(record, reading),
        links=record.links or None,
    )


def _read(record: OtlpSpan) -> tuple[Reading, Kind, str | None]:
    attributes, resource = record.attributes, record.resource
    if SESSION in resource and CONVERSATION in attributes:
        attributes, record = _without_conversation(record)
    names = tuple(attributes)
    # What is remembered is bounded: names come from outside.
    shape = _shape_of(names) if sum(map(len, names)) <= MAX_REMEMBERED else _shape_of.__wrapped__(names)
    dialect, vocabularies = _vocabularies(record, shape)
    readings = [
        otel_genai.read(record, shape.genai) if vocabulary is otel_genai else vocabulary.read(record)
        for vocabulary in vocabularies
    ]
    if shape.own:
        readings.insert(0, _named(Reading(), attributes, shape.own))
    merged = _merge(readings) if readings else Reading()
    if shape.generic or shape.content:
        _add_generic(merged, attributes, shape)
    _named(merged, resource, DEPLOYMENT)
    if not _ON_A_RESOURCE.isdisjoint(resource):
        _named(merged, resource, IDENTITY)
        _named(merged, resource, LAST)
    if shape.last:
        _named(merged, attributes, shape.last)
    kind = merged.kind or implied_kind(merged)
    if len(readings) > 1:
        if kind is Kind.LLM:
            _prefer_messages(merged, readings)
        elif openinference in vocabularies:
            _prefer_values(merged, attributes, kind)
    return merged, kind, dialect


def _without_conversation(record: OtlpSpan) -> tuple[Attributes, OtlpSpan]:
    """The session that a program set on the resource beats the one that a framework makes up for each run."""
    if text(record.resource[SESSION]) is None:
        return record.attributes, record
    attributes = {name: value for name, value in record.attributes.items() if name != CONVERSATION}
    return attributes, msgspec.structs.replace(record, attributes=attributes)


# The name of a span's dialect, and what it is read in, the first to win.
_Recognised: TypeAlias = tuple[str | None, tuple[Vocabulary, ...]]


class _Shape(NamedTuple):
    """What the names of a span's attributes say before any value is looked at."""

    prefixes: frozenset[str]  # the text before the first dot of each
    own: Mapping[str, tuple[str, ...]]  # field -> those of its names that are there
    generic: Mapping[str, tuple[str, ...]]
    last: Mapping[str, tuple[str, ...]]
    content: bool
    genai: otel_genai.Shape
    marks: tuple[str, ...]
    recognised: dict[tuple[JSONValue, ...], _Recognised]  # by all that recognising looks at besides names


# A program's spans carry the same few sets of names again and again.
@lru_cache(maxsize=2048)
def _shape_of(names: tuple[str, ...]) -> _Shape:
    return _Shape(
        prefixes=frozenset(name.partition(".")[0] for name in names),
        own=present(OWN, names),
        generic=present({**IDENTITY, **DEPLOYMENT, **GENERIC}, names),
        last=present(LAST, names),
        content="input" in names or "output" in names,
        genai=otel_genai.Shape.of(names),
        marks=tuple(name for name in MARKS if name in names),
        recognised={},
    )


def _vocabularies(record: OtlpSpan, shape: _Shape) -> _Recognised:
    """Remembered by all that recognising looks at."""
    attributes, known, events = record.attributes, shape.recognised, record.events
    told = "gen_ai." if events and otel_genai.is_told(events) else ""
    looked_at = (
        record.scope,
        told,
        record.resource.get(SDK),
        *[attributes.get(name) for name in shape.marks],
    )
    try:
        return known[looked_at]
    except (KeyError, TypeError):  # a list or an object cannot be looked up
        found = _recognising(record, shape)
    if len(known) < MAX_MARKED and all(_is_remembered(value) for value in looked_at):
        known[looked_at] = found
    return found


def _recognising(record: OtlpSpan, shape: _Shape) -> _Recognised:
    prefixes = shape.prefixes
    recognised = [one for one in VOCABULARIES if one.recognise(record, prefixes)]
    marked = [one for one in recognised if one.is_dialect(record, prefixes)]
    ordered = _by_precedence(recognised, marked)
    named = marked or ordered
    return (named[0].NAME if named else None), ordered


def _is_remembered(value: JSONValue) -> bool:
    """Numbers are not: 1 and true are one key, and two values."""
    return value is None or (isinstance(value, str) and len(value) <= MAX_MARK)


def _by_precedence(recognised: list[Vocabulary], marked: list[Vocabulary]) -> tuple[Vocabulary, ...]:
    """Langfuse, the dialect of the span, then what else is on it by `PRECEDENCE`."""
    first: list[Vocabulary] = [one for one in recognised if one is langfuse]
    # The general convention has its place in the list, where it is the dialect too.
    first += [one for one in marked if one not in (langfuse, otel_genai)][:1]
    there = [one for one in recognised if one not in first]
    if otel_genai in there and openinference in there:
        there.append(CURRENT)
    return (*first, *(one for one in PRECEDENCE if one in there))


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


def _prefer_values(merged: Reading, attributes: Attributes, kind: Kind) -> None:
    """On any other span `input.value` and `output.value` beat messages."""
    consumed: set[str] = set()
    if is_messages(merged.input):
        value = openinference.value(attributes, "input", kind, consumed)
        merged.input = merged.input if value is None else value
    if is_messages(merged.output):
        value = openinference.value(attributes, "output", kind, consumed)
        merged.output = merged.output if value is None else value
    merged.consumed |= consumed


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
    # What Langfuse's names say was said by the program.
    own = reading.error_message if langfuse.STATUS_MESSAGE in record.attributes else None
    message = own or record.status_message or reading.error_message
    if status is Status.ERROR and exception is not None:
        message = message or text(exception.get("exception.message"))
        error_type = error_type or text(exception.get("exception.type"))
    return status, message or None, error_type


def _last_exception(events: tuple[Event, ...]) -> Attributes | None:
    """The last one is the one that got out."""
    return next((event.attributes for event in reversed(events) if event.name == "exception"), None)


def _left_over(record: OtlpSpan, reading: Reading) -> Attributes:
    """What no field holds; the span's own name too, where it is shown under a better one. The variables of a prompt
    stand there in the OTel names, in whichever they came."""
    attributes, consumed = record.attributes, reading.consumed
    if consumed:
        attributes = attributes.copy()
        for name in consumed:
            attributes.pop(name, None)
    if reading.name and reading.name != record.name:
        attributes = {**attributes, SPAN_NAME: record.name}
    if reading.prompt_variables:
        told = {
            f"{otel_genai.PROMPT_VARIABLE}{key}": value for key, value in reading.prompt_variables.items()
        }
        attributes = {**told, **attributes}
    return attributes


def _events(record: OtlpSpan, reading: Reading) -> tuple[Event, ...] | None:
    """Those that no field holds, and one for each result of an evaluation, in whichever names that was told."""
    consumed = reading.consumed
    events = [event for event in record.events if event.name not in consumed]
    if reading.evaluations:
        time_ns = record.end_ns or record.start_ns
        events += [Event(name=EVALUATION, time_ns=time_ns, attributes=told) for told in reading.evaluations]
    return tuple(events) or None


def output_size(output: JSONValue) -> int | None:
    if output is None:
        return None
    if isinstance(output, str):
        return len(output) if output.isascii() else len(output.encode("utf-8", "surrogatepass"))
    try:
        return len(msgspec.json.encode(output))
    except UnicodeEncodeError:
        return None
