"""The context processor behind `freshness` in every template: how late new spans are."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from ingest.freshness import freshness as measure


def freshness(request: HttpRequest) -> dict[str, Any]:
    """Measured only where a template asks for it."""
    return {"freshness": SimpleLazyObject(measure)}
