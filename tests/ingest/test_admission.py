"""A project's limits: by time windows with a clock of our own, shared by processes, and never in the way."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from ingest import admission, metrics
from ingest.admission import OverLimit
from ingest.pacing import day_of, month_of
from ingest.reasons import Reason
from tests.cast import free_port
from tracehouse import valkey
from tracehouse.embedded.stores import StoreUrls
from tracehouse.tenancy.keys import KeyHolder
from tracehouse.tenancy.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
# 2026-03-28 12:00 UTC; the next night clocks in Berlin go forward.
NOON = 1_774_699_200.0
HOLDER = KeyHolder(
    project_id=7,
    project_slug="agents",
    public_key="pk-th-x",
    redaction_key=b"k" * 32,
    phone_regions=("US",),
    keep_identity=False,
)


def limited(**limits: object) -> KeyHolder:
    return replace(HOLDER, limits=Limits(**limits))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _counters(stores: StoreUrls, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = stores.redis_url
    admission.forget_all()
    yield
    settings.REDIS_URL = stores.redis_url
    for key in valkey.client().scan_iter("limit:*"):
        valkey.client().delete(key)
    admission.forget_all()


def taken(holder: KeyHolder, *, now: float, spans: int = 100, size: int = 1000) -> bool:
    try:
        admission.admit(holder, spans=spans, size=size, now=now)
    except OverLimit:
        return False
    return True


def refused(holder: KeyHolder, *, now: float, spans: int = 100, size: int = 1000) -> OverLimit:
    with pytest.raises(OverLimit) as caught:
        admission.admit(holder, spans=spans, size=size, now=now)
    return caught.value


def test_a_minutes_worth_comes_at_once_and_then_the_pace_holds() -> None:
    holder = limited(max_spans_per_second=10)
    assert [taken(holder, now=NOON) for _ in range(7)] == [True] * 6 + [False]
    assert refused(holder, now=NOON).reason is Reason.SPAN_RATE
    assert taken(holder, now=NOON + 0.1)
    assert refused(holder, now=NOON + 0.2).retry_after == 10
    assert taken(holder, now=NOON + 10.1)


def test_over_ten_minutes_as_much_is_taken_as_the_rate_allows() -> None:
    holder = limited(max_spans_per_second=10)
    sent = sum(50 for tick in range(6000) if taken(holder, now=NOON + tick / 10, spans=50))
    assert 10 * 600 <= sent <= 10 * 660 + 50


def test_a_batch_larger_than_a_minutes_worth_is_taken_and_paid_off_afterwards() -> None:
    holder = limited(max_spans_per_second=1)
    assert taken(holder, now=NOON, spans=600)
    assert refused(holder, now=NOON + 1).retry_after == 539
    assert taken(holder, now=NOON + 541)


def test_bytes_are_limited_on_their_own() -> None:
    holder = limited(max_mb_per_minute=1)
    assert taken(holder, now=NOON, size=1_500_000)
    assert refused(holder, now=NOON).reason is Reason.BYTE_RATE
    assert taken(holder, now=NOON + 31)


def test_a_quota_refuses_until_the_day_ends_where_the_project_is() -> None:
    holder = limited(max_spans_per_day=150, time_zone="Europe/Berlin")
    assert taken(holder, now=NOON)
    assert taken(holder, now=NOON)
    over = refused(holder, now=NOON)
    assert (over.reason, over.retry_after) == (Reason.DAILY_QUOTA, 11 * 3600)
    assert taken(holder, now=NOON + over.retry_after)


def test_a_monthly_quota_refuses_until_the_month_ends() -> None:
    holder = limited(max_spans_per_month=100)
    assert taken(holder, now=NOON)
    over = refused(holder, now=NOON)
    assert (over.reason, over.retry_after) == (Reason.MONTHLY_QUOTA, (3 * 24 + 12) * 3600)
    assert taken(holder, now=NOON + over.retry_after)


@pytest.mark.parametrize(
    ("period", "name", "hours"), [(day_of, "2026-03-29", 23), (month_of, "2026-03", 3 * 24 - 1)]
)
def test_periods_know_the_night_that_is_an_hour_shorter(period: object, name: str, hours: int) -> None:
    midnight = NOON + 11 * 3600  # 2026-03-29 00:00 in Berlin
    found = period(midnight, "Europe/Berlin")  # type: ignore[operator]
    assert (found.name, found.seconds_left) == (name, hours * 3600)
    assert ZoneInfo("Europe/Berlin")


def test_what_is_refused_is_not_counted() -> None:
    holder = limited(max_spans_per_day=150)
    assert [taken(holder, now=NOON + tick) for tick in range(22)] == [True] * 2 + [False] * 20
    assert valkey.client().get("limit:{7}:daily_quota:2026-03-28") == "200"


def test_one_used_up_limit_leaves_the_others_uncounted() -> None:
    holder = limited(max_spans_per_second=1_000_000, max_spans_per_day=100)
    taken(holder, now=NOON)
    before = valkey.client().get("limit:{7}:span_rate")
    refused(holder, now=NOON + 5)
    assert valkey.client().get("limit:{7}:span_rate") == before


def test_what_could_not_be_stored_is_given_back() -> None:
    holder = limited(max_spans_per_day=100, max_spans_per_second=1)
    assert taken(holder, now=NOON)
    admission.give_back(holder, spans=100, size=1000, now=NOON)
    assert taken(holder, now=NOON)
    refused(holder, now=NOON)


def test_projects_do_not_share_their_limits() -> None:
    holder = limited(max_spans_per_day=100)
    taken(holder, now=NOON)
    refused(holder, now=NOON)
    assert taken(replace(holder, project_id=8), now=NOON)


def test_counters_leave_when_their_time_is_over() -> None:
    taken(limited(max_spans_per_second=10, max_spans_per_day=1000), now=NOON)
    kept = {key: valkey.client().ttl(key) for key in valkey.client().scan_iter("limit:*")}
    assert len(kept) == 2
    assert all(0 < seconds <= 13 * 3600 for seconds in kept.values())


def test_a_refusal_is_remembered_so_that_the_next_body_is_not_read() -> None:
    holder = limited(max_spans_per_second=10)
    admission.check_remembered(holder, now=NOON)
    taken(holder, now=NOON, spans=700)
    refused(holder, now=NOON)
    with pytest.raises(OverLimit) as caught:
        admission.check_remembered(holder, now=NOON + 1)
    assert caught.value.retry_after == 9
    admission.check_remembered(holder, now=NOON + admission.REMEMBER_SECONDS + 0.1)


def test_a_raised_limit_is_not_kept_out_by_what_is_remembered() -> None:
    holder = limited(max_spans_per_day=100)
    taken(holder, now=NOON)
    refused(holder, now=NOON)
    raised = limited(max_spans_per_day=1000)
    admission.check_remembered(raised, now=NOON)
    assert taken(raised, now=NOON)


def test_a_project_without_limits_does_not_touch_valkey(settings: Settings) -> None:
    settings.REDIS_URL = "redis://nowhere.invalid:1/0"
    before = metrics.limits_unchecked._value.get()
    admission.check_remembered(HOLDER)
    admission.admit(HOLDER, spans=100, size=1000)
    assert metrics.limits_unchecked._value.get() == before


def test_without_valkey_spans_are_taken_and_the_metrics_say_so(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    holder = limited(max_spans_per_day=1)
    before = metrics.limits_unchecked._value.get()
    assert [taken(holder, now=NOON) for _ in range(5)] == [True] * 5
    assert metrics.limits_unchecked._value.get() == before + 5


def test_without_valkey_only_the_first_request_waits_for_it(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    holder = limited(max_spans_per_day=1)
    taken(holder, now=NOON)
    started = time.perf_counter()
    for _ in range(100):
        taken(holder, now=NOON)
    assert time.perf_counter() - started < 0.1


def test_a_restarted_valkey_learns_the_script_again() -> None:
    holder = limited(max_spans_per_day=1000)
    taken(holder, now=NOON)
    valkey.client().script_flush()
    assert taken(holder, now=NOON)
    assert valkey.client().get("limit:{7}:daily_quota:2026-03-28") == "200"


SENDER = """
import sys, django
django.setup()
from dataclasses import replace
from django.conf import settings
from ingest import admission
from tests.ingest.test_admission import HOLDER, NOON, limited
settings.REDIS_URL = sys.argv[1]
holder = limited(max_spans_per_day=1000)
good = 0
admission.give_back(holder, spans=1, size=1, now=NOON)  # connects
print("ready", flush=True)
sys.stdin.readline()
for _ in range(300):
    try:
        admission.admit(holder, spans=5, size=10, now=NOON)
        good += 5
    except admission.OverLimit:
        pass
