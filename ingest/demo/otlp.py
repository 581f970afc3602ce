"""Builds OTLP trace requests from plain values; the demo and the benchmark share it."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1 import trace_pb2

from traces.span import JSONValue

SpanKind = trace_pb2.Span.SpanKind
SCOPE = "tracehouse.demo"
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The program that emits a span: its OTLP resource."""

    name: str
    environment: str = "production"
    version: str = "1.0.0"

    def attributes(self) -> dict[str, JSONValue]:
        return {
            "service.name": self.name,
            "service.version": self.version,
            "deployment.environment.name": self.environment,
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    name: str
    at: float  # seconds after the trace began
    attributes: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One span of a trace and the spans below it; times are seconds after the trace began."""

    name: str
    at: float
    seconds: float
    attributes: Mapping[str, JSONValue]
    children: tuple["Step", ...] = ()
    error: str = ""
    events: tuple[StepEvent, ...] = ()
    kind: SpanKind.ValueType = SpanKind.SPAN_KIND_INTERNAL
    service: Service | None = None  # the parent's when None

    @property
    def count(self) -> int:
        return 1 + sum(child.count for child in self.children)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    trace_id: str
    root: Step
    began: datetime
    service: Service

    @property
    def span_count(self) -> int:
        return self.root.count


def new_trace_id(ids: random.Random) -> str:
    return ids.randbytes(16).hex()


def in_sequence(start: float, *steps: Step) -> tuple[Step, ...]:
    """The steps one after the other, the first at `start`; a step's own children move with it."""
    placed: list[Step] = []
    for step in steps:
        placed.append(moved(step, start - step.at))
        start += step.seconds
    return tuple(placed)


def moved(step: Step, seconds: float) -> Step:
    return Step(
        name=step.name,
        at=round(step.at + seconds, 6),
        seconds=step.seconds,
        attributes=step.attributes,
        children=tuple(moved(child, seconds) for child in step.children),
        error=step.error,
        events=tuple(
            StepEvent(name=event.name, at=event.at + seconds, attributes=event.attributes)
            for event in step.events
        ),
        kind=step.kind,
        service=step.service,
    )


def requests(
    traces: Iterable[Trace], ids: random.Random, *, spans_a_request: int = 100
) -> Iterator[ExportTraceServiceRequest]:
    """The traces as export requests of exactly `spans_a_request` spans; only the last may hold fewer.

    A trace may lie across two requests, as it does when an SDK's queue fills up.
    """
    spans = chain.from_iterable(_spans(trace, ids) for trace in traces)
    while batch := list(islice(spans, spans_a_request)):
        yield _request(batch)


def any_value(value: JSONValue) -> AnyValue:
    made = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case str():
            made.string_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case list():
            made.array_value.CopyFrom(ArrayValue(values=[any_value(item) for item in value]))
        case dict():
            made.kvlist_value.CopyFrom(KeyValueList(values=key_values(value)))
    return made


def key_values(attributes: Mapping[str, JSONValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def _request(spans: Sequence[tuple[Service, trace_pb2.Span]]) -> ExportTraceServiceRequest:
    by_service: dict[Service, list[trace_pb2.Span]] = {}
    for service, span in spans:
        by_service.setdefault(service, []).append(span)
    request = ExportTraceServiceRequest()
    for service, its_spans in by_service.items():
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.extend(key_values(service.attributes()))
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = SCOPE
        scope_spans.spans.extend(its_spans)
    return request


def _spans(trace: Trace, ids: random.Random) -> Iterator[tuple[Service, trace_pb2.Span]]:
    """Every span of the trace, children before their parent, as an SDK exports them."""
    began_ns = int(trace.began.astimezone(UTC).timestamp() * 1_000_000) * 1000
    return _walk(trace.root, trace.service, bytes.fromhex(trace.trace_id), b"", began_ns, ids)


def _walk(
    step: Step, service: Service, trace_id: bytes, parent_id: bytes, began_ns: int, ids: random.Random
) -> Iterator[tuple[Service, trace_pb2.Span]]:
    own_service, span_id = step.service or service, ids.randbytes(8)
    for child in step.children:
        yield from _walk(child, own_service, trace_id, span_id, began_ns, ids)
    yield own_service, _span(step, trace_id, span_id, parent_id, began_ns)


def _span(step: Step, trace_id: bytes, span_id: bytes, parent_id: bytes, began_ns: int) -> trace_pb2.Span:
    start_ns = began_ns + round(step.at * _NS)
    return trace_pb2.Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_id,
        name=step.name,
        kind=step.kind,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + round(step.seconds * _NS),
        attributes=key_values(step.attributes),
        events=[_event(event, began_ns) for event in step.events],
        status=_status(step.error),
    )


def _event(event: StepEvent, began_ns: int) -> trace_pb2.Span.Event:
    return trace_pb2.Span.Event(
        name=event.name,
        time_unix_nano=began_ns + round(event.at * _NS),
        attributes=key_values(event.attributes),
    )


def _status(error: str) -> trace_pb2.Status:
    if error:
        return trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_ERROR, message=error)
    return trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_OK)
