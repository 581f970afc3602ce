"""Spans in the plain JSON shape to the one shape of a span; what is refused says which field and why. Pure."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ingest.messages import canonical
from ingest.normalize import implied_kind, output_size
from ingest.otlp.decode import Malformed, parse_json
from ingest.plain_shape import FieldError, GivenEvent, GivenSpan, GivenUsage, Moment
from ingest.plain_shape import read as read_shape
from ingest.providers import provider_name
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import MAX_DEPTH, content, dollars
from traces.moment import nanoseconds
from traces.nesting import is_deeper
from traces.span import Event, JSONValue, Kind, Span, Status, Usage

NAME = "plain"
MAX_SPANS = 10_000
NS_A_MS = 1_000_000
# A number below the first is seconds since 1970, below the second milliseconds, and so on.
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (2**63, 1))
_CONVERSATIONS = frozenset({Kind.LLM, Kind.AGENT})


@dataclass(frozen=True, slots=True)
class Terms:
    """What the request is held to. A span starts between `earliest_ns` and `latest_ns`."""

    project_id: int
    now_ns: int
    earliest_ns: int
    latest_ns: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One span of the request in its place: the span, or what is wrong with it."""

    trace_id: str | None
    span_id: str | None
    errors: list[FieldError] = field(default_factory=list)
    span: Span | None = None


def read(body: bytes, terms: Terms) -> list[Outcome]:
    """Each span of `{"spans": [...]}` in order. Raises `Malformed` for a body that is not that."""
    outcomes: list[Outcome] = []
    taken: set[tuple[str | None, str | None]] = set()
    for place, value in enumerate(_values(body)):
        outcome = _outcome(value, f"spans[{place}]", terms)
        if outcome.span is not None and (outcome.trace_id, outcome.span_id) in taken:
            again = FieldError(f"spans[{place}].span_id", "is the same as that of a span before it")
            outcome = replace(outcome, errors=[again], span=None)
        taken.add((outcome.trace_id, outcome.span_id))
        outcomes.append(outcome)
    return outcomes


def _values(body: bytes) -> list[JSONValue]:
    request = parse_json(body)
    if not isinstance(request, dict) or not isinstance(request.get("spans"), list):
        raise Malformed('the body is not {"spans": [...]}')
    if len(request) > 1:
        raise Malformed("the body has fields beside spans")
    values: list[JSONValue] = request["spans"]
    if len(values) > MAX_SPANS:
        raise Malformed(f"the body has more than {MAX_SPANS:,} spans")
    return values


def _outcome(value: JSONValue, path: str, terms: Terms) -> Outcome:
    if is_deeper(value, MAX_DEPTH):
        return Outcome(None, None, [FieldError(path, f"is nested deeper than {MAX_DEPTH} levels")])
    given = read_shape(value, path)
    if isinstance(given, list):
        return Outcome(None, None, given)
    trace_id = (given.trace_id or secrets.token_hex(16)).replace("-", "").lower()
    span_id = (given.span_id or secrets.token_hex(8)).lower()
    times = _times(given, terms)
    errors = [FieldError(f"{path}.{name}", message) for name, message in _errors(given, times, terms)]
    if errors:
        return Outcome(given.trace_id and trace_id, given.span_id and span_id, errors)
    return Outcome(trace_id, span_id, [], _span(given, trace_id, span_id, times, terms))


@dataclass(frozen=True, slots=True)
class _Times:
    """None where a time could not be read, or was not given."""

    start_ns: int | None
    end_ns: int | None


def _times(given: GivenSpan, terms: Terms) -> _Times:
    lasted = round(given.duration_ms * NS_A_MS) if given.duration_ms is not None else None
    end = _moment(given.end_time) if given.end_time is not None else None
    if given.start_time is not None:
        start = _moment(given.start_time)
        return _Times(start, start + lasted if start is not None and lasted is not None else end)
    # Nothing says when: it is over now.
    end = terms.now_ns if end is None else end
    return _Times(end - (lasted or 0), end)


def _moment(given: Moment) -> int | None:
    if isinstance(given, str):
        return nanoseconds(given)
    unit = next((unit for limit, unit in _UNITS if 0 < given < limit), None)
    return round(given * unit) if unit is not None else None


def _errors(given: GivenSpan, times: _Times, terms: Terms) -> Iterator[tuple[str, str]]:
    yield from _id_errors(given)
    yield from _time_errors(given, times, terms)
    yield from _usage_errors(given.usage or GivenUsage())
    if given.cost_usd is not None and dollars(given.cost_usd) is None:
        yield "cost_usd", "must be US dollars of 0 or more, as a number or a decimal text"
    for place, event in enumerate(given.events or ()):
        if event.time is not None and _moment(event.time) is None:
            yield f"events[{place}].time", _NOT_A_TIME


_NOT_A_TIME = "must be a time: RFC 3339 text with a zone, or a number since 1970"


