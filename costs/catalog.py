"""Which rates hold for a model at a time: the price data of genai-prices, with its history and tiers.

That library's own calculation takes 0.1 ms a call; here only the look-up is its, kept in bounded caches, and the
arithmetic is `costs.pricing`'s. A test holds the two equal.
"""

from datetime import UTC, datetime
from functools import lru_cache

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from costs.pricing import Rate, Rates

# Our provider names (OpenTelemetry's) -> those of genai-prices, where they differ.
PROVIDERS = {
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


def rates_for(model: str | None, provider: str | None, at_ns: int) -> Rates | None:
    """The rates of `model` when bought from `provider` at that time, or None when no price is known.

    A provider that the price data does not know is not guessed around: the same model costs differently
    elsewhere. Without a provider, the model's maker is taken.
    """
    if not model:
        return None
    found = _find(model.lower(), provider)
    if found is None:
        return None
    seller, info = found
    price = info.get_prices(datetime.fromtimestamp(at_ns // 1_000_000_000, UTC))
    return _rates(seller.id, info.id, id(price), _Held(price))


class _Held:
    """Carries a price through the cache; equal by the identity that is its key, since prices do not hash."""

    def __init__(self, price: ModelPrice) -> None:
        self.price = price

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4096)
def _find(model: str, provider: str | None) -> tuple[Provider, ModelInfo] | None:
    provider_id = PROVIDERS.get(provider, provider) if provider else None
    try:
        return get_snapshot().find_provider_model(model, None, provider_id, None)
    except LookupError:
        return None


@lru_cache(maxsize=4096)
def _rates(provider_id: str, model_id: str, identity: int, held: _Held) -> Rates:
    price = held.price
    write_5m = _rate(price, "cache_write_5m_mtok") or _rate(price, "cache_write_mtok")
    return Rates(
        source=f"genai-prices {genai_prices.__version__} {provider_id}/{model_id}",
        input=_rate(price, "input_mtok"),
        output=_rate(price, "output_mtok"),
        cache_read=_rate(price, "cache_read_mtok"),
        cache_write_5m=write_5m,
        cache_write_1h=_rate(price, "cache_write_1h_mtok") or write_5m,
    )


def _rate(price: ModelPrice, name: str) -> Rate | None:
    value = getattr(price, name, None)
    if isinstance(value, TieredPrices):
        return Rate(value.base, tuple((tier.start, tier.price) for tier in value.tiers))
    return Rate(value) if value is not None else None
