"""The list of traces equals a plain recount: whatever the parts, their order, repeats and midnights between them."""

import itertools
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracehouse.clickhouse.client import client
from tracehouse.clickhouse.query import QueryTooLarge
from tracehouse.tenancy.scope import Scope, Window
from traces import deadline, group_queries, index_queries, queries, walk_queries
from traces.attribute import Attribute
from traces.filters import Order, TraceFilters, looked_up
from traces.group_queries import Grouping
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = pytest.mark.clickhouse

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
MIDNIGHT_NS = int(MIDNIGHT.timestamp()) * 10**9
SECOND = 10**9
Store = Callable[[list[Span]], None]
FRESH = itertools.count(50_000)

seconds = st.integers(-4, 4)
spans = st.fixed_dictionaries(
    {
        "trace": st.integers(1, 5),
        "number": st.integers(1, 3),
        "at": seconds,
        "lasts": st.sampled_from([0, 1, 2, 3, 4, 5, None]),
        "user": st.sampled_from([None, None, "ann", "bo"]),
        "status": st.sampled_from([Status.OK, Status.ERROR, Status.UNSET]),
        "model": st.sampled_from([None, "m1", "m2"]),
        "cost": st.sampled_from([None, "0.5", "1"]),
        "tags": st.sampled_from([None, None, ("vip",), ("vip", "beta"), ()]),
        "prompt": st.sampled_from([(None, None), ("plan", None), (None, "2"), ("plan", "2"), ("plan", "3")]),
        "tier": st.sampled_from([None, "gold", ["gold", "blue"], 7, True]),
        "said": st.sampled_from([None, "Refund the order", "order\nrefunded", "déjà vu"]),
        "error": st.sampled_from([None, None, "order refused"]),
        "batch": st.integers(0, 2),
    }
)
filters = st.builds(
    TraceFilters,
    user_id=st.sampled_from(["", "", "ann"]),
    status=st.sampled_from(["", "", "ok", "error"]),
    model=st.sampled_from(["", "", "m1"]),
    name=st.sampled_from(["", "", "", "span 1"]),
    min_latency_ms=st.sampled_from([None, None, 3000]),
    min_cost_usd=st.sampled_from([None, None, Decimal("1")]),
    has_error=st.sampled_from([None, None, True, False]),
    without=st.sampled_from([(), (), (), ("user_id",), ("model",), ("prompt_name", "user_id")]),
    tags=st.sampled_from([(), (), ("vip",), ("vip", "beta")]),
    prompt_name=st.sampled_from(["", "", "plan"]),
    prompt_version=st.sampled_from(["", "", "2"]),
    attribute=st.sampled_from(
        [
            (),
            (),
            (Attribute("tier"),),
            (Attribute("tier", "gold"),),
            (Attribute("tier", "7"),),
            (Attribute("tier", "blue"),),
        ]
    ),
    q=st.sampled_from(["", "", "order", "ORDER refund", '"the order"', "*fund*", "DÉJÀ", "refused refund"]),
)
windows = st.sampled_from([(-10, 10), (0, 10), (-10, 0), (-2, 2)])


def as_span(project: int, given: dict[str, Any]) -> Span:
    """Number 1 is a root; a span keeps its start in every part, which decides where it is stored."""
    start = MIDNIGHT_NS + given["at"] * SECOND
    root = given["number"] == 1
    priced = Cost(state=CostState.COMPUTED, total=Decimal(given["cost"])) if given["cost"] else None
    return Span(
        project_id=project,
        trace_id=f"{given['trace']:032x}",
        span_id=f"{given['number']:016x}",
        parent_id="" if root else f"{1:016x}",
        start_ns=start,
        end_ns=None if given["lasts"] is None else start + given["lasts"] * SECOND,
        name=f"span {given['number']}",
        kind=Kind.LLM,
        status=given["status"],
        user_id=given["user"],
        model=given["model"],
        cost=priced,
        usage=Usage(input_uncached=given["lasts"] or 0, output=1),
        **told(given),
    )


