"""Limits, counts of what is refused, metrics and status, through the running platform."""

import json
import secrets
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests import cast
from tests.cast import http_client, wait_for
from tests.conftest import ROOT, Platform
from tests.e2e.test_crash import clickhouse_away
from tests.otlp import as_json, as_protobuf, wire_span
from tests.prometheus import read_metrics
from tracehouse.embedded.stores import StoreUrls

YEAR = 365 * 86_400
BATCH = 200

READ_COUNTS = """
import json
from django.db.models import Sum
from ingest.models import IngestMinute, RejectedPayload
# The sums first: a process writes both at once, so what follows holds at least what they count.
names = ("requests", "refused_requests", "spans", "rejected_spans")
sums = IngestMinute.objects.filter(project__slug="{slug}").aggregate(**{{name: Sum(name) for name in names}})
rows = RejectedPayload.objects.filter(project__slug="{slug}").values("reason", "status", "agent")
rejected = list(rows.annotate(requests=Sum("requests"), spans=Sum("spans")).order_by("reason"))
print(json.dumps([rejected, sums]))
"""


class Sender:
    """A project of its own on the running platform."""

    def __init__(self, platform: Platform, **limits: int) -> None:
        self.platform = platform.other_project("Limited", **limits)
        self.slug, self.secret = self.platform.project_slug, self.platform.secret_key

    def send(self, body: bytes, content_type: str = "application/json", **headers: str) -> httpx.Response:
        return self.platform.send(body, content_type, **headers)

    def stored(self, trace_id: str) -> int:
        response = self.platform.get(f"/api/v1/traces/{trace_id}")
        return int(response.json()["span_count"]) if response.status_code == 200 else 0

    def counts(self) -> tuple[list[dict[str, Any]], dict[str, int]]:
        rejected, sums = json.loads(self.platform.run(READ_COUNTS.format(slug=self.slug)))
        return rejected, sums

    def wait_for_counts(self, requests: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
        return wait_for(lambda: counts if (counts := self.counts())[1]["requests"] == requests else None)


def metrics(platform: Platform) -> dict[str, float]:
    answer = http_client.get(f"{platform.url}/metrics")
    assert answer.status_code == 200
    return read_metrics(answer.text)


def spans(count: int, trace: str = "") -> list[dict[str, Any]]:
    trace_id = trace or uuid.uuid4().hex
    return [wire_span(number, trace=trace_id) for number in range(1, count + 1)]


def test_a_real_exporter_waits_as_told_and_nothing_is_lost(platform: Platform) -> None:
    sender = Sender(platform, max_spans_per_second=20)
    before = metrics(platform)
    exporter = OTLPSpanExporter(
        endpoint=f"{platform.url}/v1/traces",
        headers={"Authorization": f"Bearer {sender.secret}"},
        timeout=60,
    )
    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=20_000, max_export_batch_size=BATCH)
    )
    tracer = provider.get_tracer("limited")
    count = 8 * BATCH  # a minute's worth is 1,200: the eighth request must wait, for at most ten seconds
    with tracer.start_as_current_span("root") as root:
        for number in range(count - 1):
            tracer.start_span(f"step {number}").end()
    provider.force_flush(60_000)
    provider.shutdown()
    trace_id = format(root.get_span_context().trace_id, "032x")
    assert wait_for(lambda: sender.stored(trace_id) == count)
    rejected, sums = sender.wait_for_counts(8 + refusals(platform, before))
    assert [(row["reason"], row["status"]) for row in rejected] == [("span_rate", 429)]
    assert rejected[0]["agent"].startswith("OTel-OTLP-Exporter-Python/")
    assert sums["spans"] == count


def refusals(platform: Platform, before: dict[str, float]) -> int:
    name = "tracehouse_ingest_refused_requests_total span_rate"
    seen = int(metrics(platform)[name] - before.get(name, 0))
    assert seen >= 1
    return seen


