"""Usage and rates to a cost: exact decimal arithmetic, no rounding below the twelve decimals that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from traces.span import BILLED_KINDS, Cost, CostState, Span, Usage

MILLION = Decimal(1_000_000)
STORED = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars per million tokens. `tiers` are (more input tokens than, price for all tokens), ascending."""

    base: Decimal
    tiers: Sequence[tuple[int, Decimal]] = ()

    def at(self, input_tokens: int) -> Decimal:
        """The rate of a call with that many input tokens: crossing a tier's start prices all of its tokens."""
        applicable = self.base
        for start, price in self.tiers:
            if input_tokens > start:
                applicable = price
        return applicable


@dataclass(frozen=True, slots=True)
class Rates:
    """What a model costs at one time. A bucket without a rate of its own costs what plain input costs."""

    source: str
    input: Rate | None
    output: Rate | None
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None


def cost_of(usage: Usage, rates: Rates) -> Decimal | None:
    """US dollars for `usage`, or None when a bucket that was used has no rate at all."""
    buckets = (
        (usage.input_uncached, rates.input),
        (usage.cache_read, rates.cache_read or rates.input),
        (usage.cache_write_5m, rates.cache_write_5m or rates.input),
        (usage.cache_write_1h, rates.cache_write_1h or rates.cache_write_5m or rates.input),
        (usage.output, rates.output),
    )
    input_tokens = usage.input
    total = Decimal(0)
    for count, rate in buckets:
        if not count:
            continue
        if rate is None:
            return None
        total += rate.at(input_tokens) * count
    return (total / MILLION).quantize(STORED, ROUND_HALF_EVEN)


def price(span: Span, rates: Rates | None) -> Cost | None:
    """The cost of one span: the client's own figure wins, then the price book, else it is unpriced.

    None where nothing is billed: the kind is not a billed one, or the call failed before it used a token.
    """
    if span.kind not in BILLED_KINDS:
        return None
    if span.reported_cost is not None:
        return Cost(state=CostState.REPORTED, total=span.reported_cost, source="client")
    if span.usage.is_empty:
        return None
    total = cost_of(span.usage, rates) if rates else None
    if rates is None or total is None:
        return Cost(state=CostState.UNPRICED)
    return Cost(state=CostState.COMPUTED, total=total, source=rates.source)
