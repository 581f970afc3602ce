"""A project and a time window: the ticket without which nothing is read from ClickHouse.

Scopes are made from an API key (`authentication.ApiKeyAuthentication`), from a signed-in member
(`permissions.project_page`), and in tasks from the row that asked for the work; everything below takes the scope as
it is.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open: `start` is in it, `end` is not. Both aware, in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        if self.start > self.end:
            raise ValueError("the window ends before it starts")

    @classmethod
    def last(cls, span: timedelta, *, now: datetime) -> "Window":
        return cls(now - span, now)


# What a read without a window of its own (a trace by its id) may see: all that retention keeps.
ALL_TIME = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Scope:
    project_id: int
    window: Window = ALL_TIME
    time_zone: str = "UTC"

    def during(self, window: Window) -> "Scope":
        return replace(self, window=window)
