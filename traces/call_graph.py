"""The calls of a trace as a picture: where each stands, and the lines between them. Pure.

Time runs downwards. Agents stand across, model calls on the left, tools on the right: a line to the right is what a
model asked for, a line back is what it got. Places across are in percent, so that the picture fits any width; places
down are in pixels.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from traces.call_queries import CallSpan
from traces.tool_calls import ToolCalls

# More calls than this make no picture: the first and the last are drawn.
MAX_CALLS = 200
LAST_CALLS = 60
HEIGHT, FAILED_HEIGHT = 42, 58
GAP = 16
# Percent of the width.
INDENT, MAX_INDENT = 4.0, 4
RIGHT, CHANNEL = 54.0, 8.0
_LEFT_KINDS = frozenset({"llm"})
_ACROSS_KINDS = frozenset({"agent", "workflow", "span", "event"})
_PLAIN_KINDS = frozenset({"span", "event"})


class Lane(StrEnum):
    ACROSS = "across"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Node:
    """A call and its place. A call that a model asked for and that nothing ran has no span."""

    number: int  # in the order of calling, from 1
    name: str
    kind: str
    lane: Lane
    depth: int
    x: float
    width: float
    y: int
    height: int
    failed: bool = False
    failure: str = ""
    latency_ms: float | None = None
    is_open: bool = False  # its end has not arrived
    output_bytes: int | None = None
    model: str = ""
    span_id: str = ""
    asked_by: int | None = None  # the number of the model call

    @property
    def ran(self) -> bool:
        return bool(self.span_id)

    @property
    def end(self) -> float:
        return round(self.x + self.width, 2)

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: int
    x2: float
    y2: int
    failed: bool = False
    arrow: bool = False  # at its end


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Calls in the middle of a long trace that are not drawn, and where the gap is."""

    calls: int
    failed: int
    y: int


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: list[Node] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    left_out: LeftOut | None = None
    height: int = 0
    total: int = 0

    @property
    def failed(self) -> int:
        return sum(node.failed for node in self.nodes) + (self.left_out.failed if self.left_out else 0)

    @property
    def has_calls(self) -> bool:
        return any(node.kind not in _PLAIN_KINDS for node in self.nodes)


S = TypeVar("S", bound=CallSpan)


def calls_of(spans: Iterable[CallSpan]) -> list[tuple[CallSpan, int, str]]:
    """The calls of a trace in the order of the tree, each with its depth and the id of the call it stands in.

    Plain spans are stepped over, unless they hold the whole trace or are where it failed. So is a tool inside of
    another for the same tool (an MCP server's inside of its client's).
    """
    by_id = {span.span_id: span for span in spans}
    explained = {span.parent_id for span in by_id.values() if span.status == "error"}
    kept = {span_id for span_id, span in by_id.items() if _is_call(span, by_id, explained)}
    children: defaultdict[str, list[CallSpan]] = defaultdict(list)
    in_order = sorted(by_id.values(), key=lambda one: (one.start_ns, one.span_id))
    calls = [span for span in in_order if span.span_id in kept]
    for span in calls:
        children[_nearest(span, by_id, kept)].append(span)
    return list(_walk(calls, children))


def drawn(calls: Sequence[tuple[CallSpan, int, str]]) -> tuple[list[tuple[CallSpan, int, str]], int]:
    """The calls that are drawn, and after how many of them the gap is; 0 when all are."""
    if len(calls) <= MAX_CALLS:
        return list(calls), 0
    first = MAX_CALLS - LAST_CALLS
    return [*calls[:first], *calls[-LAST_CALLS:]], first


def draw(calls: Sequence[tuple[CallSpan, int, str]], asked: Mapping[str, ToolCalls]) -> Graph:
    """The picture of `calls_of` a trace; `asked` says what its model calls asked for, by their ids."""
    shown, gap_after = drawn(calls)
    hidden = calls[gap_after : len(calls) - len(shown) + gap_after] if gap_after else []
    table = _Table(asked)
    for place, (span, depth, inside) in enumerate(shown):
        if gap_after and place == gap_after:
            table.leave_out(len(hidden), sum(span.status == "error" for span, _, _ in hidden))
        table.add(span, depth, inside)
    return table.graph(len(calls))


