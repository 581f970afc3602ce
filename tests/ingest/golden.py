"""Golden payloads, and records for one span, as the tests of normalization need them."""

from pathlib import Path
from typing import Any

import msgspec

from ingest.normalize import normalize
from ingest.otlp.decode import decode_json
from ingest.otlp.records import OtlpSpan
from traces.span import Attributes, Event, Span

FOLDER = Path(__file__).parent / "otlp"
BEGAN_NS = 1_763_978_400_000_000_000
# Fields that every span of a payload shares, or that a test looks at on its own.
APART = {
    "project_id",
    "trace_id",
    "resource",
    "scope",
    "attributes",
    "start_ns",
    "end_ns",
    "environment",
    "release",
}


def recorded(payload: str) -> list[Span]:
    """The spans of a recorded payload, in the order they were sent."""
    decoded = decode_json((FOLDER / f"{payload}.json").read_bytes())
    assert not decoded.refused
    return [normalize(record, project_id=7) for record in decoded.spans]


def recorded_by_id(payload: str) -> dict[str, Span]:
    """The spans of a recorded payload by the last two digits of their ids."""
    return {span.span_id[-2:]: span for span in recorded(payload)}


def ids(own: int, parent: int | None = None) -> dict[str, str]:
    """Span id and parent id as `told` gives them: recordings count their spans."""
    base = 0x5BA1 << 48
    return {"span_id": f"{base | own:016x}", "parent_id": f"{base | parent:016x}" if parent else ""}


def told(span: Span) -> dict[str, Any]:
    """What the span says, without what it does not say."""
    fields = {name: getattr(span, name) for name in span.__struct_fields__ if name not in APART}
    fields["usage"] = {name: n for name, n in msgspec.structs.asdict(span.usage).items() if n is not None}
    return {name: value for name, value in fields.items() if value not in (None, {})}


def record(
    attributes: Attributes | None = None,
    *,
    name: str = "span",
    parent_id: str = "",
    scope: str = "",
    status_code: int = 0,
    status_message: str = "",
    events: tuple[Event, ...] = (),
    resource: Attributes | None = None,
    end_ns: int = BEGAN_NS + 5,
) -> OtlpSpan:
    return OtlpSpan(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_id=parent_id,
        name=name,
        start_ns=BEGAN_NS,
        end_ns=end_ns,
        status_code=status_code,
        status_message=status_message,
        attributes=attributes or {},
        events=events,
        links=(),
        resource=resource or {},
        scope=scope,
    )


def read(attributes: Attributes | None = None, **told: Any) -> Span:
    """The span that a record of these attributes becomes."""
    return normalize(record(attributes, **told), project_id=7)


def event(name: str, attributes: Attributes) -> Event:
    return Event(name=name, time_ns=BEGAN_NS + 2, attributes=attributes)


def text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
