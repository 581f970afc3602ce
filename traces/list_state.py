"""What the address of the trace list says: range, filters and order. Links change one thing and keep the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from tracehouse.web import time_range
from tracehouse.web.time_range import TimeRange
from traces.filters import Order
from traces.forms import TraceFilterForm, order_of


@dataclass(frozen=True, slots=True)
class ListState:
    form: TraceFilterForm
    range: TimeRange
    order: Order
    cursor: str

    @property
    def pairs(self) -> dict[str, str]:
        """All of it but the place in the list, without what is the default."""
        return {**self.unranged, **self.range.parameters}

    @property
    def unranged(self) -> dict[str, str]:
        order = {} if self.order is Order.NEWEST else {"order": self.order.value}
        return {**self.form.values, **order}


def read(parameters: Mapping[str, str], *, now: datetime, zone: tzinfo) -> ListState:
    return ListState(
        form=TraceFilterForm(parameters),
        range=time_range.parse(parameters, now=now, zone=zone),
        order=order_of(parameters),
        cursor=parameters.get("cursor", ""),
    )


def zoomed_out(chosen: TimeRange, *, now: datetime, zone: tzinfo) -> dict[str, str]:
    """A range of three times the length around a range of dates, but not into the future; nothing for a preset."""
    if chosen.preset:
        return {}
    start, end = chosen.window.start, chosen.window.end
    length = end - start
    until = max(min(end + length, now), end)
    since = max(until - 3 * length, start - timedelta(days=3650))
    return {"from": time_range.as_input(since, zone), "to": time_range.as_input(until, zone)}
