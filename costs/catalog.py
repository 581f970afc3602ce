"""The public prices: the data of genai-prices, with its history and tiers, as rates that hold from a time on.

That library's own calculation takes 0.1 ms a call; here only the look-up is its, kept in a bounded cache, and the
arithmetic is `costs.pricing`'s. A test holds the two equal.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from costs.pricing import Rate, Rates

DAY_NS = 86_400_000_000_000
EVER = 2**63 - 1
THOUSAND = Decimal(1000)

# Our provider names (OpenTelemetry's) -> those of genai-prices, where they differ.
PROVIDERS: Mapping[str, str] = {
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "aws.bedrock": "aws",
    "gcp.vertex_ai": "google",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "together_ai": "together",
    "moonshot_ai": "moonshotai",
}
# The first part of `part/model`, as LiteLLM and OpenRouter write it -> whose model it is, or who sells it.
PREFIXES: Mapping[str, str] = {
    "anthropic": "anthropic",
    "azure": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "google": "google",
    "groq": "groq",
    "mistral": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "moonshotai": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vertex_ai": "google",
    "x-ai": "x-ai",
    "xai": "x-ai",
}
# Ids that only one seller writes: Bedrock's `us.anthropic.claude-...-v2:0`, Vertex's `claude-...@20240620`.
_BEDROCK = re.compile(
    r"^(?:[a-z-]+\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.[a-z]"
)
_VERTEX = re.compile(r"^claude-[\w.-]+@\d{8}$")
_RESOURCE = re.compile(r"^(?:projects/.+/)?(?:publishers/[\w-]+/)?models/(?P<model>[^/]+)$")


@dataclass(frozen=True, slots=True)
class DatedRates:
    """Rates that hold from `starts_ns` up to, not including, `ends_ns`; on each day within `hours`, if given."""

    rates: Rates
    starts_ns: int = 0
    ends_ns: int = EVER
    hours: tuple[int, int] | None = None  # nanoseconds of the UTC day; the second may lie before the first

    def hold_at(self, at_ns: int) -> bool:
        if not self.starts_ns <= at_ns < self.ends_ns:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        now = at_ns % DAY_NS
        return start <= now < end if start <= end else now >= start or now < end


@lru_cache(maxsize=4096)
def public_rates(model: str, provider: str | None) -> tuple[DatedRates, ...]:
    """The rates of `model` when bought from `provider`, those to be tried first in front; empty when not known.

    A provider that the price data does not know is not guessed around: the same model costs differently
    elsewhere. Without a provider, the one that writes the model's id so, or the model's maker is taken.
    """
    for seller, name in _spellings(model.strip().lower(), _seller(provider)):
        if found := _find(name, seller):
            return tuple(dated_rates(*found))
    return ()


def _seller(provider: str | None) -> str | None:
    name = (provider or "").strip().lower()
    return PROVIDERS.get(name, name) or None


def _spellings(model: str, seller: str | None) -> Iterator[tuple[str | None, str]]:
    """What the price data may know this model as: as it was sent, and without what a router put around it."""
    if seller is None and _BEDROCK.match(model):
        yield "aws", model
    if seller is None and _VERTEX.match(model):
        yield "google", model
    yield seller, model
    first, slash, rest = model.partition("/")
    named = PREFIXES.get(first) if slash else None
    if named is not None and seller in {None, named}:
        yield from _spellings(rest, named)
    if resource := _RESOURCE.match(model):
        yield seller or "google", resource["model"]


def _find(model: str, seller: str | None) -> tuple[Provider, ModelInfo] | None:
    try:
        return get_snapshot().find_provider_model(model, None, seller, None)
    except LookupError:
        return None


def dated_rates(seller: Provider, model: ModelInfo) -> Iterator[DatedRates]:
    """The library tries conditional prices last to first, and takes the first one where none holds."""
    source = f"genai-prices {genai_prices.__version__} {seller.id}/{model.id}"
    if isinstance(model.prices, ModelPrice):
        yield DatedRates(_rates(model.prices, source))
        return
    for conditional in reversed(model.prices):
        yield _conditional(conditional, source)
    yield DatedRates(_rates(model.prices[0].prices, source))


def _conditional(conditional: ConditionalPrice, source: str) -> DatedRates:
    rates = _rates(conditional.prices, source)
    match conditional.constraint:
        case StartDateConstraint(start_date):
            midnight = datetime.combine(start_date, time(), UTC)
            return DatedRates(rates, starts_ns=int(midnight.timestamp()) * 1_000_000_000)
        case TimeOfDateConstraint(start_time, end_time):
            return DatedRates(rates, hours=(_of_day(start_time), _of_day(end_time)))
        case None:
            return DatedRates(rates)


def _of_day(moment: time) -> int:
    """Nanoseconds since midnight UTC; a time without a zone is UTC."""
    offset = moment.utcoffset()
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    seconds -= int(offset.total_seconds()) if offset else 0
    return (seconds * 1_000_000_000 + moment.microsecond * 1000) % DAY_NS


def _rates(price: ModelPrice, source: str) -> Rates:
    requests = price.requests_kcount
    return Rates(
        source=source,
        input=_rate(price.input_mtok),
        output=_rate(price.output_mtok),
        cache_read=_rate(price.cache_read_mtok),
        cache_write_5m=_rate(price.cache_write_5m_mtok) or _rate(price.cache_write_mtok),
        cache_write_1h=_rate(price.cache_write_1h_mtok),
        reasoning=_rate(price.output_reasoning_mtok),
        per_request=requests / THOUSAND if isinstance(requests, Decimal) else None,
    )


def _rate(value: Decimal | TieredPrices | None) -> Rate | None:
    if isinstance(value, TieredPrices):
        return Rate(value.base, tuple((tier.start, tier.price) for tier in value.tiers))
    return Rate(value) if value is not None else None
