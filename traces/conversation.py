"""Stored content as messages to read: roles, texts, tool calls with their results beside them. Pure.

Ingest stores model content in the OTel GenAI shape (`{"role", "parts": [...]}`); what an emitter sent in
another shape (OpenAI's `content` and `tool_calls`, Anthropic's blocks) is read as well, and what fits none is
shown as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import msgspec

from tracehouse.web import figures
from traces.body import Body, of_text, plain
from traces.nesting import decoded
from traces.span import JSONValue

PartKind = Literal["text", "reasoning", "call", "result", "media", "data"]
_CONTENT = {"parts", "content", "tool_calls"}
_TEXT = {"text", "input_text", "output_text", "refusal"}
_REASONING = {"reasoning", "thinking"}
_CALL = {"tool_call", "tool_use", "function_call", "server_tool_call"}
_RESULT = {"tool_call_response", "tool_result", "function_call_output", "server_tool_call_response"}
_MEDIA = {"blob", "file", "uri", "image", "image_url", "input_image", "audio", "input_audio", "document"}
# What ingest puts in the place of media.
_MEDIA_CUT_OUT = {"media", "bytes", "sha256"}

INSTRUCTIONS = {"system", "developer"}
OPENING = 100
# Of a text beside a file, such as its address.
MAX_LABEL = 300
# The number of a message, and of a part of it.
_Place: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    kind: PartKind
    text: str = ""
    name: str = ""  # of the tool that is called
    call_id: str = ""
    result: str | None = None  # of the call, where the conversation holds it
    source: str = field(default="", compare=False)  # where the whole text can be read
    result_source: str = field(default="", compare=False)

    @property
    def body(self) -> Body:
        return of_text(self.text, self.source)

    @property
    def returned(self) -> Body | None:
        return None if self.result is None else of_text(self.result, self.result_source)


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    parts: list[Part] = field(default_factory=list)
    source: str = field(default="", compare=False)

    @property
    def size(self) -> int:
        return sum(len(part.text) for part in self.parts)

    @property
    def opening(self) -> str:
        """How it begins, in one line."""
        first = next((part.text for part in self.parts if part.text.strip()), "")
        return " ".join(first[: 2 * OPENING].split())[:OPENING]

    @property
    def is_folded(self) -> bool:
        """Long instructions are the same in every call: they wait behind their first words."""
        return self.role in INSTRUCTIONS and self.size > 3 * OPENING


def messages(content: JSONValue, origin: str = "") -> list[Message] | None:
    """The messages of `content`, results joined to their calls, or None when it is not a conversation.

    With an `origin`, the address of the whole content, each message and part has one of its own.
    """
    found = in_order(content, origin)
    return None if found is None else _join(found)


def in_order(content: JSONValue, origin: str = "") -> list[Message] | None:
    """The messages as they were sent, each result where it stood."""
    items = content.get("messages") if isinstance(content, dict) and "messages" in content else content
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list) or not items or not all(_is_message(item) for item in items):
        return None
    found = [_message(item) for item in items if isinstance(item, dict)]
    return (
        [_numbered(message, f"{origin}.{place}") for place, message in enumerate(found)] if origin else found
    )


def text_at(content: JSONValue, place: str) -> str | None:
    """The text of a message ("3": the fourth) or of one of its parts ("3.1"), or None."""
    numbers = place.split(".")
    if len(numbers) > 2 or not all(number.isdecimal() for number in numbers):
        return None
    found = (in_order(content) or [])[int(numbers[0]) :][:1]
    if len(numbers) == 1:
        return as_text(found[0]) if found else None
    parts = [part for message in found for part in message.parts][int(numbers[1]) :][:1]
    return parts[0].text if parts else None


def as_text(message: Message) -> str:
    """A message as one text, to compare it with others."""
    return "\n".join(_line(part) for part in message.parts)


def _line(part: Part) -> str:
    match part.kind:
        case "call":
            return f"calls {part.name} {part.text}".rstrip()
        case "result":
            return f"returned {part.text}"
        case "reasoning":
            return f"reasoning: {part.text}"
        case "media":
            return f"attachment: {part.text}"
        case "text" | "data":
            return part.text


def _numbered(message: Message, origin: str) -> Message:
    parts = [replace(part, source=f"{origin}.{place}") for place, part in enumerate(message.parts)]
    return replace(message, parts=parts, source=origin)


@dataclass(frozen=True, slots=True)
class Result:
    """What a call returned, and where that stands."""

    text: str
    source: str = ""


def with_results(found: Iterable[Message], results: Mapping[str, Result]) -> list[Message]:
    """The messages with results of calls that lie elsewhere (in the tool spans of the trace), by call id."""
    return [
        replace(
            message,
            parts=[
                replace(part, result=results[part.call_id].text, result_source=results[part.call_id].source)
                if part.kind == "call" and part.result is None and part.call_id in results
                else part
                for part in message.parts
            ],
        )
        for message in found
    ]


def with_own_results(found: Sequence[Message], results: Sequence[Result | None]) -> list[Message] | None:
    """The messages of an answer with what each call returned, in order; None where these are other calls."""
    calls = [part for message in found for part in message.parts if part.kind == "call"]
    if not calls or len(calls) != len(results):
        return None
    left = iter(results)
    return [replace(message, parts=[_with(part, left) for part in message.parts]) for message in found]


def _with(part: Part, results: Iterator[Result | None]) -> Part:
    result = next(results) if part.kind == "call" else None
    return (
        replace(part, result=result.text, result_source=result.source)
        if result and part.result is None
        else part
    )


def _is_message(item: JSONValue) -> bool:
    return isinstance(item, dict) and isinstance(item.get("role"), str) and not _CONTENT.isdisjoint(item)


def _message(item: dict[str, JSONValue]) -> Message:
    role = str(item["role"])
    parts = _parts(item.get("parts") if "parts" in item else item.get("content"))
    calls = item.get("tool_calls")
    if isinstance(calls, list):
        parts += [_call(call) for call in calls if isinstance(call, dict)]
    if role == "tool" and isinstance(item.get("tool_call_id"), str):
        call_id = str(item["tool_call_id"])
        parts = [replace(part, kind="result", call_id=part.call_id or call_id) for part in parts]
    return Message(role, parts)


def _parts(value: JSONValue) -> list[Part]:
    if value is None or value == "":
        return []
    return [_part(item) for item in value] if isinstance(value, list) else [_part(value)]


def _part(item: JSONValue) -> Part:
    if isinstance(item, dict):
        return _typed_part(item, str(item.get("type") or "text"))
    return Part("text", item) if isinstance(item, str) else Part("data", plain(item))


def _typed_part(item: dict[str, JSONValue], kind: str) -> Part:
    if kind in _CALL:
        return _call(item)
    if kind in _RESULT:
        answer = _first(item, "response", "result", "content", "output")
        return Part("result", plain(answer), call_id=_call_id(item))
    if kind in _MEDIA:
        return Part("media", _media(item, kind))
    text = _first(item, "content", "text", "thinking", "refusal")
    if text is None and _cut_out(item):  # Gemini's inline data, Bedrock's images
        return Part("media", _media(item, "media"))
    if text is None or kind not in _TEXT | _REASONING:
        return Part("data", plain(item))
    return Part("text" if kind in _TEXT else "reasoning", plain(text))


def _call(item: dict[str, JSONValue]) -> Part:
    function = item.get("function")
    told = function if isinstance(function, dict) else item
    arguments = _first(told, "arguments", "input", "args")
    return Part("call", _arguments(arguments), name=str(told.get("name") or ""), call_id=_call_id(item))


def _arguments(value: JSONValue) -> str:
    """Arguments come as structure or as JSON text; both read the same."""
    if isinstance(value, str):
        try:
            value = decoded(value)
        except msgspec.DecodeError:
            return str(value)
    return "" if value is None else plain(value)


def _call_id(item: dict[str, JSONValue]) -> str:
    return str(_first(item, "id", "tool_use_id", "tool_call_id", "call_id") or "")


def _media(item: dict[str, JSONValue], kind: str) -> str:
    """What kind of file it is, its name and its address. Nothing is loaded, and the bytes are not shown."""
    told = list(dict.fromkeys(_labels(item)))
    cut = _cut_out(item)
    if cut:
        size = figures.size(int(cut["bytes"]))
        told = [
            *(name for name in told if name != cut["media"]),
            cut["media"],
            size,
            f"sha256 {cut['sha256'][:16]}",
        ]
    return ", ".join([kind, *told])


def _labels(item: Mapping[str, JSONValue]) -> Iterator[str]:
    """The short texts somewhere in the part: OpenAI has an address in `image_url.url`, Anthropic in `source.url`."""
    for name, value in item.items():
        if isinstance(value, dict) and value.keys() != _MEDIA_CUT_OUT:
            yield from _labels(value)
        elif isinstance(value, str) and value and name != "type":
            yield value if len(value) <= MAX_LABEL else f"{value[:MAX_LABEL]}…"


def _cut_out(value: JSONValue) -> dict[str, str] | None:
    """What ingest put in the place of media somewhere in `value`."""
    if isinstance(value, dict):
        if value.keys() == _MEDIA_CUT_OUT:
            return {name: str(item) for name, item in value.items()}
        value = list(value.values())
    if not isinstance(value, list):
        return None
    return next((found for item in value if (found := _cut_out(item))), None)


def _first(item: Mapping[str, JSONValue], *names: str) -> JSONValue:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _join(found: list[Message]) -> list[Message]:
    """Results move to the calls they answer; a message that held nothing else is left out."""
    answers = _answers(found)
    moved = set(answers.values())
    joined: list[Message] = []
    for number, message in enumerate(found):
        parts = [
            _answered(part, found, answers.get((number, place)))
            for place, part in enumerate(message.parts)
            if (number, place) not in moved
        ]
        if parts or not message.parts:
            joined.append(replace(message, parts=parts))
    return joined


def _answers(found: Sequence[Message]) -> dict[_Place, _Place]:
    """Where the result of a call stands, by where the call stands.

    Some emitters number the calls of each message anew: a result is that of the last message before it with a call of
    its id. Of several results of one call the first is its answer.
    """
    answers: dict[_Place, _Place] = {}
    waiting: dict[str, list[_Place]] = {}
    for number, message in enumerate(found):
        for place, part in enumerate(message.parts):
            open_calls = waiting.setdefault(part.call_id, []) if part.call_id else []
            if part.kind == "call" and part.call_id:
                if open_calls and open_calls[0][0] != number:
                    open_calls.clear()
                open_calls.append((number, place))
            elif part.kind == "result" and open_calls:
                answers[open_calls.pop(0)] = number, place
    return answers


def _answered(part: Part, found: Sequence[Message], answer: _Place | None) -> Part:
    if answer is None:
        return part
    result = found[answer[0]].parts[answer[1]]
    return replace(part, result=result.text, result_source=result.source)
