"""The only import of clickhouse_connect: one pooled client a process, with timeouts and a name for each query."""

import os
import threading
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from clickhouse_connect.driver.external import ExternalData
from django.conf import settings

CONNECT_SECONDS = 5
ANSWER_SECONDS = 60

__all__ = [
    "ClickHouseError",
    "Client",
    "DatabaseError",
    "ExternalData",
    "OperationalError",
    "client",
    "database_name",
    "forget_client",
]

_lock = threading.Lock()
_client: tuple[int, str, Client] | None = None


def client() -> Client:
    """The process's client, made at first use and anew after a fork.

    Raises `OperationalError` while ClickHouse does not answer. Safe in many threads: it keeps no session.
    """
    global _client  # noqa: PLW0603  # one pool a process
    key = (os.getpid(), settings.CLICKHOUSE_URL)
    with _lock:
        if _client is None or _client[:2] != key:
            _client = (*key, connect())
        return _client[2]


def connect(database: str | None = None, *, answer_seconds: int = ANSWER_SECONDS) -> Client:
    url = urlsplit(settings.CLICKHOUSE_URL)
    return clickhouse_connect.get_client(
        dsn=settings.CLICKHOUSE_URL,
        database=database or database_name(),
        secure=url.scheme == "https",
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=answer_seconds,
        autogenerate_session_id=False,
        query_limit=0,
        client_name="tracehouse",
        dedicated_pool=True,
    )


def database_name() -> str:
    return urlsplit(settings.CLICKHOUSE_URL).path.lstrip("/") or "default"


def forget_client() -> None:
    """Closes the process's connections; the next use makes new ones."""
    global _client  # noqa: PLW0603
    with _lock:
        if _client is not None:
            _client[2].close()
        _client = None
