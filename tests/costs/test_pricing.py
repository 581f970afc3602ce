"""The arithmetic of costs: exact, whatever the numbers."""

from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costs.pricing import STORED, Rate, Rates, ToolRates, cost_of, cost_of_tool
from traces.span import Usage

tokens = st.integers(min_value=0, max_value=10**9)
dollars = st.decimals(min_value=0, max_value=10_000, places=6, allow_nan=False, allow_infinity=False)
BUCKETS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")


def flat(prices: list[Decimal]) -> Rates:
    return Rates(source="test", **{name: Rate(price) for name, price in zip(BUCKETS, prices, strict=True)})


def used(counts: list[int]) -> Usage:
    """Usage with these tokens a bucket; what is reported as output holds the reasoning."""
    uncached, read, write_5m, write_1h, output, reasoning = counts
    return Usage(
        input_uncached=uncached,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        output=output + reasoning,
        reasoning=reasoning,
    )


@given(st.lists(tokens, min_size=6, max_size=6), st.lists(dollars, min_size=6, max_size=6))
def test_a_cost_is_the_exact_sum_of_its_buckets(counts: list[int], prices: list[Decimal]) -> None:
    exact = sum((Fraction(price) * count for count, price in zip(counts, prices, strict=True)), Fraction(0))
    cost = cost_of(used(counts), flat(prices))
    assert isinstance(cost, Decimal)
    assert Fraction(cost) == exact / 1_000_000


@given(st.lists(tokens, min_size=6, max_size=6), st.lists(dollars, min_size=6, max_size=6))
def test_a_cost_does_not_depend_on_how_the_caller_rounds(counts: list[int], prices: list[Decimal]) -> None:
    usage, rates = used(counts), flat(prices)
    with localcontext() as context:
        context.rounding = "ROUND_UP"
        assert cost_of(usage, rates) == cost_of(usage, rates)
    cost = cost_of(usage, rates)
    assert cost is not None
    assert cost == cost.quantize(STORED)


@given(st.integers(min_value=1, max_value=10**7), st.integers(min_value=0, max_value=10**6))
def test_a_tier_prices_all_tokens_of_calls_that_are_longer_than_its_start(start: int, output: int) -> None:
    rates = Rates(
        source="test",
        input=Rate(Decimal(1), ((start, Decimal(2)), (start * 2, Decimal(3)))),
        output=Rate(Decimal(10), ((start, Decimal(20)),)),
    )

    def cost(input_tokens: int) -> Decimal | None:
        return cost_of(Usage(input_uncached=input_tokens, output=output), rates)

    million = Decimal(1_000_000)
    assert cost(start) == (start * 1 + output * 10) / million
    assert cost(start + 1) == ((start + 1) * 2 + output * 20) / million
    assert cost(start * 2) == (start * 2 * 2 + output * 20) / million
    assert cost(start * 2 + 1) == ((start * 2 + 1) * 3 + output * 20) / million


def test_cached_tokens_count_towards_the_length_of_a_call() -> None:
    rates = Rates(source="test", input=Rate(Decimal(1), ((100, Decimal(2)),)))
    assert cost_of(Usage(input_uncached=50, cache_read=50), rates) == Decimal("0.0001")
    assert cost_of(Usage(input_uncached=50, cache_read=51), rates) == Decimal("0.000202")


def test_a_bucket_without_a_rate_costs_what_its_neighbour_does() -> None:
    rates = Rates(
        source="test", input=Rate(Decimal(3)), output=Rate(Decimal(15)), cache_write_5m=Rate(Decimal(4))
    )
    assert cost_of(Usage(cache_read=1_000_000), rates) == 3
    assert cost_of(Usage(cache_write_1h=1_000_000), rates) == 4
    assert cost_of(Usage(output=1_000_000, reasoning=400_000), rates) == 15


def test_a_bucket_that_nobody_prices_makes_the_call_unpriced() -> None:
    assert cost_of(Usage(input_uncached=1, output=1), Rates(source="test", input=Rate(Decimal(3)))) is None


def test_more_reasoning_than_output_is_not_counted_twice() -> None:
    rates = Rates(source="test", output=Rate(Decimal(2)), reasoning=Rate(Decimal(1)))
    assert cost_of(Usage(output=1_000_000, reasoning=9_000_000), rates) == 1


def test_a_price_per_request_comes_on_top() -> None:
    rates = Rates(source="test", input=Rate(Decimal(1)), per_request=Decimal("0.005"))
    assert cost_of(Usage(input_uncached=1_000_000), rates) == Decimal("1.005")


@given(
    st.integers(min_value=0, max_value=10**15),
    st.decimals(min_value=0, max_value=100, places=9),
    st.decimals(min_value=0, max_value=100, places=3),
)
def test_a_tool_costs_its_call_and_its_seconds_exactly(
    duration_ns: int, per_call: Decimal, per_second: Decimal
) -> None:
    cost = cost_of_tool(duration_ns, ToolRates("test", per_call, per_second))
    assert Fraction(cost) == Fraction(per_call) + Fraction(per_second) * duration_ns / 10**9
