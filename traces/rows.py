"""The rows of a trace's tree as the page gets them: which are kept, and all of them as columns for its script. Pure."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Protocol, TypeAlias

from tracehouse.web import figures
from traces.outline_queries import OutlineSpan
from traces.span import JSONValue, Kind
from traces.tree import Detached, Row, Tree

_KINDS = frozenset(Kind)
OutlineRow: TypeAlias = Row[OutlineSpan]
OutlineTree: TypeAlias = Tree[OutlineSpan]


class _Timed(Protocol):
    @property
    def latency_ms(self) -> float | None: ...
    @property
    def is_open(self) -> bool: ...


class Only(StrEnum):
    """Steps to which the tree can be narrowed."""

    EVERYTHING = ""
    LLM = "llm"
    TOOL = "tool"
    FAILED = "failed"

    def holds(self, span: OutlineSpan) -> bool:
        match self:
            case Only.EVERYTHING:
                return True
            case Only.FAILED:
                return span.status == "error"
            case Only.LLM | Only.TOOL:
                return span.kind == self.value


ONLY_WORDS = [
    (Only.EVERYTHING, "All steps"),
    (Only.LLM, "Model calls"),
    (Only.TOOL, "Tool calls"),
    (Only.FAILED, "Failed"),
]

# A row with everything a row can have: what the script copies and fills.
BLANK: OutlineRow = Row(
    span=OutlineSpan(
        span_id="",
        parent_id=None,
        name="-",
        kind="span",
        status="error",
        failure="-",
        start_ns=0,
        latency_ms=0,
        model="model",
        tool_name="",
        prompt_name="",
        prompt_version="",
        tokens=0,
        cost_usd=Decimal(0),
        cost_state="computed",
    ),
    depth=0,
    guides=(),
    is_last=True,
    children=1,
    detached=Detached.MISSING_PARENT,
    offset=0,
    width=0,
    critical=True,
)


class Flag(IntEnum):
    """What `static/tree.js` knows of a row as one number."""

    FAILED = 1
    CRITICAL = 2
    MISSING_PARENT = 4
    CYCLE = 8
    UNPRICED = 16
    OPEN = 32


def kept(rows: Sequence[OutlineRow], wanted: Collection[str]) -> list[OutlineRow]:
    """The rows of the wanted spans and the rows above them that lead there."""
    found: list[OutlineRow] = []
    leading: set[int] = set()  # depths of which the next row upwards leads to one that is kept
    for row in reversed(rows):
        if row.span.span_id in wanted or row.depth in leading:
            leading.discard(row.depth)
            leading.add(row.depth - 1)
            found.append(row)
    return found[::-1]


def columns(rows: Sequence[OutlineRow]) -> dict[str, JSONValue]:
    """What the script draws rows from, a list a column; of texts each once, and which of them a row has."""
    spans = [row.span for row in rows]
    return {
        "id": [span.span_id for span in spans],
        "depth": [row.depth for row in rows],
        "name": _each_once([span.name for span in spans]),
        "kind": _each_once([known_kind(span.kind) for span in spans]),
        "model": _each_once([shown_model(span) for span in spans]),
        "left": [row.offset for row in rows],
        "width": [row.width for row in rows],
        "latency": _each_once([lasts(span) for span in spans]),
        "tokens": _each_once([tokens(span) for span in spans]),
        "cost": _each_once([_cost(span) for span in spans]),
        "exact": _each_once([_exact(span) for span in spans]),
        "failure": _each_once([span.failure for span in spans]),
        "flags": [_flags(row) for row in rows],
    }


def _each_once(texts: list[str]) -> JSONValue:
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return {"texts": list(places), "at": [places[text] for text in texts]}


def prompts(spans: Iterable[OutlineSpan]) -> list[tuple[str, str]]:
    """The prompts, by name and version, that the trace's calls were made with."""
    return sorted({(span.prompt_name, span.prompt_version) for span in spans if span.prompt_name})


def known_kind(value: str) -> str:
    """A kind there is a glyph and a hue for; anything else is a plain span."""
    return value if value in _KINDS else Kind.SPAN.value


def shown_model(span: OutlineSpan) -> str:
    """The model, unless the name of the step says it already."""
    return "" if span.model in span.name else span.model


def lasts(span: _Timed) -> str:
    return "no end" if span.is_open else figures.duration(span.latency_ms)


def tokens(span: OutlineSpan) -> str:
    return "" if span.tokens is None else figures.compact(span.tokens)


def _cost(span: OutlineSpan) -> str:
    if span.cost_state == "unpriced":
        return "unpriced"
    return figures.money(span.cost_usd) if span.cost_state else ""


def _exact(span: OutlineSpan) -> str:
    return "" if span.cost_usd is None or not span.cost_state else figures.exact_money(span.cost_usd)


def _flags(row: OutlineRow) -> int:
    flags = _DETACHED[row.detached]
    if row.span.status == "error":
        flags |= Flag.FAILED
    if row.critical:
        flags |= Flag.CRITICAL
    if row.span.cost_state == "unpriced":
        flags |= Flag.UNPRICED
    if row.span.is_open:
        flags |= Flag.OPEN
    return flags


_DETACHED = {None: 0, Detached.MISSING_PARENT: Flag.MISSING_PARENT.value, Detached.CYCLE: Flag.CYCLE.value}
