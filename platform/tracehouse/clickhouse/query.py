"""Runs a named read for a scope. A query that does not bind project and window, or has no limit, is refused.

This is the one mechanism that keeps projects apart: callers pass a `Scope`, never a project id, and every
statement must use the parameters that are filled from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from django.conf import settings

from tracehouse.clickhouse.client import ClickHouseError, DatabaseError, ExternalData, client
from tracehouse.tenancy.scope import Scope

Parameter: TypeAlias = str | int | float | datetime | Sequence[str] | Sequence[int]
Row: TypeAlias = dict[str, Any]

# Spans of one trace may start on the day before or after the trace does; partitions are pruned that wide.
DAY_SLACK = timedelta(days=1)
REQUIRED = ("{project_id:UInt64}", "{first_day:Date}", "{last_day:Date}", "LIMIT")
MAX_SECONDS = 20
MAX_MEMORY_BYTES = 2 * 1024**3
MAX_DERIVE_SECONDS = 55  # the driver waits no longer
MAX_DERIVE_BYTES = 4 * 1024**3


class UnboundQuery(ValueError):
    """The statement leaves out the project, the window or the limit."""


class QueryTooLarge(Exception):
    """The read went past its time or memory limit; a shorter window or more filters help."""


class QueryUnavailable(Exception):
    """ClickHouse does not answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """A read, named for the query log, written with ClickHouse's own `{name:Type}` parameters."""

    name: str
    sql: str

    def __post_init__(self) -> None:
        missing = [part for part in REQUIRED if part not in self.sql]
        if missing:
            raise UnboundQuery(f"query {self.name} does not bind {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that go along with a read, to every shard, and that it reads under this name."""

    name: str
    structure: str  # its columns and their types
    rows: bytes  # as `run_packed` gives them


def run(
    query: Query,
    scope: Scope,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    gently: bool = False,
    table: Table | None = None,
) -> list[Row]:
    """The rows of `query` for the scope's project and window, as dictionaries by column name.

    `gently`: on one processor, for long work that must leave the others to those who wait for a page.
    Raises `QueryTooLarge` or `QueryUnavailable`.
    """
    with _translating():
        result = client().query(
            query.sql, **_bound(query, scope, parameters, gently), external_data=_external(table)
        )
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


def run_packed(
    query: Query,
    scope: Scope,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    table: Table | None = None,
) -> bytes:
    """The rows as ClickHouse packs them: for a `Table` of later reads, not to look into. Raises what `run` raises."""
    asked = _bound(query, scope, parameters, False)
    asked["settings"]["wait_end_of_query"] = 1  # an error on the way is a status then, and not among the rows
    with _translating():
        return client().raw_query(query.sql, **asked, fmt="Native", external_data=_external(table))


def run_in_blocks(
    query: Query,
    scope: Scope,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    gently: bool = False,
    table: Table | None = None,
) -> Iterator[Sequence[Sequence[Any]]]:
    """The answer block by block, each as its columns: for more rows than should be held as dictionaries at once.

    Raises what `run` raises, at whichever block.
    """
    with (
        _translating(),
        client().query_column_block_stream(
            query.sql, **_bound(query, scope, parameters, gently), external_data=_external(table)
        ) as blocks,
    ):
        yield from blocks


def derive(query: Query, scope: Scope, parameters: Mapping[str, Parameter] | None = None) -> None:
    """Runs an `INSERT ... SELECT`: rows of one table made of those of others, bound like a read.

    It is on the disk of every shard when this returns. Raises `QueryTooLarge` or `QueryUnavailable`; some of it may
    have been written then.
    """
    asked = _bound(query, scope, parameters, False)
    del asked["settings"]["readonly"]
    asked["settings"] |= {
        "max_execution_time": MAX_DERIVE_SECONDS,
        "max_memory_usage": MAX_DERIVE_BYTES,
        "max_partitions_per_insert_block": 0,
        "distributed_foreground_insert": 1,
    }
    with _translating():
        client().command(query.sql, **asked)


def run_together(
    scope: Scope, *reads: tuple[Query, Mapping[str, Parameter]], table: Table | None = None
) -> list[list[Row]]:
    """The rows of each read, all asked for at once: a read of few rows is mostly planning, on one processor.

    Raises what `run` raises.
    """
    (query, parameters), *others = reads
    with ThreadPoolExecutor(len(others) or 1, thread_name_prefix="clickhouse-read") as threads:
        asked = [threads.submit(run, other, scope, bound, table=table) for other, bound in others]
        return [run(query, scope, parameters, table=table), *(one.result() for one in asked)]


def aware(moment: datetime) -> datetime:
    """A time of a row as a moment in UTC: the driver leaves that zone out."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bound(
    query: Query, scope: Scope, parameters: Mapping[str, Parameter] | None, gently: bool
) -> dict[str, Any]:
    """How the client is asked: the parameters, and the limits of every read."""
    return {
        "parameters": {**(parameters or {}), **_scope_parameters(scope)},
        "settings": {
            "max_execution_time": MAX_SECONDS,
            "max_memory_usage": MAX_MEMORY_BYTES,
            "log_comment": query.name,
            # On a cluster a trace lies on one shard, whole, in every table.
            "distributed_product_mode": "local",
            # What stands as a table of a statement's own would have to be sent to every shard.
            "enable_materialized_cte": int(not settings.CLICKHOUSE_CLUSTER),
            # Indexes narrow a read before it starts: parts that are small read all their text otherwise.
            "use_skip_indexes_on_data_read": 0,
            # One trace of ten thousand spans is worth two processors; the default is one for less than 160,000 rows.
            "merge_tree_min_rows_for_concurrent_read": 20_480,
            "merge_tree_min_bytes_for_concurrent_read": 1_000_000,
            "readonly": 2,
            **({"max_threads": 1} if gently else {}),
        },
    }


def _external(table: Table | None) -> ExternalData | None:
    if table is None:
        return None
    return ExternalData(file_name=table.name, data=table.rows, structure=table.structure, fmt="Native")


@contextmanager
def _translating() -> Iterator[None]:
    """Errors of the driver as ours."""
    try:
        yield
    except DatabaseError as error:
        raise _translated(error) from error
    except ClickHouseError as error:
        raise QueryUnavailable(str(error)) from error


def _scope_parameters(scope: Scope) -> dict[str, Parameter]:
    return {
        "project_id": scope.project_id,
        "start_ns": int(scope.window.start.timestamp() * 1_000_000) * 1000,
        "end_ns": int(scope.window.end.timestamp() * 1_000_000) * 1000,
        "first_day": (scope.window.start - DAY_SLACK).date().isoformat(),
        "last_day": (scope.window.end + DAY_SLACK).date().isoformat(),
    }


# TIMEOUT_EXCEEDED, MEMORY_LIMIT_EXCEEDED, TOO_SLOW, TOO_MANY_ROWS, TOO_MANY_BYTES
_LIMIT_CODES = ("Code: 159.", "Code: 241.", "Code: 160.", "Code: 158.", "Code: 307.")
# TOO_MANY_SIMULTANEOUS_QUERIES, NETWORK_ERROR, ABORTED
_BUSY_CODES = ("Code: 202.", "Code: 210.", "Code: 236.")


def _translated(error: DatabaseError) -> Exception:
    text = str(error)
    if any(code in text for code in _LIMIT_CODES):
        return QueryTooLarge("The query went past its limits; choose a shorter time range or add filters.")
    if any(code in text for code in _BUSY_CODES) or "Code: " not in text:
        return QueryUnavailable(text)
    return error
