"""Filters of the page that compares two traces: signed differences, and the address of a pair of steps."""

from collections.abc import Mapping
from decimal import Decimal

from django import template

from tracehouse.web import figures
from tracehouse.web.addresses import query
from traces.compare import Pair, Step

register = template.Library()


@register.filter
def more_duration(milliseconds: float | None) -> str:
    """With its sign: +4.7 s."""
    if milliseconds is None:
        return figures.ABSENT
    return _signed(milliseconds, figures.duration(abs(milliseconds)))


@register.filter
def more_compact(number: int | None) -> str:
    return figures.ABSENT if number is None else _signed(number, figures.compact(abs(number)))


@register.filter
def more_count(number: int) -> str:
    return _signed(number, figures.count(abs(number)))


@register.filter
def more_money(dollars: Decimal | None) -> str:
    return figures.ABSENT if dollars is None else _signed(dollars, figures.money(abs(dollars)))


@register.filter
def pair_address(row: Pair, state: Mapping[str, str]) -> str:
    """The address of the page with this row chosen."""
    return query(state, sa=row.a.span_id if row.a else "", sb=row.b.span_id if row.b else "")


@register.filter
def only_without(step: Step | None, other: Step | None) -> Step | None:
    """The step, where the other side has none."""
    return None if other else step


def _signed(number: float | Decimal, text: str) -> str:
    if not number:
        return "0"
    return f"{'+' if number > 0 else '−'}{text}"