def _is_call(span: CallSpan, by_id: Mapping[str, CallSpan], explained: set[str | None]) -> bool:
    parent = by_id.get(span.parent_id or "")
    if span.kind in _PLAIN_KINDS:
        return parent is None or (span.status == "error" and span.span_id not in explained)
    same = parent is not None and parent.kind == span.kind == "tool"
    return not (same and parent is not None and _name(parent) == _name(span))


def _nearest(span: CallSpan, by_id: Mapping[str, CallSpan], kept: set[str]) -> str:
    """The call that a span stands in, or ""."""
    met = {span.span_id}
    above = span.parent_id or ""
    while above in by_id and above not in met:
        if above in kept:
            return above
        met.add(above)
        above = by_id[above].parent_id or ""
    return ""


def _walk(
    calls: Sequence[CallSpan], children: Mapping[str, list[CallSpan]]
) -> Iterator[tuple[CallSpan, int, str]]:
    """Depth first. What stands in a model call is what it asked for, so it stands beside it, not in it.

    Calls that are each other's ancestors come last, from the earliest on.
    """
    met: set[str] = set()
    stack = [(span, 0, "") for span in (*reversed(calls), *reversed(children.get("", [])))]
    while stack:
        span, depth, inside = stack.pop()
        if span.span_id in met:
            continue
        met.add(span.span_id)
        yield span, depth, inside
        below = (depth, inside) if span.kind in _LEFT_KINDS else (depth + 1, span.span_id)
        stack.extend((child, *below) for child in reversed(children.get(span.span_id, [])))


class _Table:
    """Places calls one after the other, and draws the lines to what each was asked by and gave its result to."""

    def __init__(self, asked: Mapping[str, ToolCalls]) -> None:
        self._asked = asked
        # Where answers were recorded, a tool that none of them asked for was called by the program.
        self._is_told = any(calls.requested for calls in asked.values())
        self._ran_for = {ran.span_id: model for model, calls in asked.items() for ran in calls.executed}
        self._nodes: list[Node] = []
        self._lines: list[Line] = []
        self._left_out: LeftOut | None = None
        self._left = self._right = 0  # how far down each side is taken
        self._depth = 0
        self._numbers: dict[str, int] = {}
        self._models: dict[str, Node] = {}  # the last model call inside of each call
        self._waiting: defaultdict[str, list[Node]] = defaultdict(list)  # tools whose result nobody got yet
        self._unanswered: list[Node] = []  # what the last model call asked for and nothing ran

    def add(self, span: CallSpan, depth: int, inside: str) -> None:
        lane = _lane(span)
        if lane is not Lane.RIGHT or depth != self._depth:
            self._place_unanswered()
        if depth != self._depth:
            self._left = self._right = max(self._left, self._right)
            self._depth = depth
        node = self._placed(_node(span, lane, depth))
        self._numbers[span.span_id] = node.number
        if lane is Lane.RIGHT:
            self._ask(node, span, inside)
        else:
            self._give(node, inside)
        if lane is Lane.LEFT:
            self._models[inside] = node
            self._unanswered = self._blanks(span, node)

    def leave_out(self, calls: int, failed: int) -> None:
        self._place_unanswered()
        y = max(self._left, self._right)
        self._left_out = LeftOut(calls, failed, y)
        self._left = self._right = y + HEIGHT
        self._models.clear()
        self._waiting.clear()

    def graph(self, total: int) -> Graph:
        self._place_unanswered()
        height = max((node.bottom for node in self._nodes), default=0) + GAP
        lines = [*self._guides(), *self._lines]
        return Graph(self._nodes, lines, self._left_out, height, total)

    def _placed(self, node: Node) -> Node:
        """The node with its number, below what its side is taken by; tools begin beside the call that asked."""
        y = self._right if node.lane is Lane.RIGHT else max(self._left, self._right)
        node = replace(node, number=len(self._nodes) + 1, y=y)
        below = node.bottom + GAP
        if node.lane is Lane.RIGHT:
            self._right = below
        else:
            self._left, self._right = below, (y if node.lane is Lane.LEFT else below)
        self._nodes.append(node)
        return node

    def _ask(self, node: Node, span: CallSpan, inside: str) -> None:
        """The line from the model call that asked for a tool: the one whose answer says so.

        Where no answer was recorded it is the last one before it.
        """
        number = self._numbers.get(self._ran_for.get(span.span_id, ""))
        if span.kind != "tool":
            return
        last = None if self._is_told else self._models.get(inside)
        model = self._nodes[number - 1] if number else last
        self._waiting[inside].append(node)
        if model is None or model.depth != node.depth:
            return
        self._nodes[node.number - 1] = replace(node, asked_by=model.number)
        self._lines += _to_the_right(model, node)

    def _give(self, node: Node, inside: str) -> None:
        """The lines back to the model call that got the results."""
        for tool in self._waiting.pop(inside, []):
            if node.lane is Lane.LEFT and tool.depth == node.depth:
                self._lines += _back(tool, node)

    def _blanks(self, span: CallSpan, model: Node) -> list[Node]:
        """What the model asked for and no span of the trace ran."""
        calls = self._asked.get(span.span_id)
        names = [one.name for one in calls.requested if not one.executed_by] if calls else []
        return [_blank(name or "(no name)", model) for name in names]

    def _place_unanswered(self) -> None:
        for blank in self._unanswered:
            node = self._placed(blank)
            self._lines += _to_the_right(self._nodes[(node.asked_by or 1) - 1], node)
        self._unanswered = []

    def _guides(self) -> Iterator[Line]:
        """Down from each call that holds others, with a branch to each of those."""
        for place, node in enumerate(self._nodes):
            x = round(node.x + INDENT / 2, 2)
            last = 0
            for below in self._nodes[place + 1 :]:
                if below.depth <= node.depth:
                    break
                if below.depth == node.depth + 1 and x < below.x < RIGHT:
                    last = below.y + HEIGHT // 2
                    yield Line(x, last, below.x, last)
            if last:
                yield Line(x, node.bottom, x, last)


