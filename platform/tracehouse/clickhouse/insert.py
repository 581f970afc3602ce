"""Inserts a file of JSON lines into a table, once: a repeated insert of the same token is a no-op."""

import re
from collections.abc import Generator
from typing import IO

from tracehouse.clickhouse.client import ClickHouseError, DatabaseError, client

CHUNK_BYTES = 1024 * 1024
# Codes that say the rows themselves are wrong, so that trying again cannot help:
# CANNOT_PARSE_TEXT, CANNOT_PARSE_INPUT_ASSERTION_FAILED, INCORRECT_DATA, CANNOT_PARSE_DATETIME,
# CANNOT_PARSE_NUMBER, TYPE_MISMATCH, CANNOT_PARSE_QUOTED_STRING, CANNOT_PARSE_UUID
_BAD_ROWS = frozenset({6, 26, 27, 41, 53, 72, 117, 376})
_CODE = re.compile(r"Code: (\d+)\.")


class InsertRefused(Exception):
    """ClickHouse says that the rows are wrong; they must be set aside, not tried again.

    Carries the error's code alone: its text may quote the rows.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"ClickHouse code {code}")
        self.code = code


class InsertUnavailable(Exception):
    """ClickHouse did not take the rows now; try again later."""


def insert_json_lines(
    table: str, lines: IO[bytes], *, token: str, later: str = "", is_distinct: bool = False
) -> int:
    """Inserts every line of `lines` in one statement; gives their number. Raises `InsertRefused`, `InsertUnavailable`.

    `token` names the batch: ClickHouse skips a batch whose token it has seen lately
    (`insert_deduplication_token`), which makes a retry after an unknown outcome safe. `later` names indexes that
    merges build and the insert does not. `is_distinct` says that no two lines have one sorting key: then the insert
    need not look for those that have, and merge them (a quarter of its time).
    """
    counted = _Counted(lines)
    try:
        client().raw_insert(
            table,
            insert_block=counted.chunks(),
            fmt="JSONEachRow",
            settings={
                "insert_deduplication_token": token,
                # A retry after a half-done insert brings the tables behind views up to date too.
                "deduplicate_blocks_in_dependent_materialized_views": 1,
                "exclude_materialize_skip_indexes_on_insert": later,
                "optimize_on_insert": 0 if is_distinct else 1,
                "input_format_skip_unknown_fields": 1,
                "input_format_json_read_objects_as_strings": 1,
                "input_format_json_read_arrays_as_strings": 1,
                "input_format_json_read_numbers_as_strings": 1,
                "input_format_json_read_bools_as_strings": 1,
                "input_format_null_as_default": 1,
                # One block, one part: the token covers all of the batch or none of it.
                "input_format_parallel_parsing": 0,
                "max_insert_block_size": 10_000_000,
                "min_insert_block_size_rows": 10_000_000,
                "min_insert_block_size_bytes": 1024**3,
                "max_execution_time": 0,
            },
        )
    except DatabaseError as error:
        found = _CODE.search(str(error))
        code = int(found[1]) if found else 0
        if code in _BAD_ROWS:
            raise InsertRefused(code) from None
        raise InsertUnavailable(f"ClickHouse code {code}") from None
    except (ClickHouseError, OSError) as error:
        raise InsertUnavailable(type(error).__name__) from None
    return counted.count


class _Counted:
    """The lines in chunks, counted as they pass."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines
        self.count = 0

    def chunks(self) -> Generator[bytes, None, None]:
        while chunk := self._lines.read(CHUNK_BYTES):
            self.count += chunk.count(b"\n")
            yield chunk
