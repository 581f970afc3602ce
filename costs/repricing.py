"""Stored costs against a price book: which change, and what that sums to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from costs.book import PriceBook
from traces.span import Cost, CostState, Kind, Span

NO_TOOL_PRICE = Cost(state=CostState.COMPUTED, total=Decimal(0), source="no tool price")


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A stored call of a model or a tool, as far as its price depends on it, and what it is said to cost."""

    span: Span
    state: CostState | None
    total: Decimal | None  # None where it is unpriced or was never priced
    counts: bool = True  # not where another span tells the same call and is counted in its place


@dataclass(frozen=True, slots=True)
class Outcome:
    """What pricing some calls again comes to. The sums are over those that count, an unpriced one adding nothing."""

    looked_at: int = 0
    calls_changed: int = 0
    unpriced_before: int = 0
    unpriced_after: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    changed: list[Span] = field(default_factory=list)  # with their new cost; also those that do not count


def reprice(calls: Iterable[StoredCall], book: PriceBook) -> Outcome:
    """Each call at the price that holds at its own start. A call whose cost stays is not in `changed`."""
    looked_at = calls_changed = unpriced_before = unpriced_after = 0
    before = after = Decimal(0)
    changed = []
    for call in calls:
        cost = _new_cost(call, book)
        state, total = (cost.state, cost.total) if cost else (call.state, call.total)
        is_changed = cost is not None and (state, total) != (call.state, call.total)
        if is_changed:
            changed.append(msgspec.structs.replace(call.span, cost=cost))
        if call.counts:
            looked_at += 1
            calls_changed += is_changed
            unpriced_before += call.state is CostState.UNPRICED
            unpriced_after += state is CostState.UNPRICED
            before += call.total or 0
            after += total or 0
    return Outcome(looked_at, calls_changed, unpriced_before, unpriced_after, before, after, changed)


def _new_cost(call: StoredCall, book: PriceBook) -> Cost | None:
    """What the book says, or None where it says nothing and nothing is to be taken back."""
    cost = book.price(call.span)
    if cost is None and call.total and call.span.kind is Kind.TOOL:
        return NO_TOOL_PRICE
    return cost
