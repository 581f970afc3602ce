"""MLflow: every attribute that it sets holds JSON text, so that a string arrives with quotes inside."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from ingest.bodies import answered, asked, parameters, response_id
from ingest.messages import canonical, finish_reasons
from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, Told, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import ABSENT_TEXTS, any_json, content, count, dollars, mapping, summed_dollars, text
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "mlflow"

SPAN_TYPE = "mlflow.spanType"
KINDS: Mapping[str, Kind] = {
    "LLM": Kind.LLM,
    "CHAT_MODEL": Kind.LLM,
    "AGENT": Kind.AGENT,
    "TOOL": Kind.TOOL,
    "EMBEDDING": Kind.EMBEDDING,
    "RETRIEVER": Kind.RETRIEVER,
    "RERANKER": Kind.RERANKER,
    "CHAIN": Kind.WORKFLOW,
    "WORKFLOW": Kind.WORKFLOW,
    "TASK": Kind.WORKFLOW,
    "GUARDRAIL": Kind.GUARDRAIL,
    "EVALUATOR": Kind.EVALUATOR,
    "MEMORY": Kind.MEMORY,
    "PARSER": Kind.SPAN,
    "UNKNOWN": Kind.SPAN,
}
INPUTS = "mlflow.spanInputs"
OUTPUTS = "mlflow.spanOutputs"
TOOLS = "mlflow.chat.tools"
USAGE = "mlflow.chat.tokenUsage"
COST = "mlflow.llm.cost"
COST_PARTS = ("input_cost", "output_cost")
PROMPTS = "mlflow.linkedPrompts"
# The model: MLflow's own name, then what the instrumented call was given.
MODEL = ("mlflow.llm.model", "model")
USER = ("user.id", "mlflow.trace.user")
SESSION = ("session.id", "mlflow.trace.session")
TAGS = "mlflow.traceTag."


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return "mlflow" in prefixes


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return SPAN_TYPE in record.attributes


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    consumed: set[str] = set()
    inputs = _content(attributes, INPUTS, consumed)
    output = _messages(_content(attributes, OUTPUTS, consumed), kind, answered)
    tools = _content(attributes, TOOLS, consumed)
    if tools is not None:
        # The call's own arguments, once more.
        consumed.add("tools")
    tags = told(attributes, (TAGS,))
    prompt = _prompt(attributes)
    return Reading(
        kind=kind,
        name=None if record.name else _text(attributes, ("mlflow.spanFunctionName",)),
        model=_model(attributes, kind),
        provider=_text(attributes, ("mlflow.llm.provider",)),
        tool_name=record.name or None if kind is Kind.TOOL else None,
        prompt_name=text(prompt.get("name")),
        prompt_version=text(prompt.get("version")),
        usage=_usage(attributes),
        reported_cost=_cost(mapping(attributes.get(COST)) or {}),
        input=_messages(inputs, kind, asked),
        output=output,
        finish_reason=finish_reasons(output) if kind is Kind.LLM else None,
        response_id=response_id(attributes.get(OUTPUTS)) if kind is Kind.LLM else None,
        tool_definitions=tools,
        request_params=parameters(inputs) if kind is Kind.LLM else None,
        user_id=_text(attributes, USER),
        session_id=_text(attributes, SESSION),
        organization_id=tags.text(ORGANIZATION),
        feature=tags.text(FEATURE),
        input_type=tags.text(INPUT_TYPE),
        tags=_tags(tags),
        consumed=frozenset(consumed),
    )


def _decoded(value: JSONValue) -> JSONValue:
    return any_json(value) if isinstance(value, str) else value


def _text(attributes: Attributes, names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := text(_decoded(attributes.get(name))))), None)


def _model(attributes: Attributes, kind: Kind | None) -> str | None:
    """Of a call of one; a span without a kind says only by MLflow's own name which it was."""
    if kind is None:
        return _text(attributes, MODEL[:1])
    return _text(attributes, MODEL) if kind in {Kind.LLM, Kind.EMBEDDING, Kind.RERANKER} else None


def _content(attributes: Attributes, name: str, consumed: set[str]) -> JSONValue:
    """JSON text of anything: a string stays the text it is, whatever that looks like."""
    found = _decoded(attributes.get(name))
    found = (None if found in ABSENT_TEXTS else found) if isinstance(found, str) else content(found)
    if found is not None:
        consumed.add(name)
    return found


def _kind(attributes: Attributes) -> Kind | None:
    sent = _decoded(attributes.get(SPAN_TYPE))
    return KINDS.get(sent.upper()) if isinstance(sent, str) else None


def _usage(attributes: Attributes) -> Usage | None:
    sent = mapping(attributes.get(USAGE))
    if sent is None:
        return None
    return buckets(
        input=count(sent.get("input_tokens")),
        output=count(sent.get("output_tokens")),
        cache_read=count(sent.get("cache_read_input_tokens")),
        cache_write=count(sent.get("cache_creation_input_tokens")),
        cache_write_1h=count(sent.get("cache_creation_input_tokens_above_1hr")),
        total=count(sent.get("total_tokens")),
    )


def _cost(told: Attributes) -> Decimal | None:
    total = dollars(told.get("total_cost"))
    return summed_dollars(told.get(name) for name in COST_PARTS) if total is None else total


def _messages(
    body: JSONValue, kind: Kind | None, messages_of: Callable[[JSONValue], list[JSONValue] | None]
) -> JSONValue:
    """The request or answer of a model call, recorded whole, as messages."""
    if kind is Kind.LLM:
        return messages_of(body) or body
    return (canonical(body) or body) if kind is Kind.AGENT and isinstance(body, list) else body


def _prompt(attributes: Attributes) -> Attributes:
    """The first of the prompt versions that were loaded for the span."""
    linked = _decoded(attributes.get(PROMPTS))
    linked = linked if isinstance(linked, list) else []
    return next((prompt for prompt in linked if isinstance(prompt, dict)), {})


def _tags(tags: Told) -> tuple[str, ...] | None:
    return tuple(f"{key}:{value}" for key in tags.values if (value := tags.text((key,)))) or None