def told(given: dict[str, Any]) -> dict[str, Any]:
    name, version = given.get("prompt", (None, None))
    return {
        "tags": given.get("tags"),
        "prompt_name": name,
        "prompt_version": version,
        "attributes": {"tier": given["tier"]} if given.get("tier") is not None else None,
        "input": [{"role": "user", "content": given["said"]}] if given.get("said") else None,
        "status_message": given.get("error"),
    }


def merged(parts: Sequence[Span]) -> list[Span]:
    """Each span once, with the last present value of each field."""
    known: dict[tuple[str, str], Span] = {}
    for part in parts:
        key = (part.trace_id, part.span_id)
        known[key] = overlaid(known[key], part) if key in known else part
    return list(known.values())


def overlaid(old: Span, new: Span) -> Span:
    names = [name for name in Span.__struct_fields__ if getattr(new, name) is None]
    return Span(
        **{**{n: getattr(new, n) for n in Span.__struct_fields__}, **{n: getattr(old, n) for n in names}}
    )


def root_first(spans: Sequence[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: (span.parent_id != "", span.start_ns, span.span_id))


def key_of(order: Order, spans: Sequence[Span]) -> int:
    ranked = root_first(spans)
    start, ends = min(s.start_ns or 0 for s in spans), [s.end_ns for s in spans if s.end_ns is not None]
    top = ranked[0]
    if order in (Order.NEWEST, Order.OLDEST):
        return start
    if order is Order.SLOWEST:
        if top.parent_id == "" and top.end_ns is not None:
            return top.end_ns - (top.start_ns or 0)
        return max(ends) - start if ends else 0  # a root that is still open takes so long as is known
    if order is Order.DEAREST:
        return int(sum((s.cost.total for s in spans if s.cost and s.cost.total), Decimal(0)) * 10**9)
    return sum(s.usage.input + (s.usage.output or 0) for s in spans)


def is_open(spans: Sequence[Span]) -> bool:
    top = root_first(spans)[0]
    return top.parent_id == "" and top.end_ns is None


def matches(chosen: TraceFilters, spans: Sequence[Span]) -> bool:
    ranked = root_first(spans)
    has_root = ranked[0].parent_id == ""
    failed = ranked[0].status is Status.ERROR if has_root else any(s.status is Status.ERROR for s in spans)
    user = next((s.user_id for s in ranked if s.user_id), None)
    cost = sum((s.cost.total for s in spans if s.cost and s.cost.total), Decimal(0))
    latency = key_of(Order.SLOWEST, spans)
    any_failed = any(s.status is Status.ERROR for s in spans)
    return (
        (not chosen.user_id or user == chosen.user_id)
        and (not chosen.status or failed == (chosen.status == "error"))
        and (not chosen.model or any(s.model == chosen.model for s in spans))
        and (not chosen.name or ranked[0].name == chosen.name)
        and (chosen.min_latency_ms is None or latency >= chosen.min_latency_ms * 10**6)
        and (chosen.min_cost_usd is None or cost >= chosen.min_cost_usd)
        and (chosen.has_error is None or chosen.has_error == any_failed)
        and ("user_id" not in chosen.without or user is None)
        and all(any(not getattr(s, name) for s in spans) for name in chosen.without if name != "user_id")
        and set(chosen.tags) <= {tag for s in spans for tag in s.tags or ()}
        and any(
            chosen.prompt_name in ("", s.prompt_name) and chosen.prompt_version in ("", s.prompt_version)
            for s in spans
        )
        and all(any(carries(s, attribute) for s in spans) for attribute in chosen.attribute)
        and all(any(says(s, term) for s in spans) for term in re.findall(r'"[^"]+"|\S+', chosen.q.casefold()))
    )


def carries(span: Span, attribute: Attribute) -> bool:
    value = (span.attributes or {}).get(attribute.key)
    items = value if isinstance(value, list) else [value]
    return value is not None and (attribute.value is None or attribute.value in map(str, items))


def says(span: Span, term: str) -> bool:
    """Whether one of the texts has the word, the words in quotes in turn, or what stands between stars."""
    content = span.input[0]["content"] if span.input else ""  # type: ignore[index,call-overload]
    for text in (str(content).casefold(), (span.status_message or "").casefold()):
        words = " ".join(text.split())
        looked_for = term.strip('"*')
        if looked_for in words if "*" in term else f" {looked_for} " in f" {words} ":
            return True
    return False


def expected(parts: Sequence[Span], chosen: TraceFilters, order: Order, window: tuple[int, int]) -> list[int]:
    traces: dict[str, list[Span]] = {}
    for span in merged(parts):
        traces.setdefault(span.trace_id, []).append(span)
    first, last = (MIDNIGHT_NS + side * SECOND for side in window)
    kept = [
        spans
        for spans in traces.values()
        if first <= key_of(Order.NEWEST, spans) < last and matches(chosen, spans)
    ]
    return sorted((key_of(order, spans) for spans in kept), reverse=order is not Order.OLDEST)


def all_pages(scope: Scope, chosen: TraceFilters, order: Order, limit: int) -> list[queries.Trace]:
    found: list[queries.Trace] = []
    cursor = ""
    while True:
        page = queries.list_traces(scope, chosen, order=order, limit=limit, cursor=cursor)
        found += page.traces
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def walked(scope: Scope, chosen: TraceFilters, order: Order, stretch: int) -> list[queries.Trace]:
    candidates = walk_queries.candidates(scope, chosen, order, most=1_000)
    return [
        one for some in walk_queries.walk(scope, chosen, order, candidates, stretch=stretch) for one in some
    ]


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_spans=st.lists(spans, min_size=1, max_size=9),
    chosen=filters,
    order=st.sampled_from(list(Order)),
    limit=st.integers(1, 3),
    window=windows,
    merged_first=st.booleans(),
)
def test_pages_equal_a_plain_recount(
    store_spans: Store,
    given_spans: list[dict[str, Any]],
    chosen: TraceFilters,
    order: Order,
    limit: int,
    window: tuple[int, int],
    merged_first: bool,
) -> None:
    project = next(FRESH)
    starts: dict[tuple[int, int], int] = {}
    for one in given_spans:
        one["at"] = starts.setdefault((one["trace"], one["number"]), one["at"])
    in_turn = sorted(given_spans, key=lambda one: one["batch"])
    for _, batch in itertools.groupby(in_turn, lambda one: one["batch"]):
        store_spans([as_span(project, one) for one in batch])
    if merged_first:
        client().command("OPTIMIZE TABLE spans FINAL")  # now indexes answer that merges build
    parts = [as_span(project, one) for one in in_turn]
    scope = Scope(project, Window(*(MIDNIGHT + timedelta(seconds=side) for side in window)))
    found = all_pages(scope, chosen, order, limit)
    traces: dict[str, list[Span]] = {}
    for span in merged(parts):
        traces.setdefault(span.trace_id, []).append(span)
    assert [key_of(order, traces[trace.trace_id]) for trace in found] == expected(
        parts, chosen, order, window
    )
    assert len({trace.trace_id for trace in found}) == len(found)
    assert [trace.is_open for trace in found] == [is_open(traces[trace.trace_id]) for trace in found]
    assert walked(scope, chosen, order, stretch=limit) == found


