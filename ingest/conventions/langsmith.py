"""LangSmith in its OpenTelemetry mode: requests and answers as JSON text, everything else as `langsmith.*`."""

from collections.abc import Mapping
from decimal import Decimal

from ingest.bodies import answered, asked, parameters
from ingest.flattened import MAX_INDEX_DIGITS
from ingest.messages import canonical, message
from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, USER, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets, counts_within
from ingest.values import (
    content,
    count,
    dollars,
    first_count,
    first_text,
    mapping,
    summed_dollars,
    take,
    text,
    texts,
)
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "langsmith"

SPAN_KIND = "langsmith.span.kind"
KINDS: Mapping[str, Kind] = {
    "llm": Kind.LLM,
    "tool": Kind.TOOL,
    "embedding": Kind.EMBEDDING,
    "retriever": Kind.RETRIEVER,
    "chain": Kind.WORKFLOW,
    "parser": Kind.WORKFLOW,
    "prompt": Kind.PROMPT,
}
METADATA = "langsmith.metadata."
MODEL = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "langsmith.metadata.ls_model_name",
    "langsmith.metadata.model_name",
)
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "langsmith.metadata.ls_provider")
# What it calls the maker of a run that is no model call.
FRAMEWORK = "langchain"
# `langsmith.trace.session_id` is a project of LangSmith's, not somebody's session.
SESSION = ("session_id", "thread_id", "conversation_id")
USAGE = ("langsmith.usage_metadata", "langsmith.metadata.usage_metadata")
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
INPUT_DETAILS = "gen_ai.usage.input_token_details"
OUTPUT_DETAILS = "gen_ai.usage.output_token_details"
COST_PARTS = ("input_cost", "output_cost")
CACHE_READ = ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens")
CACHE_WRITE = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
)
REASONING = ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.details.reasoning_tokens")
TOOL_INPUT = ("gen_ai.prompt", "tool_arguments")
TOOL_OUTPUT = ("gen_ai.completion",)
TRACEBACK = "\n\nTraceback (most recent call last):"


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return "langsmith" in prefixes


