"""Filters for spans in templates."""

from collections.abc import Mapping

from django import template

from traces import rows

register = template.Library()
register.filter("kind", rows.known_kind)
register.filter("model", rows.shown_model)
register.filter("tokens", rows.tokens)
register.filter("lasts", rows.lasts)


@register.filter
def place(matches: Mapping[str, str], span_id: str) -> str:
    """Where in a span the text that was searched stands; "" when it does not."""
    return matches.get(span_id, "")
