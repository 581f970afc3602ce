"""How many exports a web process runs at once: a quarter of its threads, so that ingest and pages keep the others."""

import threading

from tracehouse import env

MOST = max(1, env.integer("TRACEHOUSE_WEB_THREADS") // 4)
RETRY_SECONDS = 30

_free = threading.BoundedSemaphore(MOST)


class Busy(Exception):
    """All of them run."""

    def __init__(self) -> None:
        super().__init__(f"Too many exports run at this moment. Try again in {RETRY_SECONDS} seconds.")


def take() -> None:
    """Raises `Busy`. Whoever took one gives it back."""
    if not _free.acquire(blocking=False):
        raise Busy


def give_back() -> None:
    _free.release()
