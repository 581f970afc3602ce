"""Usage and rates to a cost: exact decimal arithmetic, no rounding below the twelve decimals that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from traces.span import Usage

MILLION = Decimal(1_000_000)
BILLION = Decimal(1_000_000_000)
STORED = Decimal("1e-12")
NOTHING = Decimal(0)


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
    """What a model costs at one time. A bucket without a rate of its own costs what plain input or output costs."""

    source: str
    input: Rate | None = None
    output: Rate | None = None
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None
    reasoning: Rate | None = None
    per_request: Decimal | None = None  # US dollars a call, whatever its tokens
    # What each bucket of `_counts` costs, in its order.
    buckets: tuple[Rate | None, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        write_5m = self.cache_write_5m or self.input
        buckets = (
            self.input,
            self.cache_read or self.input,
            write_5m,
            self.cache_write_1h or write_5m,
            self.output,
            self.reasoning or self.output,
        )
        object.__setattr__(self, "buckets", buckets)


@dataclass(frozen=True, slots=True)
class ToolRates:
    """What a tool costs at one time, in US dollars: a call, and a second that the call takes."""

    source: str
    per_call: Decimal = NOTHING
    per_second: Decimal = NOTHING


def cost_of(usage: Usage, rates: Rates) -> Decimal | None:
    """US dollars for `usage`, or None when a bucket that was used has no rate at all."""
    counts = _counts(usage)
    total = NOTHING
    for count, rate in zip(counts, rates.buckets, strict=True):
        if count:
            if rate is None:
                return None
            total += (rate.at(sum(counts[:4])) if rate.tiers else rate.base) * count
    total /= MILLION
    if rates.per_request:
        total += rates.per_request
    return total.quantize(STORED, ROUND_HALF_EVEN)


def _counts(usage: Usage) -> tuple[int, ...]:
    """Tokens in the six buckets that may be priced apart: four of input, output without reasoning, reasoning."""
    output, reasoning = usage.output or 0, usage.reasoning or 0
    if reasoning:
        reasoning = min(reasoning, output)
        output -= reasoning
    return (
        usage.input_uncached or 0,
        usage.cache_read or 0,
        usage.cache_write_5m or 0,
        usage.cache_write_1h or 0,
        output,
        reasoning,
    )


def cost_of_tool(duration_ns: int, rates: ToolRates) -> Decimal:
    """US dollars for a call of a tool that took that long."""
    compute = rates.per_second * duration_ns / BILLION if rates.per_second else NOTHING
    return (rates.per_call + compute).quantize(STORED, ROUND_HALF_EVEN)
