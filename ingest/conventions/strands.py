"""Strands Agents: GenAI names (read there) with milliseconds for seconds, and a tool's input and output in events."""

from ingest.otlp.records import OtlpSpan
from ingest.reading import Reading
from ingest.values import NS_A_MILLISECOND, content, nanoseconds, text
from traces.span import Attributes, Event, JSONValue, Kind

NAME = "strands"

# Strands signs every span with its own name where the maker of the model belongs.
SIGNATURE = "strands-agents"
SYSTEM = "gen_ai.system"
PROVIDER = "gen_ai.provider.name"
TOOL_OPERATION = "execute_tool"
DELAY = "gen_ai.server.time_to_first_token"
TOOLS = "gen_ai.agent.tools"
DEFINITIONS = "gen_ai.tool.definitions"
TOOL_STATUS = ("gen_ai.tool.status", "tool.status")
TOOL_MESSAGE = "gen_ai.tool.message"
CHOICE = "gen_ai.choice"
DETAILS = "gen_ai.client.inference.operation.details"
INPUT = "gen_ai.input.messages"
OUTPUT = "gen_ai.output.messages"


def recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool:
    if "gen_ai" not in prefixes:
        return False
    attributes = record.attributes
    return attributes.get(SYSTEM) == SIGNATURE or attributes.get(PROVIDER) == SIGNATURE


is_dialect = recognise


def read(record: OtlpSpan) -> Reading:
    attributes = record.attributes
    consumed: set[str] = set()
    is_tool = attributes.get("gen_ai.operation.name") == TOOL_OPERATION
    failed = is_tool and any(attributes.get(name) == "error" for name in TOOL_STATUS)
    return Reading(
        kind=Kind.TOOL if is_tool else None,
        time_to_first_token_ns=nanoseconds(attributes.get(DELAY), NS_A_MILLISECOND),
        tool_definitions=_tools(attributes),
        input=_tool_content(record, INPUT, consumed) if is_tool else None,
        output=_tool_content(record, OUTPUT, consumed) if is_tool else None,
        error_type="tool_error" if failed else None,
        consumed=frozenset(consumed),
    )


def _tools(attributes: Attributes) -> JSONValue:
    """Only their names, where the definitions are not told."""
    return None if content(attributes.get(DEFINITIONS)) is not None else content(attributes.get(TOOLS))


def _tool_content(record: OtlpSpan, name: str, consumed: set[str]) -> JSONValue:
    """What the tool was given or gave: the only part of the only message, or the old event."""
    for event in record.events:
        if event.name == DETAILS and (found := _only_part(event.attributes.get(name))) is not None:
            consumed.add(DETAILS)
            return found
    if (found := _only_part(record.attributes.get(name))) is not None:
        consumed.add(name)
        return found
    return _event(record.events, name, consumed)


def _event(events: tuple[Event, ...], name: str, consumed: set[str]) -> JSONValue:
    event_name, key = (TOOL_MESSAGE, "content") if name == INPUT else (CHOICE, "message")
    for event in events:
        if event.name == event_name and (found := content(event.attributes.get(key))) is not None:
            consumed.add(event_name)
            return found
    return None


def _only_part(messages: JSONValue) -> JSONValue:
    found = content(messages)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        return None
    parts = found[0].get("parts")
    part = parts[0] if isinstance(parts, list) and len(parts) == 1 else None
    return _inside(part) if isinstance(part, dict) else None


def _inside(part: Attributes) -> JSONValue:
    key = {"tool_call": "arguments", "tool_call_response": "response"}.get(text(part.get("type")) or "")
    return content(part.get(key)) if key else None
