"""Query strings of links that change one thing and keep the rest."""

from collections.abc import Mapping

from django.http import QueryDict


def query(pairs: Mapping[str, str], **changes: object) -> str:
    """`?a=b` from a mapping with some values changed; an empty value leaves the name out."""
    parameters = QueryDict(mutable=True)
    for name, value in {**pairs, **changes}.items():
        if value not in ("", None):
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}" if parameters else "?"
