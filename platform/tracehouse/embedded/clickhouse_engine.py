"""The ClickHouse engine inside this process (chDB): runs one understood query, within the server's limits."""

import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from tracehouse.embedded.clickhouse_errors import BAD_ARGUMENTS, QueryError
from tracehouse.embedded.clickhouse_formats import STREAMED, has_head, without_repeated_head
from tracehouse.embedded.clickhouse_request import Query, Table
from tracehouse.embedded.clickhouse_statement import Kind


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use unless it asks otherwise, and the most an answer held in memory may be."""

    query_memory: int
    read_seconds: int
    buffered_answer: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a finished statement did."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_ns: int = 0


class Engine:
    """Opened once a process; any number of threads may call it, each call on a connection of its own.

    A fresh connection costs 0.3 ms and keeps one query's settings away from the next.
    """

    def __init__(self, *, folder: str, config: Path, database: str, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        # The engine stops when its last connection closes, so this one stays open.
        self._keeper = chdb.connect(f"{folder}?config-file={config}")
        self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {_name(database)}")
        self.version = self._keeper.query("SELECT version()", "TSVRaw").bytes().decode().strip()
        self.timezone = self._keeper.query("SELECT timezone()", "TSVRaw").bytes().decode().strip()

    def close(self) -> None:
        self._keeper.close()

    def read(self, query: Query) -> Generator[bytes, None, None]:
        """A SELECT's answer block by block, or in one piece when its format cannot be cut into blocks."""
        form = query.statement.format or query.default_format
        with self._connection(query, _read_settings(self._limits)) as connection:
            if form not in STREAMED:
                yield self._whole(connection, query)[0]
                return
            blocks = without_repeated_head(form, _stream(connection, query))
            first = next(blocks, None)
            if first is not None:
                yield first
                yield from blocks
            elif has_head(form):
                yield self._whole(connection, query)[0]

    def run(self, query: Query) -> tuple[bytes, Figures]:
        """A statement without data, and its small answer."""
        with self._connection(query, {}) as connection:
            return self._whole(connection, query)

    def insert(self, query: Query) -> Figures:
        """An INSERT whose data streams in; nothing of a block that was not received whole is written."""
        statement = query.statement
        started = time.monotonic_ns()
        with self._connection(query, {}) as connection:
            done = _insert(connection, statement.text, statement.format or "Values", statement.data)
        elapsed = time.monotonic_ns() - started
        return Figures(written_rows=done.rows_written, written_bytes=done.bytes_written, elapsed_ns=elapsed)

    def cancel(self, query_id: str) -> None:
        """Ends the query that carries this id, if it still runs."""
        connection = chdb.connect(self._folder)
        try:
            connection.query(
                "KILL QUERY WHERE splitByChar(' ', Settings['log_comment'])[1] = {id:String} ASYNC",
                "Null",
                params={"id": query_id},
            )
        finally:
            connection.close()

    @contextmanager
    def _connection(self, query: Query, defaults: Mapping[str, str]) -> Iterator[Any]:
        connection = chdb.connect(self._folder)
        try:
            settings = {"max_memory_usage": str(self._limits.query_memory), **defaults, **query.settings}
            for table in query.tables:
                _make(connection, table)
            connection.query(_set_statement(query, settings), "Null")
            connection.query(f"USE {_name(query.database)}", "Null")
            yield connection
        except chdb.ChdbError as error:
            raise QueryError.of_engine(error) from error
        finally:
            connection.close()

    def _whole(self, connection: Any, query: Query) -> tuple[bytes, Figures]:
        connection.query(
            f"SET max_result_bytes = {self._limits.buffered_answer}, result_overflow_mode = 'throw'", "Null"
        )
        result = connection.query(query.statement.text, query.default_format, params=dict(query.parameters))
        return result.bytes(), Figures(
            read_rows=result.storage_rows_read(),
            read_bytes=result.storage_bytes_read(),
            written_rows=result.rows_written(),
            written_bytes=result.bytes_written(),
            elapsed_ns=int(result.elapsed() * 1e9),
        )


def _make(connection: Any, table: Table) -> None:
    """A table that only this connection sees, and that goes with it."""
    connection.query(f"CREATE TEMPORARY TABLE {_name(table.name)} ({table.structure})", "Null")
    _insert(connection, f"INSERT INTO {_name(table.name)}", table.format, (table.rows,))


def _insert(connection: Any, statement: str, form: str, data: Iterable[bytes]) -> Any:
    try:
        with connection.send_insert(statement, form) as inserter:
            for chunk in data:
                inserter.append(chunk)
            return inserter.finish()
    except (RuntimeError, chdb.ChdbError) as error:
        raise QueryError.of_engine(error) from error


def _read_settings(limits: Limits) -> dict[str, str]:
    return {"max_execution_time": str(limits.read_seconds)}


def _set_statement(query: Query, settings: Mapping[str, str]) -> str:
    """One SET for all. The query's comment begins with its id: chDB gives no way to choose the id itself."""
    comment = f"{query.query_id} {settings.get('log_comment', '')}".strip()
    only_reads = not query.changes_allowed or query.statement.kind is Kind.READ
    allowed = {"readonly": "2"} if only_reads else {}
    pairs = {**settings, "log_comment": comment, **allowed}
    return "SET " + ", ".join(f"{_setting(name)} = {_text(value)}" for name, value in pairs.items())


def _setting(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
        raise QueryError.own(BAD_ARGUMENTS, "BAD_ARGUMENTS", f"{name!r} is not the name of a setting")
    return name


def _name(identifier: str) -> str:
    return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _stream(connection: Any, query: Query) -> Iterator[bytes]:
    """Blocks of a SELECT; closing the generator cancels the query in the engine."""
    parameters = dict(query.parameters)
    with connection.send_query(query.statement.text, query.default_format, params=parameters) as result:
        for block in result:
            yield block.bytes()
