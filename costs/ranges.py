"""SQL expressions by which PostgreSQL itself refuses two prices for the same thing at the same time.

An exclusion constraint compares ranges out of the box, but whole numbers and texts only with the extension
btree_gist, which the embedded PostgreSQL does not carry. So a number stands as the range of itself, and a text as
the number that its hash is.
"""

from typing import Any

from django.db import models
from django.db.models import Func, Value


class Point(Func):
    """A whole number as a range that holds it alone."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"

    def __init__(self, expression: Any, *again: Any, **extra: Any) -> None:
        super().__init__(expression, *(again or (expression,)), **extra)


class Hash(Func):
    """64 bits of a text."""

    function = "hashtextextended"
    output_field = models.BigIntegerField()

    def __init__(self, expression: Any, seed: Any = None, **extra: Any) -> None:
        super().__init__(expression, Value(0) if seed is None else seed, **extra)


class Period(Func):
    """From the first moment up to, not including, the second; an absent end is open."""

    function = "tstzrange"
