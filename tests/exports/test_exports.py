"""Traces as files: the same rows in each format, formulas defused, and no file that looks whole and is not."""

import csv
import html
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from django.test import Client
from django.urls import reverse
from pyarrow import parquet

from evals.score import Score, Source, Subject
from evals.services import write_scores
from exports import api, services, slots
from exports.shape import COLUMNS, Format
from exports.writers.parquet import INCOMPLETE
from ingest.policies import policy_of
from tracehouse.clickhouse.query import QueryUnavailable
from tracehouse.tenancy.models import AuditEntry, Project, User
from tracehouse.tenancy.scope import Scope
from tracehouse.web.spreadsheet import FORMULA, defused
from traces import walk_queries
from traces.filters import Order, TraceFilters
from traces.queries import Trace
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
ADDRESS = "/api/v1/traces/export"
HOSTILE = '=HYPERLINK("https://evil.example";"click")'
NOW = time.time_ns()


def trace(project: Project, number: int, **fields: Any) -> list[Span]:
    """A root and the model call under it, older with each number."""
    start = NOW - (number + 1) * 60 * 10**9
    root = Span(
        project_id=project.pk,
        trace_id=f"{number + 1:032x}",
        span_id="00000000000000aa",
        parent_id="",
        start_ns=start,
        end_ns=start + (number + 1) * 10**9,
        name="agent.invocation",
        kind=Kind.AGENT,
        status=Status.OK,
        tags=("vip", "a, b"),
        **fields,
    )
    call = Span(
        project_id=project.pk,
        trace_id=root.trace_id,
        span_id="00000000000000ab",
        parent_id=root.span_id,
        start_ns=start,
        end_ns=start + 10**8,
        name="llm.claude.call",
        kind=Kind.LLM,
        status=Status.OK,
        model="claude-sonnet-4-5",
        usage=Usage(input_uncached=6_842, output=310),
        cost=Cost(state=CostState.COMPUTED, total=Decimal("0.000000004217"))
        if number
        else Cost(state=CostState.UNPRICED),
        input=[{"role": "user", "parts": [{"type": "text", "content": f"Question {number}"}]}],
    )
    return [root, call]


@pytest.fixture
def three(project: Project, store_spans: Callable[[list[Span]], None]) -> None:
    """The newest without a price, with a name that a spreadsheet would calculate; the oldest of a user, and scored."""
    spans = [*trace(project, 0, feature=HOSTILE), *trace(project, 1), *trace(project, 2, user_id="u-1")]
    store_spans(spans)
    said = Score(
        id="s1",
        name="quality",
        value=0.25,
        subject=Subject(trace_id=f"{3:032x}"),
        source=Source.API,
        time=datetime.now(UTC),
        comment="Too short",
    )
    write_scores(project_id=project.pk, scores=[said], policy=policy_of(project))


@pytest.fixture
def reader(api_key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {api_key}"})


@pytest.fixture(autouse=True)
def _every_slot_is_given_back() -> Iterator[None]:
    yield
    for _ in range(slots.MOST):
        slots.take()
    for _ in range(slots.MOST):
        slots.give_back()


def begun(project: Project, form: str = "jsonl") -> services.Export:
    """An export as both doors begin it, without an answer around it."""
    return services.start(
        services.Asked(
            scope=Scope(project.pk),
            filters=TraceFilters(),
            order=Order.NEWEST,
            format=Format(form),
            with_spans=False,
            actor="owner@example.com",
            project=project,
            policy=policy_of(project),
        )
    )


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.getvalue().splitlines()]


def cells(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode(), newline="")))


def test_a_line_is_what_the_list_says_of_a_trace_with_its_scores(reader: Client, three: None) -> None:
    answer = reader.get(ADDRESS, {"format": "jsonl"})
    listed = reader.get("/api/v1/traces").json()["data"]
    found = lines(answer)
    assert [{name: value for name, value in line.items() if name != "scores"} for line in found] == listed
    assert [[score["comment"] for score in line["scores"]] for line in found] == [[], [], ["Too short"]]
    assert all(list(line) == [column.name for column in COLUMNS] for line in found)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Cache-Control"] == "no-store, private"
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="traces-agents-20')
    assert name.endswith('Z.jsonl"')


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({"user_id": "u-1"}, [2]),
        ({"order": "-latency"}, [2, 1, 0]),
        ({"order": "-cost", "min_latency_ms": "2000"}, [2, 1]),
        ({"q": "question 1"}, [1]),
        ({"score": "quality<=0.5"}, [2]),
        ({"user_id": "nobody"}, []),
    ],
)
def test_filters_and_orders_are_those_of_the_list(
    reader: Client, three: None, chosen: dict[str, str], numbers: list[int]
) -> None:
    found = [line["trace_id"] for line in lines(reader.get(ADDRESS, chosen))]
    assert found == [f"{number + 1:032x}" for number in numbers]
    assert found == [one["trace_id"] for one in reader.get("/api/v1/traces", chosen).json()["data"]]


