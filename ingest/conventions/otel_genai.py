"""The OpenTelemetry GenAI convention: current names, deprecated ones still on the wire, and MCP spans."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ingest.messages import canonical, finish_reasons, message, with_system
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading, present
from ingest.usage import buckets
from ingest.values import (
    NS_A_SECOND,
    any_json,
    content,
    count,
    dollars,
    first_count,
    first_text,
    mapping,
    nanoseconds,
    structured,
    summed_dollars,
    take,
    text,
    texts,
)
from traces.span import Attributes, Event, JSONValue, Kind, Usage

NAME = "otel_genai"

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "chat",
            "generate_content",
            "text_completion",
            "completion",
            "generate",
            "response",
            "llm_request",
            "model_request",
            "llm_call",
        ),
        Kind.LLM,
    ),
    **dict.fromkeys(("invoke_agent", "create_agent", "agent_step", "agent_call", "execute_task"), Kind.AGENT),
    **dict.fromkeys(("execute_tool", "tool_call"), Kind.TOOL),
    **dict.fromkeys(("embeddings", "embedding"), Kind.EMBEDDING),
    **dict.fromkeys(("retrieval", "vector_db_retrieve", "vectordb"), Kind.RETRIEVER),
    "rerank": Kind.RERANKER,
    **dict.fromkeys(("invoke_workflow", "plan"), Kind.WORKFLOW),
}
MCP_KINDS: Mapping[str, Kind] = {"tools/call": Kind.TOOL, "prompts/get": Kind.PROMPT}
PROMPT_VARIABLE = "gen_ai.prompt.variable."
OPERATION = "gen_ai.operation.name"
METHOD = "mcp.method.name"
# Early instrumentations of MCP keep the request and the answer whole.
MCP_REQUEST = "mcp.request.argument"
MCP_RESPONSE = "mcp.response.value"

# In every tuple of names: the current name, then deprecated ones, then those that only some emitters use.
PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
MODEL = ("gen_ai.response.model", "gen_ai.request.model")
AGENT = ("gen_ai.agent.name", "gen_ai.agent.id")
CONVERSATION = "gen_ai.conversation.id"
SESSION = ("session.id", CONVERSATION)
TEXTS: Mapping[str, tuple[str, ...]] = {
    "agent_name": AGENT,
    "workflow_name": ("gen_ai.workflow.name",),
    "model": MODEL,
    "request_model": ("gen_ai.request.model",),
    "provider": PROVIDER,
    "tool_name": ("gen_ai.tool.name",),
    "prompt_name": ("gen_ai.prompt.name",),
    "prompt_version": ("gen_ai.prompt.version",),
    "response_id": ("gen_ai.response.id",),
    "user_id": ("user.id", "enduser.id"),
    "session_id": SESSION,
    "release": ("gen_ai.agent.version",),
}
INPUT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
OUTPUT_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "gen_ai.usage.prompt_tokens_details.cached_tokens",
)
# What was read from a cache by modality, where it is not told as a whole.
CACHE_READ_PARTS = (
    "gen_ai.usage.text.cache_read.input_tokens",
    "gen_ai.usage.image.cache_read.input_tokens",
    "gen_ai.usage.audio.cache_read.input_tokens",
)
CACHE_WRITE = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
)
CACHE_WRITE_1H = (
    "gen_ai.usage.cache_write.input_tokens.ephemeral_1h",
    "gen_ai.usage.cache_creation.input_tokens.ephemeral_1h",
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
)
CACHE_WRITE_5M = (
    "gen_ai.usage.cache_write.input_tokens.ephemeral_5m",
    "gen_ai.usage.cache_creation.input_tokens.ephemeral_5m",
)
REASONING = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "gen_ai.usage.completion_tokens_details.reasoning_tokens",
)
TOTAL = ("gen_ai.usage.total_tokens",)
COUNTS: Mapping[str, tuple[str, ...]] = {
    "input": INPUT_TOKENS,
    "output": OUTPUT_TOKENS,
    "cache_read": CACHE_READ,
    "cache_write": CACHE_WRITE,
    "cache_write_1h": CACHE_WRITE_1H,
    "reasoning": REASONING,
    "total": TOTAL,
}
# Argument of `buckets` -> what it is the sum of where no name tells it as a whole.
SUMS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "cache_read": tuple((name,) for name in CACHE_READ_PARTS),
    "cache_write": (CACHE_WRITE_5M, CACHE_WRITE_1H),
}
COST = ("gen_ai.usage.cost", "operation.cost")
COST_PARTS = ("gen_ai.usage.input_cost", "gen_ai.usage.output_cost")
TOOL_INPUT = ("gen_ai.tool.call.arguments", "gen_ai.tool.input", "gen_ai.tool.args")
TOOL_OUTPUT = ("gen_ai.tool.call.result", "gen_ai.tool.output")
FIRST_CHUNK = ("gen_ai.response.time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk")
SERVER_DELAY = "gen_ai.server.time_to_first_token"
PARAMETERS = ("gen_ai.request.", "gen_ai.openai.request.", "openai.request.")

DETAILS_EVENT = "gen_ai.client.inference.operation.details"
ROLES_OF_EVENTS: Mapping[str, str] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE_EVENT = "gen_ai.choice"
DEPRECATED = frozenset({"gen_ai.system", "gen_ai.prompt", "gen_ai.completion", "enduser.id"})
# All counts of a span are read together: the old names stay where a new one is beside them.
CURRENT_COUNTS = frozenset({INPUT_TOKENS[0], OUTPUT_TOKENS[0]})
DEPRECATED_COUNTS = frozenset({*INPUT_TOKENS[1:], *OUTPUT_TOKENS[1:]})
DEPRECATED_EVENTS = frozenset(
    {*ROLES_OF_EVENTS, CHOICE_EVENT, "gen_ai.content.prompt", "gen_ai.content.completion"}
)


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    if "gen_ai" in prefixes or "mcp" in prefixes:
        return True
    return is_told(record.events)


def is_told(events: tuple[Event, ...]) -> bool:
    return any(event.name.startswith("gen_ai.") for event in events)


is_dialect = recognise


class Shape(NamedTuple):
    """Which of the convention's names a set of names holds: a span carries a dozen, the convention has sixty."""

    texts: Mapping[str, tuple[str, ...]]  # field -> its names
    counts: Mapping[str, tuple[str, ...]]  # argument of `buckets` -> its names
    sums: tuple[str, ...]  # arguments of `buckets` that have parts
    parameters: tuple[tuple[str, str], ...]  # name -> what the parameter is called
    cost: bool
    first_token: bool
    mcp: bool

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "Shape":
        return cls(
            texts=present(TEXTS, names),
            counts=present(COUNTS, names),
            sums=tuple(
                which
                for which, parts in SUMS.items()
                if any(name in part for part in parts for name in names)
            ),
            parameters=tuple((name, name.rpartition("request.")[2]) for name in names if _is_parameter(name)),
            cost=not {*COST, *COST_PARTS}.isdisjoint(names),
            first_token=not {*FIRST_CHUNK, SERVER_DELAY}.isdisjoint(names),
            mcp=METHOD in names or MCP_REQUEST in names or MCP_RESPONSE in names,
        )


