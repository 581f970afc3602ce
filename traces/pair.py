"""One step of two traces side by side: its figures, its parameters and its texts, with what differs marked. Pure."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tracehouse.web import figures
from traces import conversation, rows, text_diff
from traces.body import plain
from traces.queries import StoredSpan
from traces.span import JSONValue
from traces.text_diff import Piece, Words

# Between what two texts begin and end with, so many characters are compared.
MAX_TEXT = 200_000
MAX_PARAMETERS = 100
# So many long values that differ are shown word by word; others are cut where they are shown.
MAX_LONG_VALUES = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; "" where a side has none."""

    label: str
    a: str
    b: str
    words: Sequence[Words] = ()  # as those of a text, where the values are long and differ

    @property
    def differs(self) -> bool:
        return self.a != self.b


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    pieces: list[Piece]
    whole: str  # where both sides say the same, or one has no such step
    is_same: bool
    left: int = 0  # characters of the longer one that are not compared

    @property
    def shown(self) -> list[Words]:
        return text_diff.as_words(self.pieces)


@dataclass(frozen=True, slots=True)
class Values:
    """Values by name. Of many, those that differ come before others in what is kept."""

    lines: list[Figure]
    left_out: int = 0
    left_out_differing: int = 0

    @property
    def differing(self) -> list[Figure]:
        return [line for line in self.lines if line.differs]


@dataclass(frozen=True, slots=True)
class PairDetail:
    a: StoredSpan | None
    b: StoredSpan | None
    figures: list[Figure]
    parameters: Values
    texts: list[Text]
    attributes: Values  # those that differ, of the span and of its resource

    @property
    def title(self) -> str:
        span = self.a or self.b
        return span.name if span else ""

    @property
    def kind(self) -> str:
        span = self.a or self.b
        return span.kind if span else ""


def describe(a: StoredSpan | None, b: StoredSpan | None) -> PairDetail:
    return PairDetail(
        a=a,
        b=b,
        figures=list(_figures(a, b)),
        parameters=_parameters(a, b),
        texts=list(_texts(a, b)),
        attributes=_attributes(a, b),
    )


def readable(content: JSONValue) -> str:
    """Content as text that can be compared: what was said under whose name, or structure as indented JSON."""
    found = conversation.messages(content)
    if found is None:
        return "" if content is None else plain(content)
    return "\n\n".join(
        f"{message.role}: {' '.join([part.kind, part.name]).strip()} {part.text}"
        if part.kind != "text"
        else f"{message.role}: {part.text}"
        for message in found
        for part in message.parts
    )


def _status(span: StoredSpan) -> str:
    return "failed" if span.status == "error" else "ok"


def _failure(span: StoredSpan) -> str:
    return span.status_message or span.error_type if span.status == "error" else ""


def _first_token(span: StoredSpan) -> str:
    return "" if span.time_to_first_token_ms is None else figures.duration(span.time_to_first_token_ms)


def _tokens(span: StoredSpan) -> str:
    if span.usage is None:
        return ""
    return f"{figures.count(span.usage.input)} in, {figures.count(span.usage.output)} out"


def _cost(span: StoredSpan) -> str:
    if span.cost_state == "unpriced":
        return "unpriced"
    return figures.exact_money(span.cost_usd) if span.cost_state else ""


def _prompt(span: StoredSpan) -> str:
    return f"{span.prompt_name} {span.prompt_version}".strip()


def _size(span: StoredSpan) -> str:
    return "" if span.output_bytes is None else figures.size(span.output_bytes)


_FIGURES: Sequence[tuple[str, Callable[[StoredSpan], str]]] = (
    ("Name", lambda span: span.name),
    ("Status", _status),
    ("Error", _failure),
    ("Latency", rows.lasts),
    ("First token", _first_token),
    ("Tokens", _tokens),
    ("Cost", _cost),
    ("Model", lambda span: span.model),
    ("Tool", lambda span: span.tool_name),
    ("Prompt", _prompt),
    ("Finish reason", lambda span: span.finish_reason),
    ("Output size", _size),
)