def _id_errors(given: GivenSpan) -> Iterator[tuple[str, str]]:
    for name in ("trace_id", "span_id", "parent_id"):
        value = getattr(given, name)
        if value is not None and not value.strip("0-"):
            yield name, "must not be all zeros"
    if given.parent_id is not None and given.trace_id is None:
        yield "trace_id", "is required with a parent_id: the trace that both belong to"
    if given.parent_id is not None and given.parent_id == given.span_id:
        yield "parent_id", "must not be the span itself"
    if given.span_id is not None and given.start_time is None:
        yield "start_time", "is required with a span_id: a span sent again keeps its start"


def _time_errors(given: GivenSpan, times: _Times, terms: Terms) -> Iterator[tuple[str, str]]:
    if given.start_time is not None and times.start_ns is None:
        yield "start_time", _NOT_A_TIME
    if given.end_time is not None and _moment(given.end_time) is None:
        yield "end_time", _NOT_A_TIME
    if given.end_time is not None and given.duration_ms is not None:
        yield "duration_ms", "must not stand beside end_time"
    if times.start_ns is not None and times.start_ns < terms.earliest_ns:
        yield "start_time", "is too long ago"
    if times.start_ns is not None and times.start_ns > terms.latest_ns:
        yield "start_time", "is more than a day in the future"
    elif times.end_ns is not None and times.end_ns > terms.latest_ns:
        yield (
            "duration_ms" if given.duration_ms else "end_time",
            "ends the span more than a day in the future",
        )
    if times.start_ns is not None and times.end_ns is not None and times.end_ns < times.start_ns:
        yield "end_time", "is before start_time"


# A part, the total that it is counted in, and the parts counted there beside it.
_PARTS = (
    (("cache_read_tokens", "cache_write_tokens"), "input_tokens"),
    (("cache_write_1h_tokens",), "cache_write_tokens"),
    (("reasoning_tokens",), "output_tokens"),
)


def _usage_errors(usage: GivenUsage) -> Iterator[tuple[str, str]]:
    for parts, total in _PARTS:
        given = [name for name in parts if getattr(usage, name)]
        whole = getattr(usage, total)
        if given and whole is None:
            yield f"usage.{total}", f"is required with {given[0]}, which is a part of it"
        elif given and sum(getattr(usage, name) for name in given) > whole:
            yield f"usage.{given[-1]}", f"is a part of {total} and cannot be more"


def _span(given: GivenSpan, trace_id: str, span_id: str, times: _Times, terms: Terms) -> Span:
    usage = _usage(given.usage)
    kind = given.kind or implied_kind(
        Reading(
            model=given.model,
            tool_name=given.tool_name,
            tool_call_id=given.tool_call_id,
            usage=usage,
            input=canonical(given.input),
            output=canonical(given.output),
        )
    )
    output = _content(given.output, kind)
    first_token = given.time_to_first_token_ms
    return Span(
        project_id=terms.project_id,
        trace_id=trace_id,
        span_id=span_id,
        parent_id=(given.parent_id or "").lower(),
        start_ns=times.start_ns,
        end_ns=times.end_ns,
        name=given.name,
        kind=kind,
        status=given.status or _implied_status(given),
        status_message=given.status_message,
        error_type=given.error_type,
        user_id=given.user_id,
        session_id=given.session_id,
        organization_id=given.organization_id,
        feature=given.feature,
        environment=given.environment,
        release=given.release,
        input_type=given.input_type,
        tags=tuple(given.tags) if given.tags else None,
        agent_name=given.agent_name,
        workflow_name=given.workflow_name,
        model=given.model or given.request_model,
        request_model=given.request_model,
        provider=provider_name(given.provider) if given.provider else None,
        tool_name=given.tool_name,
        tool_call_id=given.tool_call_id,
        prompt_name=given.prompt_name,
        prompt_version=given.prompt_version,
        finish_reason=given.finish_reason,
        response_id=given.response_id,
        time_to_first_token_ns=round(first_token * NS_A_MS) if first_token is not None else None,
        usage=usage or Usage(),
        reported_cost=dollars(given.cost_usd),
        input=_content(given.input, kind),
        output=output,
        output_bytes=output_size(output),
        tool_definitions=content(given.tool_definitions),
        request_params=given.request_params,
        attributes=given.attributes,
        vocabulary=NAME,
        events=tuple(_event(event, times.start_ns or 0) for event in given.events or ()) or None,
    )


def _usage(given: GivenUsage | None) -> Usage | None:
    if given is None:
        return None
    return buckets(
        input=given.input_tokens,
        output=given.output_tokens,
        cache_read=given.cache_read_tokens,
        cache_write=given.cache_write_tokens,
        cache_write_1h=given.cache_write_1h_tokens,
        reasoning=given.reasoning_tokens,
    )


def _implied_status(given: GivenSpan) -> Status:
    return Status.ERROR if given.status_message or given.error_type else Status.UNSET


def _content(value: JSONValue, kind: Kind) -> JSONValue:
    """Messages in the stored shape where a model or an agent was spoken to; any other content as it is."""
    found = content(value)
    return canonical(found) or found if kind in _CONVERSATIONS else found


def _event(given: GivenEvent, start_ns: int) -> Event:
    at = _moment(given.time) if given.time is not None else start_ns
    return Event(name=given.name, time_ns=at or start_ns, attributes=given.attributes or {})
