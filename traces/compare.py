"""Two traces side by side: which step of the one is which of the other, and in what they differ. Pure.

Trees are aligned level by level: a step pairs with one of its kind under the pair of its parents, and rather with one
of the same name, tool and model, rather with one that was asked the same, and in the same order. Work is bounded: past
`MAX_CELLS` comparisons the steps of a level pair where they do the same, whatever they were asked.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import TypeAlias

from traces import tree
from traces.text_diff import common_runs

MAX_CELLS = 250_000
# Past them, and with more steps than these on one side only, steps that do the same pair in turn.
MAX_EDITS = 200
# Of an error inside a sentence.
MAX_FAILURE = 160
# What pairing two steps is worth: of one kind; that do the same; that were asked the same.
_SAME_KIND, _SAME_DEED, _SAME_WORDS = 1, 100, 10
# A number stands out when it is this much more than the other, and by no less than the floor.
_FACTOR = 1.5
_FLOOR_MS, _FLOOR_TOKENS, _FLOOR_USD = 100.0, 50, Decimal("0.0005")


@dataclass(frozen=True, slots=True)
class Step:
    """What is compared of a span. The last fields stand for content: equal where that is equal."""

    span_id: str
    parent_id: str | None
    start_ns: int
    latency_ms: float
    name: str
    kind: str
    status: str
    failure: str  # the first line of its error
    model: str
    tool_name: str
    prompt: str  # name and version
    tokens: int | None
    cost_usd: Decimal | None
    cost_state: str
    error: str  # all that a failed step says of its failure
    parameters: str  # what a tool was called with, how a model was set
    offered: str  # the tools that a model could ask for
    asked: str
    answered: str
    is_open: bool = False  # its end has not arrived

    @property
    def lasts_ms(self) -> float | None:
        return None if self.is_open else self.latency_ms

    @property
    def has_failed(self) -> bool:
        return self.status == "error"

    @property
    def is_unpriced(self) -> bool:
        return self.cost_state == "unpriced"


class Mark(StrEnum):
    """In what the two steps of a pair differ."""

    STATUS = "status"
    ERROR = "error"
    NAME = "name"
    TOOL = "tool"
    MODEL = "model"
    PROMPT = "prompt"
    PARAMETERS = "parameters"
    OFFERED = "tools offered"
    INPUT = "input"
    OUTPUT = "output"
    ORDER = "order"


class Weight(IntEnum):
    """How much a difference says: another step, the same step with other parameters, other texts."""

    NONE = 0
    TEXT = 1
    PARAMETERS = 2
    STEP = 3


_WEIGHTS = {
    Mark.STATUS: Weight.STEP,
    Mark.ERROR: Weight.STEP,
    Mark.NAME: Weight.STEP,
    Mark.TOOL: Weight.STEP,
    Mark.MODEL: Weight.STEP,
    Mark.PROMPT: Weight.STEP,
    Mark.PARAMETERS: Weight.PARAMETERS,
    Mark.OFFERED: Weight.PARAMETERS,
    Mark.INPUT: Weight.TEXT,
    Mark.OUTPUT: Weight.TEXT,
    Mark.ORDER: Weight.TEXT,
}
# What a step takes over from the steps inside it: there it is told better.
_INHERITED = frozenset({Mark.STATUS, Mark.ERROR, Mark.INPUT, Mark.OUTPUT})


@dataclass(frozen=True, slots=True)
class Pair:
    """A row: the same step of both traces, or a step that only one of them has."""

    a: Step | None
    b: Step | None
    depth: int
    marks: tuple[Mark, ...] = ()
    weight: Weight = Weight.NONE

    @property
    def depth_shown(self) -> int:
        return min(self.depth, tree.MAX_INDENT)

    @property
    def is_same(self) -> bool:
        return self.a is not None and self.b is not None and not self.marks

    @property
    def failure(self) -> str:
        """What the side that failed says of it."""
        return next((step.failure for step in (self.b, self.a) if step and step.has_failed), "")

    @property
    def fails_on_one_side(self) -> bool:
        """And nothing inside it says so better."""
        if self.a and self.b:
            return Mark.STATUS in self.marks and self.weight is Weight.STEP
        return any(step.has_failed for step in (self.a, self.b) if step)

    @property
    def in_words(self) -> str:
        """Its heaviest difference, inside a sentence."""
        if self.a is None or self.b is None:
            return f"only {'A' if self.a else 'B'} has it"
        if not self.marks:
            return "the same in both"
        return _told(self.marks[0], self.a, self.b)

    @property
    def more_ms(self) -> float | None:
        """How much longer it took in B."""
        if not self.a or not self.b or self.a.lasts_ms is None or self.b.lasts_ms is None:
            return None
        return self.b.lasts_ms - self.a.lasts_ms

    @property
    def more_tokens(self) -> int | None:
        if not self.a or not self.b or self.a.tokens is None or self.b.tokens is None:
            return None
        return self.b.tokens - self.a.tokens

    @property
    def more_usd(self) -> Decimal | None:
        if not self.a or not self.b or self.a.cost_usd is None or self.b.cost_usd is None:
            return None
        return self.b.cost_usd - self.a.cost_usd

    @property
    def is_slower_or_faster(self) -> bool:
        return bool(self.a and self.b and stands_out(self.a.lasts_ms, self.b.lasts_ms, _FLOOR_MS))

    @property
    def uses_other_tokens(self) -> bool:
        return bool(self.a and self.b and stands_out(self.a.tokens, self.b.tokens, _FLOOR_TOKENS))

    @property
    def costs_other(self) -> bool:
        return bool(self.a and self.b and stands_out(self.a.cost_usd, self.b.cost_usd, _FLOOR_USD))


# Mark -> the field that both sides name.
_NAMED = {Mark.TOOL: "tool_name", Mark.MODEL: "model", Mark.NAME: "name", Mark.PROMPT: "prompt"}
_WORDS = {
    Mark.PARAMETERS: "other parameters",
    Mark.OFFERED: "other tools offered",
    Mark.INPUT: "another input",
    Mark.OUTPUT: "another output",
    Mark.ORDER: "called in another order",
}


def _told(mark: Mark, a: Step, b: Step) -> str:
    if mark is Mark.STATUS:
        return "failed in B, ok in A" if b.has_failed else "failed in A, ok in B"
    if mark is Mark.ERROR:
        return f"failed in both, in A with “{_cut(a.failure)}”, in B with “{_cut(b.failure)}”"
    if mark in _WORDS:
        return _WORDS[mark]
    left, right = (getattr(step, _NAMED[mark]) or "none" for step in (a, b))
    return f"{mark} {left} in A, {right} in B"


def _cut(failure: str) -> str:
    return failure if len(failure) <= MAX_FAILURE else f"{failure[: MAX_FAILURE - 1]}…"


@dataclass(frozen=True, slots=True)
class Comparison:
    rows: list[Pair]
    first: int | None  # the row in which the traces go apart, None where they do not
    asked_the_same: bool | None  # None where that is not known

    @property
    def failing(self) -> int | None:
        """The innermost step that failed on one side only, where that is not yet where the traces went apart."""
        if self.first is None or self.rows[self.first].fails_on_one_side:
            return None
        found: int | None = None
        for place in range(self.first, len(self.rows)):
            row = self.rows[place]
            if found is not None and row.depth <= self.rows[found].depth:
                return found
            if row.fails_on_one_side:
                found = place
        return found

    @property
    def only_a(self) -> int:
        return sum(row.b is None for row in self.rows)

    @property
    def only_b(self) -> int:
        return sum(row.a is None for row in self.rows)

    @property
    def differing(self) -> int:
        return sum(bool(row.marks) for row in self.rows)

    @property
    def same(self) -> int:
        return sum(row.is_same for row in self.rows)


def compare(a: Sequence[Step], b: Sequence[Step]) -> Comparison:
    """Every step of both once, parents before what is inside them."""
    rows = _weighed(list(_walk(_forest(a), _forest(b))))
    asked_the_same = _asked_the_same(rows)
    return Comparison(rows, _first(rows, asked_the_same), asked_the_same)


def _asked_the_same(rows: Sequence[Pair]) -> bool | None:
    """Whether the first input that each of them carries is the same; None where one carries none."""
    left = next((row.a.asked for row in rows if row.a and row.a.asked), "")
    right = next((row.b.asked for row in rows if row.b and row.b.asked), "")
    return left == right if left and right else None


def stands_out(a: float | Decimal | None, b: float | Decimal | None, floor: float | Decimal) -> bool:
    if a is None or b is None:
        return False
    less, more = sorted((Decimal(a), Decimal(b)))
    return more - less >= Decimal(floor) and more >= less * Decimal(_FACTOR)


def differing_only(rows: Sequence[Pair]) -> list[tuple[int, Pair]]:
    """The rows with a difference and those around them that lead there, with their places."""
    found: list[tuple[int, Pair]] = []
    leading = 0  # rows less deep than this lead to one that is kept
    for place in range(len(rows) - 1, -1, -1):
        row = rows[place]
        if not row.is_same or row.depth < leading:
            found.append((place, row))
            leading = row.depth
    return found[::-1]


def _first(rows: Sequence[Pair], asked_the_same: bool | None) -> int | None:
    """The first row that is another step; other parameters count too where both were asked the same."""
    least = Weight.PARAMETERS if asked_the_same else Weight.STEP
    heaviest = max((row.weight for row in rows), default=Weight.NONE)
    wanted = min(least, heaviest)
    if wanted is Weight.NONE:
        return None
    return next(place for place, row in enumerate(rows) if row.weight >= wanted)


def _weighed(rows: Sequence[Pair]) -> list[Pair]:
    """The rows with what their differences weigh: less where a step inside says the same."""
    found: list[Pair] = []
    inside: list[Weight] = []  # by depth, the heaviest row met so far (from the end) below each depth
    for row in reversed(rows):
        del inside[row.depth + 2 :]
        within = inside[row.depth + 1] if len(inside) > row.depth + 1 else Weight.NONE
        del inside[row.depth + 1 :]
        weight = _weight(row, within)
        inside += [Weight.NONE] * (row.depth + 1 - len(inside))
        inside[row.depth] = max(inside[row.depth], weight, within)
        found.append(replace(row, weight=weight))
    return found[::-1]


def _weight(row: Pair, within: Weight) -> Weight:
    if row.a is None or row.b is None:
        return Weight.STEP
    told = (_WEIGHTS[mark] for mark in row.marks if mark not in _INHERITED or within < _WEIGHTS[mark])
    return max(told, default=Weight.NONE)


@dataclass(slots=True)
class _Node:
    step: Step
    inside: "list[_Node]" = field(default_factory=list)


# Steps of one level that belong together; whether they stand in another order.
_Match: TypeAlias = tuple[_Node | None, _Node | None, bool]


def _forest(steps: Iterable[Step]) -> list[_Node]:
    """The steps as the tree of the trace page has them."""
    tops: list[_Node] = []
    above: list[_Node] = []
    for row in tree.build(steps).rows:
        node = _Node(row.span)
        del above[row.depth :]
        (above[-1].inside if above else tops).append(node)
        above.append(node)
    return tops


def _walk(a: list[_Node], b: list[_Node]) -> Iterator[Pair]:
    budget = _Budget(MAX_CELLS)
    stack: list[tuple[_Match, int]] = [(match, 0) for match in reversed(_tops(a, b, budget))]
    while stack:
        (x, y, moved), depth = stack.pop()
        if x and y:
            yield Pair(x.step, y.step, depth, tuple(_marks(x.step, y.step, moved)))
        else:
            yield Pair(x.step if x else None, y.step if y else None, depth)
        inside = _level(x.inside if x else [], y.inside if y else [], budget)
        stack += [(match, depth + 1) for match in reversed(inside)]


def _tops(a: list[_Node], b: list[_Node], budget: "_Budget") -> list[_Match]:
    """Two roots are the same step, whatever they are called."""
    return [(a[0], b[0], False)] if len(a) == len(b) == 1 else _level(a, b, budget)


_COMPARED: Sequence[tuple[Mark, Callable[[Step], str]]] = (
    (Mark.PROMPT, attrgetter("prompt")),
    (Mark.PARAMETERS, attrgetter("parameters")),
    (Mark.OFFERED, attrgetter("offered")),
    (Mark.INPUT, attrgetter("asked")),
    (Mark.OUTPUT, attrgetter("answered")),
)


def _marks(a: Step, b: Step, moved: bool) -> Iterator[Mark]:
    if a.has_failed != b.has_failed:
        yield Mark.STATUS
    elif a.error != b.error:
        yield Mark.ERROR
    if a.tool_name != b.tool_name:
        yield Mark.TOOL
    if a.model != b.model:
        yield Mark.MODEL
    if (a.name, a.kind) != (b.name, b.kind) and (a.tool_name, a.model) == (b.tool_name, b.model):
        yield Mark.NAME
    yield from (mark for mark, read in _COMPARED if read(a) != read(b))
    if moved:
        yield Mark.ORDER


@dataclass(slots=True)
class _Budget:
    cells: int

    def allows(self, cells: int) -> bool:
        if cells > self.cells:
            return False
        self.cells -= cells
        return True


def _level(a: list[_Node], b: list[_Node], budget: _Budget) -> list[_Match]:
    """The steps of one level side by side, in the order of A with those that only B has in between."""
    head = 0
    while (
        head < min(len(a), len(b)) and _deed(a[head]) == _deed(b[head]) and _words(a[head]) == _words(b[head])
    ):
        head += 1
    x, y = a[head:], b[head:]
    partners = _in_order(x, y) if budget.allows(len(x) * len(y)) else _in_common(x, y)
    moved = _in_turn(x, y, partners)
    begun: list[_Match] = [(left, right, False) for left, right in zip(a[:head], b[:head], strict=True)]
    return [*begun, *_merged(x, y, *_kept_in_order({**partners, **moved}))]


def _deed(node: _Node) -> tuple[str, str, str]:
    step = node.step
    return step.kind, step.tool_name or step.name, step.model


def _words(node: _Node) -> tuple[str, str]:
    return node.step.parameters, node.step.asked


def _in_order(a: Sequence[_Node], b: Sequence[_Node]) -> dict[int, int]:
    """The best alignment that keeps both orders (Needleman and Wunsch, 1970): places in A to places in B."""
    deeds, words, kinds = [_deed(y) for y in b], [_words(y) for y in b], [y.step.kind for y in b]
    best = [[0] * (len(b) + 1)]
    for x in a:
        before, deed, said, kind = best[-1], _deed(x), _words(x), x.step.kind
        row = [0]
        for place in range(len(b)):
            found = max(before[place + 1], row[place])
            if kinds[place] == kind:
                worth = _worth(deed == deeds[place], said == words[place])
                found = max(found, before[place] + worth)
            row.append(found)
        best.append(row)
    return _walked_back(best, a, b)


def _worth(same_deed: bool, same_words: bool) -> int:
    return _SAME_KIND + same_deed * _SAME_DEED + same_words * _SAME_WORDS


def _walked_back(best: list[list[int]], a: Sequence[_Node], b: Sequence[_Node]) -> dict[int, int]:
    partners: dict[int, int] = {}
    i, j = len(a), len(b)
    while i and j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        elif best[i][j] == best[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            partners[i] = j
    return partners


def _in_common(a: Sequence[_Node], b: Sequence[_Node]) -> dict[int, int]:
    """Places of steps that do the same in both, in both orders."""
    runs = common_runs([_deed(x) for x in a], [_deed(y) for y in b], MAX_EDITS)
    return {x + at: y + at for x, y, length in runs for at in range(length)}


def _in_turn(a: Sequence[_Node], b: Sequence[_Node], partners: dict[int, int]) -> dict[int, int]:
    """Steps without a partner that do the same: the first with the first, and so on, whatever their order."""
    waiting: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    taken = set(partners.values())
    for place in range(len(b) - 1, -1, -1):
        if place not in taken:
            waiting[_deed(b[place])].append(place)
    return {
        place: waiting[deed].pop()
        for place, node in enumerate(a)
        if place not in partners and waiting.get(deed := _deed(node))
    }


def _kept_in_order(partners: dict[int, int]) -> tuple[dict[int, int], set[int]]:
    """The partners, and the places in A of those that cross others: all but a longest rising sequence."""
    ends: list[int] = []  # the least end of a rising sequence, by its length
    lasts: list[int] = []  # the place in A that it belongs to
    before: dict[int, int | None] = {}
    for place in sorted(partners):
        length = bisect_left(ends, partners[place])
        before[place] = lasts[length - 1] if length else None
        ends[length : length + 1] = [partners[place]]
        lasts[length : length + 1] = [place]
    rising: set[int] = set()
    last = lasts[-1] if lasts else None
    while last is not None:
        rising.add(last)
        last = before[last]
    return partners, partners.keys() - rising


def _merged(
    a: Sequence[_Node], b: Sequence[_Node], partners: dict[int, int], crossing: set[int]
) -> Iterator[_Match]:
    paired = set(partners.values())
    reached = 0
    for place, node in enumerate(a):
        if place in partners and place not in crossing:
            yield from ((None, b[at], False) for at in range(reached, partners[place]) if at not in paired)
            reached = partners[place] + 1
        partner = b[partners[place]] if place in partners else None
        yield node, partner, place in crossing
    yield from ((None, b[at], False) for at in range(reached, len(b)) if at not in paired)
