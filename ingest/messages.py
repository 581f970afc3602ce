"""Chat messages in any shape that emitters use to the one that is stored: OTel GenAI's `{role, parts}`."""

from collections.abc import Iterable, Mapping

from ingest.values import structured
from traces.span import Attributes, JSONValue

# Part type as sent -> the OTel type, and how its keys are called there (Anthropic, OpenAI, Vercel AI SDK).
_SHAPES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "text": ("text", {"text": "content"}),
    "input_text": ("text", {"text": "content"}),
    "output_text": ("text", {"text": "content"}),
    "reasoning": ("reasoning", {"text": "content"}),
    "thinking": ("reasoning", {"thinking": "content"}),
    "tool_call": ("tool_call", {}),
    "tool_use": ("tool_call", {"input": "arguments"}),
    "tool-call": (
        "tool_call",
        {"toolCallId": "id", "toolName": "name", "args": "arguments", "input": "arguments"},
    ),
    "tool_call_response": ("tool_call_response", {"result": "response"}),
    "tool_result": ("tool_call_response", {"tool_use_id": "id", "content": "response"}),
    "tool-result": (
        "tool_call_response",
        {"toolCallId": "id", "toolName": "name", "result": "response", "output": "response"},
    ),
}
# LangChain's names of the speakers; it dumps a message as `{"lc": 1, "id": [..., "HumanMessage"], "kwargs": {...}}`.
_LANGCHAIN_ROLES: Mapping[str, str] = {
    "human": "user",
    "HumanMessage": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessage": "system",
    "tool": "tool",
    "ToolMessage": "tool",
    "function": "tool",
    "FunctionMessage": "tool",
}
# Blocks that Bedrock tells apart by their only key.
_BEDROCK: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "toolUse": ("tool_call", {"toolUseId": "id", "input": "arguments"}),
    "toolResult": ("tool_call_response", {"toolUseId": "id", "content": "response"}),
}
_ANSWERS = ("tool-result", "tool_result", "tool_call_response")
# Gemini's, in the spelling of its API and of its Python SDK.
_GEMINI: Mapping[str, tuple[str, Mapping[str, str]]] = {
    **dict.fromkeys(("functionCall", "function_call"), ("tool_call", {"args": "arguments"})),
    **dict.fromkeys(("functionResponse", "function_response"), ("tool_call_response", {})),
}
_GEMINI_TEXT = frozenset({"text", "thought", "thoughtSignature", "thought_signature"})


def canonical(value: JSONValue) -> list[JSONValue] | None:
    """The messages that `value` holds, or None when it holds anything else."""
    if isinstance(value, dict):
        inner = value.get("messages")
        value = inner if isinstance(inner, list) and len(value) == 1 else [value]
    if not isinstance(value, list) or not value:
        return None
    found: list[JSONValue] = []
    for item in value:
        message = _message(item)
        if message is None:
            return None
        found.append(message)
    return found


def from_gemini(contents: JSONValue) -> list[JSONValue] | None:
    """The messages of Gemini's `contents`, which calls the assistant a model and need not name the user."""
    if not isinstance(contents, list) or not contents:
        return None
    found: list[JSONValue] = []
    for item in contents:
        sent = item.get("parts") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(sent, list):
            return None
        role = _text(item, "role") or "user"
        found.append({"role": "assistant" if role == "model" else role, "parts": [part(one) for one in sent]})
    return found


def is_messages(value: JSONValue) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "parts" in value[0]


def message(
    role: str,
    content: JSONValue,
    *,
    tool_calls: JSONValue = None,
    tool_call_id: str | None = None,
    name: str | None = None,
    finish_reason: str | None = None,
) -> Attributes:
    """A message from its pieces as OpenAI names them; `content` is text, a list of parts, or nothing."""
    answers = bool(tool_call_id) or (role == "tool" and not _holds_answers(content))
    made: list[JSONValue] = [tool_response(tool_call_id, content)] if answers else parts(content)
    if isinstance(tool_calls, list):
        made += [_openai_call(call) for call in tool_calls]
    built: Attributes = {"role": role, "parts": made}
    if name:
        built["name"] = name
    if finish_reason:
        built["finish_reason"] = finish_reason
    return built


def _holds_answers(content: JSONValue) -> bool:
    """Whether each part says itself which call it answers."""
    if not isinstance(content, list) or not content:
        return False
    return all(
        isinstance(item, dict) and ("toolResult" in item or item.get("type") in _ANSWERS) for item in content
    )


def parts(content: JSONValue) -> list[JSONValue]:
    if content is None or content == "":
        return []
    return [part(item) for item in content] if isinstance(content, list) else [part(content)]


def part(value: JSONValue) -> JSONValue:
    """One part in the OTel shape. Types that the convention does not rename stay as they are."""
    if isinstance(value, str):
        return text_part(value)
    if not isinstance(value, dict):
        return {"type": "data", "content": value}
    kind = value.get("type")
    if kind == "text" and "text" not in value:
        return value
    if kind is None:
        return _untyped(value)
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return value
    canonical_kind, renames = shape
    if kind == "tool-result":
        value = _unwrapped(value)
    if kind != canonical_kind or not renames.keys().isdisjoint(value):
        value = _renamed(value, canonical_kind, renames)
    return _with_structure(value)