def read(record: OtlpSpan, shape: Shape | None = None) -> Reading:
    """`shape` is that of the span's names, for who has it at hand."""
    attributes = record.attributes
    if shape is None:
        shape = Shape.of(tuple(attributes))
    kind = _kind(attributes)
    consumed: set[str] = set()
    details = _details(record.events) if record.events else {}
    output = _output(record, details, kind, consumed)
    reading = Reading(
        kind=kind,
        tool_call_id=text(attributes.get("gen_ai.tool.call.id")) if kind is not Kind.LLM else None,
        finish_reason=_finish_reason(attributes, output),
        time_to_first_token_ns=_time_to_first_token(attributes) if shape.first_token else None,
        usage=_usage(attributes, shape),
        reported_cost=_reported_cost(record) if shape.cost else None,
        input=_input(record, details, kind, consumed),
        output=output,
        tool_definitions=_tool_definitions(attributes, consumed),
        request_params=_request_params(attributes, shape),
        release=text(record.resource.get("service.version")),
    )
    for field, names in shape.texts.items():
        if getattr(reading, field) is None:
            setattr(reading, field, first_text(attributes, names))
    if kind is Kind.LLM:
        # A tool named on a model call is one that the model asked for (OpenLIT): the call is in the output.
        reading.tool_name = None
    if shape.mcp:
        _add_mcp(reading, record)
    reading.consumed = frozenset(consumed)
    return reading


def read_current(record: OtlpSpan) -> Reading:
    """What the current names say alone, for a span on which another vocabulary comes before the deprecated ones."""
    counts_now = not CURRENT_COUNTS.isdisjoint(record.attributes)
    attributes = {
        name: value
        for name, value in record.attributes.items()
        if name not in DEPRECATED and (counts_now or name not in DEPRECATED_COUNTS)
    }
    events = tuple(event for event in record.events if event.name not in DEPRECATED_EVENTS)
    return read(msgspec.structs.replace(record, attributes=attributes, events=events))