def _figures(a: StoredSpan | None, b: StoredSpan | None) -> Iterator[Figure]:
    for label, read in _FIGURES:
        line = Figure(label, read(a) if a else "", read(b) if b else "")
        if line.a or line.b:
            yield line


def _parameters(a: StoredSpan | None, b: StoredSpan | None) -> Values:
    """How a model was set or what a tool was called with, by name; nested ones by their path."""
    return _kept(_lines(*(dict(_leaves(_set(span))) if span else {} for span in (a, b))))


def _attributes(a: StoredSpan | None, b: StoredSpan | None) -> Values:
    if not a or not b:
        return Values([])
    lines = [*_lines(*(dict(_leaves(span.attributes)) for span in (a, b)))]
    lines += _lines(*(dict(_leaves(span.resource, "resource")) for span in (a, b)))
    return _kept([line for line in lines if line.differs])


def _lines(left: Mapping[str, str], right: Mapping[str, str]) -> list[Figure]:
    names = dict.fromkeys([*left, *right])
    return [Figure(name, left.get(name, ""), right.get(name, "")) for name in names]


def _kept(lines: Sequence[Figure]) -> Values:
    ranked = sorted(range(len(lines)), key=lambda place: not lines[place].differs)
    kept = sorted(ranked[:MAX_PARAMETERS])
    left_out = ranked[MAX_PARAMETERS:]
    found = _with_words([lines[place] for place in kept])
    return Values(found, len(left_out), sum(lines[place].differs for place in left_out))


def _with_words(lines: Sequence[Figure]) -> list[Figure]:
    left = MAX_LONG_VALUES
    found: list[Figure] = []
    for line in lines:
        words = text_diff.words_of(line.a, line.b) if left else []
        left -= bool(words)
        found.append(replace(line, words=words))
    return found


def _set(span: StoredSpan) -> JSONValue:
    return span.input if span.kind == "tool" else dict(span.request_params)


def _leaves(value: JSONValue, path: str = "") -> Iterator[tuple[str, str]]:
    stack = [(path, value)]
    while stack:
        path, value = stack.pop()
        inside: list[tuple[str, JSONValue]] = []
        if isinstance(value, dict):
            inside = [(f"{path}.{name}" if path else name, item) for name, item in value.items()]
        elif isinstance(value, list):
            inside = [(f"{path}[{place}]", item) for place, item in enumerate(value)]
        if inside:
            stack += reversed(inside)
        elif path:
            yield path, _value(value)


def _value(value: JSONValue) -> str:
    """Text in quotes where it could be taken for another value: "5" is not 5, and "" is not nothing."""
    if not isinstance(value, str):
        return plain(value)
    return json.dumps(value) if _LIKE_ANOTHER.fullmatch(value) else value


# What is nothing, a number, a word or an empty structure of JSON.
_LIKE_ANOTHER = re.compile(r"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|\[\]|\{\}")


def _texts(a: StoredSpan | None, b: StoredSpan | None) -> Iterator[Text]:
    """Input, output, and tools offered where they differ. A tool's structured input is told by its parameters."""
    left, right = a or b, b or a
    if left and right:
        if left.tool_definitions != right.tool_definitions:
            yield from _text("Tools offered", left.tool_definitions, right.tool_definitions)
        yield from _text("Input", _said_to(left), _said_to(right))
        yield from _text("Output", left.output, right.output)


def _said_to(span: StoredSpan) -> JSONValue:
    return None if span.kind == "tool" and isinstance(span.input, dict | list) else span.input


def _text(title: str, a: JSONValue, b: JSONValue) -> Iterator[Text]:
    before, after = readable(a), readable(b)
    if before == after:
        if before:
            yield Text(title, [], before, True)
        return
    pieces, left = text_diff.diff_far(before, after, MAX_TEXT)
    yield Text(title, pieces, "", False, left)