def test_lines_with_spans_have_what_the_trace_has(
    reader: Client, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No room for a second trace beside the first.
    monkeypatch.setattr(services, "MAX_SPANS", 2)
    found = lines(reader.get(ADDRESS, {"include": "spans"}))
    assert [len(line["spans"]) for line in found] == [2, 2, 2]
    for line in found:
        whole = reader.get(f"/api/v1/traces/{line['trace_id']}").json()
        assert {**line, "next_spans_cursor": None} == whole
    assert "Question 2" in json.dumps(found[2]["spans"])
    refused = reader.get(ADDRESS, {"include": "spans", "format": "csv"})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["include"])


def test_csv_is_read_back_and_calculates_nothing(reader: Client, three: None) -> None:
    answer = reader.get(ADDRESS, {"format": "csv"})
    content = answer.getvalue()
    head, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    assert head == [column.name for column in COLUMNS]
    newest, _, oldest = (dict(zip(head, row, strict=True)) for row in rows)
    assert newest["feature"] == f"'{HOSTILE}"
    assert (newest["cost_usd"], newest["unpriced_calls"]) == ("", "1")
    assert (oldest["cost_usd"], oldest["latency_ms"], oldest["has_root"]) == (
        "0.000000004217",
        "3000.0",
        "true",
    )
    assert json.loads(oldest["tags"]) == ["a, b", "vip"]
    assert json.loads(oldest["scores"])[0]["value"] == 0.25
    assert datetime.fromisoformat(oldest["start_time"]).tzinfo is not None
    assert content.count(b"\r\n") == 4
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")


@pytest.mark.parametrize("sign", FORMULA)
def test_what_begins_like_a_formula_is_made_text(sign: str) -> None:
    assert defused(f"{sign}1+1") == f"'{sign}1+1"
    assert [defused(f"{blank}{sign}1+1") for blank in (" ", "  ", "\xa0")] == [
        f"'{blank}{sign}1+1" for blank in (" ", "  ", "\xa0")
    ]
    assert defused(f"a{sign}") == f"a{sign}"


def test_parquet_has_typed_columns(reader: Client, three: None) -> None:
    content = reader.get(ADDRESS, {"format": "parquet", "order": "time"}).getvalue()
    table = parquet.read_table(io.BytesIO(content))
    assert table.schema.field("start_time").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("cost_usd").type == pa.decimal128(38, 12)
    assert table.schema.field("span_count").type == pa.int64()
    oldest, _, newest = table.to_pylist()
    assert (oldest["cost_usd"], newest["cost_usd"]) == (Decimal("0.000000004217"), None)
    assert (oldest["tags"], newest["feature"], newest["user_id"]) == (["a, b", "vip"], HOSTILE, None)
    assert [(score["name"], score["number"], score["label"]) for score in oldest["scores"]] == [
        ("quality", 0.25, None)
    ]
    frame = pd.read_parquet(io.BytesIO(content))
    assert str(frame["start_time"].dtype) == "datetime64[us, UTC]"
    assert frame["latency_ms"].tolist() == [3000.0, 2000.0, 1000.0]
    empty = reader.get(ADDRESS, {"format": "parquet", "user_id": "nobody"}).getvalue()
    assert parquet.read_table(io.BytesIO(empty)).num_rows == 0


