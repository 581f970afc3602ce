"""What changed between two prompts of one conversation: which messages, and of those the words. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from traces import conversation, text_diff
from traces.body import plain
from traces.queries import StoredSpan
from traces.span import JSONValue
from traces.text_diff import Piece

# Messages less alike than this are two messages, not one that was changed.
ALIKE = 0.4
# Messages looked through for the one that another became, and how much of each is weighed.
_LOOK_AHEAD = 12
_WEIGHED = 6_000
# Of a piece that is longer, only so much is shown; of a message that is the same, its beginning.
MAX_SHOWN = 6_000
MAX_SAME = 600
# In a longer run of messages that are the same, only those at both ends are shown.
MAX_RUN, RUN_ENDS = 6, 2


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"  # its pieces say how


@dataclass(frozen=True, slots=True)
class Said:
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageDiff:
    change: Change
    role: str
    pieces: list[Piece]

    @property
    def size(self) -> int:
        return sum(len(piece.text) for piece in self.pieces)

    @property
    def opening(self) -> str:
        """How it begins, in one line."""
        return " ".join("".join(piece.text[:200] for piece in self.pieces[:1]).split())[:100]

    @property
    def shown(self) -> "list[Shown]":
        """Its pieces as a page shows them: long ones cut."""
        if self.change is Change.SAME:
            return [_cut(piece, MAX_SAME) for piece in self.pieces]
        return [_shown(piece) for piece in text_diff.shortened(self.pieces)]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Messages that are the same and not shown."""

    count: int
    change: str = "skipped"


@dataclass(frozen=True, slots=True)
class Shown:
    change: str
    text: str
    left_out: int  # characters that stand after `text` and are not shown


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter of the request, the model or a tool; "" where one of the two calls has none."""

    name: str
    old: str
    new: str

    @property
    def words(self) -> list[text_diff.Words]:
        """Word by word, where both are long."""
        return text_diff.words_of(self.old, self.new)


@dataclass(frozen=True, slots=True)
class PromptDiff:
    messages: list[MessageDiff] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)

    @property
    def shown(self) -> list[MessageDiff | Skipped]:
        """The messages as a page shows them: long runs of those that are the same cut."""
        shown: list[MessageDiff | Skipped] = []
        for is_same, group in groupby(self.messages, lambda message: message.change is Change.SAME):
            run = list(group)
            if is_same and len(run) > MAX_RUN:
                shown += [*run[:RUN_ENDS], Skipped(len(run) - 2 * RUN_ENDS), *run[-RUN_ENDS:]]
            else:
                shown += run
        return shown

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many messages are the same, added, removed, changed; what there is none of is left out."""
        found = Counter(message.change for message in self.messages)
        return [(change.value, found[change]) for change in Change if found[change]]


def compare(old: StoredSpan, new: StoredSpan) -> PromptDiff:
    """From the prompt of one call to that of another."""
    return PromptDiff(
        messages=list(compare_messages(said(old.input), said(new.input))),
        settings=list(_settings(old, new)),
    )


def said(content: JSONValue) -> list[Said]:
    """The messages of a prompt as text, one for content that is no conversation."""
    if content in (None, ""):
        return []
    found = conversation.in_order(content)
    if found is None:
        return [Said("", plain(content))]
    return [Said(message.role, conversation.as_text(message)) for message in found]


def compare_messages(old: Sequence[Said], new: Sequence[Said]) -> Iterator[MessageDiff]:
    """In the order of reading: what was removed stands before what came in its place."""
    for same, before, after in text_diff.blocks(old, new):
        yield from (_whole(Change.SAME, one) for one in same)
        yield from _replaced(before, after)


def _replaced(old: Sequence[Said], new: Sequence[Said]) -> Iterator[MessageDiff]:
    """Messages that took the place of others: alike ones are one message that was changed."""
    place = 0
    for before in old:
        nearest = range(place, min(place + _LOOK_AHEAD, len(new)))
        found = next((at for at in nearest if _are_alike(before, new[at])), None)
        if found is None:
            yield _whole(Change.REMOVED, before)
            continue
        yield from (_whole(Change.ADDED, one) for one in new[place:found])
        pieces = text_diff.diff(before.text, new[found].text)
        yield MessageDiff(Change.CHANGED, new[found].role, pieces)
        place = found + 1
    yield from (_whole(Change.ADDED, one) for one in new[place:])


def _whole(change: Change, one: Said) -> MessageDiff:
    pieces = [Piece(text_diff.Change(change.value), one.text)] if one.text else []
    return MessageDiff(change, one.role, pieces)


def _are_alike(old: Said, new: Said) -> bool:
    if old.role != new.role:
        return False
    a, b = (Counter(re.findall(r"\w+", one.text[:_WEIGHED])) for one in (old, new))
    return 2 * (a & b).total() >= ALIKE * (a.total() + b.total())


def _shown(piece: Piece) -> Shown:
    return _cut(piece, 0 if piece.change is text_diff.Change.LEFT_OUT else MAX_SHOWN)


def _cut(piece: Piece, limit: int) -> Shown:
    return Shown(piece.change.value, piece.text[:limit], max(len(piece.text) - limit, 0))


def _settings(old: StoredSpan, new: StoredSpan) -> Iterator[Setting]:
    """The model, the parameters and the tools where the two calls differ."""
    before, after = _asked(old), _asked(new)
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Setting(name, before.get(name, ""), after.get(name, ""))


def _asked(span: StoredSpan) -> dict[str, str]:
    model = {"model": span.request_model or span.model} if span.request_model or span.model else {}
    prompt = {"prompt": f"{span.prompt_name} {span.prompt_version}".strip()} if span.prompt_name else {}
    params = {name: plain(value) for name, value in sorted(span.request_params.items())}
    return {**model, **prompt, **params, **_tools(span.tool_definitions)}


def _tools(definitions: JSONValue) -> dict[str, str]:
    """The tools offered, each by its name."""
    if not isinstance(definitions, list):
        return {}
    named = [(_tool_name(tool), tool) for tool in definitions if isinstance(tool, dict)]
    return {f"tool {name}": plain(tool) for name, tool in named if name}


def _tool_name(tool: dict[str, JSONValue]) -> str:
    function = tool.get("function")
    told = function if isinstance(function, dict) else tool
    return str(told.get("name") or "")
