"""Addresses of the trace list in templates, where a filter's name is a variable."""

from collections.abc import Mapping

from django import template

from tracehouse.web.addresses import query

register = template.Library()


@register.simple_tag
def filtered(state: Mapping[str, str], name: str, value: str) -> str:
    return query(state, **{name: value})


@register.simple_tag
def query_text(state: Mapping[str, str]) -> str:
    """The query string alone, for a form to bring back."""
    return query(state).removeprefix("?")