@pytest.mark.parametrize("wire", ["protobuf", "json"])
def test_a_used_up_quota_answers_429_with_retry_after_in_the_senders_encoding(
    platform: Platform, wire: str
) -> None:
    sender = Sender(platform, max_spans_per_day=10)
    encode, content_type = (
        (as_protobuf, "application/x-protobuf") if wire == "protobuf" else (as_json, "application/json")
    )
    assert sender.send(encode(*spans(12)), content_type).status_code == 200
    answers = [sender.send(encode(*spans(1)), content_type) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {429}
    assert all(0 < int(answer.headers["Retry-After"]) <= 86_400 for answer in answers)
    answer = answers[0]
    assert answer.headers["Content-Type"] == content_type
    status = Status.FromString(answer.content) if wire == "protobuf" else answer.json()
    code, message = (
        (status.code, status.message) if wire == "protobuf" else (status["code"], status["message"])
    )
    assert (code, message) == (8, "The day's quota of spans is used up; nothing was stored, try again later.")


def test_a_project_without_limits_is_not_held_back_by_another_ones(platform: Platform) -> None:
    limited, free = Sender(platform, max_spans_per_day=1), Sender(platform)
    assert limited.send(as_json(*spans(2))).status_code == 200
    assert limited.send(as_json(*spans(2))).status_code == 429
    assert {free.send(as_json(*spans(50))).status_code for _ in range(5)} == {200}


def test_what_is_refused_is_counted_exactly_over_both_processes(platform: Platform) -> None:
    sender = Sender(platform)
    marked = "ada.byron@example.com"
    jobs: list[Callable[[], httpx.Response]] = []
    for _ in range(40):
        jobs += [
            lambda: sender.send(b"{", **{"User-Agent": f"my-agent/2.1 ({marked})"}),
            lambda: sender.send(b"not gzip", **{"Content-Encoding": "gzip"}),
            lambda: sender.send(b"x", "text/plain"),
            lambda: sender.send(as_json(), **{"X-Tracehouse-Project": "elsewhere"}),
            lambda: sender.send(as_json(*spans(3), wire_span(9, trace="e" * 32, ago=30 * YEAR))),
        ]
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(lambda job: job(), jobs))
    assert statuses == [200] * 40 + [400] * 80 + [403] * 40 + [415] * 40
    rejected, sums = sender.wait_for_counts(200)
    by_reason = {row["reason"]: (row["status"], row["requests"], row["spans"]) for row in rejected}
    assert by_reason == {
        "malformed": (400, 40, 0),
        "bad_encoding": (400, 40, 0),
        "wrong_type": (415, 40, 0),
        "other_project": (403, 40, 0),
        "span_too_old": (200, 40, 40),
    }
    assert sums == {"requests": 200, "refused_requests": 160, "spans": 120, "rejected_spans": 40}
    assert {row["agent"] for row in rejected if row["reason"] == "malformed"} == {"my-agent/2.1"}


def test_counters_of_both_processes_move_together(platform: Platform) -> None:
    sender = Sender(platform)
    before = metrics(platform)
    for _ in range(30):
        assert sender.send(as_json(*spans(4))).status_code == 200
        assert sender.send(b"{").status_code == 400
    wait_for(
        lambda: (
            metrics(platform)["tracehouse_drain_rows_total"]
            >= before.get("tracehouse_drain_rows_total", 0) + 120
        )
    )
    after = metrics(platform)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown("tracehouse_ingest_spans_total  accepted") == 120
    assert grown("tracehouse_ingest_refused_requests_total malformed") == 30
    assert grown("tracehouse_ingest_request_seconds_count otlp-traces 200") == 30
    assert grown("tracehouse_ingest_request_seconds_count otlp-traces 400") == 30
    assert grown("tracehouse_drain_wait_seconds_count") >= 1
    assert grown("tracehouse_ingest_visible_seconds_count") >= 1
    assert grown("tracehouse_ingest_visible_seconds_sum") > 0
    assert grown("tracehouse_key_lookups_total cache") > 0
    assert after["tracehouse_store_up clickhouse"] == 1


def test_metrics_carry_nothing_that_a_project_sent(platform: Platform) -> None:
    sender = Sender(platform)
    mark = f"mark{secrets.token_hex(6)}"
    body = as_json(wire_span(1, trace=uuid.uuid4().hex, name=mark, attributes={mark: mark, "user.id": mark}))
    sender.send(body, **{"User-Agent": mark})
    sender.send(b"{" + mark.encode(), f"text/{mark}", **{"User-Agent": mark})
    text = http_client.get(f"{platform.url}/metrics").text
    assert mark not in text
    assert sender.slug not in text


def test_counts_are_written_when_the_platform_stops(
    stores: StoreUrls, platform: Platform, tmp_path: Path
) -> None:
    sender = Sender(platform)
    environment = cast.environment_of(stores, tmp_path)
    with cast.served(environment, ROOT):
        for _ in range(10):
            http_client.post(
                f"{environment['TRACEHOUSE_URL']}/v1/traces",
                content=b"{",
                headers={"Authorization": f"Bearer {sender.secret}", "Content-Type": "application/json"},
            )
    rejected, sums = sender.counts()
    assert [(row["reason"], row["requests"]) for row in rejected] == [("malformed", 10)]
    assert sums["requests"] == 10


def test_a_clickhouse_that_is_killed_shows_in_the_metrics_and_spans_are_still_taken(
    platform: Platform, stores: StoreUrls
) -> None:
    sender, trace = Sender(platform), uuid.uuid4().hex
    name = "tracehouse_drain_inserts_total unavailable"
    before = metrics(platform).get(name, 0)

    with clickhouse_away(stores):
        assert sender.send(as_json(*spans(3, trace))).status_code == 200
        wait_for(lambda: metrics(platform).get(name, 0) > before)
        found = metrics(platform)
        assert (found["tracehouse_store_up clickhouse"], found["tracehouse_store_up postgres"]) == (0, 1)
    assert wait_for(lambda: sender.stored(trace) == 3)
    wait_for(lambda: metrics(platform)["tracehouse_store_up clickhouse"] == 1)
