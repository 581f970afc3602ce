"""Pydantic AI and Logfire: GenAI names (read there), and names of their own for agents, tags and older formats."""

from collections.abc import Mapping

from ingest.bodies import answered, asked, parameters
from ingest.messages import canonical, message, with_system
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import content, count, first_text, mapping, take, text, texts
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "pydantic_ai"

SCOPE = "pydantic-ai"
NAMESPACES = frozenset({"pydantic_ai", "logfire"})
AGENT = ("gen_ai.agent.name", "agent_name")
# Only spans of agents carry these; `model_name` beside them is no model call.
AGENT_MARKS = frozenset({"pydantic_ai.all_messages", "all_messages_events", "final_result"})
MESSAGES = "gen_ai.input.messages"
ALL_MESSAGES = "pydantic_ai.all_messages"
INSTRUCTIONS = "gen_ai.system_instructions"
# Formats of 2025: every message, the answer among them, as one list of events.
EVENTS = ("all_messages_events", "events")
FLAT_INPUT = ("prompt",)
REQUEST = "request_data"
RESPONSE = "response_data"
FINAL = ("final_result",)
STREAMED = "combined_chunk_content"
TOOL_INPUT = ("gen_ai.tool.call.arguments", "tool_arguments")
TOOL_OUTPUT = ("gen_ai.tool.call.result", "tool_response")
REQUEST_PARAMETERS = "model_request_parameters"
TOOLS = ("function_tools", "native_tools", "output_tools")
FINGERPRINT = "logfire.exception.fingerprint"
AGGREGATED = "gen_ai.aggregated_usage."
ROLES: Mapping[str, str] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE = "gen_ai.choice"


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return record.scope == SCOPE or not prefixes.isdisjoint(NAMESPACES)


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return record.scope == SCOPE or "pydantic_ai" in prefixes


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    consumed: set[str] = set()
    prompt, answer = _events(attributes, consumed)
    request, response = _http(attributes, consumed)
    called = mapping(attributes.get(REQUEST_PARAMETERS)) or {}
    return Reading(
        kind=kind,
        name=text(attributes.get("logfire.msg")),
        agent_name=first_text(attributes, AGENT),
        tags=texts(attributes.get("logfire.tags")),
        error_type=text(attributes.get(FINGERPRINT))
        if FINGERPRINT in attributes and not record.events
        else None,
        usage=_aggregated(attributes),
        input=_input(attributes, prompt, request, consumed),
        output=_output(attributes, answer, response, consumed),
        tool_definitions=_tool_definitions(attributes, called, request),
        request_params=_request_params(attributes, called, request),
        consumed=frozenset(consumed),
    )


def _kind(attributes: Attributes) -> Kind | None:
    if isinstance(attributes.get("gen_ai.operation.name"), str):
        return None
    if not AGENT_MARKS.isdisjoint(attributes):
        return Kind.AGENT
    return Kind.EVENT if attributes.get("logfire.span_type") == "log" else None


def _aggregated(attributes: Attributes) -> Usage | None:
    """What the model calls of an agent used together: shown on its span, which is no billed kind."""
    if f"{AGGREGATED}input_tokens" not in attributes and f"{AGGREGATED}output_tokens" not in attributes:
        return None
    return buckets(
        input=count(attributes.get(f"{AGGREGATED}input_tokens")),
        output=count(attributes.get(f"{AGGREGATED}output_tokens")),
        cache_read=count(attributes.get(f"{AGGREGATED}cache_read.input_tokens")),
        cache_write=count(attributes.get(f"{AGGREGATED}cache_creation.input_tokens")),
        reasoning=count(attributes.get(f"{AGGREGATED}details.reasoning_tokens")),
    )


def _input(attributes: Attributes, prompt: JSONValue, request: Attributes, consumed: set[str]) -> JSONValue:
    if (arguments := take(attributes, TOOL_INPUT, consumed)) is not None:
        return arguments
    if content(attributes.get(MESSAGES)) is not None:
        return None
    if (whole := take(attributes, (ALL_MESSAGES,), consumed)) is not None:
        whole = canonical(whole) or whole
        instructions = take(attributes, (INSTRUCTIONS,), consumed)
        return with_system(instructions, whole) if instructions is not None else whole
    if prompt:
        return prompt
    if (flat := take(attributes, FLAT_INPUT, consumed)) is not None:
        return flat
    return (asked(request) or request) if request else None


def _output(attributes: Attributes, answer: JSONValue, response: Attributes, consumed: set[str]) -> JSONValue:
    if (result := take(attributes, TOOL_OUTPUT, consumed)) is not None:
        return result
    if content(attributes.get("gen_ai.output.messages")) is not None:
        return None
    if (final := take(attributes, FINAL, consumed)) is not None:
        return final
    if answer:
        return answer
    if STREAMED in response:
        return content(response[STREAMED])
    said = response.get("message")
    return (canonical(said) if said else answered(response)) or response or None


def _events(attributes: Attributes, consumed: set[str]) -> tuple[list[JSONValue], list[JSONValue]]:
    """What was asked and what was answered, from one list of both."""
    prompt: list[JSONValue] = []
    answer: list[JSONValue] = []
    for name in EVENTS:
        events = content(attributes.get(name))
        if not isinstance(events, list):
            continue
        consumed.add(name)
        for event in events:
            if isinstance(event, dict) and (made := _message(event)):
                (answer if event.get("event.name") == CHOICE else prompt).append(made)
        break
    return prompt, answer


def _message(event: Attributes) -> Attributes | None:
    name = event.get("event.name")
    if name == CHOICE:
        inner = event.get("message")
        told = inner if isinstance(inner, dict) else {"content": inner}
        return message(
            text(told.get("role")) or "assistant", told.get("content"), tool_calls=told.get("tool_calls")
        )
    role = text(event.get("role")) or (ROLES.get(name) if isinstance(name, str) else None)
    if role is None:
        return None
    call_id = text(event.get("id")) if role == "tool" else None
    return message(role, event.get("content"), tool_calls=event.get("tool_calls"), tool_call_id=call_id)


def _http(attributes: Attributes, consumed: set[str]) -> tuple[Attributes, Attributes]:
    """What Logfire's instrumentations of model clients record: the request and the answer, or parts of it."""
    found = []
    for name in (REQUEST, RESPONSE):
        body = mapping(attributes.get(name))
        if body is not None:
            consumed.add(name)
        found.append(body or {})
    return found[0], found[1]


def _tool_definitions(attributes: Attributes, called: Attributes, request: Attributes) -> JSONValue:
    if content(attributes.get("gen_ai.tool.definitions")) is not None:
        return None
    offered = [tool for name in TOOLS if isinstance(listed := called.get(name), list) for tool in listed]
    return offered or content(request.get("tools"))


def _request_params(attributes: Attributes, called: Attributes, request: Attributes) -> Attributes | None:
    if any(name.startswith("gen_ai.request.") and name != "gen_ai.request.model" for name in attributes):
        return None
    if request:
        return parameters(request)
    return {key: value for key, value in called.items() if key not in TOOLS and value} or None