def _add_mcp(reading: Reading, record: OtlpSpan) -> None:
    if reading.kind is not Kind.LLM:
        reading.tool_name = reading.tool_name or _mcp_target(record, "tools/call")
    reading.prompt_name = reading.prompt_name or _mcp_target(record, "prompts/get")
    reading.error_type = _mcp_failure(record.attributes, reading.output)


def _kind(attributes: Attributes) -> Kind | None:
    operation, method = attributes.get(OPERATION), attributes.get(METHOD)
    if isinstance(operation, str):
        operation = operation.lower()
        found = KINDS.get(operation) or (Kind.MEMORY if "_memory" in operation else None)
        if found or method is None:
            return found
    if isinstance(method, str):
        return MCP_KINDS.get(method)
    marked = "gen_ai.tool.name" in attributes or "gen_ai.tool.call.id" in attributes
    return Kind.TOOL if marked else None


def _mcp_target(record: OtlpSpan, method: str) -> str | None:
    """MCP spans are named `{method} {target}`; the request tells it too, where it is kept."""
    if record.attributes.get(METHOD) != method:
        return None
    named, _, target = record.name.partition(" ")
    return text(target if named == method else None) or text(_mcp_params(record.attributes).get("name"))


def _mcp_failure(attributes: Attributes, output: JSONValue) -> str | None:
    """A tool that failed behind MCP answers like any other, and says so inside the answer."""
    failed = METHOD in attributes and isinstance(output, dict) and output.get("isError") is True
    return "tool_error" if failed else None


def _mcp_params(attributes: Attributes) -> Attributes:
    request = mapping(attributes.get(MCP_REQUEST)) if MCP_REQUEST in attributes else None
    if request is None:
        return {}
    params = request.get("params", request)
    return params if isinstance(params, dict) else {}


def _usage(attributes: Attributes, shape: Shape) -> Usage | None:
    if not (shape.counts or shape.sums):
        return None
    counts = {which: first_count(attributes, names) for which, names in shape.counts.items()}
    for which in shape.sums:
        if counts.get(which) is None:
            counts[which] = _sum(attributes, SUMS[which])
    return buckets(**counts)


def _sum(attributes: Attributes, parts: tuple[tuple[str, ...], ...]) -> int | None:
    counts = [found for names in parts if (found := first_count(attributes, names)) is not None]
    return count(sum(counts)) if counts else None


def _reported_cost(record: OtlpSpan) -> Decimal | None:
    attributes = record.attributes
    for name in COST:
        sent = attributes.get(name)
        if sent is not None and (found := dollars(sent)) is not None:
            return None if not found and _knows_no_price(record) else found
    return summed_dollars(attributes.get(name) for name in COST_PARTS) or None


def _knows_no_price(record: OtlpSpan) -> bool:
    """OpenLIT writes a cost of nothing for every model whose price it does not know."""
    return record.resource.get("telemetry.sdk.name") == "openlit"


