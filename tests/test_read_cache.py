"""Values are read again soon, told while PostgreSQL is away, and not kept without bound."""

from dataclasses import dataclass, field

import pytest
from django.db import OperationalError

from tracehouse.read_cache import LookupUnavailable, ReadCache, Source

FRESH, STALE, MOST = 1.0, 60.0, 3


@dataclass
class Store:
    """What stands in PostgreSQL, which may be away, and how often it was asked; with a clock that tests set."""

    says: list[str] = field(default_factory=lambda: ["first"])
    away: bool = False
    asked: int = 0
    now: float = 1000.0

    def read(self, key: str) -> list[str]:
        self.asked += 1
        if self.away:
            raise OperationalError("the server closed the connection")
        return list(self.says)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def cache(store: Store) -> ReadCache[str, list[str]]:
    return ReadCache(store.read, fresh_seconds=FRESH, stale_seconds=STALE, most=MOST, clock=lambda: store.now)


def test_a_fresh_value_is_told_without_asking(store: Store, cache: ReadCache[str, list[str]]) -> None:
    assert cache.find("a") == (["first"], Source.DATABASE)
    store.says, store.now = ["second"], store.now + FRESH - 0.1
    assert cache.find("a") == (["first"], Source.CACHE)
    assert store.asked == 1


def test_a_value_is_read_again_once_it_is_no_longer_fresh(
    store: Store, cache: ReadCache[str, list[str]]
) -> None:
    cache.get("a")
    store.says, store.now = ["second"], store.now + FRESH
    assert cache.find("a") == (["second"], Source.DATABASE)


def test_a_value_that_reads_the_same_stays_the_same_object(
    store: Store, cache: ReadCache[str, list[str]]
) -> None:
    before = cache.get("a")
    store.now += FRESH
    assert cache.get("a") is before
    assert store.asked == 2


def test_the_last_value_is_told_while_postgresql_is_away_which_is_asked_now_and_then(
    store: Store, cache: ReadCache[str, list[str]]
) -> None:
    cache.get("a")
    store.away, store.now = True, store.now + FRESH
    assert [cache.find("a") for _ in range(3)] == [(["first"], Source.STALE)] * 3
    assert store.asked == 2
    store.now += FRESH
    assert cache.find("a") == (["first"], Source.STALE)
    assert store.asked == 3


def test_a_value_that_was_read_too_long_ago_is_not_told(
    store: Store, cache: ReadCache[str, list[str]]
) -> None:
    cache.get("a")
    store.away, store.now = True, store.now + STALE - 0.1
    cache.get("a")
    store.now += FRESH
    with pytest.raises(LookupUnavailable):
        cache.get("a")


def test_the_value_is_read_once_postgresql_is_back(store: Store, cache: ReadCache[str, list[str]]) -> None:
    cache.get("a")
    store.away, store.now = True, store.now + FRESH
    cache.get("a")
    store.away, store.says, store.now = False, ["second"], store.now + FRESH
    assert cache.find("a") == (["second"], Source.DATABASE)


def test_what_was_never_read_is_unavailable_and_asked_for_each_time(
    store: Store, cache: ReadCache[str, list[str]]
) -> None:
    store.away = True
    for asked in (1, 2):
        with pytest.raises(LookupUnavailable):
            cache.get("a")
        assert store.asked == asked


def test_what_was_read_longest_ago_is_forgotten_first(store: Store, cache: ReadCache[str, list[str]]) -> None:
    for key in ("a", "b", "c"):
        cache.get(key)
    store.now += FRESH
    cache.get("a")
    cache.get("d")
    store.away = True
    assert [cache.get(key) for key in ("a", "c", "d")] == [["first"]] * 3
    with pytest.raises(LookupUnavailable):
        cache.get("b")


def test_everything_can_be_forgotten(store: Store, cache: ReadCache[str, list[str]]) -> None:
    cache.get("a")
    store.says = ["second"]
    cache.forget_all()
    assert cache.get("a") == ["second"]
