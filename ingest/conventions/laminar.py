"""Laminar: `lmnr.*` for kind, content and whom a span is for; GenAI names (read there) for model calls."""

from collections.abc import Mapping

from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.values import any_json, content, text, texts
from traces.span import Attributes, JSONValue, Kind

NAME = "laminar"

SPAN_TYPE = "lmnr.span.type"
KINDS: Mapping[str, Kind] = {
    "LLM": Kind.LLM,
    "CACHED": Kind.LLM,
    "EXECUTOR": Kind.AGENT,
    "TOOL": Kind.TOOL,
    "DEFAULT": Kind.WORKFLOW,
    "PIPELINE": Kind.WORKFLOW,
    "EVALUATOR": Kind.EVALUATOR,
    "EVALUATION": Kind.EVALUATOR,
    "HUMAN_EVALUATOR": Kind.EVALUATOR,
}
INPUT = "lmnr.span.input"
OUTPUT = "lmnr.span.output"
PROPERTIES = "lmnr.association.properties."
METADATA = (f"{PROPERTIES}metadata.", PROPERTIES)


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return "lmnr" in prefixes


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return SPAN_TYPE in record.attributes


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    consumed: set[str] = set()
    metadata = told(attributes, METADATA)
    return Reading(
        kind=kind,
        tool_name=record.name or None if kind is Kind.TOOL else None,
        input=_content(attributes, INPUT, consumed),
        output=_content(attributes, OUTPUT, consumed),
        user_id=text(attributes.get(f"{PROPERTIES}user_id")),
        session_id=text(attributes.get(f"{PROPERTIES}session_id")),
        organization_id=metadata.text(ORGANIZATION),
        feature=metadata.text(FEATURE),
        input_type=metadata.text(INPUT_TYPE),
        tags=texts(attributes.get(f"{PROPERTIES}tags")),
        consumed=frozenset(consumed),
    )


def _kind(attributes: Attributes) -> Kind | None:
    sent = attributes.get(SPAN_TYPE)
    return KINDS.get(sent.upper()) if isinstance(sent, str) else None


def _content(attributes: Attributes, name: str, consumed: set[str]) -> JSONValue:
    """JSON text of anything; a string comes with quotes inside."""
    sent = attributes.get(name)
    found = content(any_json(sent) if isinstance(sent, str) else sent)
    if found is not None:
        consumed.add(name)
    return found
