"""What every request needs to know from PostgreSQL, kept in the process: read again within seconds, and still told
while PostgreSQL is away."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from django.db import Error as DatabaseError

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LookupUnavailable(Exception):
    """PostgreSQL does not answer and what was asked for is not kept; the caller should try again later."""


class Source(StrEnum):
    CACHE = "cache"
    DATABASE = "database"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Value]):
    value: Value
    read_at: float
    tried_at: float  # later than `read_at` once PostgreSQL was asked again and did not answer


class ReadCache(Generic[Key, Value]):
    """What `read` gave for its keys. It holds `most` of them and forgets those that were read longest ago."""

    def __init__(
        self,
        read: Callable[[Key], Value],
        *,
        fresh_seconds: float,
        stale_seconds: float,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self.fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept[Value]] = OrderedDict()

    def get(self, key: Key) -> Value:
        """Raises `LookupUnavailable`."""
        return self.find(key)[0]

    def find(self, key: Key) -> tuple[Value, Source]:
        """The value as of at most `fresh_seconds` ago, and where it is from.

        While PostgreSQL does not answer it is the last one for `stale_seconds`, and PostgreSQL is asked again after
        another `fresh_seconds`. Raises `LookupUnavailable`.
        """
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept and now - kept.tried_at < self.fresh_seconds:
            return kept.value, Source.CACHE if kept.tried_at == kept.read_at else Source.STALE
        try:
            value = self._read(key)
        except DatabaseError as error:
            if kept is None or now - kept.read_at >= self._stale_seconds:
                raise LookupUnavailable from error
            self._keep(key, replace(kept, tried_at=self._clock()))
            return kept.value, Source.STALE
        if kept and kept.value == value:
            value = kept.value  # with what it may have computed and remembers
        self._keep(key, _Kept(value, now, now))
        return value, Source.DATABASE

    def forget_all(self) -> None:
        with self._lock:
            self._kept.clear()

    def _keep(self, key: Key, kept: _Kept[Value]) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
