"""Work that one process at a time may do for a project: PostgreSQL's advisory locks."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection


class Work(IntEnum):
    """Tells our locks from each other, and from others in the same database."""

    REPRICING = 6_001
    ROLL_UP = 6_002
    REPORT = 6_003


@contextmanager
def only_one(work: Work, project_id: int) -> Iterator[bool]:
    """Whether this connection now holds the project's lock; PostgreSQL frees it when the connection ends."""
    key = [int(work), project_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
