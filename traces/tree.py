"""From a flat list of spans to the rows of the trace page: order, depth, bars, critical path. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

# A bar narrower than this, in percent of the axis, could not be seen.
MIN_BAR = 0.4
# Deeper rows are indented no further: the names would leave the screen.
MAX_INDENT = 16


class Node(Protocol):
    """What the tree needs of a span."""

    @property
    def span_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def latency_ms(self) -> float: ...
    @property
    def is_open(self) -> bool:
        """Its end has not arrived: it runs as far as the trace is known."""


S = TypeVar("S", bound=Node)


class Detached(StrEnum):
    """Why a span that names a parent stands at the top level."""

    MISSING_PARENT = "its parent has not arrived"
    CYCLE = "it is its own ancestor"

    @property
    def short(self) -> str:
        return "in a loop" if self is Detached.CYCLE else "parent missing"


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    span: S
    depth: int
    # For each ancestor below the top, as far as it is shown: whether its line goes on to a later sibling.
    guides: tuple[bool, ...]
    is_last: bool  # no sibling comes after it
    children: int
    detached: Detached | None
    offset: float  # where the bar starts, in percent of the time axis
    width: float
    critical: bool  # on the chain of spans that decided when the trace ended

    @property
    def end(self) -> float:
        return round(self.offset + self.width, 3)

    @property
    def depth_shown(self) -> int:
        return min(self.depth, MAX_INDENT)


@dataclass(frozen=True, slots=True)
class Tree(Generic[S]):
    rows: list[Row[S]]
    length_ms: float  # of the time axis

    @property
    def half_ms(self) -> float:
        return self.length_ms / 2


def build(spans: Iterable[S]) -> Tree[S]:
    """Every span once, parents before children, siblings by start.

    A span whose parent is not there stands at the top level; of spans that are each other's ancestors the
    earliest does.
    """
    by_id = {span.span_id: span for span in spans}
    ordered = sorted(by_id.values(), key=_by_start)
    children: defaultdict[str, list[S]] = defaultdict(list)
    tops: list[tuple[S, Detached | None]] = []
    for span in ordered:
        if not span.parent_id:
            tops.append((span, None))
        elif span.parent_id not in by_id:
            tops.append((span, Detached.MISSING_PARENT))
        else:
            children[span.parent_id].append(span)
    _break_cycles(by_id, ordered, tops, children)
    tops.sort(key=lambda top: _by_start(top[0]))
    begin = min((span.start_ns for span in ordered), default=0)
    end = max((_end(span) for span in ordered), default=0)
    critical = _critical_path(tops, children, end)
    axis = _Axis(begin, max(end - begin, 1))
    return Tree(list(_walk(tops, children, axis, critical)), (end - begin) / 1e6)


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: int
    length: int

    def bar(self, span: Node) -> tuple[float, float]:
        offset = (span.start_ns - self.begin) * 100 / self.length
        lasts = 100 - offset if span.is_open else span.latency_ms * 1e8 / self.length
        width = min(max(lasts, MIN_BAR), 100.0)
        return round(min(offset, 100 - width), 3), round(width, 3)


def _by_start(span: Node) -> tuple[int, str]:
    return span.start_ns, span.span_id


def _end(span: Node) -> int:
    return span.start_ns + round(span.latency_ms * 1e6)


def _until(span: Node, end: int) -> int:
    """When it ended, at the latest `end`."""
    return end if span.is_open else min(_end(span), end)


def _break_cycles(
    by_id: dict[str, S],
    ordered: Sequence[S],
    tops: list[tuple[S, Detached | None]],
    children: defaultdict[str, list[S]],
) -> None:
    """Moves one span of each cycle, the earliest, to the top level."""
    seen = _below([span for span, _ in tops], children)
    for span in ordered:
        if span.span_id in seen:
            continue
        start = _earliest_of_cycle(span, by_id)
        children[start.parent_id or ""].remove(start)
        tops.append((start, Detached.CYCLE))
        seen |= _below([start], children)


def _earliest_of_cycle(span: S, by_id: dict[str, S]) -> S:
    """The earliest span of the cycle that the ancestors of `span` run into."""
    trail: list[S] = []
    met: set[str] = set()
    while span.span_id not in met:
        met.add(span.span_id)
        trail.append(span)
        span = by_id[span.parent_id or ""]
    cycle = trail[trail.index(span) :]
    return min(cycle, key=_by_start)


def _below(tops: Sequence[S], children: defaultdict[str, list[S]]) -> set[str]:
    found: set[str] = set()
    stack = list(tops)
    while stack:
        span = stack.pop()
        found.add(span.span_id)
        stack.extend(children.get(span.span_id, ()))
    return found


def _walk(
    tops: Sequence[tuple[S, Detached | None]],
    children: defaultdict[str, list[S]],
    axis: _Axis,
    critical: set[str],
) -> Iterable[Row[S]]:
    # Depth first without recursion: a chain of thousands is a legal trace.
    stack: list[tuple[S, tuple[bool, ...], int, bool, Detached | None]] = []
    for place, (top, why) in reversed(list(enumerate(tops))):
        stack.append((top, (), 0, place == len(tops) - 1, why))
    while stack:
        span, guides, depth, is_last, detached = stack.pop()
        below = children.get(span.span_id, [])
        offset, width = axis.bar(span)
        yield Row(
            span=span,
            depth=depth,
            guides=guides,
            is_last=is_last,
            children=len(below),
            detached=detached,
            offset=offset,
            width=width,
            critical=span.span_id in critical,
        )
        inner = (*guides, not is_last)[: MAX_INDENT - 1] if depth else ()
        for place in range(len(below) - 1, -1, -1):
            stack.append((below[place], inner, depth + 1, place == len(below) - 1, None))


def _critical_path(
    tops: Sequence[tuple[S, Detached | None]], children: defaultdict[str, list[S]], end: int
) -> set[str]:
    """The spans that the end of the trace waited for: from the end of its root backwards, the child that ended last.

    The trace waits for a child that outlives what is around it no longer than for that. A sibling that still ran when
    the next one began was not waited for before it. What has no end runs until that of the trace.
    """
    if not tops:
        return set()
    roots = [span for span, why in tops if why is None] or [span for span, _ in tops]
    last = max(roots, key=lambda root: _until(root, end))
    found: set[str] = set()
    stack = [(last, _until(last, end))]
    while stack:
        span, until = stack.pop()
        found.add(span.span_id)
        for ends, child in _last_first(children.get(span.span_id, ()), until):
            if ends <= until and child.start_ns < until:
                stack.append((child, ends))
                until = child.start_ns
    return found


def _last_first(spans: Sequence[S], until: int) -> list[tuple[int, S]]:
    """With when each ended, at the latest `until`; of those that ended together the longest first."""
    ended = [(_until(span, until), span) for span in spans]
    return sorted(ended, key=lambda one: (-one[0], one[1].start_ns))
