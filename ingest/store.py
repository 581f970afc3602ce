"""The only writer of what ingest counted: adds to the sums, a statement a table, whoever else does so too."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from django.db import connection


@dataclass(frozen=True, slots=True)
class MinuteDelta:
    """The columns of `IngestMinute`, in the order of `_ADD_MINUTES`."""

    project_id: int
    minute: datetime
    requests: int
    refused_requests: int
    spans: int
    rejected_spans: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class RejectionDelta:
    """The columns of `RejectedPayload`, in the order of `_ADD_REJECTIONS`."""

    project_id: int
    hour: datetime
    door: str
    reason: str
    status: int
    content_type: str
    agent: str
    requests: int
    spans: int
    body_bytes: int
    largest_bytes: int
    first_at: datetime
    last_at: datetime


# Joined with the projects: counts of one that was deleted meanwhile are dropped, not tried for ever. In the order of
# the key, so that two processes that add to the same rows do not wait for each other in a circle.
_ADD_MINUTES = """
    INSERT INTO ingest_ingestminute AS stored
        (project_id, minute, requests, refused_requests, spans, rejected_spans, body_bytes)
    SELECT added.*
    FROM unnest(
        %s::bigint[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]
    ) AS added(project_id, minute, requests, refused_requests, spans, rejected_spans, body_bytes)
    JOIN tenancy_project ON tenancy_project.id = added.project_id
    ORDER BY added.project_id, added.minute
    ON CONFLICT (project_id, minute) DO UPDATE SET
        requests = stored.requests + excluded.requests,
        refused_requests = stored.refused_requests + excluded.refused_requests,
        spans = stored.spans + excluded.spans,
        rejected_spans = stored.rejected_spans + excluded.rejected_spans,
        body_bytes = stored.body_bytes + excluded.body_bytes
"""
_ADD_REJECTIONS = """
    INSERT INTO ingest_rejectedpayload AS stored
        (project_id, hour, door, reason, status, content_type, agent,
         requests, spans, body_bytes, largest_bytes, first_at, last_at)
    SELECT added.*
    FROM unnest(
        %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::text[],
        %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[]
    ) AS added(project_id, hour, door, reason, status, content_type, agent,
               requests, spans, body_bytes, largest_bytes, first_at, last_at)
    JOIN tenancy_project ON tenancy_project.id = added.project_id
    ORDER BY added.project_id, added.hour, added.door, added.reason, added.status, added.content_type, added.agent
    ON CONFLICT (project_id, hour, door, reason, status, content_type, agent) DO UPDATE SET
        requests = stored.requests + excluded.requests,
        spans = stored.spans + excluded.spans,
        body_bytes = stored.body_bytes + excluded.body_bytes,
        largest_bytes = greatest(stored.largest_bytes, excluded.largest_bytes),
        first_at = least(stored.first_at, excluded.first_at),
        last_at = greatest(stored.last_at, excluded.last_at)
"""


def add(minutes: Sequence[MinuteDelta], rejections: Sequence[RejectionDelta]) -> None:
    """Adds both in one statement each. Raises `django.db.Error`; callers bind them in one transaction."""
    with connection.cursor() as cursor:
        if minutes:
            cursor.execute(_ADD_MINUTES, _columns(minutes))
        if rejections:
            cursor.execute(_ADD_REJECTIONS, _columns(rejections))


def _columns(rows: Iterable[MinuteDelta | RejectionDelta]) -> list[list[object]]:
    return [list(column) for column in zip(*map(astuple, rows), strict=True)]
