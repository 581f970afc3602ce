"""Google's Agent Development Kit: what it tells beside the OTel names, in whichever version of its telemetry."""

from ingest.messages import from_gemini, message, with_system
from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.values import content, first_text, mapping, text
from traces.span import Attributes, JSONValue, Kind

NAME = "google_adk"

SCOPE = "gcp.vertex.agent"
OWN = "gcp.vertex.agent."
REQUEST = "gcp.vertex.agent.llm_request"
RESPONSE = "gcp.vertex.agent.llm_response"
TOOL_INPUT = "gcp.vertex.agent.tool_call_args"
TOOL_OUTPUT = "gcp.vertex.agent.tool_response"
OPERATION = "gen_ai.operation.name"
MODEL_CALL = "call_llm"
INVOCATION = "invocation"
AGENT_RUN = "agent_run ["
# The conversation is the kit's own session, not one that is made up for each run.
SESSION = ("session.id", "gen_ai.conversation.id", "gcp.vertex.agent.session_id")
# What the kit writes where it has nothing to say.
NOTHING = "N/A"


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    if record.scope == SCOPE:
        return True
    return "gcp" in prefixes and any(name.startswith(OWN) for name in record.attributes)


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    consumed: set[str] = set()
    request = mapping(attributes.get(REQUEST))
    response = mapping(attributes.get(RESPONSE))
    kind = _kind(record, request)
    return Reading(
        kind=kind,
        agent_name=record.name[len(AGENT_RUN) : -1] if kind is Kind.AGENT else None,
        model=text((request or {}).get("model")),
        provider=_provider(attributes),
        input=_request(request, consumed) if request else _tool_content(attributes, TOOL_INPUT, consumed),
        output=_response(response, consumed)
        if response
        else _tool_content(attributes, TOOL_OUTPUT, consumed),
        tool_definitions=_tools(request),
        session_id=first_text(attributes, SESSION),
        consumed=frozenset(consumed),
    )


def _kind(record: OtlpSpan, request: Attributes | None) -> Kind | None:
    """Before the kit took up the OTel names a model call was two spans that both tell its tokens: `call_llm` has
    the content and is the call, the `generate_content` in it says `gen_ai.system` as nothing did afterwards."""
    attributes = record.attributes
    if OPERATION in attributes:
        inner = attributes[OPERATION] == "generate_content" and record.scope == SCOPE
        old = "gen_ai.system" in attributes and "gen_ai.provider.name" not in attributes
        return Kind.SPAN if inner and old else None
    if request or record.name == MODEL_CALL:
        return Kind.LLM
    if record.name.startswith(AGENT_RUN):
        return Kind.AGENT
    return Kind.WORKFLOW if record.name == INVOCATION else None


def _provider(attributes: Attributes) -> str | None:
    """The kit signs model calls with its own name; whom it called is in the name of the model."""
    if attributes.get("gen_ai.system") != SCOPE or "gen_ai.provider.name" in attributes:
        return None
    model = text(attributes.get("gen_ai.request.model")) or ""
    maker, separator, _ = model.partition("/")
    if separator and maker != "projects":
        return maker
    return "google" if "gemini" in model else None


def _request(request: Attributes, consumed: set[str]) -> JSONValue:
    consumed.add(REQUEST)
    found = from_gemini(request.get("contents"))
    if found is None:
        return request
    instructions = content((mapping(request.get("config")) or {}).get("system_instruction"))
    return found if instructions is None else with_system([message("system", _said(instructions))], found)


def _said(instructions: JSONValue) -> JSONValue:
    """Text, or content whose parts hold it."""
    parts = instructions.get("parts") if isinstance(instructions, dict) else None
    return parts if isinstance(parts, list) else instructions


def _response(response: Attributes, consumed: set[str]) -> JSONValue:
    consumed.add(RESPONSE)
    return from_gemini([response.get("content")]) or response


def _tools(request: Attributes | None) -> JSONValue:
    sent = (mapping((request or {}).get("config")) or {}).get("tools")
    if not isinstance(sent, list) or not sent:
        return None
    declared: list[JSONValue] = []
    for tool in sent:
        functions = tool.get("function_declarations") if isinstance(tool, dict) else None
        declared += functions if isinstance(functions, list) else [tool]
    return declared


def _tool_content(attributes: Attributes, name: str, consumed: set[str]) -> JSONValue:
    found = content(attributes.get(name))
    if found is None or found == NOTHING:
        return None
    consumed.add(name)
    return found
