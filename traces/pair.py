"""One step of two traces side by side: its figures, its parameters and its texts, with what differs marked. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tracehouse.web import figures
from traces import conversation, text_diff
from traces.body import plain
from traces.queries import StoredSpan
from traces.span import JSONValue
from traces.text_diff import Change, Piece

# Longer texts are compared this far.
MAX_TEXT = 200_000
MAX_PARAMETERS = 100
# A piece that is longer is cut, with a note of how much is missing.
MAX_PIECE = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; "" where a side has none."""

    label: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        return self.a != self.b


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    pieces: list[Piece]
    whole: str  # where both sides say the same, or one has no such step
    is_same: bool

    @property
    def shown(self) -> list[tuple[Change, str, int]]:
        """(change, text, characters left out after it)."""
        return [_shown(piece) for piece in self.pieces]


@dataclass(frozen=True, slots=True)
class PairDetail:
    a: StoredSpan | None
    b: StoredSpan | None
    figures: list[Figure]
    parameters: list[Figure]
    texts: list[Text]

    @property
    def differing(self) -> list[Figure]:
        """The parameters that differ."""
        return [line for line in self.parameters if line.differs]

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
    ("Latency", lambda span: figures.duration(span.latency_ms)),
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


def _parameters(a: StoredSpan | None, b: StoredSpan | None) -> list[Figure]:
    """How a model was set or what a tool was called with, by name; nested ones by their path."""
    left, right = (dict(_leaves(_set(span))) if span else {} for span in (a, b))
    names = [*left, *(name for name in right if name not in left)]
    return [Figure(name, left.get(name, ""), right.get(name, "")) for name in names[:MAX_PARAMETERS]]


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
            yield path, plain(value)


def _texts(a: StoredSpan | None, b: StoredSpan | None) -> Iterator[Text]:
    """Input and output. A tool's structured input is told by its parameters."""
    left, right = a or b, b or a
    if left and right:
        yield from _text("Input", _said_to(left), _said_to(right))
        yield from _text("Output", left.output, right.output)


def _said_to(span: StoredSpan) -> JSONValue:
    return None if span.kind == "tool" and isinstance(span.input, dict | list) else span.input


def _text(title: str, a: JSONValue, b: JSONValue) -> Iterator[Text]:
    before, after = readable(a)[:MAX_TEXT], readable(b)[:MAX_TEXT]
    if before == after:
        if before:
            yield Text(title, [], before, True)
        return
    yield Text(title, text_diff.shortened(text_diff.diff(before, after)), "", False)


def _shown(piece: Piece) -> tuple[Change, str, int]:
    if piece.change is Change.LEFT_OUT:
        return piece.change, "", len(piece.text)
    return piece.change, piece.text[:MAX_PIECE], max(len(piece.text) - MAX_PIECE, 0)
