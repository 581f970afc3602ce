"""A model call that several spans tell is counted once: whichever of them knows more, in whatever order they came."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.golden import recorded
from tracehouse.tenancy.scope import Scope, Window
from traces import group_queries, queries, step
from traces.filters import Order, TraceFilters
from traces.group_queries import Group, Grouping, GroupOrder
from traces.queries import UsageGroup
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = pytest.mark.clickhouse

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
SECOND = 10**9
DAY = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
FRESH = itertools.count(700_000)
GATEWAY, CLIENT = "litellm", "openinference.instrumentation.openai"
Store = Callable[[list[Span]], None]


def call(number: int, *, at: float = 0, lasts: float = 9, **fields: Any) -> Span:
    """A model call under the root, span 1; without `tokens` it knows neither usage nor cost."""
    start = NOON_NS + int(at * SECOND)
    tokens, cost = fields.pop("tokens", 100), fields.pop("cost", "0.25")
    price = Cost(state=CostState.COMPUTED, total=Decimal(cost)) if cost else Cost(state=CostState.UNPRICED)
    defaults: dict[str, Any] = {
        "project_id": 1,
        "trace_id": f"{1:032x}",
        "span_id": f"{number:016x}",
        "parent_id": f"{1:016x}" if number != 1 else "",
        "start_ns": start,
        "end_ns": start + int(lasts * SECOND),
        "name": f"span {number}",
        "kind": Kind.LLM,
        "status": Status.OK,
        "model": "m",
        "usage": Usage(input_uncached=tokens, output=10) if tokens else Usage(),
        "cost": price if tokens else None,
    }
    return Span(**{**defaults, **fields})


def root(**fields: Any) -> Span:
    return call(1, tokens=0, kind=Kind.AGENT, lasts=600, user_id="ann", **fields)


@dataclass(frozen=True)
class Sums:
    llm_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal


def sums(shown: queries.Trace | queries.UsageRow | Group) -> Sums:
    return Sums(shown.llm_calls, shown.input_tokens, shown.output_tokens, shown.cost_usd or Decimal(0))


def everywhere(trace_id: str, project: int = 1) -> list[Sums]:
    """The sums of the one trace of a project as each read tells them."""
    scope = Scope(project, DAY)
    detail = queries.get_trace(scope, trace_id)
    assert detail
    shown: list[queries.Trace | queries.UsageRow | Group] = [detail.trace]
    for order in (Order.NEWEST, Order.DEAREST):
        shown += queries.list_traces(scope, TraceFilters(), order=order).traces
    for group in (UsageGroup.USER, UsageGroup.MODEL):
        shown += queries.usage(scope, group)
    shown += group_queries.list_groups(scope, Grouping.USER, order=GroupOrder.DEAREST).groups
    return [sums(one) for one in shown]


def only(spans: list[Span]) -> Sums:
    """What all reads agree on."""
    [agreed] = set(everywhere(spans[0].trace_id))
    return agreed


def counted_in(trace_id: str) -> dict[int, int]:
    detail = queries.get_trace(Scope(1, DAY), trace_id)
    assert detail
    return {int(span.span_id, 16): int(span.counted_in, 16) for span in detail.spans if span.counted_in}


def test_a_gateway_and_its_client_that_tell_one_answer_are_one_call(store_spans: Store) -> None:
    spans = [
        root(),
        call(2, at=1, lasts=8, response_id="chatcmpl-1", scope=CLIENT),
        call(3, at=2, lasts=6, response_id="chatcmpl-1", scope=GATEWAY, parent_id=f"{2:016x}"),
        call(4, at=20, response_id="chatcmpl-2", scope=CLIENT),
    ]
    store_spans(spans)
    assert only(spans) == Sums(2, 200, 20, Decimal("0.5"))
    assert counted_in(spans[0].trace_id) == {2: 3}


def test_the_step_of_the_other_span_says_where_the_call_is_counted(store_spans: Store) -> None:
    store_spans([root(), call(2, response_id="a"), call(3, at=1, lasts=7, response_id="a")])
    detail = queries.get_trace(Scope(1, DAY), f"{1:032x}")
    assert detail
    facts = {span.name: dict(step.describe(span, detail.spans).facts) for span in detail.spans}
    assert facts["span 2"]["Same call as"] == f"span 3 ({3:016x}), counted there"
    assert "Same call as" not in facts["span 3"]
    assert "Same call as" not in facts["span 1"]


@pytest.mark.parametrize(
    ("outer", "inner", "counted"),
    [
        ({}, {"tokens": 0}, 2),
        ({"tokens": 0}, {}, 3),
        ({}, {"cost": None}, 2),
        ({"cost": None}, {}, 3),
        ({}, {}, 3),
    ],
)
def test_counted_is_the_span_that_knows_more_and_else_the_inner_one(
    store_spans: Store, outer: dict[str, Any], inner: dict[str, Any], counted: int
) -> None:
    told = {"response_id": "msg_1"}
    spans = [root(), call(2, lasts=9, **told, **outer), call(3, at=1, lasts=7, **told, **inner)]
    store_spans(spans)
    assert only(spans) == Sums(1, 100, 10, Decimal("0.25"))
    assert counted_in(spans[0].trace_id) == {5 - counted: counted}


def test_a_cached_answer_keeps_its_id_and_is_a_call_of_its_own(store_spans: Store) -> None:
    spans = [root(), call(2, at=0, response_id="msg_1"), call(3, at=20, response_id="msg_1", cost="0")]
    store_spans(spans)
    assert only(spans) == Sums(2, 200, 20, Decimal("0.25"))


def test_a_cached_answer_that_a_gateway_and_its_client_tell_is_one_more_call(store_spans: Store) -> None:
    told = {"response_id": "msg_1"}
    first = [call(2, at=0, lasts=9, **told), call(3, at=1, lasts=7, **told)]
    again = [call(4, at=20, lasts=9, cost="0", **told), call(5, at=21, lasts=7, cost="0", **told)]
    store_spans([root(), *first, *again])
    assert only(first) == Sums(2, 200, 20, Decimal("0.25"))
    assert counted_in(first[0].trace_id) == {2: 3, 4: 5}


def test_a_retry_has_another_id_and_is_a_call_of_its_own(store_spans: Store) -> None:
    spans = [root(), call(2, response_id="msg_1"), call(3, response_id="msg_2"), call(4), call(5)]
    store_spans(spans)
    assert only(spans) == Sums(4, 400, 40, Decimal("1"))


def test_a_framework_around_the_provider_s_own_span_is_one_call_without_an_id(store_spans: Store) -> None:
    spans = [
        root(),
        call(2, at=0, lasts=9, scope="openinference.instrumentation.langchain"),
        call(3, at=1, lasts=7, scope=CLIENT, parent_id=f"{2:016x}"),
    ]
    store_spans(spans)
    assert only(spans) == Sums(1, 100, 10, Decimal("0.25"))
    assert counted_in(spans[0].trace_id) == {2: 3}


@pytest.mark.parametrize(
    "child",
    [
        {"tokens": 99},  # used other tokens
        {"scope": "langchain"},  # by the same library: a call that made another call
        {"scope": None},
        {"lasts": 20},  # outlasts it
        {"response_id": "msg_2"},
    ],
)
def test_a_call_within_a_call_counts_when_it_may_be_another_one(
    store_spans: Store, child: dict[str, Any]
) -> None:
    inner = {"at": 1, "lasts": 7, "scope": CLIENT, "parent_id": f"{2:016x}"} | child
    spans = [root(), call(2, lasts=9, scope="langchain", response_id="msg_1"), call(3, **inner)]
    store_spans(spans)
    assert only(spans).llm_calls == 2


def test_the_filter_by_cost_sees_what_is_counted(store_spans: Store) -> None:
    store_spans([root(), call(2, response_id="a"), call(3, response_id="a")])
    scope = Scope(1, DAY)
    assert not queries.list_traces(scope, TraceFilters(min_cost_usd=Decimal("0.26"))).traces
    assert queries.list_traces(scope, TraceFilters(min_cost_usd=Decimal("0.25"))).traces


def test_a_page_ends_where_it_should_though_one_of_its_traces_was_told_twice(store_spans: Store) -> None:
    dear = [call(1, trace_id=f"{2:032x}", cost="0.4")]
    twice = [call(n, response_id="a", cost="0.3", trace_id=f"{1:032x}") for n in (1, 2)]
    store_spans([*dear, *twice])
    scope = Scope(1, DAY)
    first = queries.list_traces(scope, TraceFilters(), order=Order.DEAREST, limit=1)
    second = queries.list_traces(
        scope, TraceFilters(), order=Order.DEAREST, limit=1, cursor=first.next_cursor or ""
    )
    assert [trace.cost_usd for page in (first, second) for trace in page.traces] == [
        Decimal("0.4"),
        Decimal("0.3"),
    ]
    assert second.next_cursor is None


def test_an_sdk_that_traces_itself_beside_an_instrumentation(store_spans: Store) -> None:
    """Recorded: Anthropic's SDK with OpenLLMetry around it; one more call failed and used nothing."""
    spans = [span for span in recorded("traceloop") if span.kind in {Kind.LLM, Kind.EMBEDDING}]
    anthropic = [span for span in spans if span.provider == "anthropic"]
    assert len(anthropic) == 4
    store_spans(anthropic)
    scope = Scope(7, Window(datetime(2025, 11, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)))
    [row] = [row for row in queries.usage(scope, UsageGroup.MODEL) if row.key.startswith("claude")]
    assert (row.llm_calls, row.input_tokens, row.output_tokens) == (1, 120, 30)


