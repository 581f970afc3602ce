"""One pooled client a process for what processes share in Valkey beside Celery's queue, impatient on purpose."""

import os
import threading

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # redis' own, of the same name
from redis.retry import Retry

# On the way of every limited ingest request: an answer takes a tenth of a millisecond, or something is wrong.
ANSWER_SECONDS = 0.25

_lock = threading.Lock()
_client: tuple[int, str, "redis.Redis"] | None = None


def client() -> "redis.Redis":
    """The process's client, made at first use and anew after a fork. Its calls raise `redis.RedisError`."""
    global _client  # noqa: PLW0603  # one pool a process
    key = (os.getpid(), settings.REDIS_URL)
    found = _client
    if found is not None and found[:2] == key:
        return found[2]
    with _lock:
        if _client is None or _client[:2] != key:
            made = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                # Once more on a connection that Valkey has closed since; never after a timeout.
                retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
                decode_responses=True,
            )
            _client = (*key, made)
        return _client[2]


def forget_client() -> None:
    """Closes the process's connections; the next use makes new ones."""
    global _client  # noqa: PLW0603
    with _lock:
        if _client is not None:
            _client[2].close()
        _client = None
