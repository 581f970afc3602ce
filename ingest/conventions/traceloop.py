"""OpenLLMetry and the Traceloop SDK: what they tell beside the OTel names, and the names they used before those."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from ingest.flattened import Flattened, listed
from ingest.messages import finish_reasons, message
from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import any_json, content, first_count, first_text, mapping, structured, take, text, texts
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "traceloop"

SPAN_KIND = "traceloop.span.kind"
KINDS: Mapping[str, Kind] = {
    "workflow": Kind.WORKFLOW,
    "task": Kind.WORKFLOW,
    "agent": Kind.AGENT,
    "tool": Kind.TOOL,
    "unknown": Kind.SPAN,
}
REQUEST_TYPE = "llm.request.type"
REQUEST_TYPES: Mapping[str, Kind] = {
    "chat": Kind.LLM,
    "completion": Kind.LLM,
    "embedding": Kind.EMBEDDING,
    "rerank": Kind.RERANKER,
}
DB_SYSTEM = "db.system"
VECTOR_STORES = frozenset(
    {"chroma", "lancedb", "marqo", "milvus", "pinecone", "qdrant", "weaviate"},
)
RETRIEVALS = ("query", "search", "get", "scroll", "recommend", "discover")
MARKS = frozenset(
    {
        REQUEST_TYPE,
        "llm.usage.total_tokens",
        "llm.vendor",
    }
)
NAMESPACES = frozenset(name.partition(".")[0] for name in MARKS)

MODEL = ("gen_ai.response.model", "llm.response.model", "gen_ai.request.model", "llm.request.model")
REQUEST_MODEL = ("gen_ai.request.model", "llm.request.model")
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.vendor")
WORKFLOW = ("traceloop.workflow.name", "traceloop.entity.path")
ENTITY = "traceloop.entity.name"
PROPERTIES = ("traceloop.association.properties.",)
USER = ("gen_ai.user", "llm.user")
SESSION_KEYS = ("session_id", "chat_id", "thread_id")
SESSION = ("session.id", "gen_ai.conversation.id")
PROMPT_VERSION = (
    "traceloop.prompt.version",
    "traceloop.prompt.version_name",
    "traceloop.prompt.version_hash",
)
PROMPT_VARIABLES = "traceloop.prompt.template_variables"
PROMPT_MARKS = frozenset({"traceloop.prompt.key", "traceloop.prompt.template", PROMPT_VARIABLES})
FINISH_REASON = (
    "gen_ai.response.finish_reason",
    "llm.response.finish_reason",
    "gen_ai.response.stop_reason",
    "llm.response.stop_reason",
)
OLD_COUNTS = frozenset(
    {
        "llm.usage.prompt_tokens",
        "llm.usage.completion_tokens",
        "llm.usage.total_tokens",
        "llm.usage.reasoning_tokens",
        "llm.usage.cache_read_input_tokens",
        "llm.usage.cache_creation_input_tokens",
    }
)
INPUT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
)
TOTAL = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens")
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.usage.cache_read_input_tokens",
)
CACHE_WRITE = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.usage.cache_creation_input_tokens",
)
REASONING = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.usage.reasoning_tokens",
)
INPUT = ("traceloop.entity.input", "gen_ai.task.input", "mcp.request.argument")
OUTPUT = ("traceloop.entity.output", "gen_ai.task.output", "mcp.response.value")
PROMPT_LIST = "gen_ai.prompt."
COMPLETION_LIST = "gen_ai.completion."
CALL_LIST = "tool_calls."
MESSAGE_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "finish_reason"})
FUNCTION_LIST = "llm.request.functions."
Lists: TypeAlias = Mapping[str, Flattened]
_NOTHING = Flattened()
OLD_PARAMETERS: Mapping[str, str] = {
    "llm.frequency_penalty": "frequency_penalty",
    "llm.presence_penalty": "presence_penalty",
    "llm.top_k": "top_k",
    "llm.chat.stop_sequences": "stop_sequences",
}
REQUEST_PARAMETERS = "gen_ai.request."
CHUNK_EVENTS = frozenset({"gen_ai.content.completion.chunk", "llm.content.completion.chunk"})
RESULT_EVENTS = frozenset({"db.query.result", "db.search.result"})


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    if "traceloop" in prefixes:
        return True
    attributes = record.attributes
    if not (prefixes.isdisjoint(NAMESPACES) or MARKS.isdisjoint(attributes)):
        return True
    if "db" in prefixes and text(attributes.get(DB_SYSTEM)) in VECTOR_STORES:
        return True
    return "gen_ai" in prefixes and any(map(_is_numbered, attributes))


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return SPAN_KIND in record.attributes or (
        "gen_ai" in prefixes and any(map(_is_numbered, record.attributes))
    )


def _is_numbered(name: str) -> bool:
    """`gen_ai.prompt.{n}.role` and the like; what others number so has other fields."""
    if not name.startswith((PROMPT_LIST, COMPLETION_LIST)):
        return False
    words = name.split(".", 4)
    return len(words) > 3 and words[2].isdecimal() and words[3] in MESSAGE_FIELDS


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    entity = text(attributes.get(ENTITY))
    properties = told(attributes, PROPERTIES)
    lists = listed(attributes, PROMPT_LIST, COMPLETION_LIST, FUNCTION_LIST)
    consumed: set[str] = set()
    output = _output(record, lists, consumed)
    return Reading(
        kind=kind,
        name=entity,
        agent_name=text(attributes.get("gen_ai.agent.name")) or (entity if kind is Kind.AGENT else None),
        workflow_name=first_text(attributes, WORKFLOW),
        model=first_text(attributes, MODEL),
        request_model=first_text(attributes, REQUEST_MODEL),
        provider=first_text(attributes, PROVIDER),
        tool_name=text(attributes.get("gen_ai.tool.name")) or (entity if kind is Kind.TOOL else None),
        prompt_name=text(attributes.get("traceloop.prompt.key")),
        prompt_variables=_prompt_variables(attributes, consumed),
        prompt_version=first_text(attributes, PROMPT_VERSION),
        finish_reason=_finish_reason(attributes, output),
        time_to_first_token_ns=_time_to_first_token(record),
        usage=_usage(attributes),
        input=_input(attributes, lists, consumed),
        output=output,
        tool_definitions=_functions(attributes, lists, consumed),
        request_params=_request_params(attributes),
        user_id=properties.text(("user_id",)) or first_text(attributes, USER),
        session_id=properties.text(SESSION_KEYS) or first_text(attributes, SESSION),
        organization_id=properties.text(("customer_id", *ORGANIZATION)),
        feature=properties.text(FEATURE),
        release=text(record.resource.get("service.version"))
        or text(attributes.get("traceloop.entity.version")),
        input_type=properties.text(INPUT_TYPE),
        consumed=frozenset(consumed),
    )


def _kind(attributes: Attributes) -> Kind | None:
    for name, kinds in ((SPAN_KIND, KINDS), (REQUEST_TYPE, REQUEST_TYPES)):
        sent = attributes.get(name)
        if isinstance(sent, str) and (kind := kinds.get(sent.lower())) is not None:
            return kind
    if text(attributes.get(DB_SYSTEM)) in VECTOR_STORES:
        operation = text(attributes.get("db.operation")) or ""
        return Kind.RETRIEVER if operation.lower().startswith(RETRIEVALS) else Kind.SPAN
    return None


def _usage(attributes: Attributes) -> Usage | None:
    """Only where an old name is among them: the OTel names are read as such."""
    if OLD_COUNTS.isdisjoint(attributes):
        return None
    return buckets(
        input=first_count(attributes, INPUT_TOKENS),
        output=first_count(attributes, OUTPUT_TOKENS),
        cache_read=first_count(attributes, CACHE_READ),
        cache_write=first_count(attributes, CACHE_WRITE),
        reasoning=first_count(attributes, REASONING),
        total=first_count(attributes, TOTAL),
    )


def _input(attributes: Attributes, lists: Lists, consumed: set[str]) -> JSONValue:
    if content(attributes.get("gen_ai.input.messages")) is not None:
        return None
    if (messages := _messages(lists, PROMPT_LIST, "user", consumed)) is not None:
        return messages
    found = _value(attributes, INPUT, consumed)
    # The decorators write down how a function was called.
    if isinstance(found, dict) and found.keys() == {"args", "kwargs"} and not found["args"]:
        return content(found["kwargs"])
    return found


def _output(record: OtlpSpan, lists: Lists, consumed: set[str]) -> JSONValue:
    attributes = record.attributes
    if content(attributes.get("gen_ai.output.messages")) is not None:
        return None
    if (messages := _messages(lists, COMPLETION_LIST, "assistant", consumed)) is not None:
        return messages
    found = _value(attributes, OUTPUT, consumed)
    if found is None and record.events:
        found = _results(record, consumed)
    return found


def _value(attributes: Attributes, names: Iterable[str], consumed: set[str]) -> JSONValue:
    """JSON text whatever it holds, so that a string arrives with quotes around it."""
    found = take(attributes, names, consumed)
    return any_json(found) if isinstance(found, str) and found[:1] == '"' else found


def _messages(lists: Lists, prefix: str, role: str, consumed: set[str]) -> JSONValue:
    gathered = lists.get(prefix)
    if gathered is None:
        return None
    items = [
        item for item in gathered.in_order() if any(name.partition(".")[0] in MESSAGE_FIELDS for name in item)
    ]
    if not items:
        return None
    consumed.update(gathered.names)
    return [_message(item, role) for item in items]


def _message(item: Attributes, role: str) -> Attributes:
    said = item.get("content")
    calls: list[JSONValue] = [
        {"id": call.get("id"), "name": call.get("name"), "arguments": call.get("arguments")}
        for call in listed(item, CALL_LIST).get(CALL_LIST, _NOTHING).in_order()
    ]
    return message(
        text(item.get("role")) or role,
        structured(said) if isinstance(said, str) else said,
        tool_calls=calls,
        tool_call_id=text(item.get("tool_call_id")),
        finish_reason=text(item.get("finish_reason")),
    )


def _results(record: OtlpSpan, consumed: set[str]) -> JSONValue:
    """A vector store tells each document that it found in an event."""
    found: list[JSONValue] = []
    for event in record.events:
        if event.name in RESULT_EVENTS:
            found.append(event.attributes)
            consumed.add(event.name)
    return found or None


def _prompt_variables(attributes: Attributes, consumed: set[str]) -> Attributes | None:
    """One attribute for each variable, or one for all of them."""
    if attributes.keys().isdisjoint(PROMPT_MARKS):
        return None
    if whole := mapping(attributes.get(PROMPT_VARIABLES)):
        consumed.add(PROMPT_VARIABLES)
        return whole
    prefix = f"{PROMPT_VARIABLES}."
    found: Attributes = {
        name.removeprefix(prefix): value for name, value in attributes.items() if name.startswith(prefix)
    }
    consumed.update(f"{prefix}{name}" for name in found)
    return found or None


def _functions(attributes: Attributes, lists: Lists, consumed: set[str]) -> JSONValue:
    gathered = lists.get(FUNCTION_LIST)
    if gathered is None or content(attributes.get("gen_ai.tool.definitions")) is not None:
        return None
    consumed.update(gathered.names)
    return [{name: content(value) for name, value in item.items()} for item in gathered.in_order()]


def _request_params(attributes: Attributes) -> Attributes | None:
    """All of them where an old name is among them."""
    old: Attributes = {
        plain: value for name, plain in OLD_PARAMETERS.items() if (value := attributes.get(name)) is not None
    }
    if not old:
        return None
    current = {
        name.removeprefix(REQUEST_PARAMETERS): value
        for name, value in attributes.items()
        if name.startswith(REQUEST_PARAMETERS) and name not in MODEL and value is not None
    }
    return old | current


def _finish_reason(attributes: Attributes, output: JSONValue) -> str | None:
    if texts(attributes.get("gen_ai.response.finish_reasons")):
        return None
    return finish_reasons(output) or first_text(attributes, FINISH_REASON)


def _time_to_first_token(record: OtlpSpan) -> int | None:
    for event in record.events:
        if event.name in CHUNK_EVENTS:
            return event.time_ns - record.start_ns if event.time_ns >= record.start_ns else None
    return None