print(good)
"""


def test_processes_share_one_count(stores: StoreUrls) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SENDER, stores.redis_url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 2
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    sent = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(sent) == 1000
    assert all(sent), "both should have had their turn"


def test_counting_costs_a_fraction_of_a_millisecond() -> None:
    holder = limited(
        max_spans_per_second=10**6,
        max_mb_per_minute=10**6,
        max_spans_per_day=10**9,
        max_spans_per_month=10**9,
    )
    taken(holder, now=NOON)
    took = []
    for _ in range(500):
        started = time.perf_counter()
        admission.admit(holder, spans=100, size=1000, now=NOON)
        took.append(time.perf_counter() - started)
    assert sorted(took)[250] < 0.001  # measured: 0.2 ms with all four limits


def test_bodies_without_spans_count_against_the_bytes_of_a_minute() -> None:
    holder = limited(max_mb_per_minute=1)
    assert taken(holder, now=NOON, spans=0, size=1_000_000)
    assert refused(holder, now=NOON, spans=0, size=1).reason is Reason.BYTE_RATE


def test_a_body_that_holds_nothing_readable_counts_too() -> None:
    holder = limited(max_mb_per_minute=1)
    admission.charge(holder, size=1_000_000, now=NOON)
    assert refused(holder, now=NOON).reason is Reason.BYTE_RATE
