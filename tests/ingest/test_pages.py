"""The pages about ingest: what they say, what they say when something is away, and to whom."""

import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from ingest import spool_state
from ingest.accounting import write
from ingest.reasons import Reason
from ingest.store import MinuteDelta, RejectionDelta
from tests import cast
from tests.prometheus import read_metrics
from tracehouse import pulse, valkey
from tracehouse.clickhouse.state import ANSWER_SECONDS
from tracehouse.embedded.stores import StoreUrls
from tracehouse.tenancy.models import AuditEntry, Project, User
from traces.span import Kind, Span

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture(autouse=True)
def _valkey(stores: StoreUrls, settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.REDIS_URL = stores.redis_url
    settings.DATA_DIR = tmp_path
    names = (pulse.HEARTBEAT, pulse.TASKS, pulse.FAILURES, pulse.SPOOLS, "limit:{1}:x")
    valkey.client().delete(*names)
    yield
    settings.REDIS_URL = stores.redis_url
    valkey.client().delete(*names)


@pytest.fixture
def signed_in(client: Client, owner: User, clickhouse: None) -> Client:
    client.force_login(owner)
    return client


def minutes_ago(number: float) -> datetime:
    return timezone.now() - timedelta(minutes=number)


def sent(project: Project, *, spans: int = 100, refused: int = 0, rejected: int = 0, ago: float = 10) -> None:
    minute = minutes_ago(ago).replace(second=0, microsecond=0)
    write([MinuteDelta(project.pk, minute, 10 + refused, refused, spans, rejected, 5000)], [])


def refused(project: Project, reason: str = "malformed", *, status: int = 400, ago: float = 10) -> None:
    at = minutes_ago(ago)
    hour = at.replace(minute=0, second=0, microsecond=0)
    agent = f"agent-of-{project.slug}/1.0"
    row = (project.pk, hour, "otlp-traces", reason, status, "application/json", agent, 3, 0, 300, 200, at, at)
    write([], [RejectionDelta(*row)])


def page(client: Client, route: str, project: Project, query: str = "") -> str:
    response = client.get(reverse(route, args=[project.slug]) + query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_project_that_sent_nothing_reads_how_to_begin(signed_in: Client, project: Project) -> None:
    found = page(signed_in, "ingest:status", project)
    assert "Nothing has arrived yet" in found
    assert "How to send the first trace" in found


def test_what_arrived_is_told_with_a_chart(signed_in: Client, project: Project) -> None:
    sent(project, spans=1200, rejected=34, refused=5)
    found = page(signed_in, "ingest:status", project, "?range=1h")
    assert "<dt>Accepted spans</dt><dd>1,200</dd>" in found
    assert "<dt>Spans a minute</dt><dd>20</dd>" in found
    assert "1,200 accepted, 34 rejected, 5 requests refused" in found


def test_counts_outside_the_time_range_are_not_told(signed_in: Client, project: Project) -> None:
    sent(project, spans=1200, ago=120)
    found = page(signed_in, "ingest:status", project, "?range=1h")
    assert "<dt>Accepted spans</dt><dd>0</dd>" in found
    assert "Look in the last 6 hours" in found


def test_the_lag_from_span_end_to_visible_is_told(signed_in: Client, project: Project) -> None:
    end = time.time_ns() - 20 * 10**9
    spans = [
        Span(
            project_id=project.pk,
            trace_id="a" * 32,
            span_id=f"{number:016x}",
            parent_id="",
            start_ns=end - 10**9,
            end_ns=end,
            name="late",
            kind=Kind.SPAN,
        )
        for number in range(1, 11)
    ]
    cast.store_spans(spans)
    found = page(signed_in, "ingest:status", project)
    assert "Over 10 spans that became visible" in found
    assert "<dt>Half within</dt><dd>20" in found or "<dt>Half within</dt><dd>21" in found


def test_rejections_say_why_how_many_from_whom_and_what_to_do(signed_in: Client, project: Project) -> None:
    sent(project, refused=3)
    refused(project, Reason.MALFORMED)
    found = page(signed_in, "ingest:rejected", project)
    assert "The body could not be read" in found
    assert "Check that the exporter sends OTLP" in found
    assert f"agent-of-{project.slug}/1.0" in found
    assert "<dt>Requests</dt><dd>3</dd>" in found
    assert ">lost</span>" in found


def test_refusals_that_exporters_try_again_are_told_apart(signed_in: Client, project: Project) -> None:
    refused(project, Reason.SPAN_RATE, status=429)
    found = page(signed_in, "ingest:rejected", project)
    assert "tried again by exporters" in found
    assert ">lost</span>" not in found


def test_without_rejections_the_page_says_so(signed_in: Client, project: Project) -> None:
    assert "No request came with a key of this project" in page(signed_in, "ingest:rejected", project)
    sent(project)
    assert "All 10 requests of this project were accepted" in page(signed_in, "ingest:rejected", project)


def test_rejections_outside_the_time_range_are_not_told(signed_in: Client, project: Project) -> None:
    refused(project, ago=300)
    assert "Nothing was refused in the last hour" in page(signed_in, "ingest:rejected", project, "?range=1h")
    assert "The body could not be read" in page(signed_in, "ingest:rejected", project, "?range=6h")


@pytest.mark.parametrize(
    "query", ["?from=1970-01-01T00:00&to=2199-01-01T00:00", "?from=2190-01-01T00:00", "?range=x"]
)
@pytest.mark.parametrize("route", ["ingest:status", "ingest:rejected"])
def test_any_time_range_is_answered(signed_in: Client, project: Project, route: str, query: str) -> None:
    page(signed_in, route, project, query)


@pytest.mark.parametrize("route", ["ingest:status", "ingest:rejected"])
def test_another_projects_numbers_are_nowhere(
    signed_in: Client, project: Project, stranger: User, route: str
) -> None:
    elsewhere = Project.objects.get(name="Elsewhere")
    sent(elsewhere, spans=98_765)
    refused(elsewhere)
    found = page(signed_in, route, project)
    assert "98,765" not in found
    assert "agent-of-elsewhere" not in found


@pytest.mark.parametrize("route", ["ingest:status", "ingest:rejected"])
def test_strangers_find_nothing(client: Client, project: Project, stranger: User, route: str) -> None:
    client.force_login(stranger)
    assert client.get(reverse(route, args=[project.slug])).status_code == 404


def test_viewers_read_the_pages_without_links_they_may_not_follow(
    client: Client, project: Project, viewer: User, clickhouse: None
) -> None:
    client.force_login(viewer)
    found = page(client, "ingest:status", project)
    assert "Change the limits" not in found
    assert "Sizes, spools and tasks" not in found


def test_a_clickhouse_that_is_away_is_told_and_the_rest_stays(signed_in: Client, project: Project) -> None:
    sent(project, spans=1200)
    with override_settings(CLICKHOUSE_URL=f"http://127.0.0.1:{cast.free_port()}/test"):
        found = page(signed_in, "ingest:status", project)
    assert "Not known: ClickHouse does not answer" in found
    assert "does not answer (OperationalError)" in found
    assert "<dt>Accepted spans</dt><dd>1,200</dd>" in found


def test_a_clickhouse_that_hangs_is_told_within_seconds(signed_in: Client, project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/test"
        started = time.monotonic()
        with override_settings(CLICKHOUSE_URL=url):
            found = page(signed_in, "ingest:status", project)
    assert time.monotonic() - started < 3 * ANSWER_SECONDS
    assert "Not known: ClickHouse does not answer" in found


def test_a_valkey_that_is_away_is_told_and_the_rest_stays(
    signed_in: Client, project: Project, settings: Settings
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{cast.free_port()}/0"
    found = page(signed_in, "ingest:status", project)
    assert "Not known: Valkey, which holds the queue, does not answer" in found
    assert "does not answer (ConnectionError)" in found


def test_a_worker_that_lives_and_one_that_stopped_are_told(signed_in: Client, project: Project) -> None:
    assert "No worker was ever heard of" in page(signed_in, "ingest:status", project)
    pulse.worker_lives(time.time() - 5)
    assert "A worker runs" in page(signed_in, "ingest:status", project)
    pulse.worker_lives(time.time() - 600)
    assert "No worker was heard of for 10 m" in page(signed_in, "ingest:status", project)


def test_the_trace_list_says_that_new_spans_are_late(
    signed_in: Client, project: Project, tmp_path: Path
) -> None:
    cast.store_spans(
        [
            Span(
                project_id=project.pk,
                trace_id="b" * 32,
                span_id="1" * 16,
                parent_id="",
                start_ns=time.time_ns(),
            )
        ]
    )
    assert "New spans are late" not in page(signed_in, "traces:list", project)
    (tmp_path / "spool").mkdir()
    waiting = tmp_path / "spool" / "a-1.jsonl"
    waiting.write_text("{}\n")
    os.utime(waiting, (time.time() - 192, time.time() - 192))
    spool_state._last.clear()
    assert "the oldest has waited 3 m 12 s to show" in page(signed_in, "traces:list", project)
    assert "the oldest has waited 3 m 12 s to show" in page(signed_in, "ingest:status", project)


def test_quotas_are_shown_with_what_is_used(signed_in: Client, project: Project) -> None:
    project.max_spans_per_day = 1000
    project.save()
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    valkey.client().set(f"limit:{{{project.pk}}}:daily_quota:{day}", 1250, ex=60)
    found = page(signed_in, "ingest:status", project)
    assert "1,000 spans" in found
    assert '<span class="status-error">1,250 <span class="faint">(125.0 %)</span>' in found


def test_the_installations_status_is_for_administrators(
    client: Client, owner: User, clickhouse: None
) -> None:
    assert client.get(reverse("installation-status")).status_code == 302
    client.force_login(owner)
    assert client.get(reverse("installation-status")).status_code == 403


def test_administrators_see_sizes_spools_and_failed_tasks(client: Client, clickhouse: None) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", cast.PASSWORD))
    pulse.count_outcome("ingest.tasks.delete_old_counts", "failed")
    pulse.keep_failure(pulse.Failure("ingest.tasks.delete_old_counts", "OperationalError", time.time()))
    pulse.report_spool(pulse.SpoolReport("web-2", time.time(), 5_000_000, 3, 12.0, 1))
    found = " ".join(client.get(reverse("installation-status")).content.decode().split())
    assert "rows in" in found
    assert "web-2" in found
    assert "5 MB" in found
    assert "1 file<" in found
    assert "<code>ingest.tasks.delete_old_counts</code>" in found
    assert "<code>OperationalError</code>" in found


@pytest.mark.parametrize("route", ["installation-status", "metrics"])
def test_only_reading_is_possible(client: Client, route: str) -> None:
    assert client.post(reverse(route)).status_code == 405


def metrics(client: Client, **request: object) -> int:
    return int(client.get(reverse("metrics"), **request).status_code)  # type: ignore[arg-type]


def test_metrics_of_a_machine_of_ones_own_are_open_to_that_machine(
    client: Client, settings: Settings, clickhouse: None
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert metrics(client) == 200
    assert metrics(client, REMOTE_ADDR="::1") == 200
    assert metrics(client, REMOTE_ADDR="192.0.2.7") == 401
    assert metrics(client, headers={"X-Forwarded-For": "192.0.2.7"}) == 401


def test_metrics_of_a_server_need_a_token_even_from_its_own_proxy(client: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://traces.example.com"
    response = client.get(reverse("metrics"))
    assert response.status_code == 401
    assert "Set TRACEHOUSE_METRICS_TOKEN" in response.content.decode()


def test_a_token_decides_alone(client: Client, settings: Settings, clickhouse: None) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.METRICS_TOKEN = "much secret"
    assert metrics(client) == 401
    assert metrics(client, headers={"Authorization": "Bearer wrong"}) == 401
    assert metrics(client, headers={"Authorization": "Bearer much secret"}, REMOTE_ADDR="192.0.2.7") == 200


def test_metrics_parse_and_hold_the_state_of_everything(
    client: Client, settings: Settings, clickhouse: None
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    pulse.count_outcome("a.task", "succeeded")
    pulse.worker_lives(time.time())
    samples = read_metrics(client.get(reverse("metrics")).content.decode())
    assert samples["tracehouse_store_up clickhouse"] == 1
    assert samples["tracehouse_store_up postgres"] == 1
    assert samples["tracehouse_store_bytes postgres"] > 1_000_000
    assert samples["tracehouse_tasks_total succeeded a.task"] == 1
    assert samples["tracehouse_worker_heartbeat_age_seconds"] < 5
    assert any(name.startswith("tracehouse_build_info") for name in samples)


def test_metrics_tell_what_is_away(client: Client, settings: Settings, clickhouse: None) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    with override_settings(
        CLICKHOUSE_URL=f"http://127.0.0.1:{cast.free_port()}/test",
        REDIS_URL=f"redis://127.0.0.1:{cast.free_port()}/0",
    ):
        text = client.get(reverse("metrics")).content.decode()
    assert 'tracehouse_store_up{store="clickhouse"} 0.0' in text
    assert 'tracehouse_store_up{store="valkey"} 0.0' in text
    assert "tracehouse_celery_queue_depth" not in text


def test_limits_are_saved_and_recorded(client: Client, project: Project, owner: User) -> None:
    client.force_login(owner)
    form = {"max_spans_per_second": "200", "max_mb_per_minute": "", "max_spans_per_day": "1000000"}
    response = client.post(reverse("change-limits", args=[project.slug]), form, follow=True)
    assert "The limits are saved" in response.content.decode()
    project.refresh_from_db()
    assert (project.max_spans_per_second, project.max_mb_per_minute) == (200, None)
    details = AuditEntry.objects.get(action="limits.changed").details
    assert (details["max_spans_per_second"], details["max_spans_per_day"]) == (200, 1_000_000)


@pytest.mark.parametrize("value", ["0", "-5", "many", "1.5"])
def test_a_limit_that_cannot_be_is_refused(client: Client, project: Project, owner: User, value: str) -> None:
    client.force_login(owner)
    address = reverse("change-limits", args=[project.slug])
    response = client.post(address, {"max_spans_per_second": value})
    assert response.status_code == 400
    project.refresh_from_db()
    assert project.max_spans_per_second is None


def test_an_empty_limit_is_the_installations_default(project: Project, settings: Settings) -> None:
    from tracehouse.tenancy.limits import Limits, limits_of

    assert limits_of(project) is None
    settings.DEFAULT_LIMITS = {**settings.DEFAULT_LIMITS, "max_spans_per_second": 500}
    assert limits_of(project) == Limits(max_spans_per_second=500)
    project.max_spans_per_second = 900
    assert limits_of(project) == Limits(max_spans_per_second=900)
