"""A stored span as OTLP/JSON again, so that it can be read in its raw form and sent once more. Pure.

What comes out is what is stored: redacted, and with media cut out. Attributes, events, links, resource and scope stand
as they were sent. Prompts, answers, parameters and tool definitions, which lie in columns of their own, take the names
of the OpenTelemetry GenAI conventions. A span of the plain JSON door had no attributes for its other fields: those take
GenAI names too. Not stored, so not here: the kind, state and flags of OTLP spans, and what a raw answer said beside its
messages (which part of the tokens written to OpenInference's cache lives an hour).
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import TypeAlias

import msgspec

from traces.moment import nanoseconds
from traces.queries import SpanUsage, StoredSpan
from traces.span import Attributes, JSONValue

OtlpJson: TypeAlias = dict[str, JSONValue]
PLAIN = "plain"
# Spans that are made JSON at once.
TOGETHER = 500
# Where ingest keeps the name that a span was sent with, when it shows a better one.
SPAN_NAME = "otel.span.name"
_STATUS_CODES = {"unset": 0, "ok": 1, "error": 2}
_INT64 = 2**63

# Where content of a kind stands; "input" and "output" where the conventions have no name for it.
_MESSAGES = ("gen_ai.input.messages", "gen_ai.output.messages")
_CONTENT: Mapping[str, tuple[str, str]] = {
    "llm": _MESSAGES,
    "agent": _MESSAGES,
    "tool": ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    "retriever": ("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"),
}
_OPERATIONS: Mapping[str, str] = {
    "llm": "chat",
    "agent": "invoke_agent",
    "tool": "execute_tool",
    "embedding": "embeddings",
    "retriever": "retrieval",
    "reranker": "rerank",
    "workflow": "invoke_workflow",
}
_OPERATION = "gen_ai.operation.name"
# Kinds without an operation of their own, by the name that OpenInference has for them.
_OTHER_KINDS: Mapping[str, str] = {"guardrail": "GUARDRAIL", "evaluator": "EVALUATOR", "prompt": "PROMPT"}
_FIELDS: Mapping[str, str] = {
    "user_id": "user.id",
    "session_id": "session.id",
    "organization_id": "tracehouse.organization.id",
    "feature": "tracehouse.feature",
    "environment": "deployment.environment.name",
    "release": "service.version",
    "input_type": "tracehouse.input_type",
    "agent_name": "gen_ai.agent.name",
    "workflow_name": "gen_ai.workflow.name",
    "model": "gen_ai.response.model",
    "request_model": "gen_ai.request.model",
    "provider": "gen_ai.provider.name",
    "tool_name": "gen_ai.tool.name",
    "tool_call_id": "gen_ai.tool.call.id",
    "prompt_name": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
    "error_type": "error.type",
}


def request(trace_id: str, spans: Iterable[StoredSpan]) -> OtlpJson:
    """The body of a request to `/v1/traces` that holds these spans."""
    return {"resourceSpans": list(_resources(trace_id, spans))}


def chunks(trace_id: str, spans: Iterable[StoredSpan]) -> Iterator[bytes]:
    """The same as text, some spans at a time: a long trace is never whole in memory."""
    yield b'{"resourceSpans":['
    for place, found in enumerate(_resources(trace_id, spans)):
        yield (b"," if place else b"") + msgspec.json.encode(found)
    yield b"]}\n"


def _resources(trace_id: str, spans: Iterable[StoredSpan]) -> Iterator[JSONValue]:
    """Spans that follow each other with the same resource and scope stand together, up to TOGETHER of them."""
    for (resource, scope), alike in groupby(spans, key=_origin):
        attributes = _attributes(msgspec.json.decode(resource))
        while together := list(islice(alike, TOGETHER)):
            made: list[JSONValue] = [_span(trace_id, span) for span in together]
            scope_spans: OtlpJson = {"scope": {"name": scope}, "spans": made}
            yield {"resource": {"attributes": attributes}, "scopeSpans": [scope_spans]}


def _origin(span: StoredSpan) -> tuple[bytes, str]:
    return msgspec.json.encode(span.resource), span.scope


def _span(trace_id: str, span: StoredSpan) -> OtlpJson:
    made: OtlpJson = {
        "traceId": trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent_id} if span.parent_id else {}),
        "name": str(span.attributes.get(SPAN_NAME) or span.name),
        "startTimeUnixNano": str(span.start_ns),
        **({} if span.is_open else {"endTimeUnixNano": str(span.start_ns + round(span.latency_ms * 1e6))}),
        "attributes": _attributes(attributes(span)),
        "status": _status(span),
        "events": [_event(event) for event in span.events if isinstance(event, dict)],
        "links": [_link(link) for link in span.links if isinstance(link, dict)],
    }
    return {name: value for name, value in made.items() if value != []}


def attributes(span: StoredSpan) -> Attributes:
    """The attributes of a span with what lies in columns put back among them; what was sent under a name stays."""
    sent = {name: value for name, value in span.attributes.items() if name != SPAN_NAME}
    return {**_told(span), **sent}


def _told(span: StoredSpan) -> Attributes:
    content = {**_content(span), **_parameters(span), **_answer(span)}
    return {**_fields(span), **content} if span.vocabulary == PLAIN else content


def _content(span: StoredSpan) -> Attributes:
    sent, returned = _CONTENT.get(span.kind, ("input", "output"))
    found: Attributes = {
        sent: span.input,
        returned: span.output,
        "gen_ai.tool.definitions": span.tool_definitions,
    }
    told: Attributes = {name: _text(value) for name, value in found.items() if value not in (None, "")}
    # Without the operation, what a tool was given would not be read as that.
    marked = _OPERATION in span.attributes or span.kind not in {"tool", "retriever"}
    return told if marked or not told else {_OPERATION: _OPERATIONS[span.kind], **told}


def _text(value: JSONValue) -> str:
    """Structure as JSON text, as the conventions ask for on spans."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _parameters(span: StoredSpan) -> Attributes:
    """Parameters of the request, where no attribute says them any more."""
    said = {name.rpartition(".request.")[2] for name in span.attributes if ".request." in name}
    named = {"output.type": "gen_ai.output.type"}
    return {
        named.get(name, f"gen_ai.request.{name}"): value
        for name, value in span.request_params.items()
        if name not in said
    }


