"""What is refused is counted exactly, by project, reason and hour, and nothing of what it held is kept."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from django.test import RequestFactory

from ingest import accounting, metrics, services
from ingest.accounting import OTHER, Ledger, Sender, sender_of, write
from ingest.models import IngestMinute, RejectedPayload
from ingest.reasons import Reason
from ingest.store import MinuteDelta, RejectionDelta
from tests.ingest.test_admission import HOLDER
from tracehouse.tenancy.models import Project

NOON = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)
SDK = Sender("application/x-protobuf", "OTel-OTLP-Exporter-Python/1.37.0")


class Table:
    """Stands where PostgreSQL does: adds up what is written, or is away."""

    def __init__(self) -> None:
        self.minutes: list[MinuteDelta] = []
        self.rejections: list[RejectionDelta] = []
        self.away = False

    def write(self, minutes: Sequence[MinuteDelta], rejections: Sequence[RejectionDelta]) -> None:
        if self.away:
            raise DatabaseError("away")
        self.minutes += minutes
        self.rejections += rejections


@pytest.fixture
def table() -> Table:
    return Table()


def reject(
    ledger: Ledger, *, project: int = 1, sender: Sender = SDK, spans: int = 0, after: float = 0
) -> None:
    ledger.reject(
        project,
        "otlp-traces",
        Reason.MALFORMED,
        400,
        sender,
        spans=spans,
        size=100,
        now=NOON.timestamp() + after,
    )


def test_counts_from_many_threads_are_exact_while_they_are_flushed(table: Table) -> None:
    ledger = Ledger(table.write)

    def send() -> None:
        for number in range(2000):
            ledger.accept(1, spans=3, rejected_spans=1, body_bytes=10, now=NOON.timestamp())
            ledger.refuse(1, spans=2, now=NOON.timestamp())
            reject(ledger, spans=2)
            if number % 100 == 0:
                ledger.flush()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.flush()
    assert sum(row.spans for row in table.minutes) == 8 * 2000 * 3
    assert sum(row.requests for row in table.minutes) == 8 * 2000 * 2
    assert sum(row.refused_requests for row in table.minutes) == 8 * 2000
    assert sum(row.rejected_spans for row in table.minutes) == 8 * 2000 * 3
    assert sum(row.requests for row in table.rejections) == 8 * 2000
    assert sum(row.spans for row in table.rejections) == 8 * 2000 * 2


def test_counts_wait_while_postgresql_is_away_and_none_is_lost(table: Table) -> None:
    ledger = Ledger(table.write)
    table.away = True
    for _ in range(3):
        reject(ledger, spans=5)
        ledger.accept(1, spans=1, rejected_spans=0, body_bytes=1, now=NOON.timestamp())
        with pytest.raises(DatabaseError):
            ledger.flush()
    table.away = False
    ledger.flush()
    assert [(row.requests, row.spans) for row in table.rejections] == [(3, 15)]
    assert [row.spans for row in table.minutes] == [3]
    ledger.flush()
    assert len(table.rejections) == 1


def test_memory_is_bounded_and_what_is_given_up_is_told(table: Table) -> None:
    ledger = Ledger(table.write, max_keys=10)
    before = metrics.counts_dropped._value.get()
    for project in range(100):
        ledger.accept(project, spans=1, rejected_spans=0, body_bytes=1, now=NOON.timestamp())
        reject(ledger, project=project)
    assert ledger.waiting() == 30
    assert metrics.counts_dropped._value.get() == before + 90 + 80


def test_so_many_kinds_of_senders_are_told_apart_and_the_others_counted_together(table: Table) -> None:
    ledger = Ledger(table.write)
    for number in range(100):
        reject(ledger, sender=Sender("application/json", f"agent/{number}"))
    ledger.flush()
    assert len(table.rejections) == accounting.MAX_SENDERS + 1
    others = [row for row in table.rejections if row.agent == OTHER]
    assert [(row.content_type, row.requests) for row in others] == [(OTHER, 100 - accounting.MAX_SENDERS)]


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("OTel-OTLP-Exporter-Python/1.37.0", "OTel-OTLP-Exporter-Python/1.37.0"),
        ("OTel-OTLP-Exporter-JavaScript/0.203.0", "OTel-OTLP-Exporter-JavaScript/0.203.0"),
        ("python-httpx/0.28.1 (ada@example.com)", "python-httpx/0.28.1"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("LangSmith for Ada Lovelace httpx/0.28", "LangSmith httpx/0.28"),
        ("Go-http-client/1.1", "Go-http-client/1.1"),
        ("agent of ada@example.com +1 415 555 2671", "agent"),
        ("4111111111111111", ""),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_of_a_user_agent_only_names_and_versions_of_programs_are_kept(header: str, kept: str) -> None:
    request = RequestFactory().post("/v1/traces", b"x", "application/json", headers={"User-Agent": header})
    assert sender_of(request, HOLDER) == Sender("application/json", kept)


def test_a_content_type_that_is_none_is_not_kept() -> None:
    request = RequestFactory().post("/v1/traces", b"x", "ada@example.com")
    assert sender_of(request, HOLDER).content_type == OTHER


def delta(project: Project, **changes: object) -> RejectionDelta:
    values: dict[str, object] = {
        "project_id": project.pk,
        "hour": NOON.replace(minute=0, second=0),
        "door": "otlp-traces",
        "reason": "malformed",
        "status": 400,
        "content_type": "application/json",
        "agent": "curl/8",
        "requests": 1,
        "spans": 0,
        "body_bytes": 10,
        "largest_bytes": 10,
        "first_at": NOON,
        "last_at": NOON,
    }
    return RejectionDelta(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_deltas_add_up_in_one_row_an_hour(project: Project) -> None:
    later = NOON + timedelta(minutes=20)
    write([], [delta(project)])
    write([], [delta(project, requests=2, largest_bytes=50, first_at=later, last_at=later)])
    row = RejectedPayload.objects.get(project=project)
    assert (row.requests, row.body_bytes, row.largest_bytes) == (3, 20, 50)
    assert (row.first_at, row.last_at) == (NOON, later)


@pytest.mark.django_db
def test_minutes_add_up(project: Project) -> None:
    minute = MinuteDelta(project.pk, NOON.replace(second=0), 2, 1, 10, 3, 1000)
    write([minute], [])
    write([minute], [])
    row = IngestMinute.objects.get(project=project)
    assert (row.requests, row.refused_requests, row.spans, row.rejected_spans, row.body_bytes) == (
        4,
        2,
        20,
        6,
        2000,
    )


@pytest.mark.django_db
def test_counts_of_a_project_that_was_deleted_meanwhile_do_not_hold_up_the_others(project: Project) -> None:
    gone = delta(project, project_id=project.pk + 1000)
    write([], [gone, delta(project)])
    assert [row.project_id for row in RejectedPayload.objects.all()] == [project.pk]


@pytest.mark.django_db
def test_counts_older_than_thirty_days_are_deleted(project: Project) -> None:
    old = NOON - timedelta(days=31)
    write(
        [MinuteDelta(project.pk, old, 1, 0, 1, 0, 1), MinuteDelta(project.pk, NOON, 1, 0, 1, 0, 1)],
        [delta(project), delta(project, hour=old)],
    )
    assert services.delete_counts_before(NOON - timedelta(days=30)) == 2
    assert RejectedPayload.objects.get().hour.day == NOON.day
    assert IngestMinute.objects.get().minute == NOON
    assert services.delete_counts_before(NOON - timedelta(days=30)) == 0
