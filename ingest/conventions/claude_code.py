"""Claude Code and the Claude Agent SDK: bare names, told apart by `span.type`; content only where it was asked for."""

from collections.abc import Mapping

from ingest.messages import canonical, message
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import NS_A_MILLISECOND, content, count, first_text, nanoseconds, take, text
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "claude_code"

SPAN_TYPE = "span.type"
SCOPE = "com.anthropic.claude_code.tracing"
PREFIX = "claude_code."
KINDS: Mapping[str, Kind] = {"interaction": Kind.AGENT, "llm_request": Kind.LLM, "tool": Kind.TOOL}
MODEL = ("gen_ai.response.model", "model", "gen_ai.request.model")
TOOL_CALL = ("gen_ai.tool.call.id", "tool_use_id")
PROMPT = ("user_prompt", "new_context")
ANSWER = ("response.model_output",)
TOOL_INPUT = ("tool_input",)
# What is told of a call whose input is not recorded.
TOOL_DETAILS = ("full_command", "file_path", "skill_name", "subagent_type")
OUTPUT_EVENT = "tool.output"
OUTPUT_KEYS = ("output", "content", "diff")
FAILED = ("false", "False", False)


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    if record.scope == SCOPE:
        return True
    return "span" in prefixes and _type(record.attributes) in KINDS


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = KINDS.get(_type(attributes))
    consumed: set[str] = set()
    called = kind is Kind.LLM
    return Reading(
        kind=kind,
        model=first_text(attributes, MODEL) if called else None,
        request_model=first_text(attributes, ("gen_ai.request.model", "model")) if called else None,
        tool_name=text(attributes.get("tool_name")) if kind is Kind.TOOL else None,
        tool_call_id=first_text(attributes, TOOL_CALL) if kind is Kind.TOOL else None,
        finish_reason=text(attributes.get("stop_reason")),
        time_to_first_token_ns=nanoseconds(attributes.get("ttft_ms"), NS_A_MILLISECOND),
        usage=_usage(attributes) if called else None,
        input=_input(attributes, kind, consumed),
        output=_output(record, kind, consumed),
        error_message=_error(attributes),
        session_id=text(attributes.get("session.id")),
        user_id=text(attributes.get("user.id")),
        organization_id=text(attributes.get("organization.id")),
        consumed=frozenset(consumed),
    )


def _type(attributes: Attributes) -> str:
    sent = attributes.get(SPAN_TYPE)
    return sent.lower().removeprefix(PREFIX) if isinstance(sent, str) else ""


def _usage(attributes: Attributes) -> Usage | None:
    """As Anthropic's API counts: the input without what was read from or written to the cache."""
    uncached = count(attributes.get("input_tokens"))
    read = count(attributes.get("cache_read_tokens"))
    written = count(attributes.get("cache_creation_tokens"))
    return buckets(
        input=uncached + (read or 0) + (written or 0) if uncached is not None else None,
        output=count(attributes.get("output_tokens")),
        cache_read=read,
        cache_write=written,
    )


def _input(attributes: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    if kind is Kind.TOOL:
        found = take(attributes, TOOL_INPUT, consumed)
        return found if found is not None else _details(attributes)
    found = take(attributes, PROMPT, consumed)
    return _messages(found, "user") if kind is Kind.LLM else found


def _details(attributes: Attributes) -> JSONValue:
    return {
        name: found for name in TOOL_DETAILS if (found := content(attributes.get(name))) is not None
    } or None


def _output(record: OtlpSpan, kind: Kind | None, consumed: set[str]) -> JSONValue:
    if kind is Kind.TOOL:
        return _tool_output(record, consumed)
    found = take(record.attributes, ANSWER, consumed)
    return _messages(found, "assistant") if kind is Kind.LLM else found


def _tool_output(record: OtlpSpan, consumed: set[str]) -> JSONValue:
    for event in record.events:
        if event.name == OUTPUT_EVENT:
            for key in OUTPUT_KEYS:
                if (found := content(event.attributes.get(key))) is not None:
                    consumed.add(OUTPUT_EVENT)
                    return found
    return take(record.attributes, ("new_context",), consumed)


def _messages(found: JSONValue, role: str) -> JSONValue:
    if found is None:
        return None
    return canonical(found) or [message(role, found)]


def _error(attributes: Attributes) -> str | None:
    """A failed request or tool says so in attributes; the status of the span stays unset."""
    if attributes.get("success", True) not in FAILED:
        return None
    return text(attributes.get("error")) or "failed"
