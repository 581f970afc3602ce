"""Margins: sums that agree with each other, and words that hold, whatever people spend and pay."""

from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.economics import (
    Customer,
    Filter,
    Order,
    Paid,
    Spent,
    break_even,
    chosen,
    customers,
    ordered,
    totals,
)

dollars = st.decimals(min_value=0, max_value=10**6, places=9, allow_nan=False, allow_infinity=False)
keys = st.text("abcdef", min_size=1, max_size=3)
spent = st.dictionaries(
    keys,
    st.builds(
        lambda cost, count, failed, paid: Spent(
            cost, count, min(failed, count), 0, *((("acme",), min(paid, cost)) if paid else ())
        ),
        dollars,
        st.integers(0, 1000),
        st.integers(0, 1000),
        st.one_of(st.just(Decimal(0)), dollars),
    ),
)
paid = st.dictionaries(keys, st.builds(Paid, dollars))


# Whichever is drawn first waits for the tables of letters.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(spent, paid)
def test_everybody_stands_there_once_and_the_totals_are_their_sums(
    used: dict[str, Spent], pays: dict[str, Paid]
) -> None:
    found = customers(used, pays)
    assert sorted(one.key for one in found) == sorted(used.keys() | pays.keys())
    summed = totals(found)
    assert summed.cost == sum(one.cost for one in used.values())
    assert summed.revenue == sum(one.revenue for one in pays.values())
    assert summed.with_plan == len(pays)
    parts = (summed.cost_with_plan, summed.cost_by_organization, summed.cost_without_plan)
    assert summed.cost == sum(parts)
    assert min(parts) >= 0
    assert summed.cost_by_organization == sum(one.paid_by_them for one in used.values())
    assert summed.without_plan == len(chosen(found, Filter.NO_PLAN))
    margins = [one.margin for one in found if one.margin is not None]
    assert (summed.margin or 0) == sum(margins)
    assert summed.lost == -sum(margin for margin in margins if margin < 0)
    assert summed.under_water == len([margin for margin in margins if margin < 0])


@given(spent, paid)
def test_filters_leave_what_they_say(used: dict[str, Spent], pays: dict[str, Paid]) -> None:
    found = customers(used, pays)
    no_plan, top = chosen(found, Filter.NO_PLAN), chosen(found, Filter.TOP)
    unpaid = {key for key, one in used.items() if not one.organizations or one.paid_by_them < one.cost}
    assert {one.key for one in no_plan} == unpaid - pays.keys()
    assert all(one.cost - one.paid_by_them > (one.revenue or 0) for one in chosen(found, Filter.UNDER_WATER))
    rest = [one for one in found if one.key in used and one not in top]
    assert not top or min(one.cost for one in top) >= max((one.cost for one in rest), default=Decimal(0))
    assert chosen(found, Filter.ALL) == found


@given(spent, paid, st.randoms())
def test_the_dearest_come_first_in_whatever_order_they_are_read(
    used: dict[str, Spent], pays: dict[str, Paid], chance: Random
) -> None:
    read = list(used.items())
    chance.shuffle(read)
    found = customers(dict(read), pays)
    by_cost = sorted(sorted(found, key=lambda one: one.key), key=lambda one: one.cost, reverse=True)
    assert found == by_cost
    of_users = [one for one in found if one.key in used]
    tenth = (len(used) + 9) // 10
    assert [one.is_top for one in of_users] == [True] * tenth + [False] * (len(used) - tenth)
    assert not any(one.is_top for one in found if one.key not in used)


@given(spent, paid, st.sampled_from(Order), st.booleans())
def test_any_order_keeps_everybody_and_puts_who_has_no_figure_last(
    used: dict[str, Spent], pays: dict[str, Paid], by: Order, descending: bool
) -> None:
    found = customers(used, pays)
    sorted_ones = ordered(found, by, descending=descending)
    assert sorted(one.key for one in sorted_ones) == sorted(one.key for one in found)
    values = [getattr(one, by.value) for one in sorted_ones]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=descending)
    assert values[: len(known)] == known


@given(
    dollars,
    st.fractions(min_value=Fraction(1, 31), max_value=12),
    st.decimals(min_value=0, max_value=Decimal("0.99"), places=2),
)
def test_the_break_even_price_leaves_the_margin(cost: Decimal, months: Fraction, margin: Decimal) -> None:
    monthly = break_even(cost, months, margin)
    assert monthly is not None
    earned = Fraction(monthly) * months
    assert abs(earned * (1 - Fraction(margin)) - Fraction(cost)) < Fraction(1, 10**9)


def test_there_is_no_break_even_price_for_no_time_or_for_all_of_the_price() -> None:
    assert break_even(Decimal(1), Fraction(0), Decimal("0.7")) is None
    assert break_even(Decimal(1), Fraction(1), Decimal(1)) is None


def test_a_customer_without_a_plan_is_not_under_water_and_has_no_margin() -> None:
    one = Customer("u-1", Decimal(5))
    assert (one.is_under_water, one.margin, one.margin_share) == (False, None, None)


def test_a_free_plan_is_under_water_from_the_first_cent_on() -> None:
    one = Customer("u-1", Decimal("0.01"), Decimal(0))
    assert one.is_under_water
    assert (one.margin, one.margin_share) == (Decimal("-0.01"), None)


@pytest.mark.parametrize(("failed", "each"), [(0, Decimal("0.5")), (6, Decimal("1.25")), (10, None)])
def test_failed_invocations_are_paid_by_those_that_succeed(failed: int, each: Decimal | None) -> None:
    assert Customer("u-1", Decimal(5), invocations=10, failed=failed).cost_per_success == each


def test_what_an_organization_pays_for_is_not_set_against_the_users_own_plan() -> None:
    inside = Spent(Decimal(9), 3, organizations=("acme",), paid_by_them=Decimal(9))
    (one,) = customers({"u-1": inside + Spent(Decimal(2), 1)}, {"u-1": Paid(Decimal(5))})
    assert (one.cost, one.own_cost, one.margin, one.is_under_water) == (11, 2, 3, False)
    (one,) = customers({"u-1": inside}, {})
    assert (one.margin, one.is_unpaid) == (None, False)


def test_names_are_found_by_any_part_of_them() -> None:
    found = customers({"acme-eu": Spent(), "other": Spent()}, {})
    assert [one.key for one in chosen(found, Filter.ALL, "ME-e")] == ["acme-eu"]
