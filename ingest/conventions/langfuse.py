"""The Langfuse SDKs: observations and what they say of their trace; objects are JSON text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from ingest.messages import canonical
from ingest.metadata import FEATURE, INPUT_TYPE, ORGANIZATION, Told, told
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import (
    NS_A_SECOND,
    any_json,
    count,
    dollars,
    first_count,
    first_text,
    first_texts,
    mapping,
    summed_dollars,
    take,
    text,
)
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "langfuse"

TYPE = "langfuse.observation.type"
KINDS: Mapping[str, Kind] = {
    "generation": Kind.LLM,
    "agent": Kind.AGENT,
    "tool": Kind.TOOL,
    "embedding": Kind.EMBEDDING,
    "retriever": Kind.RETRIEVER,
    "chain": Kind.WORKFLOW,
    "guardrail": Kind.GUARDRAIL,
    "evaluator": Kind.EVALUATOR,
    "event": Kind.EVENT,
    "span": Kind.SPAN,
}
MODEL = "langfuse.observation.model.name"
USAGE = "langfuse.observation.usage_details"
COST = "langfuse.observation.cost_details"
USER = ("langfuse.user.id", "user.id")
SESSION = ("langfuse.session.id", "session.id")
TAGS = ("langfuse.trace.tags", "langfuse.tags")
PROMPT_NAME = ("langfuse.observation.prompt.name", "langfuse.prompt.name")
PROMPT_VERSION = ("langfuse.observation.prompt.version", "langfuse.prompt.version")
RELEASE = ("langfuse.release", "langfuse.version")
METADATA = ("langfuse.trace.metadata", "langfuse.observation.metadata", "langfuse.metadata")
METADATA_KEYS = tuple(f"{name}." for name in METADATA)
STATUS_MESSAGE = "langfuse.observation.status_message"
COMPLETION_START = "langfuse.observation.completion_start_time"
# Levels as other loggers call them, too.
ERROR_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL"})
REQUEST_KEYS = frozenset({"messages", "tools", "functions"})

# Keys of usage details. They are disjoint: `input` is the uncached part, `output` excludes the reasoning.
CACHE_READ = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read")
CACHE_WRITE = ("input_cache_creation", "cache_creation_input_tokens", "input_cache_write")
CACHE_WRITE_5M = "input_cache_creation_5m"
CACHE_WRITE_1H = "input_cache_creation_1h"
CACHE = frozenset((*CACHE_READ, *CACHE_WRITE, CACHE_WRITE_5M, CACHE_WRITE_1H))
REASONING = ("output_reasoning_tokens", "output_reasoning")


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return "langfuse" in prefixes or record.scope.startswith("langfuse-sdk")


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(attributes)
    is_root = not record.parent_id or attributes.get("langfuse.internal.as_root") is True
    consumed: set[str] = set()
    metadata = _metadata(attributes)
    input, tools = _input(attributes, kind, is_root, consumed)
    return Reading(
        kind=kind,
        name=text(attributes.get("langfuse.trace.name")) if is_root else None,
        agent_name=text(record.name) if kind is Kind.AGENT else None,
        model=text(attributes.get(MODEL)),
        tool_name=text(record.name) if kind is Kind.TOOL else None,
        prompt_name=first_text(attributes, PROMPT_NAME),
        prompt_version=first_text(attributes, PROMPT_VERSION),
        time_to_first_token_ns=_time_to_first_token(record),
        usage=_usage(mapping(attributes.get(USAGE))),
        reported_cost=_cost(mapping(attributes.get(COST))),
        input=input,
        output=_output(attributes, kind, is_root, consumed),
        tool_definitions=tools,
        request_params=_request_params(attributes, consumed),
        user_id=first_text(attributes, USER) or metadata.text(("langfuse_user_id",)),
        session_id=first_text(attributes, SESSION) or metadata.text(("langfuse_session_id",)),
        organization_id=metadata.text(ORGANIZATION),
        feature=metadata.text(FEATURE),
        environment=_deployed(record, ("langfuse.environment",)),
        release=_deployed(record, RELEASE),
        input_type=metadata.text(INPUT_TYPE),
        tags=first_texts(attributes, TAGS) or metadata.texts(("langfuse_tags",)),
        error_message=_error_message(attributes),
        consumed=frozenset(consumed),
    )


def _kind(attributes: Attributes) -> Kind | None:
    sent = attributes.get(TYPE)
    kind = KINDS.get(sent.lower()) if isinstance(sent, str) else None
    # Early SDKs called every observation a span; a model with usage shows what it was.
    called = kind is Kind.SPAN and MODEL in attributes and (USAGE in attributes or COST in attributes)
    return Kind.LLM if called else kind


def _metadata(attributes: Attributes) -> Told:
    """Metadata comes as one attribute a key, or as one for all of it."""
    found = told(attributes, METADATA_KEYS)
    for name in METADATA:
        if whole := mapping(attributes.get(name)):
            found = Told({**whole, **found.values})
    return found


def _deployed(record: OtlpSpan, names: tuple[str, ...]) -> str | None:
    """The span's own word first, name by name."""
    for name in names:
        found = text(record.attributes.get(name)) or text(record.resource.get(name))
        if found is not None:
            return found
    return None


