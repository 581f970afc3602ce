"""Small vocabularies without a mark that tells them apart from each other: LiveKit Agents, Genkit, Opik, VoltAgent."""

from collections.abc import Mapping

from ingest.bodies import answered, asked
from ingest.messages import canonical
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.usage import buckets
from ingest.values import content, count, first_text, mapping, take, text
from traces.span import Attributes, JSONValue, Kind, Usage

NAME = "others"

# Names without a dot are prefixes of their own.
MARKS = frozenset(
    {
        "lk",
        "genkit:name",
        "genkit:type",
        "genkit:input",
        "genkit:output",
        "genkit:metadata:subtype",
        "opik",
        "voltagent",
    }
)
KINDS: Mapping[str, Kind] = {
    "model": Kind.LLM,
    "embedder": Kind.EMBEDDING,
    "tool": Kind.TOOL,
    "retriever": Kind.RETRIEVER,
    "reranker": Kind.RERANKER,
    "prompt": Kind.PROMPT,
    "flow": Kind.WORKFLOW,
    "evaluator": Kind.EVALUATOR,
    "agent": Kind.AGENT,
}
SUBTYPE = "genkit:metadata:subtype"
TURN = "agent_turn"
TOOL_NAME = ("lk.function_tool.name",)
INPUT = (
    "lk.function_tool.arguments",
    "lk.chat_ctx",
    "lk.user_input",
    "lk.input_text",
    "genkit:input",
)
OUTPUT = ("lk.function_tool.output", "lk.response.text", "genkit:output")
AGENT = ("gen_ai.agent.name", "lk.agent_name")
SESSION = ("session.id", "thread_id")


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    return not prefixes.isdisjoint(MARKS)


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    kind = _kind(record)
    consumed: set[str] = set()
    sent, given = take(attributes, INPUT, consumed), take(attributes, OUTPUT, consumed)
    return Reading(
        kind=kind,
        agent_name=first_text(attributes, AGENT),
        tool_name=first_text(attributes, TOOL_NAME)
        or (_genkit_name(attributes) if kind is Kind.TOOL else None),
        tool_call_id=text(attributes.get("lk.function_tool.id")),
        error_type="tool_error" if attributes.get("lk.function_tool.is_error") is True else None,
        model=_genkit_name(attributes) if kind in {Kind.LLM, Kind.EMBEDDING} else None,
        usage=_usage(attributes),
        input=_asked(sent, kind),
        output=_answered(given, kind),
        tool_definitions=content(attributes.get("lk.function_tools")),
        session_id=first_text(attributes, SESSION),
        consumed=frozenset(consumed),
    )


def _kind(record: OtlpSpan) -> Kind | None:
    attributes = record.attributes
    subtype = attributes.get(SUBTYPE)
    if isinstance(subtype, str) and (kind := KINDS.get(subtype.lower())):
        return kind
    if "lk.function_tool.name" in attributes:
        return Kind.TOOL
    return Kind.AGENT if record.name == TURN else None


def _genkit_name(attributes: Attributes) -> str | None:
    """Genkit names an action as it registered it: a model with the plugin that brings it, `{plugin}/{model}`."""
    name = text(attributes.get("genkit:name"))
    return name.rpartition("/")[2] or name if name else None


def _usage(attributes: Attributes) -> Usage | None:
    """VoltAgent's names; Genkit tells them only inside of the answer."""
    if "usage.prompt_tokens" not in attributes and "usage.completion_tokens" not in attributes:
        told = mapping((mapping(attributes.get("genkit:output")) or {}).get("usage")) or {}
        return buckets(
            input=count(told.get("inputTokens")),
            output=count(told.get("outputTokens")),
            cache_read=count(told.get("cachedContentTokens")),
            reasoning=count(told.get("thoughtsTokens")),
            total=count(told.get("totalTokens")),
        )
    return buckets(
        input=count(attributes.get("usage.prompt_tokens")),
        output=count(attributes.get("usage.completion_tokens")),
        total=count(attributes.get("usage.total_tokens")),
    )


def _asked(body: JSONValue, kind: Kind | None) -> JSONValue:
    """LiveKit keeps a conversation as `{"items": [...]}`."""
    if isinstance(body, dict) and isinstance(items := body.get("items"), list):
        spoken: list[JSONValue] = [item for item in items if isinstance(item, dict) and "role" in item]
        return canonical(spoken) or body
    return (asked(body) or body) if kind is Kind.LLM else body


def _answered(body: JSONValue, kind: Kind | None) -> JSONValue:
    return (answered(body) or body) if kind is Kind.LLM else body
