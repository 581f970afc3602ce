"""What users cost, as a file for billing: the numbers of the API and of the pages, and a row to check them by."""

import csv
import hashlib
import io
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pyarrow import parquet

from costs import rollup, rollup_queries
from exports import slots
from tests.costs.money import spend
from tests.costs.test_rollup import AT_ONCE, WINDOW, span
from tracehouse.tenancy.models import AuditEntry, Project, User
from tracehouse.tenancy.scope import Scope
from traces.span import Cost, CostState, Span

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]

RANGE = {"from": WINDOW.start.isoformat(), "to": WINDOW.end.isoformat()}
COLUMNS = ("invocations", "failed", "input_tokens", "output_tokens", "cost_usd", "unpriced_calls")


@pytest.fixture
def reader(api_key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {api_key}"})


@pytest.fixture
def spent(project: Project, store_spans: Callable[[list[Span]], None]) -> list[rollup_queries.UserTotal]:
    """Half of it rolled up, the rest not yet."""
    price = Cost(state=CostState.COMPUTED, total=Decimal("0.000000000001"), source="test")
    store_spans(
        [span(project, number, hours=number / 3, user_id=f"u{number % 5}") for number in range(1, 20)]
    )
    rollup.roll_up(project.pk, settle=AT_ONCE)
    store_spans(
        [
            span(project, 30, user_id="=cmd()", organization_id="a,b\n", cost=price),
            span(project, 31, user_id=None, cost=Cost(state=CostState.UNPRICED)),
            span(project, 32, user_id="u1", organization_id="acme"),
        ]
    )
    return list(rollup_queries.users_in_order(Scope(project.pk, WINDOW)))


def exported(reader: Client, form: str) -> bytes:
    answer: Any = reader.get("/api/v1/user-costs/export", {**RANGE, "format": form})
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def test_the_csv_sums_up_to_its_checksum_and_to_the_api(
    reader: Client, project: Project, spent: list[rollup_queries.UserTotal]
) -> None:
    content = exported(reader, "csv")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    *users, last = rows
    assert [row["row"] for row in users] == ["user"] * len(spent)
    assert "'=cmd()" in {row["user_id"] for row in users}
    assert last["row"] == "checksum"
    assert last["organization_id"] == f"rows:{len(users)}"
    for name in COLUMNS:
        assert Decimal(last[name]) == sum(Decimal(row[name]) for row in users)
    body = content.split(b"\r\n", 1)[1][: -len(content.rsplit(b"\r\nchecksum,", 1)[1]) - len(b"checksum,")]
    assert last["user_id"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    overall = reader.get("/api/v1/usage", {**RANGE, "group_by": "day"}).json()["data"]
    assert sum(Decimal(day["cost_usd"]) for day in overall) == Decimal(last["cost_usd"])
    assert sum(day["invocations"] for day in overall) == int(last["invocations"])
    entry = AuditEntry.objects.get(action="user_costs.exported", project=project)
    assert (entry.details["rows"], entry.details["checksum"]) == (len(users), last["user_id"])


def test_parquet_has_the_same_rows_and_the_same_checksum(
    reader: Client, spent: list[rollup_queries.UserTotal]
) -> None:
    table = parquet.read_table(io.BytesIO(exported(reader, "parquet"))).to_pylist()
    assert [tuple(row[name] for name in ("user_id", "organization_id", *COLUMNS)) for row in table[:-1]] == [
        (one.user_id, one.organization_id, *(getattr(one, name) for name in COLUMNS)) for one in spent
    ]
    in_csv = list(csv.reader(io.StringIO(exported(reader, "csv").decode(), newline="")))
    assert table[-1]["user_id"] == in_csv[-1][1]


def test_pages_of_user_costs_come_to_the_same(reader: Client, spent: list[rollup_queries.UserTotal]) -> None:
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = reader.get("/api/v1/user-costs", {**RANGE, "limit": 2, "cursor": cursor}).json()
        found += page["data"]
        cursor = page["next_cursor"]
    assert [(row["user_id"], row["organization_id"], Decimal(row["cost_usd"])) for row in found] == [
        (one.user_id, one.organization_id, one.cost_usd) for one in spent
    ]
    assert reader.get("/api/v1/user-costs", {"cursor": "nonsense"}).status_code == 400


def test_the_menu_of_unit_economics_gives_files_that_sum_up_to_what_the_pages_show(
    client: Client, project: Project, owner: User, viewer: User, clickhouse: None
) -> None:
    today = timezone.now().date()
    spend(project, "ada", "12.000000000001", on=today, hour=0, count=3, failed=1, organization_id="acme")
    spend(project, "ada", "0.5", on=today - timedelta(days=3), count=2, unpriced=1)
    spend(project, "", "7", on=today - timedelta(days=3))
    spend(project, "bob", "100", on=today - timedelta(days=60))
    client.force_login(viewer)
    page = client.get(reverse("economics:list", args=[project.slug]), {"range": "7d"})
    links = re.findall(r'href="([^"]*users/export[^"]*)"', page.content.decode())
    in_csv, in_parquet = (client.get(unescape(link)) for link in links)
    *users, checksum = csv.DictReader(io.StringIO(in_csv.getvalue().decode(), newline=""))
    overview = (
        client.get(reverse("costs:overview", args=[project.slug]), {"range": "7d"}).context["found"].total
    )
    assert Decimal(checksum["cost_usd"]) == overview.cost_usd == Decimal("19.500000000001")
    for name in ("invocations", "failed", "unpriced_calls", "input_tokens", "output_tokens"):
        assert int(checksum[name]) == getattr(overview, name), name
    of_ada = sum(Decimal(row["cost_usd"]) for row in users if row["user_id"] == "ada")
    assert [one.cost for one in page.context["found"].customers] == [of_ada]
    table = parquet.read_table(io.BytesIO(in_parquet.getvalue())).to_pylist()
    assert table[-1]["user_id"] == checksum["user_id"]
    assert {one.actor for one in AuditEntry.objects.filter(action="user_costs.exported")} == {viewer.email}


def test_a_file_is_never_of_other_days_than_asked_for_nor_made_past_what_runs_at_once(
    client: Client, project: Project, owner: User, clickhouse: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(owner)
    path = reverse("exports:user-costs", args=[project.slug])
    wrong = client.get(path, {"from": "2026-02-01", "to": "2026-01-01"}, follow=True)
    assert "The first day is after the last." in wrong.content.decode()
    monkeypatch.setattr(slots, "_free", threading.BoundedSemaphore(1))
    slots.take()
    assert "Too many exports run at this moment" in client.get(path, follow=True).content.decode()
