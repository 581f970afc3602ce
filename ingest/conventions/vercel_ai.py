"""The Vercel AI SDK: `ai.*` names of its legacy telemetry, and what version 7 adds to the OTel names."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ingest.messages import canonical, message, text_part, tool_call, with_system
from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, SESSION, USER, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import (
    NS_A_MILLISECOND,
    any_json,
    content,
    count,
    first_count,
    first_text,
    mapping,
    nanoseconds,
    take,
    text,
)
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "vercel_ai"

NAMED_OPERATION = "operation.name"
SCOPES = frozenset({"ai", "gen_ai"})
OWN = (
    "ai.operationId",
    "ai.telemetry.",
    "ai.settings.",
    "ai.model.",
    "ai.prompt",
    "ai.response.",
    "ai.result.",
    "ai.stream.",
    "ai.usage.",
    "ai.toolCall.",
    "ai.value",
    "ai.embedding",
    "ai.documents",
    "ai.ranking",
)
OPERATION = "ai.operationId"
# In lower case. The outer spans of an embedding or a reranking repeat what their inner ones used.
# In version 7 both have one name.
NESTED = frozenset({"embeddings", "rerank"})
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("ai.generatetext", "ai.streamtext", "ai.generateobject", "ai.streamobject"),
        Kind.AGENT,
    ),
    **dict.fromkeys(("ai.embed.doembed", "ai.embedmany.doembed"), Kind.EMBEDDING),
    "ai.toolcall": Kind.TOOL,
    "ai.rerank.dorerank": Kind.RERANKER,
    **dict.fromkeys(("ai.embed", "ai.embedmany", "ai.rerank"), Kind.SPAN),
}
FUNCTION = "ai.telemetry.functionId"
MODEL = ("ai.response.model", "ai.model.id")
INPUT_TOKENS = (
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "ai.usage.tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
)
OUTPUT_TOKENS = (
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
)
CACHE_READ = (
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
    "gen_ai.usage.cache_read.input_tokens",
)
CACHE_WRITE = (
    "ai.usage.inputTokenDetails.cacheWriteTokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
)
REASONING = (
    "ai.usage.outputTokenDetails.reasoningTokens",
    "ai.usage.reasoningTokens",
    "gen_ai.usage.reasoning.output_tokens",
)
COUNTS = frozenset((*INPUT_TOKENS, *OUTPUT_TOKENS))
OWN_COUNTS = frozenset(name for name in COUNTS if name.startswith("ai."))
ANSWERED = COUNTS | {"ai.ranking", "ai.ranking.type"}
# Where one of these is told, the input includes the cache, whoever the provider is.
INCLUSIVE = (
    "ai.usage.inputTokenDetails.noCacheTokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
)
EXCLUSIVE_PROVIDERS = ("anthropic", "bedrock")
PROVIDER_METADATA = "ai.response.providerMetadata"
# Anthropic's own names, Bedrock's, and OpenAI's as its package calls them.
PROVIDER_CACHE_READ = ("cacheReadInputTokens", "cache_read_input_tokens", "cachedPromptTokens")
PROVIDER_CACHE_WRITE = ("cacheCreationInputTokens", "cache_creation_input_tokens", "cacheWriteInputTokens")
RESPONSE_TEXT = ("ai.response.text", "ai.result.text")
RESPONSE_CALLS = ("ai.response.toolCalls", "ai.result.toolCalls")
RESPONSE_OBJECT = ("ai.response.object", "ai.result.object")
FLAT_INPUTS = ("ai.value", "ai.values", "ai.documents")
FLAT_OUTPUTS = ("ai.embeddings", "ai.embedding", "ai.ranking")
FIRST_CHUNK = ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
FIRST_CHUNK_EVENT = "ai.stream.firstChunk"
SETTINGS = "ai.settings."
CONTEXT = "ai.settings.context."
METADATA = ("ai.telemetry.metadata.", CONTEXT)


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    if "ai" in prefixes and any(name.startswith(OWN) for name in record.attributes):
        return True
    return is_dialect(record, prefixes)


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    attributes = record.attributes
    if OPERATION in attributes or (record.scope in SCOPES and not prefixes.isdisjoint(SCOPES)):
        return True
    return "operation" in prefixes and _first_word(attributes.get(NAMED_OPERATION)) is not None


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    operation = _operation(attributes)
    kind = _kind(record, operation)
    consumed: set[str] = set()
    metadata = told(attributes, METADATA)
    prompt = mapping(metadata.values.get("langfusePrompt")) or {}
    function = text(attributes.get(FUNCTION))
    return Reading(
        kind=kind,
        name=f"{function} {operation}" if function and operation else None,
        agent_name=function,
        model=first_text(attributes, MODEL),
        request_model=text(attributes.get("gen_ai.request.model")) or text(attributes.get("ai.model.id")),
        provider=text(attributes.get("ai.model.provider")),
        tool_name=text(attributes.get("ai.toolCall.name")),
        tool_call_id=text(attributes.get("ai.toolCall.id")),
        prompt_name=text(prompt.get("name")),
        prompt_version=text(prompt.get("version")),
        finish_reason=text(attributes.get("ai.response.finishReason")),
        response_id=text(attributes.get("ai.response.id")),
        time_to_first_token_ns=_time_to_first_token(record),
        usage=_usage(attributes),
        input=_input(attributes, kind, consumed),
        output=_output(attributes, kind, consumed),
        tool_definitions=_tool_definitions(attributes, consumed),
        request_params=_request_params(attributes),
        user_id=metadata.text(USER),
        session_id=metadata.text(SESSION),
        organization_id=metadata.text(ORGANIZATION),
        feature=metadata.text(FEATURE),
        input_type=metadata.text(INPUT_TYPE),
        tags=metadata.texts(("tags",)),
        consumed=frozenset(consumed),
    )


def _operation(attributes: Attributes) -> str | None:
    return text(attributes.get(OPERATION)) or _first_word(attributes.get(NAMED_OPERATION))


def _first_word(name: JSONValue) -> str | None:
    found = name.partition(" ")[0] if isinstance(name, str) else ""
    return found if found.startswith("ai.") else None


def _kind(record: OtlpSpan, operation: str | None) -> Kind | None:
    if operation is not None:
        operation = operation.lower()
        return Kind.LLM if operation.endswith((".dogenerate", ".dostream")) else KINDS.get(operation)
    attributes = record.attributes
    if "ai.toolCall.name" in attributes:
        return Kind.TOOL
    return Kind.SPAN if record.scope == "gen_ai" and _is_outer(record) else None


def _is_outer(record: OtlpSpan) -> bool:
    """Whether the span only holds the one that asks the model: that one used something, ranked, or failed."""
    operation = record.attributes.get("gen_ai.operation.name")
    if not isinstance(operation, str) or operation.lower() not in NESTED or record.status_code == 2:
        return False
    return ANSWERED.isdisjoint(record.attributes)


def _usage(attributes: Attributes) -> Usage | None:
    if OWN_COUNTS.isdisjoint(attributes) and PROVIDER_METADATA not in attributes:
        return None  # version 7 counts in the OTel names alone
    if COUNTS.isdisjoint(attributes):
        return None
    by_provider = _by_provider(attributes.get(PROVIDER_METADATA))
    input = first_count(attributes, INPUT_TOKENS)
    cache_read = _or(first_count(attributes, CACHE_READ), by_provider.cache_read)
    cache_write = _or(first_count(attributes, CACHE_WRITE), by_provider.cache_write)
    if input is not None and _is_exclusive(attributes):
        input += (cache_read or 0) + (cache_write or 0)
    return buckets(
        input=input,
        output=first_count(attributes, OUTPUT_TOKENS),
        cache_read=cache_read,
        cache_write=cache_write,
        cache_write_1h=by_provider.cache_write_1h,
        reasoning=_or(first_count(attributes, REASONING), by_provider.reasoning),
        total=count(attributes.get("ai.usage.totalTokens")),
    )


def _or(count: int | None, otherwise: int | None) -> int | None:
    return otherwise if count is None else count


def _is_exclusive(attributes: Attributes) -> bool:
    """Before the SDK told the details of the input it handed on these providers' count, which excludes the cache."""
    if any(name in attributes for name in INCLUSIVE):
        return False
    provider = text(attributes.get("ai.model.provider")) or ""
    return any(name in provider for name in EXCLUSIVE_PROVIDERS)


