"""Pricing stored calls again, on the real engine: exact, once, whoever does it at the same time."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from costs import loading, queries, services
from costs.models import ModelPrice, RepricingRun, RunState, ToolPrice
from costs.queries import Calls
from costs.services import Progress, Repricing
from costs.tasks import reprice, resume_repricings
from tracehouse.clickhouse.client import client
from tracehouse.clickhouse.insert import InsertUnavailable
from tracehouse.tenancy.models import AuditEntry, Project
from tracehouse.tenancy.scope import Scope, Window
from traces import queries as trace_queries
from traces.filters import Order, TraceFilters
from traces.queries import UsageGroup
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse, pytest.mark.usefixtures("tasks_run_at_once")]

Store = Callable[[list[Span]], None]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
HOUR = 3_600 * 10**9
WINDOW = Window(NOON - timedelta(days=3), NOON + timedelta(days=3))
ACME = Calls(is_tool=False, name="acme-large")
UNPRICED = Cost(state=CostState.UNPRICED)


def call(project: Project, number: int, *, hours: float = 0, **fields: Any) -> Span:
    start = NOON_NS + int(hours * HOUR)
    defaults: dict[str, Any] = {
        "project_id": project.pk,
        "trace_id": f"{number // 10:032x}",
        "span_id": f"{number + 1:016x}",
        "parent_id": "",
        "start_ns": start,
        "end_ns": start + 2 * 10**9,
        "name": "chat",
        "kind": Kind.LLM,
        "status": Status.OK,
        "model": "acme-large",
        "provider": "acme",
        "usage": Usage(input_uncached=1_000, output=100),
        "input": "a prompt",
        "cost": UNPRICED,
    }
    return Span(**{**defaults, **fields})


def priced(dollars: str, source: str = "genai-prices") -> Cost:
    return Cost(state=CostState.COMPUTED, total=Decimal(dollars), source=source)


def acme_price(project: Project, dollars: str = "10", **fields: Any) -> ModelPrice:
    """A call of a thousand tokens in and a hundred out then costs 0.01 at the price of 10."""
    return ModelPrice.objects.create(
        project=project, model="acme-large", input=Decimal(dollars), output=Decimal(0), **fields
    )


def run(project: Project, calls: Calls = ACME, *, window: Window = WINDOW, dry: bool = False) -> RepricingRun:
    """A run from its start to its end, as the worker does it."""
    made = services.start_repricing(
        project=project, asked=Repricing(calls, window), dry=dry, actor="owner@example.com"
    )
    reprice.delay(made.pk)
    made.refresh_from_db()
    return made


def cost_of_all(project: Project) -> Decimal:
    return sum((row.cost_usd for row in usage(project, UsageGroup.DAY)), Decimal(0))


def usage(project: Project, group: UsageGroup) -> list[trace_queries.UsageRow]:
    return trace_queries.usage(Scope(project.pk, WINDOW), group)


def test_the_ledger_counts_unpriced_calls_by_model_and_provider(project: Project, store_spans: Store) -> None:
    store_spans(
        [
            call(project, 1),
            call(project, 1),  # a retry of the same span
            call(project, 2, hours=2),
            call(project, 3, provider="other"),
            call(project, 4, model="claude-sonnet-4-5", cost=priced("1")),
            call(project, 5, model=None, request_model="acme-small"),
            call(project, 6, hours=24 * 9),
        ]
    )
    found = queries.unpriced_models(Scope(project.pk, WINDOW))
    assert [(row.provider, row.model, row.calls) for row in found] == [
        ("acme", "acme-large", 2),
        ("other", "acme-large", 1),
        ("acme", "acme-small", 1),
    ]
    first = found[0]
    assert (first.input_tokens, first.output_tokens) == (2_000, 200)
    assert (first.first_seen, first.last_seen) == (NOON, NOON + timedelta(hours=2))


def told_twice(project: Project, number: int) -> list[Span]:
    """A call as a framework tells it, and within it as the instrumentation of its provider does."""
    outer = call(project, number, scope="framework")
    inner = call(
        project,
        number + 1,
        parent_id=outer.span_id,
        start_ns=outer.start_ns + 1,
        end_ns=outer.end_ns - 1,
        scope="provider",
    )
    return [outer, inner]


def test_the_ledger_counts_a_call_that_two_spans_tell_once(project: Project, store_spans: Store) -> None:
    store_spans([*told_twice(project, 10), call(project, 20)])
    (found,) = queries.unpriced_models(Scope(project.pk, WINDOW))
    assert (found.calls, found.input_tokens) == (2, 2_000)


def test_a_call_that_two_spans_tell_is_counted_once_and_both_get_its_price(
    project: Project, store_spans: Store
) -> None:
    store_spans([*told_twice(project, 10), call(project, 20)])
    acme_price(project)
    done = run(project)
    assert (done.calls_looked_at, done.calls_changed) == (2, 2)
    assert (done.calls_unpriced_before, done.calls_unpriced_after) == (2, 0)
    assert done.cost_after == cost_of_all(project) == Decimal("0.02")
    spans = trace_queries.get_trace(Scope(project.pk, WINDOW), f"{1:032x}")
    assert spans is not None
    assert [span.cost_usd for span in spans.spans] == [Decimal("0.01"), Decimal("0.01")]
    assert queries.unpriced_models(Scope(project.pk, WINDOW)) == []


def test_another_projects_calls_are_neither_listed_nor_priced(
    project: Project, stranger: object, store_spans: Store
) -> None:
    elsewhere = Project.objects.exclude(pk=project.pk).get()
    store_spans([call(elsewhere, 1)])
    acme_price(project)
    assert queries.unpriced_models(Scope(project.pk, WINDOW)) == []
    assert run(project).calls_looked_at == 0
    assert cost_of_all(elsewhere) == 0


def test_a_price_set_later_prices_the_calls_of_its_time(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number, hours=number - 2) for number in range(5)])
    acme_price(project, valid_from=NOON)
    done = run(project)
    assert (done.state, done.calls_looked_at, done.calls_changed) == (RunState.DONE, 5, 3)
    assert (done.calls_unpriced_before, done.calls_unpriced_after) == (5, 2)
    assert (done.cost_before, done.cost_after) == (0, Decimal("0.03"))
    assert cost_of_all(project) == Decimal("0.03")


def test_only_the_cost_of_a_span_is_written(project: Project, store_spans: Store) -> None:
    store_spans([call(project, 1)])
    before = trace_queries.get_trace(Scope(project.pk), f"{0:032x}")
    price = acme_price(project)
    run(project)
    after = trace_queries.get_trace(Scope(project.pk), f"{0:032x}")
    assert before is not None
    assert after is not None
    (was,), (now,) = before.spans, after.spans
    changed = {name for name in was.__slots__ if getattr(was, name) != getattr(now, name)}
    assert changed == {"cost_usd", "cost_state", "cost_source"}
    assert now.cost_source == f"project price #{price.pk} acme-large"
    written = client().query(
        "SELECT kind, input, output_tokens, cost_usd FROM spans WHERE project_id = %(id)s AND name IS NULL",
        parameters={"id": project.pk},
    )
    assert written.result_rows in (
        [],
        [(None, None, None, Decimal("0.01"))],
    )  # merged by now, or the part alone


def test_a_dry_run_says_the_same_and_writes_nothing(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number) for number in range(3)])
    acme_price(project)
    dry = run(project, dry=True)
    assert cost_of_all(project) == 0
    real = run(project)
    for name in ("calls_looked_at", "calls_changed", "calls_unpriced_after", "cost_before", "cost_after"):
        assert getattr(dry, name) == getattr(real, name)
    assert real.cost_after == Decimal("0.03")


def test_a_second_run_changes_nothing(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number) for number in range(3)])
    acme_price(project)
    run(project)
    again = run(project)
    assert (again.calls_looked_at, again.calls_changed) == (3, 0)
    assert again.cost_before == again.cost_after == cost_of_all(project) == Decimal("0.03")


def test_late_spans_and_retries_are_priced_by_the_next_run(project: Project, store_spans: Store) -> None:
    store_spans([call(project, 1), call(project, 2)])
    acme_price(project)
    run(project)
    store_spans([call(project, 3), call(project, 1)])  # both were priced before the price was known
    assert cost_of_all(project) == Decimal("0.01")
    late = run(project)
    assert (late.calls_looked_at, late.calls_changed) == (3, 2)
    assert cost_of_all(project) == Decimal("0.03")


def test_what_the_client_reported_and_what_a_cache_answered_stays(
    project: Project, store_spans: Store
) -> None:
    reported = Cost(state=CostState.REPORTED, total=Decimal("0.7"), source="client")
    store_spans(
        [
            call(project, 1, reported_cost=Decimal("0.7"), cost=reported),
            call(project, 2, cost=priced("0", "cached answer")),
            call(project, 3),
        ]
    )
    acme_price(project)
    done = run(project)
    assert (done.calls_looked_at, done.calls_changed) == (1, 1)
    assert cost_of_all(project) == Decimal("0.71")


def test_a_changed_price_changes_stored_calls_only_when_asked(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number) for number in range(2)])
    price = acme_price(project)
    run(project)
    price.input = Decimal(20)
    services.save_price(price, actor="owner@example.com")
    assert cost_of_all(project) == Decimal("0.02")
    done = run(project)
    assert (done.cost_before, done.cost_after) == (Decimal("0.02"), Decimal("0.04"))
    assert cost_of_all(project) == Decimal("0.04")


def test_a_price_taken_back_leaves_the_calls_unpriced_again(project: Project, store_spans: Store) -> None:
    store_spans([call(project, 1)])
    price = acme_price(project)
    run(project)
    services.delete_price(price, actor="owner@example.com")
    done = run(project)
    assert (done.calls_changed, done.calls_unpriced_after) == (1, 1)
    (trace,) = trace_queries.list_traces(Scope(project.pk, WINDOW), TraceFilters()).traces
    assert trace.cost_usd is None
    assert trace.unpriced_calls == 1
    detail = trace_queries.get_trace(Scope(project.pk), trace.trace_id)
    assert detail is not None
    assert [(span.cost_usd, span.cost_state, span.cost_source) for span in detail.spans] == [
        (None, "unpriced", "")
    ]
    assert run(project).calls_changed == 0


def test_a_call_whose_parts_came_apart_is_priced_once_they_are_together(
    project: Project, store_spans: Store
) -> None:
    whole = call(project, 1)
    key = {"project_id": project.pk, "trace_id": whole.trace_id, "span_id": whole.span_id}
    store_spans([call(project, 1, usage=Usage(), cost=None)])
    store_spans([Span(**key, start_ns=whole.start_ns, usage=Usage(input_uncached=2_000))])
    acme_price(project)
    done = run(project)
    assert (done.calls_changed, done.cost_after) == (1, Decimal("0.02"))


def test_days_pages_and_prefixes_do_not_change_the_sum(
    project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 7)
    store_spans([call(project, number, hours=(number % 24) * 5 - 60) for number in range(100)])
    store_spans([call(project, 200, model="acme-tiny"), call(project, 201, model="other")])
    ModelPrice.objects.create(
        project=project, model="acme-", match="prefix", input=Decimal(10), output=Decimal(0)
    )
    done = run(project, Calls(is_tool=False, name="ACME-", is_prefix=True))
    assert (done.calls_looked_at, done.calls_changed, done.cost_after) == (101, 101, Decimal("1.01"))
    assert cost_of_all(project) == Decimal("1.01")


def test_only_the_window_is_priced(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number, hours=number) for number in range(4)])
    acme_price(project)
    done = run(project, window=Window(NOON + timedelta(hours=1), NOON + timedelta(hours=3)))
    assert done.calls_changed == 2
    assert cost_of_all(project) == Decimal("0.02")


def test_tools_are_priced_again_too(project: Project, store_spans: Store) -> None:
    tool: dict[str, Any] = {
        "kind": Kind.TOOL, "tool_name": "search", "model": None, "usage": Usage(), "cost": None,
    }  # fmt: skip
    store_spans([call(project, 1, **tool), call(project, 2, **{**tool, "tool_name": "other"})])
    price = ToolPrice.objects.create(
        project=project, tool="search", per_call=Decimal("0.5"), per_second=Decimal("0.1")
    )
    done = run(project, Calls(is_tool=True, name="search"))
    assert (done.calls_changed, done.cost_after) == (1, Decimal("0.7"))
    assert [(row.key, row.cost_usd) for row in usage(project, UsageGroup.TOOL)] == [
        ("search", Decimal("0.7")),
        ("other", 0),
    ]
    services.delete_price(price, actor="owner@example.com")
    taken_back = run(project, Calls(is_tool=True, name="search"))
    assert (taken_back.calls_changed, taken_back.cost_after, cost_of_all(project)) == (1, 0, 0)


def test_a_traces_cost_is_its_models_and_its_priced_tools_without_agents(
    project: Project, store_spans: Store
) -> None:
    store_spans(
        [
            call(project, 1, kind=Kind.AGENT, cost=priced("9")),
            call(project, 2, cost=priced("1")),
            call(project, 3, kind=Kind.TOOL, tool_name="search", cost=priced("0.25")),
        ]
    )
    (trace,) = trace_queries.list_traces(Scope(project.pk, WINDOW), TraceFilters()).traces
    assert trace.cost_usd == Decimal("1.25")
    assert cost_of_all(project) == Decimal("1.25")
    dear = TraceFilters(min_cost_usd=Decimal("1.25"))
    assert trace_queries.list_traces(Scope(project.pk, WINDOW), dear).traces
    (model,) = usage(project, UsageGroup.MODEL)
    assert (model.key, model.cost_usd) == ("acme-large", Decimal(1))


def test_a_run_that_dies_between_counting_and_writing_goes_on_and_counts_once(
    project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_spans([call(project, number) for number in range(3)])
    acme_price(project)
    made = services.start_repricing(project=project, asked=Repricing(ACME, WINDOW), dry=False, actor="owner")
    write = services.write_costs
    monkeypatch.setattr(services, "write_costs", _refuse)
    with pytest.raises(InsertUnavailable):
        services.advance(made.pk, seconds=60)
    assert cost_of_all(project) == 0
    store_spans([call(project, 9)])  # came in meanwhile, behind the page that was counted
    monkeypatch.setattr(services, "write_costs", write)
    assert services.advance(made.pk, seconds=60) is Progress.FINISHED
    made.refresh_from_db()
    assert (made.calls_looked_at, made.calls_changed, made.cost_after) == (4, 4, Decimal("0.04"))
    assert cost_of_all(project) == Decimal("0.04")


def _refuse(spans: object) -> None:
    raise InsertUnavailable("ClickHouse code 0")


def test_a_run_works_in_turns_and_ends_where_it_should(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number, hours=number * 12) for number in range(5)])
    acme_price(project)
    made = services.start_repricing(project=project, asked=Repricing(ACME, WINDOW), dry=False, actor="owner")
    turns = 1
    while services.advance(made.pk, seconds=0) is Progress.MORE:
        turns += 1
    assert turns == 4  # three days with spans, and what is left behind them
    assert services.advance(made.pk, seconds=0) is Progress.FINISHED
    made.refresh_from_db()
    assert (made.state, made.calls_changed, cost_of_all(project)) == (RunState.DONE, 5, Decimal("0.05"))


def test_lists_of_traces_stand_many_calls_that_were_priced_again(
    project: Project, store_spans: Store
) -> None:
    store_spans([call(project, number * 10, hours=number / 1_000) for number in range(2_100)])
    acme_price(project)
    assert run(project).calls_changed == 2_100
    passed = TraceFilters(status="ok", min_cost_usd=Decimal("0.01"))
    page = trace_queries.list_traces(Scope(project.pk, WINDOW), passed, order=Order.DEAREST)
    assert len(page.traces) == 50
    assert {trace.cost_usd for trace in page.traces} == {Decimal("0.01")}
    newest = trace_queries.list_traces(Scope(project.pk, WINDOW), TraceFilters(status="ok"))
    assert newest.traces[0].start_time == NOON + timedelta(hours=2_099 / 1_000)


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_change_each_call_once(project: Project, store_spans: Store) -> None:
    store_spans([call(project, number, hours=number % 50) for number in range(300)])
    acme_price(project)
    made = [
        services.start_repricing(project=project, asked=Repricing(ACME, WINDOW), dry=False, actor="owner")
        for _ in range(2)
    ]
    met: list[Progress] = []

    def work(run_id: int) -> None:
        try:
            while (progress := services.advance(run_id, seconds=0)) is not Progress.FINISHED:
                met.append(progress)
                time.sleep(0.01)
        finally:
            connection.close()

    # Each run is worked on by two at once as well: a task may be delivered twice.
    threads = [threading.Thread(target=work, args=(run.pk,)) for run in made * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for run_ in made:
        run_.refresh_from_db()
    assert Progress.BUSY in met
    assert [run_.state for run_ in made] == [RunState.DONE, RunState.DONE]
    assert sum(run_.calls_changed for run_ in made) == 300
    assert sum((run_.cost_change for run_ in made), Decimal(0)) == Decimal(3)
    assert cost_of_all(project) == Decimal(3)


def test_a_run_is_in_the_audit_log_with_what_it_changed(project: Project, store_spans: Store) -> None:
    store_spans([call(project, 1)])
    acme_price(project)
    run(project, dry=True)
    assert not AuditEntry.objects.filter(action__startswith="repricing.").exists()
    done = run(project)
    entries = AuditEntry.objects.filter(action__startswith="repricing.", project=project).order_by("pk")
    assert [entry.action for entry in entries] == ["repricing.started", "repricing.done"]
    details = entries[1].details
    assert details["run"] == done.pk
    assert (details["calls_changed"], details["cost_before"], details["cost_after"]) == (1, "0", "0.01")


def test_a_run_that_meets_an_error_of_ours_says_so_without_its_text(
    project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_spans([call(project, 1)])
    made = services.start_repricing(project=project, asked=Repricing(ACME, WINDOW), dry=False, actor="owner")

    def broken(project_id: int) -> None:
        raise ValueError("jane@example.com")

    monkeypatch.setattr(loading, "load", broken)
    with pytest.raises(ValueError, match="jane"):
        reprice.delay(made.pk)
    made.refresh_from_db()
    assert made.state == RunState.FAILED
    assert "ValueError" in made.problem
    assert "jane" not in made.problem


def test_runs_that_lost_their_worker_are_taken_up_again(project: Project, store_spans: Store) -> None:
    store_spans([call(project, 1)])
    acme_price(project)
    lost = services.start_repricing(project=project, asked=Repricing(ACME, WINDOW), dry=False, actor="owner")
    resume_repricings.delay()
    lost.refresh_from_db()
    assert lost.state == RunState.QUEUED  # its task may still come
    RepricingRun.objects.update(alive_at=NOON - timedelta(days=1))
    resume_repricings.delay()
    lost.refresh_from_db()
    assert (lost.state, lost.calls_changed) == (RunState.DONE, 1)
