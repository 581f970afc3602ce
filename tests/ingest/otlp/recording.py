"""What every recorder shares: steady ids and times, and the payload as OTLP/JSON beside this file."""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

HERE = Path(__file__).parent
BEGAN_NS = 1_763_978_400_000_000_000
STEP_NS = 1_000_000
FRAMES = re.compile(r"(Traceback \(most recent call last\):\n)(?: .*\n)+")
RESOURCE = Resource(
    {
        "service.name": "golden",
        "service.version": "4.2.0",
        "deployment.environment.name": "staging",
    }
)
# Attribute -> its value in every run, for those that are measured or made up.
Steady: TypeAlias = Mapping[str, dict[str, Any]]
NO_STEADY: Steady = MappingProxyType({})


class CountedIds(IdGenerator):
    """The same ids in every run."""

    def __init__(self) -> None:
        self._next = count(1)

    def generate_trace_id(self) -> int:
        return 0x7E57 << 112 | next(self._next)

    def generate_span_id(self) -> int:
        return 0x5BA1 << 48 | next(self._next)


@contextmanager
def recording(name: str, steady: Steady = NO_STEADY) -> Iterator[TracerProvider]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE, id_generator=CountedIds(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    write(name, exporter.get_finished_spans(), steady)


def write(name: str, finished: Sequence[ReadableSpan], steady: Steady = NO_STEADY) -> None:
    """The payload of these spans. SDKs with a tracer provider of their own make ids and resources of their own
    too: ids are counted, and of a resource only what does not name the machine stays."""
    payload = MessageToDict(encode_spans(finished))
    _hex_ids(_spans(payload))
    write_payload(name, payload, steady)


def write_payload(name: str, payload: dict[str, Any], steady: Steady = NO_STEADY) -> None:
    """OTLP/JSON as an SDK's own exporter sent it, made the same in every run."""
    for resource in payload["resourceSpans"]:
        _public_resource(resource.get("resource", {}))
    spans = _spans(payload)
    _steady_ids(spans)
    _steady_times(spans)
    _short_stacktraces(spans)
    for attribute in _attributes(spans):
        attribute["value"] = steady.get(attribute["key"], attribute["value"])
    (HERE / f"{name}.json").write_text(json.dumps(payload, indent=1, ensure_ascii=False) + "\n")


def _spans(payload: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        span
        for resource in payload["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def _public_resource(resource: dict[str, Any]) -> None:
    kept = ("service.name", "service.version", "deployment.", "telemetry.", "openlit.", "langfuse.")
    resource["attributes"] = [
        attribute for attribute in resource.get("attributes", []) if attribute["key"].startswith(kept)
    ]


def _steady_ids(spans: list[dict[str, Any]]) -> None:
    """Random ids become counted ones, in the order in which spans start."""
    in_order = sorted(spans, key=lambda span: int(span["startTimeUnixNano"]))
    traces = _counted([span["traceId"] for span in in_order], 0x7E57 << 112, "032x")
    ids = _counted([span["spanId"] for span in in_order], 0x5BA1 << 48, "016x")
    for span in spans:
        for key, steady in (("traceId", traces), ("spanId", ids), ("parentSpanId", ids)):
            if key in span:
                span[key] = steady.get(span[key], span[key])


def _counted(ids: list[str], base: int, form: str) -> dict[str, str]:
    """Each id by its steady form; ids that were counted from the start stay."""
    random = [one for one in dict.fromkeys(ids) if not one.startswith(format(base, form)[:8])]
    return {one: format(base + number, form) for number, one in enumerate(random, start=1)}


def _hex_ids(spans: list[dict[str, Any]]) -> None:
    """OTLP/JSON writes ids as hex, where protobuf's own JSON form has base64."""
    for span in spans:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in span:
                span[key] = base64.b64decode(span[key]).hex()


def _steady_times(spans: list[dict[str, Any]]) -> None:
    """The order of the moments stays, a millisecond apart."""
    holders = [
        (holder, key)
        for span in spans
        for holder in (span, *span.get("events", []))
        for key in ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano")
        if key in holder
    ]
    moments = sorted({int(holder[key]) for holder, key in holders})
    steady = {moment: BEGAN_NS + rank * STEP_NS for rank, moment in enumerate(moments)}
    for holder, key in holders:
        holder[key] = str(steady[int(holder[key])])


def _short_stacktraces(spans: list[dict[str, Any]]) -> None:
    """The line that names the error: the others name files of the machine that recorded."""
    for attribute in _attributes(spans):
        said = attribute["value"]
        if attribute["key"] == "exception.stacktrace":
            lines = said["stringValue"].strip().splitlines()
            python = lines[0].startswith("Traceback")
            said["stringValue"] = lines[-1] if python else lines[0]
        elif attribute["key"] == "exception.message":
            said["stringValue"] = FRAMES.sub(r"\1", said["stringValue"])


def _attributes(spans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for span in spans:
        for holder in (span, *span.get("events", [])):
            yield from holder.get("attributes", [])
