"""The demo's payloads: what they hold, without a platform."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from ingest.demo import chat, crash, deep, marketing, mcp, rag, runner, week
from ingest.demo.otlp import Step, Trace, requests

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def ids() -> random.Random:
    return random.Random(1)


@pytest.fixture(scope="module")
def everything() -> list[Trace]:
    return [trace for scenario in runner.build_all(NOW, ids()) for trace in scenario.traces]


@pytest.fixture(scope="module")
def last_week() -> tuple[Trace, ...]:
    return week.build(NOW, ids()).traces


def test_the_failed_marketing_run_has_the_five_spans_of_the_specification() -> None:
    root = marketing.build(NOW, ids()).traces[0].root
    assert [(root.name, root.seconds, bool(root.error))] == [("agent.invocation", 10.2, True)]
    assert [(child.name, child.seconds, bool(child.error)) for child in root.children] == [
        ("llm.claude.call", 2.1, False),
        ("tool.hubspot_query", 6.8, False),
        ("tool.ga4_query", 0.9, False),
        ("llm.claude.call", 0.4, True),
    ]
    assert root.children[-1].error.startswith("context window exceeded")


def test_the_good_twin_does_the_same_and_succeeds() -> None:
    failed, good = (trace.root for trace in marketing.build(NOW, ids()).traces)
    assert [child.name for child in good.children] == [child.name for child in failed.children]
    assert not any(step.error for step in _steps(good))


def test_the_conversation_holds_calls_results_and_definitions() -> None:
    last = marketing.build(NOW, ids()).traces[1].root.children[-1]
    text = "".join(str(value) for value in last.attributes.values())
    assert all(
        part in text for part in ('"tool_call"', '"tool_call_response"', '"parameters"', "Northwind Outdoor")
    )


def test_a_server_span_of_mcp_comes_from_another_service() -> None:
    (request,) = requests(mcp.build(NOW, ids()).traces, ids())
    names = [_attribute(group, "service.name") for group in request.resource_spans]
    assert sorted(names) == ["mcp-ticketing", "support-copilot"]


def test_the_retrieval_is_in_the_openinference_vocabulary() -> None:
    steps = _steps(rag.build(NOW, ids()).traces[0].root)
    kinds = [step.attributes["openinference.span.kind"] for step in steps]
    assert sorted(str(kind) for kind in kinds) == ["CHAIN", "EMBEDDING", "LLM", "RERANKER", "RETRIEVER"]


def test_the_chat_is_four_traces_of_one_session() -> None:
    traces = chat.build(NOW, ids()).traces
    assert {trace.root.attributes["session.id"] for trace in traces} == {chat.SESSION}
    assert len({trace.trace_id for trace in traces}) == 4


def test_the_crash_carries_its_stack_trace_as_an_event() -> None:
    (failed,) = (step for step in _steps(crash.build(NOW, ids()).traces[0].root) if step.events)
    assert "Traceback" in str(failed.events[0].attributes["exception.stacktrace"])


def test_the_deep_agent_has_sixty_spans() -> None:
    assert deep.build(NOW, ids()).traces[0].span_count == 60


def test_every_child_lies_within_its_parent(everything: list[Trace]) -> None:
    outside = [
        (step.name, child.name)
        for trace in everything
        for step in _steps(trace.root)
        for child in step.children
        if child.at < step.at or child.at + child.seconds > step.at + step.seconds + 1e-6
    ]
    assert outside == []


def test_nothing_ends_in_the_future_and_nothing_is_older_than_a_week(everything: list[Trace]) -> None:
    assert all(trace.began + timedelta(seconds=trace.root.seconds) <= NOW for trace in everything)
    assert min(trace.began for trace in everything) >= NOW - timedelta(days=7)


def test_last_week_has_four_hundred_traces_of_which_about_one_in_twenty_failed(
    last_week: tuple[Trace, ...],
) -> None:
    failed = sum(bool(trace.root.error) for trace in last_week)
    assert len(last_week) == 400
    assert 8 <= failed <= 32


def test_last_week_is_varied(last_week: tuple[Trace, ...]) -> None:
    def values(name: str) -> set[object]:
        return {str(trace.root.attributes[name]) for trace in last_week}

    assert values("tracehouse.feature") == {"analyze", "draft", "query"}
    assert len(values("user.id")) >= 15
    assert len(values("tracehouse.organization.id")) == 5
    assert {trace.service.environment for trace in last_week} == {"production", "staging"}


def test_last_week_is_busier_in_business_hours(last_week: tuple[Trace, ...]) -> None:
    hours = Counter(trace.began.hour for trace in last_week)
    assert sum(hours[hour] for hour in range(8, 18)) > 3 * sum(
        hours[hour] for hour in (22, 23, 0, 1, 2, 3, 4, 5)
    )


def test_the_texts_are_the_same_every_time_and_the_ids_are_not() -> None:
    one, other = (week.build(NOW, random.Random(seed)).traces for seed in (1, 2))
    assert [trace.root for trace in one] == [trace.root for trace in other]
    assert not {trace.trace_id for trace in one} & {trace.trace_id for trace in other}


def test_requests_hold_every_span_once_and_children_before_their_parent(everything: list[Trace]) -> None:
    spans = [span for request in requests(everything, ids()) for span in _spans(request)]
    assert (
        len({span.span_id for span in spans}) == len(spans) == sum(trace.span_count for trace in everything)
    )
    (failed,) = requests(everything[:1], ids())
    assert [bool(span.parent_span_id) for span in _spans(failed)] == [True, True, True, True, False]


def _spans(request: ExportTraceServiceRequest) -> list[Span]:
    return [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


def _attribute(group: ResourceSpans, name: str) -> str:
    pairs = group.resource.attributes
    return next(pair.value.string_value for pair in pairs if pair.key == name)


def _steps(step: Step) -> list[Step]:
    return [step, *(below for child in step.children for below in _steps(child))]