def is_dialect(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return SPAN_KIND in record.attributes


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    consumed: set[str] = set()
    metadata = told(attributes, (METADATA,))
    usage = _usage_metadata(attributes)
    return Reading(
        kind=kind,
        name=text(attributes.get("langsmith.trace.name")),
        model=first_text(attributes, MODEL) if kind in {Kind.LLM, Kind.EMBEDDING, None} else None,
        provider=_provider(attributes),
        tool_name=_tool_name(record, kind),
        error_message=_error_message(record),
        usage=_usage(attributes, usage),
        reported_cost=_cost(usage),
        input=_input(attributes, kind, consumed),
        output=_output(attributes, kind, consumed),
        tool_definitions=_tool_definitions(attributes, consumed),
        request_params=_request_params(attributes, kind),
        user_id=metadata.text(USER),
        session_id=metadata.text(SESSION),
        organization_id=metadata.text(ORGANIZATION),
        feature=metadata.text(FEATURE),
        input_type=metadata.text(INPUT_TYPE),
        tags=texts(attributes.get("langsmith.span.tags")),
        consumed=frozenset(consumed),
    )


def _kind(attributes: Attributes) -> Kind | None:
    sent = attributes.get(SPAN_KIND)
    return KINDS.get(sent.lower()) if isinstance(sent, str) else None


def _provider(attributes: Attributes) -> str | None:
    found = (text(attributes.get(name)) for name in PROVIDER)
    return next((name for name in found if name and name != FRAMEWORK), None)


def _tool_name(record: OtlpSpan, kind: Kind | None) -> str | None:
    if kind is not Kind.TOOL:
        return None
    return first_text(record.attributes, ("gen_ai.tool.name", "langsmith.trace.name")) or record.name or None


def _error_message(record: OtlpSpan) -> str | None:
    """The message of the exception without the stack trace that is appended to it."""
    for event in reversed(record.events):
        if event.name == "exception" and (said := text(event.attributes.get("exception.message"))):
            return said.partition(TRACEBACK)[0]
    return None


def _usage_metadata(attributes: Attributes) -> Attributes:
    return next((found for name in USAGE if (found := mapping(attributes.get(name)))), {})


def _usage(attributes: Attributes, metadata: Attributes) -> Usage | None:
    """All counts from the GenAI names with their details, or else all from the usage that LangSmith keeps."""
    if INPUT_TOKENS in attributes or OUTPUT_TOKENS in attributes:
        read, written = (
            counts_within(attributes.get(INPUT_DETAILS)),
            counts_within(attributes.get(OUTPUT_DETAILS)),
        )
        return buckets(
            input=count(attributes.get(INPUT_TOKENS)),
            output=count(attributes.get(OUTPUT_TOKENS)),
            cache_read=_either(first_count(attributes, CACHE_READ), read.get("cache_read")),
            cache_write=_either(first_count(attributes, CACHE_WRITE), read.get("cache_creation")),
            reasoning=_either(first_count(attributes, REASONING), written.get("reasoning")),
            total=count(attributes.get("gen_ai.usage.total_tokens")),
        )
    if not metadata:
        return None
    read = counts_within(metadata.get("input_token_details"))
    return buckets(
        input=count(metadata.get("input_tokens")),
        output=count(metadata.get("output_tokens")),
        cache_read=read.get("cache_read"),
        cache_write=read.get("cache_creation"),
        reasoning=counts_within(metadata.get("output_token_details")).get("reasoning"),
        total=count(metadata.get("total_tokens")),
    )


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _cost(metadata: Attributes) -> Decimal | None:
    total = dollars(metadata.get("total_cost"))
    return summed_dollars(metadata.get(name) for name in COST_PARTS) if total is None else total


def _input(attributes: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    if kind is Kind.TOOL:
        return take(attributes, TOOL_INPUT, consumed)
    if content(attributes.get("gen_ai.input.messages")) is not None:
        return None
    found = take(attributes, ("gen_ai.prompt",), consumed)
    if found is None:
        return _flattened(attributes, "gen_ai.prompt.", "user", consumed)
    return (asked(found) or found) if kind is Kind.LLM else (canonical(found) or found)


def _output(attributes: Attributes, kind: Kind | None, consumed: set[str]) -> JSONValue:
    if kind is Kind.TOOL:
        return take(attributes, TOOL_OUTPUT, consumed)
    if content(attributes.get("gen_ai.output.messages")) is not None:
        return None
    found = take(attributes, ("gen_ai.completion",), consumed)
    if found is None:
        return _flattened(attributes, "gen_ai.completion.", "assistant", consumed)
    return (answered(found) or found) if kind is Kind.LLM else (canonical(found) or found)


def _flattened(attributes: Attributes, prefix: str, role: str, consumed: set[str]) -> JSONValue:
    """Messages spread over names: `gen_ai.prompt.{n}.message.role`."""
    found: dict[int, Attributes] = {}
    for name, value in attributes.items():
        index, _, field = (
            name[len(prefix) :].partition(".message.") if name.startswith(prefix) else ("", "", "")
        )
        if field and index.isdecimal() and len(index) <= MAX_INDEX_DIGITS:
            found.setdefault(int(index), {})[field] = value
            consumed.add(name)
    return [
        message(text(item.get("role")) or role, item.get("content")) for _, item in sorted(found.items())
    ] or None


def _tool_definitions(attributes: Attributes, consumed: set[str]) -> JSONValue:
    """From the attributes, or from the request that was recorded whole."""
    found = take(attributes, ("gen_ai.tool.definitions", "tools"), consumed)
    return (
        found if found is not None else content((mapping(attributes.get("gen_ai.prompt")) or {}).get("tools"))
    )


def _request_params(attributes: Attributes, kind: Kind | None) -> Attributes | None:
    if kind is not Kind.LLM or any(
        name.startswith("gen_ai.request.") and name != "gen_ai.request.model" for name in attributes
    ):
        return None
    return parameters(mapping(attributes.get("gen_ai.prompt")))
