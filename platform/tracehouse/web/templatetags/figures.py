"""Filters and tags that put `web.figures` and addresses into templates."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tracehouse.web import figures, folding
from tracehouse.web.addresses import query

register = template.Library()
UNPRICED = "unpriced"

register.filter("duration", figures.duration)
register.filter("money", figures.money)
register.filter("exact_money", figures.exact_money)
register.filter("count", figures.count)
register.filter("compact", figures.compact)
register.filter("size", figures.size)
register.filter("percent", figures.percent)
register.filter("step", figures.step)
register.filter("per_minute", figures.rate)
register.filter("folded", folding.fold)


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | None) -> str | SafeString:
    """A `<time>`: relative within a day, the exact time in UTC and in the page's zone on hover."""
    if at is None:
        return figures.ABSENT
    shell = context["shell"]
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        figures.exact_in_utc(at, zone=shell.zone),
        figures.moment(at, now=shell.now, zone=shell.zone),
    )


@register.simple_tag(takes_context=True)
def moment_text(context: Context, at: datetime) -> str:
    """The day and time in the page's zone, where a `<time>` cannot stand."""
    return f"{at.astimezone(context['shell'].zone):%Y-%m-%d %H:%M}"


@register.filter
def seconds(number: float | None) -> str:
    """A number of seconds as `duration` reads one of milliseconds."""
    return figures.duration(None if number is None else number * 1000)


@register.simple_tag
def cost(dollars: Decimal | None, unpriced_calls: int, used: int) -> SafeString:
    """What a trace cost: `-` where it `used` nothing that is known, the word where a price is missing."""
    if dollars is None:
        return format_html('<span class="warn">{}</span>', UNPRICED)
    if not used and not dollars:
        return format_html('<span class="faint">{}</span>', figures.ABSENT)
    amount = format_html('<span title="{}">{}</span>', figures.exact_money(dollars), figures.money(dollars))
    if not unpriced_calls:
        return amount
    calls = "1 call has" if unpriced_calls == 1 else f"{figures.count(unpriced_calls)} calls have"
    return format_html('{}<span class="warn" title="{} no known price"> + unpriced</span>', amount, calls)


register.simple_tag(query)
