"""Filters for spans in templates."""

from django import template

from traces.queries import SpanUsage, StoredSpan
from traces.span import Kind

register = template.Library()
_KINDS = frozenset(Kind)
MESSAGE_CHARACTERS = 300


@register.filter
def kind(value: str) -> str:
    """A kind there is a glyph and a hue for; anything else is a plain span."""
    return value if value in _KINDS else Kind.SPAN.value


@register.filter
def total_tokens(usage: SpanUsage) -> int:
    return usage.input + (usage.output or 0)


@register.filter
def failure_line(span: StoredSpan) -> str:
    """What failed, in the one line a row has."""
    text = span.status_message.strip() or _exception_message(span) or span.error_type
    first, _, _ = (text or "failed without a message").partition("\n")
    return first[:MESSAGE_CHARACTERS]


def _exception_message(span: StoredSpan) -> str:
    for event in span.events:
        attributes = event.get("attributes") if isinstance(event, dict) else None
        if isinstance(attributes, dict) and isinstance(attributes.get("exception.message"), str):
            return str(attributes["exception.message"])
    return ""
