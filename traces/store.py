"""The only writer of the table `spans`: a span to one JSON line that ClickHouse reads as it is."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from traces.span import Attributes, JSONValue, Span

TABLE = "spans"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_encoder = msgspec.json.Encoder(decimal_format="string")


class _Row(msgspec.Struct, omit_defaults=True, gc=False):
    """The columns of `schema/0001_spans.sql`. A field left out is absent: it does not wipe what is stored.

    JSON columns hold the value's own text: ClickHouse reads an object or list into a String column verbatim.
    """

    project_id: int
    trace_id: str
    span_id: int
    day: str
    parent_id: int | None = None
    start_time: str | None = None
    end_time: str | None = None
    name: str | None = None
    kind: str | None = None
    status: str | None = None
    status_message: str | None = None
    error_type: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    organization_id: str | None = None
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
    input: JSONValue = None
    output: JSONValue = None
    output_bytes: int | None = None
    tool_definitions: JSONValue = None
    request_params: Attributes | None = None
    attributes: Attributes | None = None
    resource: Attributes | None = None
    scope: str | None = None
    vocabulary: str | None = None
    events: list[dict[str, JSONValue]] | None = None
    links: list[dict[str, JSONValue]] | None = None
    redactions: dict[str, int] | None = None


def json_lines(spans: Iterable[Span]) -> list[bytes]:
    """Each span as a line for `INSERT INTO spans FORMAT JSONEachRow`, in order."""
    return [_encoder.encode(_row(span)) + b"\n" for span in spans]


def _row(span: Span) -> _Row:
    usage, cost = span.usage, span.cost
    return _Row(
        project_id=span.project_id,
        trace_id=span.trace_id,
        span_id=int(span.span_id, 16),
        day=_day(span.start_ns or 0),
        parent_id=int(span.parent_id or "0", 16) if span.parent_id is not None else None,
        start_time=_seconds(span.start_ns) if span.start_ns is not None else None,
        end_time=_seconds(span.end_ns) if span.end_ns is not None else None,
        name=span.name,
        kind=span.kind,
        status=span.status,
        status_message=span.status_message,
        error_type=span.error_type,
        user_id=span.user_id,
        session_id=span.session_id,
        organization_id=span.organization_id,
        feature=span.feature,
        environment=span.environment,
        release=span.release,
        input_type=span.input_type,
        tags=span.tags,
        agent_name=span.agent_name,
        workflow_name=span.workflow_name,
        model=span.model,
        request_model=span.request_model,
        provider=span.provider,
        tool_name=span.tool_name,
        tool_call_id=span.tool_call_id,
        prompt_name=span.prompt_name,
        prompt_version=span.prompt_version,
        finish_reason=span.finish_reason,
        time_to_first_token_ns=span.time_to_first_token_ns,
        input_uncached_tokens=usage.input_uncached,
        cache_read_tokens=usage.cache_read,
        cache_write_5m_tokens=usage.cache_write_5m,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        cost_usd=f"{cost.total:f}" if cost and cost.total is not None else None,
        reported_cost_usd=f"{span.reported_cost:f}" if span.reported_cost is not None else None,
        cost_state=cost.state if cost else None,
        cost_source=(cost.source or None) if cost else None,
        input=span.input,
        output=span.output,
        output_bytes=span.output_bytes,
        tool_definitions=span.tool_definitions,
        request_params=span.request_params or None,
        attributes=span.attributes or None,
        resource=span.resource or None,
        scope=span.scope or None,
        vocabulary=span.vocabulary,
        events=_events(span),
        links=_links(span),
        redactions=span.redactions,
    )


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
    return (_EPOCH + timedelta(days=nanoseconds // 86_400_000_000_000)).isoformat()


def _seconds(nanoseconds: int) -> str:
    """Seconds with nine decimals, which ClickHouse reads into DateTime64(9) without loss."""
    return f"{nanoseconds // 1_000_000_000:010d}.{nanoseconds % 1_000_000_000:09d}"


def _rfc3339(nanoseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(nanoseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 1_000_000_000:09d}Z"