class _Details(NamedTuple):
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None


_NO_DETAILS = _Details()


def _by_provider(sent: JSONValue) -> _Details:
    """What only the provider's own answer tells; an object for each provider that has something to say."""
    if sent is None or (isinstance(sent, str) and "oken" not in sent):
        return _NO_DETAILS
    for provider in (mapping(sent) or {}).values():
        if isinstance(provider, dict) and (found := _details(provider)) != _NO_DETAILS:
            return found
    return _NO_DETAILS


def _details(provider: Attributes) -> _Details:
    usage = mapping(provider.get("usage")) or {}
    lifetimes = mapping(usage.get("cache_creation")) or {}
    both = {**usage, **provider}
    return _Details(
        cache_read=first_count(both, PROVIDER_CACHE_READ),
        cache_write=first_count(both, PROVIDER_CACHE_WRITE),
        cache_write_1h=count(lifetimes.get("ephemeral_1h_input_tokens")),
        reasoning=count(provider.get("reasoningTokens")),
    )


def _input(attributes: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    if kind is Kind.TOOL:
        return _json(attributes, ("ai.toolCall.args",), consumed)
    found = take(attributes, ("ai.prompt.messages",), consumed)
    if found is not None:
        return canonical(found) or found
    if (prompt := take(attributes, ("ai.prompt",), consumed)) is not None:
        return _prompt(prompt)
    return _flat(attributes, FLAT_INPUTS, consumed)


def _prompt(prompt: JSONValue) -> JSONValue:
    """The call of a program: instructions, and a question or messages."""
    if not isinstance(prompt, dict):
        return prompt
    asked = content(prompt.get("messages"))
    found = canonical(asked) or asked
    if found is None and (said := content(prompt.get("prompt"))) is not None:
        found = canonical(said) or [message("user", said)]
    instructions = content(prompt.get("system"))
    if instructions is not None:
        return with_system(instructions, found)
    return found if found is not None else prompt


def _output(attributes: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    if kind is Kind.TOOL:
        return _json(attributes, ("ai.toolCall.result",), consumed)
    parts: list[JSONValue] = []
    if (thought := take(attributes, ("ai.response.reasoning",), consumed)) is not None:
        parts.append({"type": "reasoning", "content": _text_of(thought)})
    said = next((name for name in RESPONSE_TEXT if text(attributes.get(name))), None)
    if said is not None:
        consumed.add(said)
        parts.append(text_part(text(attributes.get(said)) or ""))
    parts += _calls(take(attributes, RESPONSE_CALLS, consumed))
    if parts:
        return [{"role": "assistant", "parts": parts}]
    found = _json(attributes, RESPONSE_OBJECT, consumed)
    return found if found is not None else _flat(attributes, FLAT_OUTPUTS, consumed)


def _text_of(thought: JSONValue) -> JSONValue:
    """Reasoning is text; in some versions a list of parts of it."""
    if not isinstance(thought, list):
        return thought
    said = [part.get("text") for part in thought if isinstance(part, dict)]
    return "\n".join(part for part in said if isinstance(part, str))


def _calls(sent: JSONValue) -> list[JSONValue]:
    if not isinstance(sent, list):
        return []
    return [
        tool_call(
            text(call.get("toolCallId")), text(call.get("toolName")), call.get("args", call.get("input"))
        )
        for call in sent
        if isinstance(call, dict)
    ]


def _flat(attributes: Attributes, names: Iterable[str], consumed: set[str]) -> JSONValue:
    """A value as JSON text, or a list of such texts; a list of one text is that text."""
    found = _json(attributes, names, consumed)
    if not isinstance(found, list):
        return found
    items = [any_json(item) if isinstance(item, str) else item for item in found]
    return items[0] if len(items) == 1 and isinstance(items[0], str) else items


def _json(attributes: Attributes, names: Iterable[str], consumed: set[str]) -> JSONValue:
    """These values are JSON text whatever they hold, so that a string arrives with quotes around it."""
    found = take(attributes, names, consumed)
    return any_json(found) if isinstance(found, str) and found[:1] == '"' else found


def _tool_definitions(attributes: Attributes, consumed: set[str]) -> JSONValue:
    found = take(attributes, ("ai.prompt.tools",), consumed)
    return [content(item) for item in found] if isinstance(found, list) else found


def _request_params(attributes: Attributes) -> Attributes | None:
    params: Attributes = {
        name.removeprefix(SETTINGS): value
        for name, value in attributes.items()
        if name.startswith(SETTINGS) and not name.startswith(CONTEXT) and value is not None
    }
    return params or None


def _time_to_first_token(record: OtlpSpan) -> int | None:
    for name in FIRST_CHUNK:
        sent = record.attributes.get(name)
        if sent is not None and (found := nanoseconds(sent, NS_A_MILLISECOND)) is not None:
            return found
    for event in record.events:
        if event.name == FIRST_CHUNK_EVENT:
            return event.time_ns - record.start_ns if event.time_ns >= record.start_ns else None
    return None