def _lane(span: CallSpan) -> Lane:
    if span.kind in _ACROSS_KINDS:
        return Lane.ACROSS
    return Lane.LEFT if span.kind in _LEFT_KINDS else Lane.RIGHT


def _node(span: CallSpan, lane: Lane, depth: int) -> Node:
    failed = span.status == "error"
    failure = (span.status_message or span.error_type).strip().partition("\n")[0][:300]
    x, width = _across(lane, depth)
    return Node(
        number=0,
        name=_name(span) or "(no name)",
        kind=span.kind,
        lane=lane,
        depth=depth,
        x=x,
        width=width,
        y=0,
        height=FAILED_HEIGHT if failed else HEIGHT,
        failed=failed,
        failure=(failure or "failed without a message") if failed else "",
        latency_ms=span.latency_ms,
        is_open=span.is_open,
        output_bytes=span.output_bytes,
        model=span.model,
        span_id=span.span_id,
    )


def _blank(name: str, model: Node) -> Node:
    x, width = _across(Lane.RIGHT, model.depth)
    return Node(0, name, "tool", Lane.RIGHT, model.depth, x, width, 0, HEIGHT, asked_by=model.number)


def _across(lane: Lane, depth: int) -> tuple[float, float]:
    start = _indent(depth)
    if lane is Lane.ACROSS:
        return start, 100 - start
    if lane is Lane.LEFT:
        return start, RIGHT - CHANNEL - start
    return RIGHT, 100 - RIGHT


def _indent(depth: int) -> float:
    return INDENT * min(depth, MAX_INDENT)


def _to_the_right(model: Node, tool: Node) -> list[Line]:
    """From the side of the model call, down beside the tools before it, to the tool."""
    bend, y, end = RIGHT - CHANNEL * 0.7, model.y + 13, tool.y + 13
    if y == end:
        return [Line(model.end, y, tool.x, y, tool.failed, arrow=True)]
    return [
        Line(model.end, y, bend, y),
        Line(bend, y, bend, end, tool.failed),
        Line(bend, end, tool.x, end, tool.failed, arrow=True),
    ]


def _back(tool: Node, model: Node) -> list[Line]:
    """From the side of the tool down to the gap above the next model call, and into that from above."""
    bend, y, gap = RIGHT - CHANNEL * 0.3, tool.y + 29, model.y - GAP // 2
    middle = round(model.x + model.width / 2, 2)
    return [
        Line(tool.x, y, bend, y, tool.failed),
        Line(bend, y, bend, gap, tool.failed),
        Line(bend, gap, middle, gap),
        Line(middle, gap, middle, model.y, arrow=True),
    ]


def _name(span: CallSpan) -> str:
    return (span.tool_name if span.kind == "tool" else "") or span.name
