"""Which price holds for a span, and in which order the sources of a cost win."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from costs.book import CACHED_ANSWER, Override, PriceBook, ToolPeriod
from costs.catalog import DatedRates
from costs.pricing import Rate, Rates, ToolRates
from traces.span import Cost, CostState, Kind, Span, Status, Usage

MARCH = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 10**9
MILLION = Usage(input_uncached=1_000_000)


def span(**fields: Any) -> Span:
    defaults: dict[str, Any] = {
        "project_id": 1,
        "trace_id": "a" * 32,
        "span_id": "1" * 16,
        "start_ns": MARCH,
        "end_ns": MARCH + 2_500_000_000,
        "kind": Kind.LLM,
        "model": "acme-large",
        "provider": "acme",
        "usage": MILLION,
    }
    return Span(**{**defaults, **fields})


def override(model: str, dollars: str, **fields: Any) -> Override:
    times = {name: fields.pop(name) for name in ("starts_ns", "ends_ns") if name in fields}
    rates = Rates(source=f"{model} at {dollars}", input=Rate(Decimal(dollars)), output=Rate(Decimal(0)))
    defaults: dict[str, Any] = {"is_prefix": False, "provider": "", "of_project": True}
    return Override(model=model, dated=DatedRates(rates, **times), **{**defaults, **fields})


def total(book: PriceBook, priced: Span) -> Decimal | None:
    cost = book.price(priced)
    assert cost is not None
    return cost.total


def test_the_clients_own_cost_wins() -> None:
    book = PriceBook((override("acme-large", "3"),))
    cost = book.price(span(reported_cost=Decimal("0.1")))
    assert cost == Cost(state=CostState.REPORTED, total=Decimal("0.1"), source="client")


def test_an_override_wins_over_the_public_price() -> None:
    call = span(model="claude-sonnet-4-5", provider="anthropic")
    assert total(PriceBook(), call) == 6
    assert total(PriceBook((override("claude-sonnet-4-5", "2"),)), call) == 2


def test_a_call_without_a_price_is_unpriced_and_not_free() -> None:
    assert PriceBook().price(span()) == Cost(state=CostState.UNPRICED)


def test_a_price_holds_from_its_first_moment_up_to_but_not_at_its_last() -> None:
    ended = override("acme-large", "1", ends_ns=MARCH)
    begun = override("acme-large", "2", starts_ns=MARCH)
    book = PriceBook((ended, begun))
    assert total(book, span(start_ns=MARCH - 1)) == 1
    assert total(book, span(start_ns=MARCH)) == 2
    assert PriceBook((ended,)).price(span(start_ns=MARCH)) == Cost(state=CostState.UNPRICED)
    assert PriceBook((begun,)).price(span(start_ns=MARCH - 1)) == Cost(state=CostState.UNPRICED)


def test_outside_its_time_an_override_leaves_the_public_price() -> None:
    book = PriceBook((override("claude-sonnet-4-5", "2", starts_ns=MARCH + 1),))
    assert total(book, span(model="claude-sonnet-4-5", provider="anthropic")) == 6


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (override("acme-large", "1", of_project=False), override("acme-", "2", is_prefix=True)),
        (override("acme-", "1", is_prefix=True), override("acme-large", "2")),
        (override("acme-", "1", is_prefix=True), override("acme-l", "2", is_prefix=True)),
        (override("acme-large", "1"), override("acme-large", "2", provider="acme")),
        (override("acme-", "1", is_prefix=True, provider="acme"), override("acme-large", "2")),
    ],
    ids=[
        "project before installation",
        "exact before prefix",
        "longer prefix",
        "provider",
        "exact before provider",
    ],
)
def test_the_more_particular_override_wins(weaker: Override, stronger: Override) -> None:
    assert total(PriceBook((weaker, stronger)), span()) == 2
    assert total(PriceBook((stronger, weaker)), span()) == 2


def test_names_are_compared_without_case() -> None:
    book = PriceBook((override("acme-large", "2", provider="acme"),))
    assert total(book, span(model="Acme-Large", provider="ACME")) == 2


def test_a_provider_may_be_named_as_the_public_prices_name_it() -> None:
    book = PriceBook((override("my-deployment", "2", provider="azure"),))
    assert total(book, span(model="my-deployment", provider="azure.ai.openai")) == 2


def test_another_providers_override_does_not_count() -> None:
    book = PriceBook((override("acme-large", "2", provider="other"),))
    assert book.price(span()) == Cost(state=CostState.UNPRICED)


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.WORKFLOW, Kind.SPAN, Kind.RETRIEVER])
def test_other_kinds_cost_nothing_whatever_they_carry(kind: Kind) -> None:
    book = PriceBook((override("acme-large", "2"),))
    assert book.price(span(kind=kind, reported_cost=Decimal(9))) is None


def test_a_call_that_failed_before_its_first_token_is_not_billed() -> None:
    assert PriceBook().price(span(status=Status.ERROR, usage=Usage())) is None


def test_a_price_per_request_bills_calls_without_tokens_unless_they_failed() -> None:
    rates = Rates(source="image", per_request=Decimal("0.04"))
    image = Override("acme-image", False, "", True, DatedRates(rates))
    book = PriceBook((image,))
    assert total(book, span(model="acme-image", usage=Usage())) == Decimal("0.04")
    assert book.price(span(model="acme-image", usage=Usage(), status=Status.ERROR)) is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"litellm.cache_hit": True},
        {"cache_hit": "true"},
        {"langfuse.observation.metadata.cache_hit": "True"},
        {"langfuse.observation.metadata": '{"cache_hit": true}'},
        {"langfuse.trace.metadata": {"hidden_params": {"cache_hit": "True"}}},
        {"hidden_params": '{"model_id": null, "cache_hit": true}'},
        {"metadata": '{"hidden_params": "{\\"cache_hit\\": true}"}'},
        {"gen_ai.response.cached": True},
        {"lmnr.span.type": "CACHED"},
        {"http.response.header.cf-aig-cache-status": ["HIT"]},
        {"http.response.header.x-portkey-cache-status": ["SEMANTIC HIT"]},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_a_cached_answer_costs_nothing(attributes: dict[str, Any]) -> None:
    cost = PriceBook((override("acme-large", "2"),)).price(span(attributes=attributes))
    assert cost == Cost(state=CostState.COMPUTED, total=Decimal(0), source=CACHED_ANSWER)


@pytest.mark.parametrize(
    "attributes",
    [
        {"litellm.cache_hit": False},
        {"langfuse.observation.metadata": '{"cache_hit": false}'},
        {"langfuse.trace.metadata": '{"step": {"cache_hit": true}}'},
        {"hidden_params": '{"cache_hit": null, "cache_key": "true"}'},
        {"metadata": "{'cache_hit': broken"},
        {"cache_hit": "None"},
        {"lmnr.span.type": "LLM"},
        {"http.response.header.cf-aig-cache-status": ["MISS"]},
        {"gen_ai.usage.cache_read.input_tokens": 400},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_prompt_caching_and_misses_are_billed(attributes: dict[str, Any]) -> None:
    assert total(PriceBook((override("acme-large", "2"),)), span(attributes=attributes)) == 2


TOOL: dict[str, Any] = {"kind": Kind.TOOL, "tool_name": "hubspot_query", "model": None, "usage": Usage()}


def tools(**periods: tuple[ToolPeriod, ...]) -> PriceBook:
    return PriceBook(tools=periods)


def test_a_tool_costs_its_call_and_each_second() -> None:
    book = tools(hubspot_query=(ToolPeriod(ToolRates("tool", Decimal("0.01"), Decimal("0.002"))),))
    cost = book.price(span(**TOOL))
    assert cost == Cost(state=CostState.COMPUTED, total=Decimal("0.015"), source="tool")
    assert book.price(span(**TOOL, status=Status.ERROR)) == cost
    assert book.price(span(**{**TOOL, "tool_name": "other"})) is None


def test_a_tools_price_holds_from_its_first_moment_up_to_but_not_at_its_last() -> None:
    old = ToolPeriod(ToolRates("old", Decimal(1)), ends_ns=MARCH)
    new = ToolPeriod(ToolRates("new", Decimal(2)), starts_ns=MARCH)
    book = tools(hubspot_query=(old, new))
    assert total(book, span(**TOOL, start_ns=MARCH - 1)) == 1
    assert total(book, span(**TOOL, start_ns=MARCH)) == 2


def test_a_tools_own_figure_counts_only_where_the_tool_has_a_price() -> None:
    reported = span(**TOOL, reported_cost=Decimal("0.5"))
    assert PriceBook().price(reported) is None
    priced = tools(hubspot_query=(ToolPeriod(ToolRates("tool", Decimal(1))),))
    assert priced.price(reported) == Cost(state=CostState.REPORTED, total=Decimal("0.5"), source="client")


def test_a_book_that_could_not_be_read_prices_nothing() -> None:
    book = PriceBook(readable=False)
    call = span(model="claude-sonnet-4-5", provider="anthropic")
    assert book.price(call) == Cost(state=CostState.UNPRICED)
    assert book.price(span(reported_cost=Decimal(1))) is not None
