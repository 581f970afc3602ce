"""The price book of a process: what the rows say, soon after they say it, also while PostgreSQL is away."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from costs import loading
from costs.models import Match, ModelPrice, PriceTier, ToolPrice
from costs.pricing import Rate
from tests import cast
from tracehouse.tenancy.models import Project

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_NS = int(MARCH.timestamp()) * 10**9


def price(project: Project | None, **fields: Any) -> ModelPrice:
    defaults: dict[str, Any] = {"model": "acme-large", "input": Decimal(3), "output": Decimal(15)}
    return ModelPrice.objects.create(project=project, **{**defaults, **fields})


def test_a_book_holds_the_projects_prices_and_those_of_the_installation(project: Project) -> None:
    ours, everybodys = price(project), price(None, model="acme-small")
    book = loading.load(project.pk)
    large, small = book.rates("acme-large", None, 0), book.rates("acme-small", None, 0)
    assert large is not None
    assert small is not None
    assert large.source == f"project price #{ours.pk} acme-large"
    assert small.source == f"installation price #{everybodys.pk} acme-small"


def test_another_projects_prices_are_not_in_it(project: Project, stranger: object) -> None:
    price(Project.objects.exclude(pk=project.pk).get())
    assert loading.load(project.pk).rates("acme-large", None, 0) is None


def test_dates_are_kept_to_the_microsecond(project: Project) -> None:
    price(project, valid_from=MARCH.replace(microsecond=1), valid_until=MARCH.replace(microsecond=3))
    book = loading.load(project.pk)
    assert [
        book.rates("acme-large", None, MARCH_NS + ns) is not None for ns in (999, 1_000, 2_999, 3_000)
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_tiers_become_steps_of_the_rates_they_name(project: Project) -> None:
    made = price(project, cache_read=None)
    PriceTier.objects.create(price=made, above_tokens=200_000, input=Decimal(6), cache_read=Decimal("0.6"))
    rates = loading.load(project.pk).rates("acme-large", None, 0)
    assert rates is not None
    assert rates.input == Rate(Decimal(3), ((200_000, Decimal(6)),))
    assert rates.output == Rate(Decimal(15))
    # Short calls read the cache at the price of input, long ones at their own.
    assert rates.cache_read == Rate(Decimal(3), ((200_000, Decimal("0.6")),))
    assert rates.cache_write_5m is None


def test_a_tools_price_of_the_project_comes_before_that_of_the_installation(project: Project) -> None:
    ToolPrice.objects.create(project=None, tool="search", per_call=Decimal(1))
    ToolPrice.objects.create(project=project, tool="search", per_call=Decimal(2), valid_from=MARCH)
    book = loading.load(project.pk)
    before, after = book.tool_rates("search", MARCH_NS - 1), book.tool_rates("search", MARCH_NS)
    assert before is not None
    assert after is not None
    assert (before.per_call, after.per_call) == (1, 2)


def test_a_new_price_is_seen_once_the_book_is_no_longer_fresh(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loading.book_of(project.pk).rates("acme-large", None, 0) is None
    price(project)
    assert loading.book_of(project.pk).rates("acme-large", None, 0) is None
    monkeypatch.setattr(loading.cache, "fresh_seconds", 0.0)
    assert loading.book_of(project.pk).rates("acme-large", None, 0) is not None


def test_a_book_that_did_not_change_keeps_what_it_looked_up(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading.cache, "fresh_seconds", 0.0)
    assert loading.book_of(project.pk) is loading.book_of(project.pk)


def test_the_last_book_goes_on_while_postgresql_is_away(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    price(project)
    loading.book_of(project.pk)
    monkeypatch.setattr(loading.cache, "fresh_seconds", 0.0)
    with cast.postgresql_away():
        assert loading.book_of(project.pk).rates("acme-large", None, 0) is not None


def test_without_any_book_nothing_is_priced_rather_than_priced_wrongly(project: Project) -> None:
    with cast.postgresql_away():
        assert loading.book_of(project.pk).rates("claude-sonnet-4-5", "anthropic", MARCH_NS) is None


OVERLAPPING: list[dict[str, Any]] = [
    {},
    {"model": "ACME-LARGE"},
    {"valid_from": MARCH, "valid_until": MARCH.replace(month=5)},
    {"valid_until": MARCH.replace(day=2)},
]


@pytest.mark.parametrize("fields", OVERLAPPING, ids=["same", "other case", "within", "one day"])
def test_two_prices_for_the_same_at_the_same_time_are_refused(
    project: Project, fields: dict[str, Any]
) -> None:
    price(project, valid_from=MARCH)
    with pytest.raises(IntegrityError), transaction.atomic():
        price(project, **fields)
    again = ModelPrice(project=project, **{"model": "acme-large", "input": Decimal(1), **fields})
    with pytest.raises(ValidationError, match="holds at some of that time"):
        again.full_clean()


def test_prices_that_follow_each_other_or_are_for_others_do_not_overlap(project: Project) -> None:
    price(project, valid_until=MARCH)
    price(project, valid_from=MARCH)
    price(project, provider="acme")
    price(project, match=Match.PREFIX)
    price(project, model="acme-large-2")
    price(None)
    assert ModelPrice.objects.count() == 6


@pytest.mark.parametrize(
    "fields",
    [
        {"input": Decimal(-1)},
        {"cache_write_1h": Decimal("-0.000001")},
        {"input": None, "output": None},
        {"valid_from": MARCH, "valid_until": MARCH},
    ],
    ids=["negative", "negative bucket", "no price", "no time"],
)
def test_the_table_refuses_prices_that_make_no_sense(project: Project, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        price(project, **fields)


def test_the_table_refuses_tools_that_make_no_sense(project: Project) -> None:
    ToolPrice.objects.create(project=project, tool="search", per_call=Decimal(1))
    for fields in ({"per_call": Decimal(-1)}, {}, {"per_second": Decimal(1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ToolPrice.objects.create(project=project, tool="search", **fields)
