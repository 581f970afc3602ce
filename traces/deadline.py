"""How long a list is looked for. Each read has a limit of its own; candidates of which none match would need many."""

import time
from dataclasses import dataclass, field

from tracehouse.clickhouse.query import QueryTooLarge

MAX_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Deadline:
    """From when it was made."""

    until: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)

    def check(
        self,
        *,
        looked_through: int,
        found: int,
        what: str,
        narrower: str = "user, session, feature or environment",
    ) -> None:
        """Raises `QueryTooLarge` once the time is over. `narrower`: what else would narrow the list."""
        if time.monotonic() > self.until:
            raise QueryTooLarge(
                f"Of {looked_through:,} {what} looked through, {found:,} match all filters; looking on takes too long. "
                f"Choose a shorter time range, or filter by {narrower}."
            )
