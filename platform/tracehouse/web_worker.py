"""The gunicorn worker of the web processes: connections spread evenly over them."""

import mmap
import socket
import time

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

MOST_WORKERS = 256
# How long a connection waits at most for a process that has fewer of them to take it.
YIELDS, YIELD_SECONDS = 10, 0.0005
# One more than the connections that each worker has open, or 0: shared, because gunicorn imports this before it forks.
_open = memoryview(mmap.mmap(-1, 4 * MOST_WORKERS)).cast("I")


class BalancedWorker(ThreadWorker):  # type: ignore[misc]
    """Leaves a new connection to a process that has fewer open.

    All processes wait at one listener and whichever comes first takes the connection. Exporters keep theirs for hours:
    four of them ended in one of two processes two times in three, whose interpreter then was the limit while a
    processor was idle.
    """

    def accept(self, listener: socket.socket) -> None:
        for _ in range(YIELDS):
            if self.nr_conns <= min((count - 1 for count in _open if count), default=0):
                break
            time.sleep(YIELD_SECONDS)
        super().accept(listener)
        self._tell()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        self._tell()
        super().wait_for_and_dispatch_events(timeout)

    def _tell(self) -> None:
        _open[self.age % MOST_WORKERS] = self.nr_conns + 1


def forget(age: int) -> None:
    """A worker has ended: nobody waits for it."""
    _open[age % MOST_WORKERS] = 0
