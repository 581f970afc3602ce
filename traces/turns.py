"""A trace as a turn of a conversation: what the user said, and what the agent answered. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from traces import conversation
from traces.body import is_prose, plain
from traces.conversation import Message, Part
from traces.span import JSONValue


@dataclass(frozen=True, slots=True)
class Said:
    """`text` as it was said; `notes` on what is no text: files, and calls in place of an answer."""

    text: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_prose(self) -> bool:
        return is_prose(self.text)

    def __bool__(self) -> bool:
        return bool(self.text or self.notes)


NOTHING = Said()


def asked(content: JSONValue) -> Said:
    """The last thing the user said in an input; all of it where it is no conversation."""
    found = conversation.messages(content)
    if found is None:
        return _plain(content)
    said = [message for message in found if message.role in {"user", "human"} and _speaks(message)]
    return _said(said[-1].parts) if said else NOTHING


def answered(content: JSONValue) -> Said:
    """The last thing that was said in an output, or which tools it asked for."""
    found = conversation.messages(content)
    if found is None:
        return _plain(content)
    said = [
        message for message in found if message.role not in {"user", "human", "system"} and _speaks(message)
    ]
    return _said(said[-1].parts) if said else NOTHING


def first_said(*options: Said) -> Said:
    """The first one that says something; one in words before one that only has notes."""
    return next((one for one in options if one.text), next((one for one in options if one), NOTHING))


def _plain(content: JSONValue) -> Said:
    return NOTHING if content is None or content in ("", [], {}) else Said(plain(content))


def _speaks(message: Message) -> bool:
    return any(part.kind in {"text", "media", "call", "data"} for part in message.parts)


def _said(parts: Sequence[Part]) -> Said:
    texts = [part.text for part in parts if part.kind in {"text", "data"} and part.text]
    files = [f"Attachment: {part.text}" for part in parts if part.kind == "media"]
    calls = [f"Asked for {part.name or 'a tool'}" for part in parts if part.kind == "call"]
    return Said("\n\n".join(texts), (*files, *([] if texts else calls)))