def late_user(project: int, trace: int, *, at: int) -> list[Span]:
    """A trace whose root says nothing, and a child of the next day that knows the user."""
    root = {
        "trace": trace,
        "number": 1,
        "at": at,
        "lasts": 1,
        "user": None,
        "status": Status.OK,
        "model": None,
    }
    child = {**root, "number": 2, "at": 3 + trace, "user": "ann"}
    return [as_span(project, {**one, "cost": None}) for one in (root, child)]


# With none the second, exact look at the index decides.
FEW = pytest.mark.parametrize("few", [0, index_queries.FEW_STRAYS])


@FEW
def test_a_trace_is_found_by_a_user_that_only_a_span_after_the_window_knows(
    store_spans: Store, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_queries, "FEW_STRAYS", few)
    project = next(FRESH)
    for span in late_user(project, 1, at=-2):
        store_spans([span])
    before_midnight = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT))
    assert len(queries.list_traces(before_midnight, TraceFilters(user_id="ann")).traces) == 1


@FEW
def test_pages_keep_traces_whose_user_is_known_late(
    store_spans: Store, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_queries, "FEW_STRAYS", few)
    project = next(FRESH)
    for trace in range(1, 6):
        for span in late_user(project, trace, at=-trace):
            store_spans([span])
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))
    found = all_pages(scope, TraceFilters(user_id="ann"), Order.NEWEST, 1)
    assert [int(trace.trace_id, 16) for trace in found] == [1, 2, 3, 4, 5]


def test_a_trace_without_a_root_is_as_long_as_its_spans_of_both_days(store_spans: Store) -> None:
    project = next(FRESH)
    told = {"trace": 1, "lasts": 1, "user": None, "status": Status.OK, "model": None, "cost": None}
    for number, at in ((2, -2), (3, 0)):
        store_spans([as_span(project, {**told, "number": number, "at": at})])
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))
    assert len(queries.list_traces(scope, TraceFilters(min_latency_ms=3000)).traces) == 1


@pytest.mark.parametrize("q", ["refund", '"a refund"', "refun*"])
def test_what_a_later_part_of_a_span_says_instead_counts(store_spans: Store, q: str) -> None:
    project, told = next(FRESH), {"lasts": 1, "user": None, "status": Status.OK, "model": None, "cost": None}
    for trace, first, last in ((1, "a refund", "a return"), (2, "a return", "a refund")):
        for said in (first, last):
            store_spans([as_span(project, {**told, "trace": trace, "number": 1, "at": 0, "said": said})])
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))
    assert [int(one.trace_id, 16) for one in queries.list_traces(scope, TraceFilters(q=q)).traces] == [2]


def test_a_trace_of_which_a_stored_part_has_the_name_is_no_candidate_for_traces_without(
    store_spans: Store,
) -> None:
    project, told = next(FRESH), {"lasts": 1, "status": Status.OK, "model": None, "cost": None, "at": 0}
    for number, user in ((2, None), (1, "ann")):
        store_spans([as_span(project, {**told, "trace": 1, "number": number, "user": user})])
    store_spans([as_span(project, {**told, "trace": 2, "number": 1, "user": None})])
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))
    nameless = TraceFilters(without=("user_id",))
    found = index_queries.newest(scope, nameless, {}, before=None, limit=10)
    assert [one.trace_id.int for one in found] == [2]
    assert [int(one.trace_id, 16) for one in queries.list_traces(scope, nameless).traces] == [2]


@pytest.mark.parametrize("said", [r"copied to C:\temp\new.txt", {"to": r"C:\temp\new.txt"}])
def test_a_path_with_backslashes_is_found_as_it_is_typed(store_spans: Store, said: Any) -> None:
    project, told = next(FRESH), {"lasts": 1, "user": None, "status": Status.OK, "model": None, "cost": None}
    span = as_span(project, {**told, "trace": 1, "number": 1, "at": 0})
    store_spans([msgspec.structs.replace(span, input=said)])
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))

    def found(q: str) -> int:
        return len(queries.list_traces(scope, TraceFilters(q=q)).traces)

    assert (found(r"C:\temp\new.txt"), found(r"\temp"), found(r"C:\other")) == (1, 1, 0)
    assert found("temp") == 0  # as docs/api.md says: the index has its letters after the t
    assert found("*emp") == 1


def test_a_list_of_which_nearly_nothing_matches_is_given_up_when_its_time_is_over(
    store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = next(FRESH)
    failed = {"number": 1, "at": 0, "lasts": 1, "status": Status.ERROR, "model": None, "cost": None}
    store_spans([as_span(project, {**failed, "trace": n, "user": f"u{n}"}) for n in range(1, 16)])
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))
    nothing = TraceFilters(status="error", has_error=False)
    assert queries.list_traces(scope, nothing, limit=1).traces == []
    assert group_queries.list_groups(scope, Grouping.USER, filters=nothing, limit=1).groups == []
    monkeypatch.setattr(deadline, "MAX_SECONDS", -1)
    with pytest.raises(QueryTooLarge, match=r"Of 12 traces looked through, 0 match .* Choose a shorter time"):
        queries.list_traces(scope, nothing, limit=1)
    with pytest.raises(QueryTooLarge, match=r"Of 7 users looked through, 0 match"):
        group_queries.list_groups(scope, Grouping.USER, filters=nothing, limit=1)
    assert len(queries.list_traces(scope, TraceFilters(status="error"), limit=1).traces) == 1


def test_what_is_not_merged_yet_is_found_and_what_is_merged_is_found_by_its_index(store_spans: Store) -> None:
    project, told = next(FRESH), {"lasts": 1, "user": None, "status": Status.OK, "model": None, "cost": None}
    scope = Scope(project, Window(MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(minutes=1)))
    asked = TraceFilters(q="refund", attribute=(Attribute("tier", "gold"),), prompt_name="plan")
    one = {**told, "number": 1, "at": 0, "said": "a refund", "tier": "gold", "prompt": ("plan", "1")}
    store_spans([as_span(project, {**one, "trace": 1})])
    store_spans([as_span(project, {**one, "trace": 2, "said": "nothing"})])
    assert len(queries.list_traces(scope, asked).traces) == 1
    client().command("OPTIMIZE TABLE spans FINAL")
    assert len(queries.list_traces(scope, asked).traces) == 1
    found = looked_up(asked)
    for condition in found.said + found.told:
        plan = client().query(
            f"EXPLAIN indexes = 1 SELECT trace_id FROM spans WHERE {condition}", parameters=found.parameters
        )
        used = "\n".join(row[0] for row in plan.result_rows)
        assert re.search(r"Name: (words|facets)", used), condition


def test_a_trace_that_is_still_open_lasts_as_long_as_is_known(store_spans: Store) -> None:
    project, told = next(FRESH), {"at": 0, "user": None, "status": Status.OK, "model": None, "cost": None}
    open_root = {**told, "number": 1, "lasts": None}
    store_spans(
        [
            as_span(project, {**open_root, "trace": 1}),
            as_span(project, {**open_root, "trace": 2}),
            as_span(project, {**told, "trace": 2, "number": 2, "at": 1, "lasts": 2}),
            as_span(project, {**told, "trace": 3, "number": 1, "lasts": 1}),
        ]
    )
    scope = Scope(project, Window(MIDNIGHT, MIDNIGHT + timedelta(minutes=1)))
    found = all_pages(scope, TraceFilters(), Order.SLOWEST, 1)
    assert [(int(one.trace_id, 16), one.latency_ms) for one in found] == [(2, 3000), (3, 1000), (1, 0)]
    assert walked(scope, TraceFilters(), Order.SLOWEST, stretch=1) == found
    long = queries.list_traces(scope, TraceFilters(min_latency_ms=0)).traces
    assert len(long) == 3


@pytest.mark.parametrize("typed", ["2", "2.0", "2e0"])
def test_a_number_is_found_however_it_is_written(store_spans: Store, typed: str) -> None:
    project, told = (
        next(FRESH),
        {"lasts": 1, "user": None, "status": Status.OK, "model": None, "cost": None, "at": 0},
    )
    values: list[Any] = [2, 2.0, [1, 2.0], 2.5, "2.00"]
    store_spans(
        [
            as_span(project, {**told, "trace": trace, "number": 1, "tier": value})
            for trace, value in enumerate(values, 1)
        ]
    )
    scope = Scope(project, Window(MIDNIGHT, MIDNIGHT + timedelta(minutes=1)))
    found = queries.list_traces(scope, TraceFilters(attribute=(Attribute("tier", typed),))).traces
    assert sorted(int(one.trace_id, 16) for one in found) == [1, 2, 3]


def test_a_trace_names_all_its_models_tools_and_tags(store_spans: Store) -> None:
    project, told = (
        next(FRESH),
        {"trace": 1, "lasts": 1, "user": None, "status": Status.OK, "cost": None, "at": 0},
    )
    names = tuple(f"n{number:02}" for number in range(60))
    calls = [
        as_span(project, {**told, "number": number, "model": name, "tags": names})
        for number, name in enumerate(names, 1)
    ]
    tools = [
        msgspec.structs.replace(call, span_id=f"{number:016x}", kind=Kind.TOOL, tool_name=name)
        for number, (call, name) in enumerate(zip(calls, names, strict=True), 100)
    ]
    store_spans([*calls, *tools])
    scope = Scope(project, Window(MIDNIGHT, MIDNIGHT + timedelta(minutes=1)))
    (found,) = queries.list_traces(scope, TraceFilters()).traces
    assert (tuple(found.models), tuple(found.tools), tuple(found.tags)) == (names, names, names)