def test_a_file_that_is_cut_says_so_at_its_end(
    reader: Client, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_TRACES", 2)
    answer = reader.get(ADDRESS)
    *rows, last = lines(answer)
    assert len(rows) == 2
    assert last["incomplete"].startswith("cut after the first ")
    assert answer.headers["X-Tracehouse-Incomplete"] == last["incomplete"]
    *_, end = cells(reader.get(ADDRESS, {"format": "csv"}))
    assert (end[0], len(end)) == (f"incomplete: {last['incomplete']}", len(COLUMNS))
    metadata = parquet.read_metadata(
        io.BytesIO(reader.get(ADDRESS, {"format": "parquet"}).getvalue())
    ).metadata
    assert metadata[INCOMPLETE.encode()].decode() == last["incomplete"]
    assert set(
        AuditEntry.objects.filter(action="traces.exported").values_list("details__outcome", flat=True)
    ) == {last["incomplete"]}


def test_a_file_is_cut_when_its_time_is_over(
    reader: Client, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_SECONDS", -1.0)
    (last,) = lines(reader.get(ADDRESS))
    assert last["incomplete"].startswith("cut after 0 traces and ")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_failure_on_the_way_breaks_the_connection_and_shows_in_the_file(
    project: Project, three: None, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    walk = walk_queries.walk

    def one_row_then_nothing(*args: Any) -> Iterator[list[Trace]]:
        yield next(walk(*args, stretch=1))
        raise QueryUnavailable("what somebody searched for")

    monkeypatch.setattr(walk_queries, "walk", one_row_then_nothing)
    export, got = begun(project, form), io.BytesIO()
    with pytest.raises(services.BrokenOff, match=r"^QueryUnavailable$"):
        got.writelines(export)
    export.close()
    if form == "parquet":
        with pytest.raises(pa.ArrowInvalid):
            parquet.read_table(got)
    else:
        assert b"incomplete" in got.getvalue().splitlines()[-1]
    entry = AuditEntry.objects.get(action="traces.exported")
    assert (entry.details["rows"], entry.details["outcome"]) == (1, "failed: QueryUnavailable")


def test_a_client_that_leaves_is_written_down_and_frees_its_place(project: Project, three: None) -> None:
    begun(project).close()  # before the first byte
    left = begun(project)
    next(iter(left))
    left.close()
    entries = AuditEntry.objects.filter(action="traces.exported")
    assert [entry.details["outcome"] for entry in entries] == ["left by the client"] * 2


def test_a_client_that_takes_too_long_is_let_go(
    project: Project, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = begun(project)
    monkeypatch.setattr(services, "GRACE_SECONDS", -services.MAX_SECONDS)
    with pytest.raises(services.BrokenOff, match=r"^TooSlow$"):
        list(slow)
    slow.close()


def test_more_exports_than_places_are_told_to_come_back(
    reader: Client, three: None, project: Project, teammate: User
) -> None:
    running = [begun(project) for _ in range(slots.MOST)]
    refused = reader.get(ADDRESS)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "busy")
    assert refused.headers["Retry-After"] == str(api.TooManyExports.wait)
    member = Client()
    member.force_login(teammate)
    sent_back = member.get(reverse("exports:traces", args=[project.slug]), {"status": "error"}, follow=True)
    assert "status=error" in sent_back.redirect_chain[0][0]
    assert "Too many exports run" in sent_back.content.decode()
    for export in running:
        export.close()
    assert len(lines(reader.get(ADDRESS))) == 3


def test_who_exported_what_is_written_down_without_personal_data(
    three: None, project: Project, teammate: User
) -> None:
    member = Client()
    member.force_login(teammate)
    answer = member.get(
        reverse("exports:traces", args=[project.slug]),
        {"format": "csv", "q": "ann@example.com", "range": "24h", "order": "-cost", "columns": "user"},
    )
    assert len(cells(answer)) == 1
    started, ended = AuditEntry.objects.filter(action__startswith="traces.export").order_by("at")
    assert (started.action, ended.action) == ("traces.export_started", "traces.exported")
    assert (ended.actor, ended.target, ended.project) == (teammate.email, "csv", project)
    assert ended.details["filters"].startswith("q=")
    assert "ann@example.com" not in json.dumps(ended.details)
    assert (ended.details["rows"], ended.details["outcome"], ended.details["order"]) == (
        0,
        "complete",
        "-cost",
    )


def test_the_menu_exports_what_the_list_shows(three: None, project: Project, viewer: User) -> None:
    member = Client()
    member.force_login(viewer)
    page = member.get(reverse("traces:list", args=[project.slug]), {"user_id": "u-1"}).content.decode()
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*/traces/export[^"]*)"', page)]
    assert len(links) == 4
    assert all("user_id=u-1" in link for link in links)
    table, plain, typed, whole = links
    assert len(cells(member.get(table))) == 2
    assert ["spans" in lines(member.get(link))[0] for link in (plain, whole)] == [False, True]
    assert parquet.read_table(io.BytesIO(member.get(typed).getvalue())).num_rows == 1


def test_nothing_is_exported_when_a_filter_or_the_time_range_cannot_be_read(
    three: None, project: Project, viewer: User
) -> None:
    member = Client()
    member.force_login(viewer)
    address = reverse("exports:traces", args=[project.slug])
    sent_back = member.get(address, {"score": "quality>>0.5", "user_id": "u-1"}, follow=True)
    assert "score=quality%3E%3E0.5" in sent_back.redirect_chain[0][0]
    assert "Nothing was exported, because a filter could not be read" in sent_back.content.decode()
    for asked in ({"range": "3x"}, {"from": "yesterday"}, {"from": "2026-11-02", "to": "2026-11-01"}):
        sent_back = member.get(address, asked, follow=True)
        assert "Nothing was exported, because the time range could not be read" in sent_back.content.decode()


def test_a_head_request_reads_nothing(reader: Client, three: None) -> None:
    assert reader.head(ADDRESS).status_code == 405
    assert not AuditEntry.objects.filter(action__startswith="traces.export").exists()


def test_nothing_is_begun_while_the_store_is_away(
    reader: Client, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise QueryUnavailable("away")

    monkeypatch.setattr(walk_queries, "candidates", away)
    assert reader.get(ADDRESS).status_code == 503


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    table = page[page.index("### `GET /api/v1/traces/export`") :]
    assert [column.name for column in COLUMNS if f"`{column.name}`" not in table] == []
