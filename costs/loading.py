"""Each project's price book, kept in the process: read again within seconds, served on while PostgreSQL is away."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from django.db import Error as DatabaseError
from django.db.models import Q

from costs.book import Override, PriceBook, ToolPeriod
from costs.catalog import EVER, DatedRates
from costs.models import Match, ModelPrice, PriceTier, ToolPrice
from costs.pricing import NOTHING, Rate, Rates, ToolRates
from tracehouse.read_cache import LookupUnavailable, ReadCache

# A price that is set prices the spans that arrive at most this much later.
FRESH_SECONDS = 2.0
MAX_CACHED = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


def book_of(project_id: int) -> PriceBook:
    """The project's prices as of at most `FRESH_SECONDS` ago. Never raises, for it stands in the way of ingest.

    While PostgreSQL does not answer the last book goes on; a process that has none yet takes one that leaves every
    call unpriced, to be priced later, rather than one that forgets what people set.
    """
    try:
        return cache.get(project_id)
    except LookupUnavailable:
        return PriceBook(readable=False)


def _load_or_say_why(project_id: int) -> PriceBook:
    try:
        return load(project_id)
    except DatabaseError as error:
        log.warning("prices_not_read", project=project_id, error=type(error).__name__)
        raise


cache = ReadCache(_load_or_say_why, fresh_seconds=FRESH_SECONDS, stale_seconds=math.inf, most=MAX_CACHED)


def load(project_id: int) -> PriceBook:
    """The project's prices as they stand now. Raises `django.db.Error`."""
    ours = Q(project=project_id) | Q(project=None)
    models = ModelPrice.objects.filter(ours).prefetch_related("tiers")
    # The project's own price of a tool is tried before that of the installation.
    tools = ToolPrice.objects.filter(ours).order_by("tool", "project", "pk")
    return PriceBook(tuple(override(price) for price in models), _tools(tools))


def override(price: ModelPrice) -> Override:
    """The row as the book holds it."""
    return Override(
        model=price.model.strip().lower(),
        is_prefix=price.match == Match.PREFIX,
        provider=price.provider.strip().lower(),
        of_project=price.project_id is not None,
        dated=DatedRates(_rates(price), _starts(price.valid_from), _ends(price.valid_until)),
    )


def _rates(price: ModelPrice) -> Rates:
    tiers = list(price.tiers.all()) if price.pk else []
    plain = _rate(price, tiers, "input")
    write_5m = _rate(price, tiers, "cache_write_5m", plain)
    return Rates(
        source=f"{_whose(price.project_id)} #{price.pk} {price}",
        input=plain,
        output=_rate(price, tiers, "output"),
        cache_read=_rate(price, tiers, "cache_read", plain),
        cache_write_5m=write_5m,
        cache_write_1h=_rate(price, tiers, "cache_write_1h", write_5m or plain),
        per_request=price.per_request,
    )


def _rate(price: ModelPrice, tiers: Sequence[PriceTier], name: str, other: Rate | None = None) -> Rate | None:
    """What the bucket `name` costs, or None where nothing is said of it and it costs what `other` does."""
    base = getattr(price, name)
    steps = {tier.above_tokens: step for tier in tiers if (step := getattr(tier, name)) is not None}
    if base is None and other is not None and steps:
        # Only long calls have a rate of their own; shorter ones cost what the other bucket costs.
        base, steps = other.base, {**dict(other.tiers), **steps}
    return Rate(base, tuple(sorted(steps.items()))) if base is not None else None


def _tools(prices: Iterable[ToolPrice]) -> dict[str, tuple[ToolPeriod, ...]]:
    found: dict[str, tuple[ToolPeriod, ...]] = {}
    for price in prices:
        rates = ToolRates(
            source=f"{_whose(price.project_id)} #{price.pk} {price.tool}",
            per_call=price.per_call or NOTHING,
            per_second=price.per_second or NOTHING,
        )
        period = ToolPeriod(rates, _starts(price.valid_from), _ends(price.valid_until))
        found[price.tool] = (*found.get(price.tool, ()), period)
    return found


def _whose(project_id: int | None) -> str:
    return "installation price" if project_id is None else "project price"


def _starts(moment: datetime | None) -> int:
    return 0 if moment is None else _nanoseconds(moment)


def _ends(moment: datetime | None) -> int:
    return EVER if moment is None else _nanoseconds(moment)


def _nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
