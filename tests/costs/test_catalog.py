"""Public prices: real model ids are found, at the price of their time, and equal to genai-prices' own figures."""

from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from costs.book import PriceBook
from costs.catalog import EVER, DatedRates, dated_rates, public_rates
from costs.pricing import Rates, cost_of
from traces.span import Usage

BOOK = PriceBook()
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)

# (provider as spans name it, model id as sent, what it is in the price data)
KNOWN = [
    ("anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
    ("anthropic", "claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet"),
    ("anthropic", "claude-3-5-haiku-latest", "anthropic/claude-3-5-haiku-latest"),
    ("anthropic", "claude-sonnet-4-5-20250929[1m]", "anthropic/claude-sonnet-4-5"),
    ("anthropic", "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
    ("anthropic", "Claude-Opus-4-5", "anthropic/claude-opus-4-5"),
    (None, "claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
    (None, "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
    ("litellm", "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
    (
        "aws.bedrock",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ),
    (
        "aws.bedrock",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ),
    (
        "aws.bedrock",
        "eu.anthropic.claude-sonnet-4-20250514-v1:0",
        "aws/regional.anthropic.claude-sonnet-4-20250514-v1:0",
    ),
    (
        "aws.bedrock",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "aws/global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (
        "aws.bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ),
    ("aws.bedrock", "us.amazon.nova-lite-v1:0", "aws/amazon.nova-lite-v1:0"),
    (
        None,
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ),
    (
        None,
        "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0",
        "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ),
    ("gcp.vertex_ai", "claude-3-5-sonnet@20240620", "google/claude-3-5-sonnet"),
    ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5"),
    (None, "claude-3-5-sonnet@20240620", "google/claude-3-5-sonnet"),
    (None, "vertex_ai/claude-3-5-sonnet@20240620", "google/claude-3-5-sonnet"),
    ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-flash", "google/gemini-2.5-flash"),
    (
        "gcp.vertex_ai",
        "projects/p/locations/us-central1/publishers/google/models/gemini-2.0-flash-001",
        "google/gemini-2.0-flash",
    ),
    ("gcp.gemini", "models/gemini-2.5-flash", "google/gemini-2.5-flash"),
    ("gcp.gen_ai", "gemini-1.5-pro-002", "google/gemini-1.5-pro"),
    (None, "gemini/gemini-2.5-flash", "google/gemini-2.5-flash"),
    ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o"),
    ("openai", "o3-mini-2025-01-31", "openai/o3-mini"),
    ("openai", "openai/gpt-4o", "openai/gpt-4o"),
    ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", "openai/ft:gpt-4o-mini"),
    ("openai", "text-embedding-3-small", "openai/text-embedding-3-small"),
    (None, "openai/gpt-4o-mini", "openai/gpt-4o-mini"),
    ("azure.ai.openai", "gpt-4o-2024-08-06", "azure/gpt-4o"),
    ("azure.ai.openai", "azure/gpt-4o", "azure/gpt-4o"),
    ("groq", "llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
    ("mistral_ai", "mistral-large-latest", "mistral/mistral-large"),
    ("x_ai", "grok-3-mini", "x-ai/grok-3-mini"),
    ("openrouter", "anthropic/claude-sonnet-4", "openrouter/anthropic/claude-sonnet-4"),
    (None, "openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o"),
    (
        "together_ai",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
    ),
]
UNKNOWN = [
    ("azure.ai.openai", "prod-chat-gpt4o"),  # a deployment may hold any model
    ("azure.ai.openai", "my-deployment"),
    (
        "aws.bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
    ),
    ("ollama", "llama3.1:8b"),
    ("my-gateway", "gpt-4o"),  # who sells it decides what it costs
    ("openai", "anthropic/claude-sonnet-4-5"),
    ("openai", "acme-large"),
    (None, "meta-llama/Llama-3.3-70B-Instruct"),
    (None, ""),
]


@pytest.mark.parametrize(("provider", "model", "found"), KNOWN)
def test_real_model_ids_have_their_public_price(provider: str | None, model: str, found: str) -> None:
    rates = BOOK.rates(model, provider, nanoseconds(NOW))
    assert rates is not None
    assert rates.source == f"genai-prices {genai_prices.__version__} {found}"


@pytest.mark.parametrize(("provider", "model"), UNKNOWN)
def test_what_nobody_can_know_stays_unpriced(provider: str | None, model: str) -> None:
    assert BOOK.rates(model, provider, nanoseconds(NOW)) is None


EVERY = [(provider, model) for provider in get_snapshot().providers for model in provider.models]
TOKEN_KEYS = {
    "input_mtok",
    "output_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "cache_write_1h_mtok",
    "output_reasoning_mtok",
    "requests_kcount",
}
MOMENTS = [datetime(2024, 7, 1, tzinfo=UTC), datetime(2025, 12, 31, 23, 59, tzinfo=UTC), NOW.replace(hour=17)]
USAGES = [
    Usage(input_uncached=1_234, cache_read=99, cache_write_5m=7, output=321, reasoning=21),
    Usage(input_uncached=150_001, cache_read=60_000, cache_write_5m=500, cache_write_1h=900, output=8_192),
    Usage(input_uncached=1),
]


def test_every_public_price_of_tokens_gives_what_genai_prices_calculates() -> None:
    compared = 0
    for provider, model in EVERY:
        for moment in MOMENTS:
            if not _is_about_tokens(model, moment):
                continue
            rates = rates_at(provider, model, moment)
            for usage in USAGES:
                ours = cost_of(usage, rates)
                if ours is not None:
                    theirs = genai_price(provider, model, usage, moment)
                    assert abs(ours - theirs) <= Decimal("1e-12"), (provider.id, model.id, moment, usage)
                    compared += 1
    assert compared > 5_000


def test_a_price_changes_at_midnight_utc_of_its_first_day() -> None:
    dated = DatedRates(Rates(source="new"), starts_ns=nanoseconds(datetime(2026, 3, 1, tzinfo=UTC)))
    assert not dated.hold_at(dated.starts_ns - 1)
    assert dated.hold_at(dated.starts_ns)
    assert not DatedRates(Rates(source="old"), ends_ns=dated.starts_ns).hold_at(dated.starts_ns)


@pytest.mark.parametrize(
    ("clock", "holds"), [("16:29:59", False), ("16:30:00", True), ("00:29:59", True), ("00:30:00", False)]
)
def test_a_nightly_price_holds_across_midnight(clock: str, holds: bool) -> None:
    minutes = 60 * 10**9
    nightly = DatedRates(Rates(source="night"), 0, EVER, ((16 * 60 + 30) * minutes, 30 * minutes))
    assert nightly.hold_at(nanoseconds(datetime.fromisoformat(f"2026-03-01T{clock}+00:00"))) is holds


def test_prices_that_depend_on_the_time_hold_when_genai_prices_says() -> None:
    conditional = [
        (provider, model)
        for provider, model in EVERY
        if isinstance(model.prices, list) and len(model.prices) > 1
    ]
    usage = Usage(input_uncached=1_000_000, output=1_000_000)
    for provider, model in conditional:
        for hour in range(0, 24, 3):
            moment = datetime(2025, 6, 15, hour, 45, tzinfo=UTC)
            if _is_about_tokens(model, moment):
                ours = cost_of(usage, rates_at(provider, model, moment))
                assert ours is None or ours == genai_price(provider, model, usage, moment)


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9


def rates_at(provider: Provider, model: ModelInfo, moment: datetime) -> Rates:
    return next(dated.rates for dated in dated_rates(provider, model) if dated.hold_at(nanoseconds(moment)))


def _is_about_tokens(model: ModelInfo, moment: datetime) -> bool:
    """Prices of audio, images, pages and searches depend on counts that a span does not carry."""
    prices = {key for key, value in vars(model.get_prices(moment)).items() if value is not None}
    return bool(prices & TOKEN_KEYS)


def genai_price(provider: Provider, model: ModelInfo, usage: Usage, moment: datetime) -> Decimal:
    written = (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)
    theirs = genai_prices.Usage(
        input_tokens=usage.input,
        cache_read_tokens=usage.cache_read or 0,
        cache_write_tokens=written,
        cache_write_1h_tokens=usage.cache_write_1h or 0,
        output_tokens=usage.output or 0,
        output_reasoning_tokens=usage.reasoning or 0,
    )
    return model.calc_price(theirs, provider, genai_request_timestamp=moment).total_price


def test_however_many_names_are_asked_for_memory_is_bounded() -> None:
    for number in range(5_000):
        BOOK.rates(f"made-up-{number}", "openai", 0)
    assert public_rates.cache_info().currsize <= 4_096
    assert len(BOOK._found) <= 4_096