def _input(
    attributes: Attributes, kind: Kind | None, is_root: bool, consumed: set[str]
) -> tuple[JSONValue, JSONValue]:
    """The input, and the tools that a request to a model was sent with."""
    found = take(attributes, _content_names("input", is_root), consumed)
    if kind is not Kind.LLM:
        return found, None
    tools: JSONValue = None
    if isinstance(found, dict) and isinstance(found.get("messages"), list) and found.keys() <= REQUEST_KEYS:
        tools = found.get("tools") or found.get("functions")
        found = found["messages"]
    return canonical(found) or found, tools


def _output(attributes: Attributes, kind: Kind | None, is_root: bool, consumed: set[str]) -> JSONValue:
    found = take(attributes, _content_names("output", is_root), consumed)
    return (canonical(found) or found) if kind is Kind.LLM else found


def _content_names(side: str, is_root: bool) -> tuple[str, ...]:
    """What is said of the trace belongs to its root; any span may be the one that says it."""
    own = f"langfuse.observation.{side}"
    return (own, f"langfuse.trace.{side}") if is_root else (own,)


def _request_params(attributes: Attributes, consumed: set[str]) -> Attributes | None:
    name = "langfuse.observation.model.parameters"
    if found := mapping(attributes.get(name)):
        consumed.add(name)
    return found


def _usage(details: Attributes | None) -> Usage | None:
    if not details:
        return None
    if "prompt_tokens" in details or "completion_tokens" in details:
        return _openai_usage(details, "prompt_tokens", "completion_tokens")
    if "total_tokens" in details and "input_tokens" in details:
        return _openai_usage(details, "input_tokens", "output_tokens")
    output = _sum(details, "output")
    cache_read = first_count(details, CACHE_READ)
    for_5m, for_1h = _cache_writes(details)
    cached = (cache_read or 0) + (for_5m or 0) + (for_1h or 0)
    uncached = _sum(details, "input")
    if uncached is None and output is not None and (total := count(details.get("total"))) is not None:
        uncached = max(total - output - cached, 0)
    if uncached is None and output is None and not cached:
        return None
    return Usage(
        input_uncached=uncached,
        cache_read=cache_read,
        cache_write_5m=for_5m,
        cache_write_1h=for_1h,
        output=output,
        reasoning=first_count(details, REASONING),
    )


def _sum(details: Attributes, side: str) -> int | None:
    """All of one side but the cache: keys that name a modality or the reasoning stand beside the plain one."""
    counts = [
        found
        for key, value in details.items()
        if key.startswith(side) and key not in CACHE and (found := count(value)) is not None
    ]
    return sum(counts) if counts else None


def _cache_writes(details: Attributes) -> tuple[int | None, int | None]:
    """Tokens written for five minutes and for an hour; written for a time that is not said is five minutes."""
    for_5m, for_1h = count(details.get(CACHE_WRITE_5M)), count(details.get(CACHE_WRITE_1H))
    whole = first_count(details, CACHE_WRITE)
    if whole is None or whole == (for_5m or 0) + (for_1h or 0):
        return for_5m if for_5m is not None or for_1h is not None else whole, for_1h
    return whole + (for_5m or 0), for_1h


def _openai_usage(details: Attributes, input: str, output: str) -> Usage | None:
    """OpenAI's usage handed on as it is: here the whole includes its parts."""
    of_input = mapping(details.get(f"{input}_details")) or {}
    of_output = mapping(details.get(f"{output}_details")) or {}
    return buckets(
        input=count(details.get(input)),
        output=count(details.get(output)),
        cache_read=count(of_input.get("cached_tokens")),
        reasoning=count(of_output.get("reasoning_tokens")),
        total=count(details.get("total_tokens")),
    )


def _cost(details: Attributes | None) -> Decimal | None:
    if not details:
        return None
    if (total := dollars(details.get("total"))) is not None:
        return total
    return summed_dollars(details.values())


def _time_to_first_token(record: OtlpSpan) -> int | None:
    """The SDKs tell when the first token came, as JSON text of a time; old ones encoded it twice."""
    sent: JSONValue = record.attributes.get(COMPLETION_START)
    for _ in range(2):
        sent = any_json(sent) if isinstance(sent, str) and sent[:1] == '"' else sent
    moment = _moment(sent)
    return moment - record.start_ns if moment is not None and moment >= record.start_ns else None


def _moment(sent: JSONValue) -> int | None:
    """Nanoseconds since the epoch, of a time in ISO form."""
    if not isinstance(sent, str) or len(sent) > 40:
        return None
    try:
        moment = datetime.fromisoformat(sent)
        since = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * NS_A_SECOND + since.microseconds * 1000


def _error_message(attributes: Attributes) -> str | None:
    """What went wrong; empty where the level says only that something did."""
    level = attributes.get("langfuse.observation.level")
    if not isinstance(level, str) or level.upper() not in ERROR_LEVELS:
        return None
    return text(attributes.get(STATUS_MESSAGE)) or ""