def text_part(text: str) -> Attributes:
    return {"type": "text", "content": text}


def tool_call(call_id: str | None, name: str | None, arguments: JSONValue) -> Attributes:
    return _with_structure({"type": "tool_call", "id": call_id, "name": name, "arguments": arguments})


def tool_response(call_id: str | None, response: JSONValue) -> Attributes:
    return _with_structure({"type": "tool_call_response", "id": call_id, "response": response})


def finish_reasons(found: JSONValue) -> str | None:
    """The reasons that output messages carry, as one text."""
    if not isinstance(found, list):
        return None
    reasons = [item.get("finish_reason") for item in found if isinstance(item, dict)]
    return ",".join(reason for reason in reasons if isinstance(reason, str) and reason) or None


def with_system(instructions: JSONValue, found: JSONValue) -> JSONValue:
    """The conversation with the system instructions as its first message."""
    first = canonical(instructions) or [message("system", instructions)]
    if found is None:
        return first
    if not is_messages(found) or not isinstance(found, list):
        return [*first, message("user", found)]
    return found if found[0] == first[0] else [*first, *found]


def _message(item: JSONValue) -> JSONValue:
    if not isinstance(item, dict):
        return None
    role = item.get("role")
    if not isinstance(role, str):
        return _choice(item) if "message" in item else _langchain(item)
    sent = item.get("parts")
    if isinstance(sent, list):
        return _with_parts(item, sent)
    if "content" not in item and "tool_calls" not in item:
        return None
    return message(
        role,
        item.get("content"),
        tool_calls=item.get("tool_calls"),
        tool_call_id=_text(item, "tool_call_id"),
        name=_text(item, "name"),
        finish_reason=_text(item, "finish_reason"),
    )


def _choice(item: Attributes) -> JSONValue:
    """One of the answers of OpenAI's API: the message, and beside it why it ended."""
    inner = item["message"]
    found = _message(inner) if isinstance(inner, dict) else None
    reason = _text(item, "finish_reason")
    return {**found, "finish_reason": reason} if isinstance(found, dict) and reason else found


def _langchain(item: Attributes) -> JSONValue:
    inner, names = item.get("kwargs", item.get("data")), item.get("id")
    told = inner if isinstance(inner, dict) else item
    kind = told.get("type", item.get("type"))
    role = _LANGCHAIN_ROLES.get(kind) if isinstance(kind, str) else None
    if role is None and isinstance(names, list) and names and isinstance(names[-1], str):
        role = _LANGCHAIN_ROLES.get(names[-1])
    if role is None or "content" not in told:
        return None
    return message(
        role, told["content"], tool_calls=told.get("tool_calls"), tool_call_id=_text(told, "tool_call_id")
    )


def _with_parts(item: Attributes, sent: list[JSONValue]) -> Attributes:
    """The same object where every part is in the stored shape already, as most are."""
    made: list[JSONValue] = []
    same = True
    for value in sent:
        new = part(value)
        same = same and new is value
        made.append(new)
    return item if same else {**item, "parts": made}


def _text(item: Attributes, name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) else None


def _openai_call(call: JSONValue) -> JSONValue:
    if not isinstance(call, dict):
        return {"type": "data", "content": call}
    function = call.get("function")
    told = function if isinstance(function, dict) else call
    arguments = told.get("arguments", told.get("input", told.get("args")))
    return tool_call(_text(call, "id"), _text(told, "name"), arguments)


def _unwrapped(value: Attributes) -> Attributes:
    """A result of the Vercel AI SDK says what it is made of: `{"type": "json", "value": ...}`."""
    output = value.get("output")
    if (
        isinstance(output, dict)
        and "value" in output
        and output.keys() <= {"type", "value", "providerOptions"}
    ):
        return {**value, "output": output["value"]}
    return value


def _untyped(value: Attributes) -> JSONValue:
    said = value.get("text")
    if isinstance(said, str) and value.keys() <= _GEMINI_TEXT:
        return {"type": "reasoning", "content": said} if value.get("thought") is True else text_part(said)
    for shapes in (_BEDROCK, _GEMINI):
        for key in shapes.keys() & value.keys():
            inner = value[key]
            if isinstance(inner, dict):
                return _with_structure(_renamed(inner, *shapes[key]))
    return value


def _renamed(value: Attributes, kind: str, renames: Mapping[str, str]) -> Attributes:
    return {"type": kind, **{renames.get(key, key): item for key, item in value.items() if key != "type"}}


def _with_structure(value: Attributes, names: Iterable[str] = ("arguments", "response")) -> Attributes:
    """Arguments and results that were sent as JSON text, as the structure they are."""
    for name in names:
        sent = value.get(name)
        if isinstance(sent, str) and (parsed := structured(sent)) is not sent:
            value = {**value, name: parsed}
    return value