def _input(record: OtlpSpan, details: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    attributes = record.attributes
    if kind is Kind.TOOL and (arguments := take(attributes, TOOL_INPUT, consumed)) is not None:
        return arguments
    if MCP_REQUEST in attributes and (request := take(attributes, (MCP_REQUEST,), consumed)) is not None:
        return content(_mcp_params(attributes).get("arguments")) or request
    found = _messages(attributes, details, "gen_ai.input.messages", consumed)
    if found is None and record.events:
        found = _sent_messages(record.events, consumed)
    if found is None:
        found = _messages(attributes, {}, "gen_ai.prompt", consumed)
    instructions = _messages(attributes, details, "gen_ai.system_instructions", consumed)
    if instructions is not None:
        return with_system(instructions, found)
    return found if found is not None else take(attributes, ("gen_ai.retrieval.query.text",), consumed)


def _output(record: OtlpSpan, details: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    attributes = record.attributes
    if kind is Kind.TOOL and (result := take(attributes, TOOL_OUTPUT, consumed)) is not None:
        return result
    if MCP_RESPONSE in attributes and (response := take(attributes, (MCP_RESPONSE,), consumed)) is not None:
        return response
    found = _messages(attributes, details, "gen_ai.output.messages", consumed)
    if found is None and record.events:
        found = _choices(record.events, consumed)
    if found is None:
        found = _messages(attributes, {}, "gen_ai.completion", consumed)
    return found if found is not None else take(attributes, ("gen_ai.retrieval.documents",), consumed)


def _messages(attributes: Attributes, details: Attributes, name: str, consumed: set[str]) -> JSONValue:
    """Content as messages where it is messages, from the attribute or else from the details event."""
    found = take(attributes, (name,), consumed)
    if found is None and (found := content(details.get(name))) is not None:
        consumed.add(DETAILS_EVENT)
    return canonical(found) or found


def _details(events: tuple[Event, ...]) -> Attributes:
    return next((event.attributes for event in events if event.name == DETAILS_EVENT), {})


def _sent_messages(events: tuple[Event, ...], consumed: set[str]) -> JSONValue:
    """The prompt from one event a message, or from the still older single event."""
    found: list[JSONValue] = []
    for event in events:
        role = ROLES_OF_EVENTS.get(event.name)
        if role:
            found.append(event_message(event, role))
            consumed.add(event.name)
    return found or _single_event(events, "gen_ai.content.prompt", "gen_ai.prompt", consumed)


def _choices(events: tuple[Event, ...], consumed: set[str]) -> JSONValue:
    found: list[JSONValue] = [event_choice(event) for event in events if event.name == CHOICE_EVENT]
    if found:
        consumed.add(CHOICE_EVENT)
        return found
    return _single_event(events, "gen_ai.content.completion", "gen_ai.completion", consumed)


def _single_event(events: tuple[Event, ...], event_name: str, name: str, consumed: set[str]) -> JSONValue:
    for event in events:
        if event.name == event_name and (found := content(event.attributes.get(name))) is not None:
            consumed.add(event_name)
            return canonical(found) or found
    return None


def event_message(event: Event, role: str) -> Attributes:
    body = _body(event)
    role = text(body.get("role")) or role
    # `id` is the answered call's on a tool message, the message's own on any other.
    call_id = text(body.get("id")) if role == "tool" else None
    return message(
        role, _spoken(body.get("content")), tool_calls=_listed(body.get("tool_calls")), tool_call_id=call_id
    )


def event_choice(event: Event) -> Attributes:
    body = _body(event)
    said = content(body.get("message"))
    if not isinstance(said, dict):
        said = {"content": said}
    return message(
        text(said.get("role")) or "assistant",
        _spoken(said.get("content")),
        tool_calls=_listed(said.get("tool_calls") or body.get("tool_calls")),
        finish_reason=text(body.get("finish_reason")),
    )


def _body(event: Event) -> Attributes:
    """What an event says: JSON in one attribute, or the attributes themselves."""
    return mapping(event.attributes.get("gen_ai.event.content")) or event.attributes


def _spoken(value: JSONValue) -> JSONValue:
    """A list of parts may come as JSON text; any other text was said as it is."""
    parsed = content(value)
    return parsed if isinstance(parsed, list) or not isinstance(value, str) else value


def _listed(value: JSONValue) -> JSONValue:
    return any_json(value) if isinstance(value, str) else value


def _tool_definitions(attributes: Attributes, consumed: set[str]) -> JSONValue:
    found = take(attributes, ("gen_ai.tool.definitions",), consumed)
    if isinstance(found, list):
        return [structured(item) if isinstance(item, str) else item for item in found]
    return found


def _is_parameter(name: str) -> bool:
    return ".request." in name and name.startswith(PARAMETERS) and name != "gen_ai.request.model"


def _request_params(attributes: Attributes, shape: Shape) -> Attributes | None:
    sent = ((short, attributes[name]) for name, short in shape.parameters)
    params: Attributes = {short: value for short, value in sent if value is not None}
    if (output_type := text(attributes.get("gen_ai.output.type"))) is not None:
        params["output.type"] = output_type
    return params or None


def _finish_reason(attributes: Attributes, output: JSONValue) -> str | None:
    sent = attributes.get("gen_ai.response.finish_reasons")
    if sent is not None and (reasons := texts(sent)):
        return ",".join(reasons)
    return finish_reasons(output) or text(attributes.get("anthropic.message.stop_reason"))


def _time_to_first_token(attributes: Attributes) -> int | None:
    for name in FIRST_CHUNK:
        sent = attributes.get(name)
        if sent is not None and (found := nanoseconds(sent, NS_A_SECOND)) is not None:
            return found
    return nanoseconds(attributes.get(SERVER_DELAY), NS_A_SECOND)
