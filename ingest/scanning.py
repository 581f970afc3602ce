"""Patterns compiled by Hyperscan, scanned by any thread. Pure."""

import threading
from collections.abc import Callable, Sequence

import hyperscan

# Number of the pattern, start (0 unless asked for), end, flags, context; true stops the scan.
Handler = Callable[[int, int, int, int, object], bool | None]


class Patterns:
    """`expressions` with the flags of each, in one database. Raises `hyperscan.error` for one it cannot compile."""

    def __init__(self, expressions: Sequence[bytes], flags: Sequence[int]) -> None:
        self._database = hyperscan.Database()
        self._database.compile(
            expressions=list(expressions),
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=list(flags),
        )
        self._local = threading.local()

    def scan(self, text: bytes, handler: Handler) -> None:
        """Calls `handler` for each match, by end. Raises `hyperscan.ScanTerminated` when it stops the scan."""
        self._database.scan(text, match_event_handler=handler, scratch=self._scratch())

    def _scratch(self) -> hyperscan.Scratch:
        """This thread's scratch space, which two scans must not share."""
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch
