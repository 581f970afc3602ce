"""The roll-up against a plain recount, on real stores: exact to the last decimal, whatever came when."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs import dashboard_queries as reads
from costs import rolled, rollup, rollup_queries
from costs import rollup_store as store
from costs.day_range import DayRange
from costs.locks import Work, only_one
from costs.models import RolledHour, RollUp, UserCost
from costs.periods import compared
from costs.rollup_queries import Dimension, Step
from tests.costs.recount import Recount, Sums, recount
from tracehouse.clickhouse.client import client
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope, Window
from traces import queries as trace_queries
from traces.queries import UsageGroup
from traces.services import write_costs
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]

Store = Callable[[list[Span]], None]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
MINUTE = 60 * 10**9
DAY = timedelta(days=1)
WINDOW = Window(NOON - timedelta(days=5), NOON + timedelta(days=5))
AT_ONCE = timedelta(0)
ROUNDS = 4
CASES = 1_000
MANY = 1_000
SPLIT = tuple(one for one in Dimension if one is not Dimension.USER)

small = st.integers(0, 7)
# One span of a case: kind, place, parent, who carries what, tokens, cost; then when it comes, and what comes again.
drawn_span = st.tuples(*[small] * 16)
drawn_case = st.tuples(st.lists(drawn_span, min_size=1, max_size=5), st.integers(0, 60 * 30))

KINDS = (Kind.LLM, Kind.LLM, Kind.LLM, Kind.TOOL, Kind.TOOL, Kind.EMBEDDING, Kind.AGENT, Kind.AGENT)
COSTS = ("0.000000000001", "0.1", "0.123456789012", "3", "0.333333333333", "0", "17.000000000009", "0.05")


def spans_of(number: int, case: tuple[list[tuple[int, ...]], int], project_id: int) -> list[tuple[int, Span]]:
    """What is written of a case, and in which round."""
    drawn, minute = case
    written = []
    for place, values in enumerate(drawn):
        kind, offset, parent, carries, tokens, cost, *rest = values
        start = NOON_NS + minute * MINUTE + place * 20 * MINUTE * (offset == 7) + offset * MINUTE
        span = Span(
            project_id=project_id,
            trace_id=f"{number + 1:032x}",
            span_id=f"{place + 1:016x}",
            parent_id="" if place == 0 and parent else f"{max(place, 1):016x}",
            start_ns=start,
            end_ns=start + (parent + 1) * 5 * MINUTE,
            kind=KINDS[kind],
            status=Status.ERROR if rest[0] == 0 else Status.OK,
            user_id=f"case-{number}-{carries % 2}" if carries < 3 else None,
            organization_id=f"org-{carries % 3}" if carries in {2, 3, 4} else None,
            feature="draft" if carries in {4, 5} else None,
            model=(None, "opus", "haiku")[rest[1] % 3],
            tool_name=(None, "search", "sql")[rest[2] % 3],
            prompt_name="planner" if rest[1] > 4 else None,
            prompt_version="v2" if rest[1] == 7 else None,
            response_id="answer-1" if rest[3] < 2 else None,
            scope=f"library-{rest[4] % 2}",
            usage=Usage(input_uncached=100 * (tokens % 3), cache_read=tokens % 2, output=tokens % 2 * 10),
            cost=_cost(cost),
        )
        comes = rest[5] % ROUNDS
        written.append((comes, span))
        written += again(span, comes, rest)
    return written


def again(span: Span, comes: int, rest: list[int]) -> list[tuple[int, Span]]:
    """A retry, a part that tells something new, another start, another price; later than the span itself."""
    key = {name: getattr(span, name) for name in ("project_id", "trace_id", "span_id", "start_ns")}
    parts: list[Span] = []
    match rest[6]:
        case 0:
            parts = [span]
        case 1:
            parts = [Span(**key, user_id=f"{span.trace_id[-8:]}-late", kind=span.kind)]
        case 2:
            parts = [Span(**key, usage=Usage(output=77)), Span(**key, status=Status.ERROR)]
        case 3:
            parts = [Span(**{**key, "start_ns": key["start_ns"] - 90 * MINUTE})]
    if rest[7] < 3 and span.cost:
        parts.append(Span(**key, cost=_cost(rest[8])))
    return [(comes + 1 + later, part) for later, part in enumerate(parts)]


def _cost(drawn: int) -> Cost:
    if drawn == 5:
        return Cost(state=CostState.UNPRICED, total=Decimal(0))
    return Cost(state=CostState.COMPUTED, total=Decimal(COSTS[drawn]), source="test")


def drawn_cases() -> list[tuple[list[tuple[int, ...]], int]]:
    cases: list[Any] = []

    @settings(max_examples=CASES, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn_case)
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


def test_a_thousand_cases_come_to_what_a_recount_says(
    project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each case is a trace or what there is of it, drawn on its own; the store gets them all, round by round."""
    monkeypatch.setattr(rollup, "PARTS_A_STEP", 1_500)
    rounds: dict[int, list[Span]] = defaultdict(list)
    for number, case in enumerate(drawn_cases()):
        for comes, span in spans_of(number, case, project.pk):
            rounds[comes].append(span)
    written: list[Span] = []
    for round_, spans in sorted(rounds.items()):
        # Several inserts, so that what was written stretches over time. A re-pricing is a write of its own.
        for first in range(0, len(spans), 500):
            few = spans[first : first + 500]
            store_spans([span for span in few if not is_price(span)])
            write_costs([span for span in few if is_price(span)])
        written += [span for span in spans if not is_price(span)] + [span for span in spans if is_price(span)]
        expected = recount(written)
        if round_ % 2:  # some of it rolled up, some not: sent along with a read, and once sought by it
            for most in {rolled.MAX_SENT, rolled.MAX_SENT * (round_ != 3)}:
                with monkeypatch.context() as patched:
                    patched.setattr(rolled, "MAX_SENT", most)
                    assert_read(project, expected)
        if round_ % 3 != 2:  # down for a while
            rollup.roll_up(project.pk, settle=AT_ONCE if round_ % 2 else rollup.SETTLE)
    rollup.roll_up(project.pk, settle=AT_ONCE)
    assert stored(project) == {key: plain(sums) for key, sums in expected.items()}
    assert_read(project, expected)
    before = list(RolledHour.objects.order_by("hour").values_list("hour", "version"))
    rollup.roll_up(project.pk, settle=AT_ONCE)
    assert list(RolledHour.objects.order_by("hour").values_list("hour", "version")) == before
    rollup.roll_up(project.pk)


def is_price(span: Span) -> bool:
    return span.kind is None and span.cost is not None


def assert_read(project: Project, expected: dict[Any, Recount]) -> None:
    """Every read at this moment, with whatever is rolled up of it so far."""
    scope = Scope(project.pk, WINDOW)
    users: dict[tuple[str, str], Sums] = defaultdict(Sums)
    hours: dict[datetime, Sums] = defaultdict(Sums)
    for (hour, user, organization), sums in expected.items():
        users[user, organization].plus(sums.all)
        hours[hour].plus(sums.all)
    found = rollup_queries.users_in_order(scope)
    assert {
        (one.user_id, one.organization_id): (one.invocations, one.failed, one.cost_usd) for one in found
    } == {key: (sums.invocations, sums.failed, sums.cost_usd) for key, sums in users.items()}
    assert {one.start: sums_of(one) for one in rollup_queries.by_step(scope, Step.HOUR)} == hours
    for dimension in SPLIT:
        by_key = {one.key: sums_of(one) for one in rollup_queries.by_key(scope, dimension)}
        assert by_key == split_by(expected, dimension)
    assert_page(scope, expected)


def assert_page(scope: Scope, expected: dict[Any, Recount]) -> None:
    """What an overview shows of the second day and of the first, by the reads of one page."""
    days = compared(DayRange(NOON.date() + DAY, NOON.date() + DAY, "", ""), WINDOW.end, UTC)
    users, everything, *breakdowns = rolled.read_together(
        scope,
        reads.users(days, days, days.now, days.before),
        reads.everything([days.now, days.before]),
        *(reads.breakdown(days, dimension, limit=MANY) for dimension in SPLIT),
    )
    of_users = reads.users_of(users)
    for window, tenth in ((days.now, of_users.tenths[0]), (days.before, of_users.tenths[3])):
        within = {key: sums for key, sums in expected.items() if window.start <= key[0] < window.end}
        whole = reads.total(reads.timeline_of(everything), window)
        assert page_sums(whole) == page_sums(added(sums.all for sums in within.values()))
        for dimension, parts in zip(SPLIT, breakdowns, strict=True):
            found = {
                one.key: page_sums(reads.total(one.timeline, window))
                for one in reads.breakdown_of(parts, MANY).parts
            }
            wanted = {key: page_sums(sums) for key, sums in split_by(within, dimension).items()}
            assert {key: sums for key, sums in found.items() if sums[0]} == wanted
        dearest = spenders(within)
        assert (tenth.users, tenth.cost_usd) == (len(dearest), sum(cost for _, cost in dearest))
        assert tenth.top_cost_usd == sum(cost for _, cost in dearest[: tenth.top_users])
        if window is days.now:
            assert [(one.user_id, one.cost_usd) for one in of_users.top] == dearest[: reads.TOP]


def added(parts: Iterable[Sums]) -> Sums:
    found = Sums()
    for sums in parts:
        found.plus(sums)
    return found


def spenders(expected: dict[Any, Recount]) -> list[tuple[str, Decimal]]:
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for (_, user, _), sums in expected.items():
        owed[user] += sums.all.cost_usd
    return sorted(((user, cost) for user, cost in owed.items() if user), key=lambda one: (-one[1], one[0]))


def split_by(expected: dict[Any, Recount], dimension: Dimension) -> dict[str, Sums]:
    found: dict[str, Sums] = defaultdict(Sums)
    for (_, _, organization), sums in expected.items():
        if dimension is Dimension.ORGANIZATION:
            found[organization].plus(sums.all)
            continue
        for key, split in getattr(sums, f"by_{dimension.value}").items():
            found[key].plus(split)
    return found


def page_sums(sums: Sums | reads.Sums) -> tuple[object, ...]:
    return (
        sums.invocations,
        sums.failed,
        sums.unpriced_calls,
        sums.input_tokens,
        sums.output_tokens,
        sums.cost_usd,
    )


def sums_of(total: rollup_queries.Total) -> Sums:
    return Sums(**{name: getattr(total, name) for name in vars(Sums())})


def stored(project: Project) -> dict[Any, Any]:
    """`user_costs` as it stands."""
    return {
        (
            datetime(row.date.year, row.date.month, row.date.day, row.hour, tzinfo=UTC),
            row.user_id,
            row.organization_id,
        ): (
            (row.invocation_count, row.failed_count, row.llm_calls, row.tool_calls, row.unpriced_calls),
            (row.total_input_tokens, row.total_output_tokens, row.total_cost_usd),
            *(row.by_feature, row.by_model, row.by_tool, row.by_prompt),
        )
        for row in UserCost.objects.filter(project=project)
    }


def plain(of: Recount) -> tuple[object, ...]:
    sums = of.all
    return (
        (sums.invocations, sums.failed, sums.llm_calls, sums.tool_calls, sums.unpriced_calls),
        (sums.input_tokens, sums.output_tokens, sums.cost_usd),
        *(
            {key: {**vars(split), "cost_usd": f"{split.cost_usd:.12f}"} for key, split in keyed.items()}
            for keyed in (of.by_feature, of.by_model, of.by_tool, of.by_prompt)
        ),
    )


def span(project: Project, number: int, *, hours: float = 0, **fields: Any) -> Span:
    start = NOON_NS + int(hours * 60) * MINUTE
    defaults: dict[str, Any] = {
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "parent_id": "",
        "start_ns": start,
        "end_ns": start + MINUTE,
        "kind": Kind.LLM,
        "status": Status.OK,
        "user_id": "ada",
        "model": "opus",
        "usage": Usage(input_uncached=10, output=1),
        "cost": Cost(state=CostState.COMPUTED, total=Decimal("0.5"), source="test"),
    }
    return Span(project_id=project.pk, **{**defaults, **fields})


def total(project: Project, **changed: Any) -> tuple[int, Decimal]:
    found = rollup_queries.overall(Scope(project.pk, **{"window": WINDOW, **changed}))
    return found.invocations, found.cost_usd


def test_a_run_that_dies_half_way_changes_nothing(
    project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_spans([span(project, number, hours=number % 3) for number in range(1, 31)])

    def die(*args: object, **options: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(store, "replace_user_costs", die)
        with pytest.raises(RuntimeError, match="killed"):
            rollup.roll_up(project.pk, settle=AT_ONCE)
    assert not RollUp.objects.exists()
    assert total(project) == (30, Decimal(15))
    rollup.roll_up(project.pk, settle=AT_ONCE)
    assert sum(row.total_cost_usd for row in UserCost.objects.all()) == Decimal(15)
    assert total(project) == (30, Decimal(15))


def test_one_at_a_time_rolls_a_project_up(project: Project, store_spans: Store) -> None:
    store_spans([span(project, 1)])
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with only_one(Work.ROLL_UP, project.pk):
            held.set()
            done.wait(60)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(60)
    try:
        assert rollup.roll_up(project.pk)
        assert not RollUp.objects.exists()
        with pytest.raises(rollup.Busy):
            rollup.roll_again(project.pk, [NOON])
    finally:
        done.set()
        other.join()
    rollup.roll_up(project.pk)
    assert UserCost.objects.get().total_cost_usd == Decimal("0.5")


def test_a_window_may_begin_and_end_within_an_hour(project: Project, store_spans: Store) -> None:
    store_spans([span(project, number, hours=number / 4) for number in range(1, 9)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    store_spans([span(project, 20, hours=1)])
    window = Window(NOON + timedelta(minutes=30), NOON + timedelta(minutes=75))
    assert total(project, window=window) == (4, Decimal(2))


def test_what_comes_while_a_page_is_read_is_in_none_of_its_numbers(
    project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two traces of an hour that is rolled up has changed, and changes again before the page's reads run."""
    store_spans([span(project, number) for number in (1, 2)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    store_spans([span(project, 1, user_id="grace"), span(project, 3, user_id="grace")])
    run_together = rolled.run_together

    def late(*asked: Any, **options: Any) -> Any:
        store_spans([span(project, 1, user_id="eve"), span(project, 4)])
        return run_together(*asked, **options)

    monkeypatch.setattr(rolled, "run_together", late)
    today = compared(DayRange(NOON.date(), NOON.date(), "", ""), WINDOW.end, UTC)
    users, parts = rolled.read_together(
        Scope(project.pk, WINDOW),
        reads.users(today, today, today.now, today.now),
        reads.breakdown(today, Dimension.ORGANIZATION, limit=MANY),
    )
    assert [(one.user_id, one.cost_usd) for one in reads.users_of(users).top] == [
        ("grace", Decimal(1)),
        ("ada", Decimal("0.5")),
    ]
    (part,) = reads.breakdown_of(parts, MANY).parts
    assert reads.total(part.timeline, today.now).invocations == 3


def test_sums_of_hours_are_told_apart_at_any_moment(project: Project, store_spans: Store) -> None:
    """Hours that lie wholly in the window come from their sums, those at its ends from their traces."""
    store_spans([span(project, number, hours=number / 4) for number in range(1, 17)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    window = Window(NOON + timedelta(minutes=30), NOON + timedelta(minutes=195))
    for dimension in (Dimension.MODEL, Dimension.FEATURE, Dimension.ORGANIZATION, Dimension.PROMPT):
        (found,) = rollup_queries.by_key(Scope(project.pk, window), dimension)
        assert (found.invocations, found.llm_calls, found.cost_usd) == (11, 11, Decimal("5.5"))


def test_hours_that_were_rolled_up_before_there_were_sums_count_too(
    project: Project, store_spans: Store
) -> None:
    store_spans([span(project, number, hours=number) for number in range(1, 5)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    client().command("TRUNCATE TABLE cost_sums", settings={"mutations_sync": 2})
    RolledHour.objects.update(has_sums=False)
    (found,) = rollup_queries.by_key(Scope(project.pk, WINDOW), Dimension.MODEL)
    assert (found.invocations, found.cost_usd) == (4, Decimal(2))
    rollup.roll_again(project.pk, [NOON + timedelta(hours=2)])
    (found,) = rollup_queries.by_key(Scope(project.pk, WINDOW), Dimension.MODEL)
    assert (found.invocations, found.cost_usd) == (4, Decimal(2))


def test_days_weeks_and_months_begin_in_the_time_zone(project: Project, store_spans: Store) -> None:
    """India is half an hour off the hours of the roll-up: 18:29 UTC is still today there, 18:30 is not."""
    store_spans([span(project, 1, hours=6), span(project, 2, hours=6.484), span(project, 3, hours=6.5)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    scope = Scope(project.pk, WINDOW, "Asia/Kolkata")
    steps = [(one.start, one.invocations) for one in rollup_queries.by_step(scope, Step.DAY)]
    midnight = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    assert steps == [(midnight - timedelta(days=1), 2), (midnight, 1)]
    assert [one.start for one in rollup_queries.by_step(scope, Step.MONTH)] == [
        datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    ]
    (first, *_) = rollup_queries.user_totals(scope, midnight.date(), midnight.date())
    assert (first.user_id, first.invocations) == ("ada", 2)


def test_ids_that_postgresql_cannot_keep_do_not_stop_it(project: Project, store_spans: Store) -> None:
    long = "x" * 5_000
    store_spans([span(project, 1, user_id="a\0b", model="m\0"), span(project, 2, user_id=long)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    users = {row.user_id for row in UserCost.objects.all()}
    assert "a�b" in users
    assert all(len(user) <= 500 for user in users)
    found = rollup_queries.by_key(Scope(project.pk, WINDOW), Dimension.USER)
    assert {one.key for one in found} == {"a\0b", long}


def test_what_is_gone_from_the_store_stays_until_its_hour_is_summed_again(
    project: Project, store_spans: Store
) -> None:
    store_spans([span(project, number) for number in (1, 2)])
    rollup.roll_up(project.pk, settle=AT_ONCE)
    client().command("DELETE FROM spans WHERE toString(trace_id) LIKE '%1'")
    rollup.roll_up(project.pk, settle=AT_ONCE)
    assert total(project) == (2, Decimal(1))
    rollup.roll_again(project.pk, [NOON])
    assert total(project) == (1, Decimal("0.5"))
    assert UserCost.objects.get().invocation_count == 1


def test_rows_that_no_longer_count_are_deleted(project: Project, store_spans: Store) -> None:
    for number in (1, 2, 3):
        store_spans([span(project, number)])
        rollup.roll_up(project.pk, settle=AT_ONCE)
    assert rollup.delete_superseded(project.pk) == 0  # a read may still be at them
    client().command(
        "ALTER TABLE trace_costs UPDATE written_at = written_at - 7200 WHERE 1",
        settings={"mutations_sync": 2},
    )
    assert rollup.delete_superseded(project.pk) == 2
    assert client().command("SELECT count() FROM trace_costs") == 3
    assert client().command("SELECT sum(invocations) FROM cost_sums WHERE dimension = 'model'") == 3
    assert total(project) == (3, Decimal("1.5"))


def test_the_dearest_tenth_and_how_cost_is_spread(project: Project, store_spans: Store) -> None:
    dollars = ["0", "0.00009", "0.0001", "0.7", "0.9", "1", "1", "1.5", "1.9999", "2", "40"]
    store_spans(
        [
            span(
                project,
                number + 1,
                user_id=f"u{number}",
                cost=Cost(state=CostState.COMPUTED, total=Decimal(cost)),
            )
            for number, cost in enumerate(dollars)
        ]
        + [span(project, 99, user_id=None)]
    )
    rollup.roll_up(project.pk, settle=AT_ONCE)
    found = rollup_queries.spread(Scope(project.pk, WINDOW))
    assert (found.users, found.top_users, found.top_cost_usd) == (11, 2, Decimal(42))
    assert found.cost_usd == sum(map(Decimal, dollars))
    assert [(one.low, one.users) for one in found.histogram if one.users] == [
        (None, 2),
        (Decimal("0.0001"), 1),
        (Decimal("0.5"), 2),
        (Decimal(1), 4),
        (Decimal(2), 1),
        (Decimal(20), 1),
    ]


def test_sums_are_those_of_usage(project: Project, store_spans: Store) -> None:
    store_spans(
        [
            span(project, number, hours=number / 7, user_id=f"u{number % 4}", feature="draft")
            for number in range(1, 40)
        ]
    )
    rollup.roll_up(project.pk, settle=AT_ONCE)
    store_spans([span(project, 50, kind=Kind.TOOL, tool_name="search", organization_id="acme")])
    scope = Scope(project.pk, WINDOW)
    for group, dimension in (
        (UsageGroup.USER, Dimension.USER),
        (UsageGroup.ORGANIZATION, Dimension.ORGANIZATION),
        (UsageGroup.FEATURE, Dimension.FEATURE),
        (UsageGroup.MODEL, Dimension.MODEL),
        (UsageGroup.TOOL, Dimension.TOOL),
    ):
        assert [
            (
                row.key,
                row.invocations,
                row.llm_calls,
                row.tool_calls,
                row.input_tokens,
                row.cost_usd,
                row.errors,
            )
            for row in trace_queries.usage(scope, group)
        ] == [
            (
                row.key,
                row.invocations,
                row.llm_calls,
                row.tool_calls,
                row.input_tokens,
                row.cost_usd,
                row.failed,
            )
            for row in rollup_queries.by_key(scope, dimension)
        ]


def test_another_projects_sums_stay_apart(project: Project, stranger: object, store_spans: Store) -> None:
    elsewhere = Project.objects.exclude(pk=project.pk).get()
    store_spans([span(project, 1), span(elsewhere, 1), span(elsewhere, 2)])
    rollup.roll_up(elsewhere.pk, settle=AT_ONCE)
    assert total(project) == (1, Decimal("0.5"))
    rollup.roll_up(project.pk, settle=AT_ONCE)
    assert (total(project), total(elsewhere)) == ((1, Decimal("0.5")), (2, Decimal(1)))
