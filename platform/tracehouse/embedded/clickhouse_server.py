"""A WSGI application that speaks ClickHouse's HTTP interface in front of the engine in this process.

It exists so that the embedded mode differs from a real ClickHouse only in a URL. One process serves it (the
engine allows one a folder), threads serve the requests. Answers are not compressed: it listens on loopback
only, where compressing costs more than it saves, and HTTP leaves that choice to the server.
"""

import errno
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from typing import Any, TypeAlias

from tracehouse.embedded.clickhouse_config import ServerConfig
from tracehouse.embedded.clickhouse_engine import Engine, Figures, Limits
from tracehouse.embedded.clickhouse_errors import TOO_MANY_SIMULTANEOUS_QUERIES, QueryError
from tracehouse.embedded.clickhouse_hangup import HangupWatch
from tracehouse.embedded.clickhouse_request import Account, Query, read_query
from tracehouse.embedded.clickhouse_statement import Kind

Environ: TypeAlias = Mapping[str, Any]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]
log = logging.getLogger("tracehouse.clickhouse")


def create() -> "Server":
    """What gunicorn calls in its worker: opens the engine in the current folder."""
    return Server(ServerConfig.from_environment())


class Server:
    def __init__(self, config: ServerConfig) -> None:
        self._account = Account(config.user, config.password, config.database)
        self._slots = threading.BoundedSemaphore(config.max_queries)
        self._slot_seconds = config.queue_seconds
        self._engine = Engine(
            folder=config.folder,
            config=config.engine_config,
            database=config.database,
            limits=Limits(config.query_memory, config.read_seconds, config.buffered_answer),
        )
        self._hangups = HangupWatch(self._engine.cancel)

    def close(self) -> None:
        self._hangups.close()
        self._engine.close()

    def __call__(self, environ: Environ, start_response: StartResponse) -> "list[bytes] | _Answer":
        if environ["PATH_INFO"] in {"/ping", "/replicas_status"}:
            return _plain(start_response, "200 OK", b"Ok.\n")
        if environ["PATH_INFO"] != "/" or environ["REQUEST_METHOD"] not in {"GET", "POST"}:
            return _plain(start_response, "404 Not Found", b"There is no handle for this address.\n")
        try:
            query = read_query(environ, self._account)
            return self._answer(query, environ, start_response)
        except QueryError as error:
            return self._refuse(error, start_response)

    def _answer(
        self, query: Query, environ: Environ, start_response: StartResponse
    ) -> "list[bytes] | _Answer":
        if query.statement.kind is Kind.READ:
            return self._read(query, environ, start_response)
        with self._slot():
            if query.statement.kind is Kind.INSERT:
                body, figures = b"", self._engine.insert(query)
            else:
                body, figures = self._engine.run(query)
        headers = [*self._headers(query, figures), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _read(self, query: Query, environ: Environ, start_response: StartResponse) -> "_Answer":
        """Waits for the first block, so that most failures still get a status of their own, then streams."""
        with ExitStack() as stack:
            stack.enter_context(self._slot())
            stack.enter_context(self._hangups.watch(environ.get("gunicorn.socket"), query.query_id))
            blocks = stack.enter_context(closing(self._engine.read(query)))
            first = next(blocks, b"")
            tag = secrets.token_hex(8)
            start_response("200 OK", [*self._headers(query, Figures()), ("X-ClickHouse-Exception-Tag", tag)])
            return _Answer(first, blocks, tag, stack.pop_all())

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._slot_seconds):
            message = "Too many simultaneous queries; try again"
            raise QueryError.own(TOO_MANY_SIMULTANEOUS_QUERIES, "TOO_MANY_SIMULTANEOUS_QUERIES", message)
        try:
            yield
        finally:
            self._slots.release()

    def _headers(self, query: Query, figures: Figures) -> list[tuple[str, str]]:
        summary = {key: str(value) for key, value in asdict(figures).items()}
        return [
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("X-ClickHouse-Server-Display-Name", "tracehouse-embedded"),
            ("X-ClickHouse-Query-Id", query.query_id),
            ("X-ClickHouse-Format", query.statement.format or query.default_format),
            ("X-ClickHouse-Timezone", self._engine.timezone),
            ("X-ClickHouse-Summary", json.dumps(summary)),
        ]

    def _refuse(self, error: QueryError, start_response: StartResponse) -> list[bytes]:
        headers = [("X-ClickHouse-Exception-Code", str(error.code))]
        if error.status.startswith("401"):
            headers.append(("WWW-Authenticate", 'Basic realm="ClickHouse server HTTP API"'))
        if error.status.startswith("503"):
            headers.append(("Retry-After", "1"))
        return _plain(start_response, error.status, _error_text(error, self._engine.version), headers)


class _Answer:
    """A streamed answer; holds its slot and its query until gunicorn closes it, whichever way it ends."""

    def __init__(self, first: bytes, blocks: Iterator[bytes], tag: str, held: ExitStack) -> None:
        self._first, self._blocks, self._tag, self._held = first, blocks, tag, held

    def __iter__(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        self._first = b""
        try:
            yield from self._blocks
        except QueryError as error:
            log.warning("query failed while its answer was on the way: code %s", error.code)
            yield _error_in_stream(error, self._tag)
            # Ends the connection without the last chunk, so that no client takes the answer as whole.
            raise ConnectionResetError(errno.ECONNRESET, "the answer is incomplete") from error

    def close(self) -> None:
        self._held.close()


def _error_text(error: QueryError, version: str) -> bytes:
    return f"{error.text} (version {version})\n".encode()


def _error_in_stream(error: QueryError, tag: str) -> bytes:
    """ClickHouse's form (25.11 and later) for an error after the status has gone out."""
    text = f"{error.text}\n".encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (
        tag.encode(),
        text,
        len(text),
        tag.encode(),
    )


def _plain(
    start_response: StartResponse, status: str, body: bytes, headers: list[tuple[str, str]] | None = None
) -> list[bytes]:
    fixed = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(body)))]
    start_response(status, fixed + (headers or []))
    return [body]
