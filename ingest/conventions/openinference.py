"""The OpenInference convention: `openinference.span.kind`, and lists spread over names with an index."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from ingest.bodies import response_id
from ingest.flattened import Flattened, gather, listed, nested
from ingest.messages import canonical, message, part, text_part, tool_call
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import (
    ABSENT_TEXTS,
    any_json,
    content,
    count,
    dollars,
    first_count,
    first_text,
    mapping,
    summed_dollars,
    text,
    texts,
)
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "openinference"

SPAN_KIND = "openinference.span.kind"
KINDS: Mapping[str, Kind] = {
    "LLM": Kind.LLM,
    "AGENT": Kind.AGENT,
    "TOOL": Kind.TOOL,
    "EMBEDDING": Kind.EMBEDDING,
    "RETRIEVER": Kind.RETRIEVER,
    "RERANKER": Kind.RERANKER,
    "CHAIN": Kind.WORKFLOW,
    "GUARDRAIL": Kind.GUARDRAIL,
    "EVALUATOR": Kind.EVALUATOR,
    "PROMPT": Kind.PROMPT,
    "DECISION": Kind.SPAN,
    "UNKNOWN": Kind.SPAN,
}
PROMPT_VARIABLES = "llm.prompt_template.variables"
# What a result is about -> where results of it stand: `annotations.{n}.annotation.name`.
EVALUATIONS: Mapping[str, tuple[str, ...]] = {
    "span": ("annotations.", "evaluations."),
    "trace": ("trace.annotations.", "trace.evaluations."),
    "session": ("session.annotations.", "session.evaluations."),
}
FIRST_EVALUATIONS = frozenset(
    f"{prefix}0.{'annotation' if 'annotation' in prefix else 'evaluation'}.name"
    for prefixes in EVALUATIONS.values()
    for prefix in prefixes
)
# Their fields, and what the OTel event of an evaluation calls them.
RESULT: Mapping[str, str] = {
    "name": "gen_ai.evaluation.name",
    "score": "gen_ai.evaluation.score.value",
    "label": "gen_ai.evaluation.score.label",
    "explanation": "gen_ai.evaluation.explanation",
}
MESSAGE_KINDS = frozenset({Kind.LLM, Kind.AGENT})
# Names that only this convention has: they are read also where the kind is missing, or is another dialect's.
MARKS = frozenset(
    {
        "input.value",
        "output.value",
        "llm.model_name",
        "llm.response.model_name",
        "llm.request.model_name",
        "llm.provider",
        "llm.system",
        "llm.finish_reason",
        "llm.invocation_parameters",
        "llm.prompt_template.version",
        "embedding.model_name",
        "embedding.invocation_parameters",
        "graph.node.name",
        PROMPT_VARIABLES,
    }
)
MARKED = (
    "llm.token_count.",
    "llm.cost.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.tools.",
    "llm.prompts.",
    "llm.choices.",
    "embedding.embeddings.",
    "reranker.",
    "retrieval.documents.",
    *(prefix for prefixes in EVALUATIONS.values() for prefix in prefixes),
)
NAMESPACES = frozenset(name.partition(".")[0] for name in (*MARKS, *MARKED))
MODEL = (
    "llm.response.model_name",
    "llm.model_name",
    "llm.request.model_name",
    "embedding.model_name",
    "reranker.model_name",
)
REQUEST_MODEL = ("llm.request.model_name", "llm.model_name")
# A host or company that bills comes before the maker of the model.
PROVIDER = ("llm.provider", "llm.system")
AGENT = ("agent.name", "graph.node.name")
PROMPT = ("prompt.id", "prompt.vendor")
TOOL_CALL = ("tool.id", "tool_call.id")
INPUT_TOKENS = ("llm.token_count.prompt", "decision.token_count.input")
OUTPUT_TOKENS = ("llm.token_count.completion", "decision.token_count.output")
CACHE_READ = ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input")
# A side of a cost -> the parts of it.
COST_PARTS: Mapping[str, tuple[str, ...]] = {
    "llm.cost.prompt": tuple(
        f"llm.cost.prompt_details.{part}"
        for part in ("input", "cache_read", "cache_write", "cache_input", "audio")
    ),
    "llm.cost.completion": tuple(
        f"llm.cost.completion_details.{part}" for part in ("output", "reasoning", "audio")
    ),
}
COSTS = frozenset(("llm.cost.total", *COST_PARTS, *(name for names in COST_PARTS.values() for name in names)))
PARAMETERS = ("llm.invocation_parameters", "embedding.invocation_parameters")
ORGANIZATION = ("organization_id", "organization.id", "tenant_id", "tenant.id")
ONE_HOUR = "ephemeral_1h_input_tokens"
MODALITIES = ("image", "audio", "video", "document")
STREAM_EVENT = "First Token Stream Event"

# List -> the namespace that it stands in: `llm.input_messages.{n}.message.role`.
LISTS: Mapping[str, str] = {
    "input_messages": "llm",
    "output_messages": "llm",
    "tools": "llm",
    "prompts": "llm",
    "choices": "llm",
    "embeddings": "embedding",
    "documents": "retrieval",
    "input_documents": "reranker",
    "output_documents": "reranker",
}
_NOTHING = Flattened()


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    attributes = record.attributes
    if SPAN_KIND in attributes:
        return True
    if prefixes.isdisjoint(NAMESPACES):
        return False
    return not MARKS.isdisjoint(attributes) or any(name.startswith(MARKED) for name in attributes)


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return SPAN_KIND in record.attributes


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    lists = gather(attributes, LISTS)
    consumed: set[str] = set()
    metadata = mapping(attributes.get("metadata")) or {}
    return Reading(
        kind=kind,
        agent_name=first_text(attributes, AGENT),
        model=first_text(attributes, MODEL),
        request_model=first_text(attributes, REQUEST_MODEL),
        provider=first_text(attributes, PROVIDER),
        tool_name=text(attributes.get("tool.name")),
        tool_call_id=first_text(attributes, TOOL_CALL),
        prompt_name=first_text(attributes, PROMPT),
        prompt_variables=_prompt_variables(attributes, consumed),
        evaluations=_evaluations(attributes, consumed),
        prompt_version=text(attributes.get("llm.prompt_template.version")),
        finish_reason=text(attributes.get("llm.finish_reason")),
        response_id=response_id(attributes.get("output.value")) if kind is Kind.LLM else None,
        time_to_first_token_ns=_time_to_first_token(record),
        usage=_usage(attributes),
        reported_cost=_cost(attributes),
        input=_input(attributes, lists, kind, consumed),
        output=_output(attributes, lists, kind, consumed),
        tool_definitions=_tool_definitions(lists, consumed),
        request_params=_request_params(attributes, consumed),
        user_id=text(attributes.get("user.id")),
        session_id=text(attributes.get("session.id")),
        organization_id=first_text(metadata, ORGANIZATION),
        feature=text(metadata.get("feature")),
        input_type=text(metadata.get("input_type")),
        tags=texts(attributes.get("tag.tags")),
        consumed=frozenset(consumed),
    )


def _kind(attributes: Attributes) -> Kind | None:
    sent = attributes.get(SPAN_KIND)
    return KINDS.get(sent.upper()) if isinstance(sent, str) else None


def _usage(attributes: Attributes) -> Usage | None:
    cache_write = count(attributes.get("llm.token_count.prompt_details.cache_write"))
    return buckets(
        input=first_count(attributes, INPUT_TOKENS),
        output=first_count(attributes, OUTPUT_TOKENS),
        cache_read=first_count(attributes, CACHE_READ),
        cache_write=cache_write,
        cache_write_1h=_one_hour_part(attributes) if cache_write else None,
        reasoning=count(attributes.get("llm.token_count.completion_details.reasoning")),
        total=count(attributes.get("llm.token_count.total")),
    )


def _cost(attributes: Attributes) -> Decimal | None:
    """As a whole, or what its two sides come to; a side may be told by its parts alone."""
    if attributes.keys().isdisjoint(COSTS):
        return None
    if (total := dollars(attributes.get("llm.cost.total"))) is not None:
        return total
    sides = [found for side in COST_PARTS if (found := _side(attributes, side)) is not None]
    return sum(sides, Decimal(0)) if sides else None


def _side(attributes: Attributes, side: str) -> Decimal | None:
    whole = dollars(attributes.get(side))
    return summed_dollars(map(attributes.get, COST_PARTS[side])) if whole is None else whole


def _one_hour_part(attributes: Attributes) -> int | None:
    """The convention has no name for how long a cache write lives, and an hour costs more: Anthropic's
    answer, recorded as it came, tells."""
    answer = attributes.get("output.value")
    if not isinstance(answer, str) or ONE_HOUR not in answer:
        return None
    usage = mapping((mapping(answer) or {}).get("usage")) or {}
    return count((mapping(usage.get("cache_creation")) or {}).get(ONE_HOUR))


def _input(
    attributes: Attributes, lists: Mapping[str, Flattened], kind: Kind | None, consumed: set[str]
) -> JSONValue:
    if kind is Kind.LLM or kind is None:
        found = _messages(lists, "input_messages", "user", consumed) or _texts(
            lists, "prompts", "text", consumed
        )
        if found is not None:
            # The raw request says the same once more.
            consumed.add("input.value")
            return found
    found = value(attributes, "input", kind, consumed)
    if found is None:
        found = _messages(lists, "input_messages", "user", consumed)
    if found is None:
        found = _texts(lists, "embeddings", "text", consumed)
    return found if found is not None else _reranker_input(attributes, lists, consumed)


def _output(
    attributes: Attributes, lists: Mapping[str, Flattened], kind: Kind | None, consumed: set[str]
) -> JSONValue:
    if kind is Kind.LLM or kind is None:
        found = _messages(lists, "output_messages", "assistant", consumed) or _texts(
            lists, "choices", "text", consumed
        )
        if found is not None:
            consumed.add("output.value")
            return found
    found = value(attributes, "output", kind, consumed)
    if found is None:
        found = _messages(lists, "output_messages", "assistant", consumed)
    if found is None and kind is not Kind.RERANKER:
        found = _documents(lists, "documents", consumed)
    return found if found is not None else _documents(lists, "output_documents", consumed)


def value(attributes: Attributes, side: str, kind: Kind | None, consumed: set[str]) -> JSONValue:
    """`input.value` or `output.value`, parsed unless it says of itself that it is plain text."""
    name = f"{side}.value"
    sent = attributes.get(name)
    mime_type = attributes.get(f"{side}.mime_type")
    if isinstance(sent, str) and mime_type == "text/plain":
        found: JSONValue = None if sent in ABSENT_TEXTS else sent
    elif isinstance(sent, str) and mime_type == "application/json":
        found = content(any_json(sent))
    else:
        found = content(sent)
    if found is None:
        return None
    consumed.add(name)
    return (canonical(found) or found) if kind in MESSAGE_KINDS else found


def _messages(
    lists: Mapping[str, Flattened], name: str, role: str, consumed: set[str]
) -> list[JSONValue] | None:
    gathered = lists.get(name)
    if gathered is None:
        return None
    consumed.update(gathered.names)
    return [_message(item, role) for item in gathered.in_order()]


def _message(item: Attributes, role: str) -> Attributes:
    role = text(item.get("role")) or role
    call_id = text(item.get("tool_call_id"))
    said: JSONValue = item.get("content")
    calls: list[JSONValue] = []
    if said is None or len(item) > 2:
        lists = nested(item)
        blocks = [_block(block) for block in lists.get("contents", ())]
        if blocks and not (call_id and said is not None):
            said = blocks
        calls = _tool_calls(item, lists.get("tool_calls", ()), blocks)
    built = message(role, said, tool_call_id=call_id, name=text(item.get("name")))
    if calls:
        built["parts"] = [*_parts_of(built), *calls]
    return built


def _parts_of(built: Attributes) -> list[JSONValue]:
    made = built["parts"]
    return made if isinstance(made, list) else []


def _tool_calls(item: Attributes, sent: Iterable[Attributes], blocks: Iterable[JSONValue]) -> list[JSONValue]:
    """The calls that the contents do not hold already; recent emitters write each in both places."""
    known = {text(block.get("id")) for block in blocks if isinstance(block, dict)} - {None}
    calls: list[JSONValue] = [_tool_call(call) for call in sent if text(call.get("id")) not in known]
    if function := text(item.get("function_call_name")):
        calls.append(tool_call(None, function, item.get("function_call_arguments_json")))
    return calls


def _tool_call(call: Attributes) -> Attributes:
    return tool_call(text(call.get("id")), text(call.get("function.name")), call.get("function.arguments"))


def _block(block: Attributes) -> JSONValue:
    kind, said = block.get("type"), block.get("text")
    if kind == "text" and isinstance(said, str):
        return text_part(said)
    if "function.name" in block:
        return _tool_call(block)
    for modality in MODALITIES:
        if url := text(block.get(f"{modality}.{modality}.url")):
            return _media(modality, url, text(block.get(f"{modality}.{modality}.mime_type")))
    if kind is None or kind == "reasoning":
        return part(block)
    # Types of the provider's own hold the whole block as JSON text.
    parsed = mapping(said)
    return part(parsed or block)


def _media(modality: str, url: str, mime_type: str | None) -> Attributes:
    """As the OTel convention tells a reference (`uri`) from the bytes themselves (`blob`)."""
    if url.startswith("data:"):
        declared, _, data = url[5:].partition(";base64,")
        return {"type": "blob", "modality": modality, "mime_type": mime_type or declared, "content": data}
    made: Attributes = {"type": "uri", "modality": modality, "uri": url}
    return {**made, "mime_type": mime_type} if mime_type else made


def _texts(lists: Mapping[str, Flattened], name: str, key: str, consumed: set[str]) -> JSONValue:
    """One text on its own, several as a list."""
    gathered = lists.get(name, _NOTHING)
    found: list[JSONValue] = [
        value for item in gathered.in_order() if (value := content(item.get(key))) is not None
    ]
    if not found:
        return None
    consumed.update(word for word in gathered.names if word.endswith(f".{key}"))
    return found[0] if len(found) == 1 else found


def _documents(lists: Mapping[str, Flattened], name: str, consumed: set[str]) -> JSONValue:
    gathered = lists.get(name)
    if gathered is None:
        return None
    consumed.update(gathered.names)
    return [
        {key: content(value) if key == "metadata" else value for key, value in item.items()}
        for item in gathered.in_order()
    ]


def _reranker_input(attributes: Attributes, lists: Mapping[str, Flattened], consumed: set[str]) -> JSONValue:
    query = content(attributes.get("reranker.query"))
    documents = _documents(lists, "input_documents", consumed)
    if query is None:
        return documents
    consumed.add("reranker.query")
    return {"query": query, "documents": documents} if documents else query


def _tool_definitions(lists: Mapping[str, Flattened], consumed: set[str]) -> JSONValue:
    gathered = lists.get("tools")
    if gathered is None:
        return None
    consumed.update(gathered.names)
    return [content(item["json_schema"]) if "json_schema" in item else item for item in gathered.in_order()]


def _prompt_variables(attributes: Attributes, consumed: set[str]) -> Attributes | None:
    if PROMPT_VARIABLES not in attributes or not (found := mapping(attributes[PROMPT_VARIABLES])):
        return None
    consumed.add(PROMPT_VARIABLES)
    return found


def _evaluations(attributes: Attributes, consumed: set[str]) -> tuple[Attributes, ...] | None:
    if attributes.keys().isdisjoint(FIRST_EVALUATIONS):
        return None
    found: list[Attributes] = []
    for about, prefixes in EVALUATIONS.items():
        for gathered in listed(attributes, *prefixes).values():
            consumed.update(gathered.names)
            found += [_evaluation(item, about) for item in gathered.in_order()]
    return tuple(found)


def _evaluation(item: Attributes, about: str) -> Attributes:
    """One result in the names of the OTel event; what that has no name for stays under its own."""
    told: Attributes = {"evaluation.about": about}
    for name, value in item.items():
        field = name.partition(".")[2] or name
        told[RESULT.get(field, f"evaluation.{field}")] = value
    return told


def _request_params(attributes: Attributes, consumed: set[str]) -> Attributes | None:
    for name in PARAMETERS:
        if found := mapping(attributes.get(name)):
            consumed.add(name)
            return found
    return None


def _time_to_first_token(record: OtlpSpan) -> int | None:
    """The instrumentations mark the first chunk of a stream with an event."""
    for event in record.events:
        if event.name == STREAM_EVENT:
            return event.time_ns - record.start_ns if event.time_ns >= record.start_ns else None
    return None