def _answer(span: StoredSpan) -> Attributes:
    """The id of the answer, where it was read out of an answer that was recorded whole."""
    said = not span.response_id or span.response_id in span.attributes.values()
    return {} if said else {"gen_ai.response.id": span.response_id}


def _fields(span: StoredSpan) -> Attributes:
    named: Attributes = {name: getattr(span, field) for field, name in _FIELDS.items()}
    others: Attributes = {
        _OPERATION: _OPERATIONS.get(span.kind),
        "openinference.span.kind": _OTHER_KINDS.get(span.kind),
        "tracehouse.tags": list(span.tags),
        "gen_ai.response.finish_reasons": list(filter(None, span.finish_reason.split(","))),
        "gen_ai.response.time_to_first_chunk": _seconds(span.time_to_first_token_ms),
        "gen_ai.usage.cost": None if span.reported_cost_usd is None else f"{span.reported_cost_usd:f}",
        **(_usage(span.usage) if span.usage else {}),
    }
    return {name: value for name, value in {**named, **others}.items() if value not in (None, "", [])}


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _usage(usage: SpanUsage) -> Attributes:
    buckets = (usage.input_uncached, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h)
    written = [count for count in buckets[2:] if count is not None]
    return {
        "gen_ai.usage.input_tokens": None if all(count is None for count in buckets) else usage.input,
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_write.input_tokens": sum(written) if written else None,
        "gen_ai.usage.cache_write.input_tokens.ephemeral_1h": usage.cache_write_1h,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }


def _status(span: StoredSpan) -> OtlpJson:
    status: OtlpJson = {"code": _STATUS_CODES.get(span.status, 0)}
    return {**status, "message": span.status_message} if span.status_message else status


def _event(event: Attributes) -> OtlpJson:
    at = nanoseconds(str(event.get("time") or ""))
    told: OtlpJson = {} if at is None else {"timeUnixNano": str(at)}
    return {**told, "name": str(event.get("name") or ""), "attributes": _attributes(_object(event))}


def _link(link: Attributes) -> OtlpJson:
    return {
        "traceId": str(link.get("trace_id") or ""),
        "spanId": str(link.get("span_id") or ""),
        "attributes": _attributes(_object(link)),
    }


def _object(holder: Attributes) -> Attributes:
    told = holder.get("attributes")
    return told if isinstance(told, dict) else {}


def _attributes(values: Mapping[str, JSONValue]) -> list[JSONValue]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: JSONValue) -> OtlpJson:
    """An OTLP value; absent is the empty one."""
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(value)}}
    return {} if value is None else _scalar(value)


def _scalar(value: str | float) -> OtlpJson:
    """Whole numbers are text, as OTLP/JSON writes 64 bits; larger ones are no numbers there."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}
