"""Requests to and answers of model APIs, recorded whole as they went over the wire, to messages."""

import msgspec

from ingest.messages import canonical, message, tool_call, with_system
from ingest.values import text
from traces.span import Attributes, JSONValue

# What of a request is content or has a field of its own; the rest are its parameters.
_CONTENT = frozenset(
    {
        "messages",
        "input",
        "contents",
        "prompt",
        "system",
        "instructions",
        "system_instruction",
        "tools",
        "functions",
        "model",
    }
)
_MESSAGES = ("messages", "input", "contents")
_SYSTEM = ("system", "instructions", "system_instruction")
_FINISH = ("finish_reason", "finishReason", "stop_reason")


class _Named(msgspec.Struct):
    id: str | None = None
    model: str | None = None


class _Answer(_Named):
    llm_output: _Named | None = None  # where LangChain keeps what the provider said beside the message


def response_id(answer: JSONValue) -> str | None:
    """The id that the provider gave its answer, recorded whole as JSON text. Text that a model made up has ids too,
    but does not name the model."""
    if not isinstance(answer, str) or not answer.startswith("{"):
        return None
    try:
        told = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if told.llm_output:
        return text(told.llm_output.id)
    return text(told.id) if told.model else None


def asked(body: JSONValue) -> list[JSONValue] | None:
    """The messages of a request, system instructions first; None when it is no conversation."""
    if not isinstance(body, dict):
        return _conversation(body)
    for key in _MESSAGES:
        if found := _conversation(body.get(key)):
            instructions = next((body[name] for name in _SYSTEM if body.get(name)), None)
            whole = with_system(instructions, found) if instructions else found
            return whole if isinstance(whole, list) else None
    return _named(canonical(body))


def answered(body: JSONValue) -> list[JSONValue] | None:
    """The messages of an answer: of each choice one, with why it ended."""
    if not isinstance(body, dict):
        return _conversation(body)
    for key in ("choices", "candidates"):
        if isinstance(choices := body.get(key), list):
            return [_choice(choice) for choice in choices if isinstance(choice, dict)] or None
    if isinstance(generations := body.get("generations"), list):
        return _conversation(generations)
    if isinstance(output := body.get("output"), list):
        return _responses(output)
    if isinstance(body.get("messages"), list):
        return asked(body)
    found = _named(canonical(body))
    return [_ended(said, body) for said in found] if found else None


def parameters(body: JSONValue) -> Attributes | None:
    """What a request asks for besides its content: temperature, limits and the like."""
    if not isinstance(body, dict) or _CONTENT.isdisjoint(body):
        return None
    return {
        key: value for key, value in body.items() if key not in _CONTENT and value not in (None, [], {})
    } or None


def _conversation(value: JSONValue) -> list[JSONValue] | None:
    """LangChain records batches, so that a conversation may lie one list deeper."""
    if isinstance(value, list) and value and all(isinstance(item, list) for item in value):
        value = [said for batch in value if isinstance(batch, list) for said in batch]
    return _named(canonical(value)) if isinstance(value, list) else None


def _named(found: list[JSONValue] | None) -> list[JSONValue] | None:
    """Gemini and Genkit call the assistant a model."""
    if found is None:
        return None
    return [
        {**said, "role": "assistant"} if isinstance(said, dict) and said.get("role") == "model" else said
        for said in found
    ]


def _choice(choice: Attributes) -> JSONValue:
    said = choice.get("message", choice.get("content", choice.get("text")))
    found = _named(canonical(said)) if isinstance(said, dict) else None
    built = found[0] if found else message("assistant", said)
    return _ended(built, choice)


def _ended(said: JSONValue, holder: Attributes) -> JSONValue:
    reason = next((found for name in _FINISH if (found := text(holder.get(name)))), None)
    return {**said, "finish_reason": reason} if isinstance(said, dict) and reason else said


def _responses(output: list[JSONValue]) -> list[JSONValue] | None:
    """OpenAI's Responses API: messages and calls stand side by side."""
    found: list[JSONValue] = []
    for item in output:
        if isinstance(item, dict) and item.get("type") == "function_call":
            call = tool_call(text(item.get("call_id")), text(item.get("name")), item.get("arguments"))
            found.append({"role": "assistant", "parts": [call]})
        elif made := canonical(item):
            found += made
    return found or None
