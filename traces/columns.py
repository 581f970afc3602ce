"""The columns of the trace list: a closed list, which of them are chosen, and what stands in them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from traces.filters import Order
from traces.queries import Trace


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` says how the value is shown; a value of kind `filter` or `names` narrows the list by `filter`."""

    key: str
    title: str
    kind: str
    field: str  # of a `Trace`
    filter: str = ""
    order: Order | None = None

    @property
    def is_number(self) -> bool:
        return self.kind in {"count", "tokens", "cost", "latency"}


@dataclass(frozen=True, slots=True)
class Cell:
    column: Column
    value: Any


def _owner(key: str, title: str, field: str) -> Column:
    return Column(key, title, "filter", field, filter=field)


def _count(key: str, title: str, field: str) -> Column:
    return Column(key, title, "count", field)


# In the order in which they stand; when it began and its name are always there, before these.
COLUMNS: Sequence[Column] = (
    _owner("user", "User", "user_id"),
    _owner("organization", "Organization", "organization_id"),
    _owner("session", "Session", "session_id"),
    _owner("feature", "Feature", "feature"),
    _owner("environment", "Environment", "environment"),
    Column("release", "Release", "text", "release"),
    Column("input", "Input type", "text", "input_type"),
    Column("tags", "Tags", "words", "tags"),
    Column("models", "Model", "names", "models", filter="model"),
    Column("tools", "Tools", "names", "tools", filter="tool"),
    Column("scores", "Scores", "scores", "trace_id"),
    _count("spans", "Spans", "span_count"),
    _count("calls", "LLM calls", "llm_calls"),
    _count("toolcalls", "Tool calls", "tool_calls"),
    _count("errors", "Failed spans", "error_count"),
    Column("tokens", "Tokens", "tokens", "input_tokens", order=Order.MOST_TOKENS),
    Column("cost", "Cost", "cost", "cost_usd", order=Order.DEAREST),
    Column("latency", "Latency", "latency", "latency_ms", order=Order.SLOWEST),
)
STANDARD = ("user", "feature", "models", "tools", "spans", "tokens", "cost", "latency")
# The same in a project that has scores.
STANDARD_SCORED = tuple(column.key for column in COLUMNS if column.key in {*STANDARD, "scores"})
# Stands for a choice of none, which an empty text would not.
NONE = "none"


def chosen(text: str) -> list[Column]:
    """The columns that `user.cost` names, in their order; what is not a column is passed over."""
    return named(text.split("."))


def named(keys: Iterable[str]) -> list[Column]:
    wanted = set(keys)
    return [column for column in COLUMNS if column.key in wanted]


def as_text(columns: Iterable[Column]) -> str:
    return ".".join(column.key for column in columns) or NONE


def is_standard(columns: Iterable[Column]) -> bool:
    return tuple(column.key for column in columns) in (STANDARD, STANDARD_SCORED)


def cells(trace: Trace, columns: Iterable[Column]) -> list[Cell]:
    return [Cell(column, getattr(trace, column.field)) for column in columns]