calls = st.fixed_dictionaries(
    {
        "tellers": st.integers(1, 3),
        "tokens": st.integers(1, 5),
        "named": st.booleans(),  # all tellers carry the response id; else they lie within each other
        "knowing": st.integers(0, 2),  # the teller that surely knows the usage
        "silent": st.booleans(),  # whether the others do not, where there is an id
        "id": st.sampled_from(["msg_1", "msg_2"]),
    }
)


def tellers(place: int, told: dict[str, Any], **whose: Any) -> list[Span]:
    """The spans of one call: each within the one before, at a time of the call's own."""
    spans = []
    for depth in range(told["tellers"]):
        knows = not (told["named"] and told["silent"]) or depth == told["knowing"] % told["tellers"]
        number = 10 * (place + 1) + depth
        spans.append(
            call(
                number,
                at=place * 20 + depth,
                lasts=10 - 2 * depth,
                tokens=told["tokens"] if knows else 0,
                response_id=told["id"] if told["named"] else None,
                scope=f"library {depth}",
                parent_id=f"{number - 1 if depth else 1:016x}",
                **whose,
            )
        )
    return spans


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(calls, min_size=1, max_size=4), data=st.data())
def test_the_sum_is_that_of_the_calls_in_any_order_with_repeats(
    store_spans: Store, told: Sequence[dict[str, Any]], data: st.DataObject
) -> None:
    project = next(FRESH)
    whose = {"project_id": project, "trace_id": f"{project:032x}"}
    spans = [root(**whose)]
    for place, one in enumerate(told):
        spans += tellers(place, one, **whose)
    arriving = data.draw(st.permutations([*spans, *data.draw(st.lists(st.sampled_from(spans), max_size=3))]))
    half = data.draw(st.integers(0, len(arriving)))
    for batch in (arriving[:half], arriving[half:]):
        if batch:
            store_spans(batch)
    expected = Sums(
        len(told), sum(one["tokens"] for one in told), 10 * len(told), Decimal("0.25") * len(told)
    )
    assert set(everywhere(whose["trace_id"], project)) == {expected}
