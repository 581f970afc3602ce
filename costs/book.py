"""A project's price book: which price holds for a model or a tool at a time, and so what a span costs. Immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from costs.cached_answers import is_cached_answer
from costs.catalog import EVER, PROVIDERS, DatedRates, public_rates
from costs.pricing import Rates, ToolRates, cost_of, cost_of_tool
from traces.span import BILLED_KINDS, Cost, CostState, Kind, Span, Status

CACHED_ANSWER = "cached answer"
CLIENT = "client"
_UNPRICED = Cost(state=CostState.UNPRICED)
_FREE = Cost(state=CostState.COMPUTED, total=Decimal(0), source=CACHED_ANSWER)
# Look-ups are remembered; model names come from outside, so not without bound.
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Override:
    """A price that people set, for one model or for all whose name begins so. Names are lower-case."""

    model: str
    is_prefix: bool
    provider: str  # "" for whoever sells it
    of_project: bool  # else of the whole installation
    dated: DatedRates

    def covers(self, model: str, provider: str) -> bool:
        # `azure` means `azure.ai.openai` too, as in the public prices.
        if self.provider not in {"", provider, PROVIDERS.get(provider, provider)}:
            return False
        return model.startswith(self.model) if self.is_prefix else model == self.model

    @property
    def rank(self) -> tuple[bool, bool, int, bool]:
        """The greatest wins: of the project, then of exactly this model, then the longer prefix, then of the seller."""
        return self.of_project, not self.is_prefix, len(self.model), bool(self.provider)


@dataclass(frozen=True, slots=True)
class ToolPeriod:
    """What a tool costs from `starts_ns` up to, not including, `ends_ns`."""

    rates: ToolRates
    starts_ns: int = 0
    ends_ns: int = EVER


@dataclass(frozen=True, slots=True)
class PriceBook:
    """`price(span)` is all there is to know; the rest is how. What it says never changes."""

    overrides: tuple[Override, ...] = ()
    tools: Mapping[str, tuple[ToolPeriod, ...]] = field(default_factory=dict)
    # False where the overrides could not be read: then nothing is priced, rather than priced wrongly.
    readable: bool = True
    _found: dict[tuple[str, str | None], tuple[DatedRates, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def price(self, span: Span) -> Cost | None:
        """The cost of a span: the client's own figure wins, then the price that holds at its start, else unpriced.

        None where nothing is billed: the kind is not a billed one, the tool has no price, or the call failed
        before it used a token.
        """
        if span.kind in BILLED_KINDS:
            return self._price_call(span)
        if span.kind is Kind.TOOL and self.tools:
            return self._price_tool(span)
        return None

    def rates(self, model: str | None, provider: str | None, at_ns: int) -> Rates | None:
        """The rates of a model when bought from a provider at that time, or None when no price is known."""
        if not model or not self.readable:
            return None
        found = self._found.get((model, provider))
        if found is None:
            found = self._look_up(model, provider)
        for dated in found:
            if dated.hold_at(at_ns):
                return dated.rates
        return None

    def tool_rates(self, tool: str | None, at_ns: int) -> ToolRates | None:
        for period in self.tools.get(tool or "", ()):
            if period.starts_ns <= at_ns < period.ends_ns:
                return period.rates
        return None

    def _price_call(self, span: Span) -> Cost | None:
        if span.reported_cost is not None:
            return Cost(state=CostState.REPORTED, total=span.reported_cost, source=CLIENT)
        if span.attributes and is_cached_answer(span.attributes):
            return _FREE
        usage = span.usage
        rates = self.rates(span.model or span.request_model, span.provider, span.start_ns or 0)
        if usage.is_empty and (span.status is Status.ERROR or not (rates and rates.per_request)):
            return None
        total = cost_of(usage, rates) if rates else None
        if rates is None or total is None:
            return _UNPRICED
        return Cost(state=CostState.COMPUTED, total=total, source=rates.source)

    def _price_tool(self, span: Span) -> Cost | None:
        """A failed call of a tool is a call too. Without a price, a tool's own figure is only shown, not summed:
        a tool may be an agent that repeats what its model calls cost."""
        start = span.start_ns or 0
        rates = self.tool_rates(span.tool_name, start)
        if rates is None:
            return None
        if span.reported_cost is not None:
            return Cost(state=CostState.REPORTED, total=span.reported_cost, source=CLIENT)
        duration = max((span.end_ns or start) - start, 0)
        return Cost(state=CostState.COMPUTED, total=cost_of_tool(duration, rates), source=rates.source)

    def _look_up(self, model: str, provider: str | None) -> tuple[DatedRates, ...]:
        name, seller = model.strip().lower(), (provider or "").strip().lower()
        set_here = [override for override in self.overrides if override.covers(name, seller)]
        set_here.sort(key=lambda override: override.rank, reverse=True)
        found = (*(override.dated for override in set_here), *public_rates(name, provider))
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[model, provider] = found
        return found
