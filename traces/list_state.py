"""What the address of the trace list says. Links change one thing in it and keep the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from tracehouse.web import time_range
from tracehouse.web.time_range import TimeRange
from traces import columns
from traces.columns import Column
from traces.filters import Order
from traces.forms import TraceFilterForm, order_of


@dataclass(frozen=True, slots=True)
class ListState:
    form: TraceFilterForm
    range: TimeRange
    order: Order
    columns: list[Column]
    names_columns: bool  # whether the address does, or the person's own choice stands
    view: str  # the number of the saved view that was opened, or ""
    live: bool
    cursor: str

    @property
    def pairs(self) -> dict[str, str]:
        """All of it but the place in the list, without what is the default."""
        return {**self.unranged, **self.range.parameters}

    @property
    def unranged(self) -> dict[str, str]:
        return {
            **self.form.typed,
            **self._display,
            **({"view": self.view} if self.view else {}),
            **self._live,
        }

    @property
    def unfiltered(self) -> dict[str, str]:
        """What stays when the filters go."""
        return {**self._display, **self._live, **self.range.parameters}

    @property
    def unlive(self) -> dict[str, str]:
        return {name: value for name, value in self.pairs.items() if name != "live"}

    @property
    def to_save(self) -> dict[str, str]:
        """What a saved view keeps: no fixed dates, and always its columns, so that everybody sees the same."""
        ranged = self.range.parameters if self.range.preset else {}
        return {**self.form.values, **self._display, **ranged, "columns": columns.as_text(self.columns)}

    @property
    def _display(self) -> dict[str, str]:
        order = {} if self.order is Order.NEWEST else {"order": self.order.value}
        return {**order, **({"columns": columns.as_text(self.columns)} if self.names_columns else {})}

    @property
    def _live(self) -> dict[str, str]:
        return {"live": "1"} if self.live else {}


def read(
    parameters: Mapping[str, str],
    *,
    own_columns: str,
    now: datetime,
    zone: tzinfo,
    home: tzinfo | None = None,
) -> ListState:
    """`own_columns`: what the reader sees where the address does not say; "" for the standard."""
    asked = parameters.get("columns", "")
    chosen = asked or own_columns
    found = time_range.parse(parameters, now=now, zone=zone, home=home)
    order, cursor, view = order_of(parameters), parameters.get("cursor", ""), parameters.get("view", "")
    return ListState(
        form=TraceFilterForm(parameters),
        range=found,
        order=order,
        columns=columns.chosen(chosen) if chosen else columns.named(columns.STANDARD),
        names_columns=bool(asked),
        view=view if view.isascii() and view.isdigit() and len(view) < 16 else "",
        # New traces come at the top of the newest first, in a range that ends now.
        live=bool(parameters.get("live")) and bool(found.preset) and order is Order.NEWEST and not cursor,
        cursor=cursor,
    )


def zoomed_out(chosen: TimeRange, *, now: datetime) -> dict[str, str]:
    """A range of three times the length around a range of dates, but not into the future; nothing for a preset."""
    if chosen.preset:
        return {}
    start, end = chosen.window.start, chosen.window.end
    length = end - start
    until = max(min(end + length, now), end)
    since = max(until - 3 * length, start - timedelta(days=3650))
    return {"from": time_range.as_address(since), "to": time_range.as_address(until)}
