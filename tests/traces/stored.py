"""Spans as they come back from the store, without the store."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from traces import store
from traces.queries import STORED as COLUMNS
from traces.queries import StoredSpan
from traces.queries import stored_span as from_row
from traces.span import Span

_TEXT = {
    "tags",
    "input",
    "output",
    "tool_definitions",
    "request_params",
    "attributes",
    "resource",
    "events",
    "links",
}


def stored(span: Span) -> StoredSpan:
    """What a span is once it was written and read."""
    row = store.encode(span)
    told: dict[str, Any] = {**msgspec.json.decode(row.head), **msgspec.json.decode(row.body)}
    columns = {name: told.get(name) for name in COLUMNS}
    columns |= {name: _as_text(told[name]) for name in _TEXT & told.keys()}
    moments = {name: _moment(getattr(span, f"{name}_ns")) for name in ("start", "end")}
    amounts = {name: told.get(name) for name in ("cost_usd", "reported_cost_usd")}
    return from_row(
        {
            **columns,
            **{name: Decimal(amount) if amount is not None else None for name, amount in amounts.items()},
            "span_id": int(span.span_id, 16),
            "start_time": moments["start"],
            "end_time": moments["end"],
            "start_ns": span.start_ns,
            "end_ns": span.end_ns,
            "log_entries": {},
            "redactions": None,
        },
        counted_in={},
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _moment(nanoseconds: int | None) -> datetime:
    return datetime.fromtimestamp((nanoseconds or 0) // 1000 / 1e6, UTC)
