"""What users cost, as a file for billing: the numbers of the API and of the pages, and a row to check them by."""

import csv
import hashlib
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pyarrow import parquet

from costs import rollup, rollup_queries
from tests.costs.test_rollup import AT_ONCE, WINDOW, span
from tracehouse.tenancy.models import AuditEntry, Project
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
