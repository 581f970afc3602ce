"""Notices clients that went away while their query still runs, and cancels it."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.25
log = logging.getLogger("tracehouse.clickhouse")


class HangupWatch:
    """One thread that looks at the sockets of all running reads a few times a second.

    The thread of a request cannot look itself: it waits inside the engine until the first block is there.
    """

    def __init__(self, cancel: Callable[[str], None]) -> None:
        self._cancel = cancel
        self._watched: dict[int, tuple[socket.socket, str]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="hangup-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    @contextmanager
    def watch(self, connection: socket.socket | None, query_id: str) -> Iterator[None]:
        if connection is None:  # not served by gunicorn: nothing to look at
            yield
            return
        key = id(connection)
        with self._lock:
            self._watched[key] = (connection, query_id)
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(key, None)

    def _look(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            with self._lock:
                gone = [key for key, (connection, _) in self._watched.items() if _has_hung_up(connection)]
                query_ids = [self._watched.pop(key)[1] for key in gone]
            for query_id in query_ids:
                self._end(query_id)

    def _end(self, query_id: str) -> None:
        try:
            self._cancel(query_id)
            log.info("cancelled query %s: its client went away", query_id)
        except RuntimeError:  # the engine's errors; the watch must outlive them
            log.exception("could not cancel query %s", query_id)


def _has_hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
