"""The picture of a trace's calls: what stands where, what leads to what, and that it can be read."""

import secrets
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from traces import call_graph, tool_calls
from traces.call_graph import Graph, Lane, Node, calls_of, draw
from traces.call_queries import CallSpan
from traces.span import JSONValue
from traces.tool_calls import ToolCalls

MS = 1_000_000


def call(span_id: str, kind: str, parent: str | None = "root", at: int = 0, **told: Any) -> CallSpan:
    failure = told.pop("failure", "")
    return CallSpan(
        span_id=span_id,
        parent_id=parent,
        name=told.pop("name", span_id),
        kind=kind,
        status="error" if failure else "ok",
        status_message=failure,
        error_type="",
        start_ns=at * MS,
        latency_ms=100,
        **told,
    )


def asks(*names: str) -> JSONValue:
    return [
        {"role": "assistant", "parts": [{"type": "tool_call", "id": f"id-{n}", "name": n} for n in names]},
    ]


ROOT = call("root", "agent", None, name="agent.invocation", failure="context window exceeded")
FAILED_RUN = [
    ROOT,
    call("llm1", "llm", at=1, output=asks("hubspot", "ga4", "mail")),
    call("hubspot", "tool", at=2, tool_call_id="id-hubspot", output_bytes=1_200),
    call("ga4", "tool", at=3, tool_call_id="id-ga4", failure="quota\nexceeded"),
    call("llm2", "llm", at=4, failure="context window exceeded"),
]


def graph_of(spans: list[CallSpan]) -> Graph:
    return draw(calls_of(spans), tool_calls.by_model_call(spans))


def told(graph: Graph) -> list[tuple[int, str, str, int | None]]:
    return [(node.number, node.name, node.lane, node.asked_by) for node in graph.nodes]


def by_name(graph: Graph) -> dict[str, Node]:
    return {node.name: node for node in graph.nodes}


def arrows_into(graph: Graph, node: Node) -> int:
    """Lines that end at the node."""
    return sum(
        line.arrow and node.x <= line.x2 <= node.end and node.y <= line.y2 <= node.bottom
        for line in graph.lines
    )


def test_a_run_reads_from_top_to_bottom() -> None:
    graph = graph_of(FAILED_RUN)
    assert told(graph) == [
        (1, "agent.invocation", "across", None),
        (2, "llm1", "left", None),
        (3, "hubspot", "right", 2),
        (4, "ga4", "right", 2),
        (5, "mail", "right", 2),
        (6, "llm2", "left", None),
    ]
    assert [node.failed for node in graph.nodes] == [True, False, False, True, False, True]
    assert (graph.total, graph.failed, graph.left_out) == (5, 3, None)


def test_tools_begin_beside_the_call_that_asked_and_the_next_call_comes_after_them() -> None:
    nodes = by_name(graph_of(FAILED_RUN))
    assert nodes["hubspot"].y == nodes["llm1"].y
    assert nodes["ga4"].y >= nodes["hubspot"].bottom
    assert nodes["llm2"].y >= nodes["mail"].bottom


def test_lines_lead_to_tools_and_back_and_failed_ones_are_told_apart() -> None:
    graph = graph_of(FAILED_RUN)
    nodes = by_name(graph)
    assert [arrows_into(graph, nodes[name]) for name in ("hubspot", "ga4", "mail", "llm2")] == [1, 1, 1, 2]
    assert {line.failed for line in graph.lines if line.x2 == nodes["ga4"].x} == {True, False}


def test_what_was_asked_for_and_not_run_says_so() -> None:
    mail = by_name(graph_of(FAILED_RUN))["mail"]
    assert (mail.ran, mail.asked_by, mail.latency_ms) == (False, 2, None)


def test_a_failure_is_told_in_its_first_line() -> None:
    nodes = by_name(graph_of([*FAILED_RUN, call("silent", "tool", at=9, failure=" ")]))
    assert nodes["ga4"].failure == "quota"
    assert nodes["silent"].failure == "failed without a message"


def test_a_tool_that_no_answer_asked_for_is_nobodys_where_answers_were_recorded() -> None:
    spans = [*FAILED_RUN, call("save", "tool", at=5)]
    assert by_name(graph_of(spans))["save"].asked_by is None
    without_answers = [replace(span, output=None) for span in spans]
    assert by_name(graph_of(without_answers))["save"].asked_by == 5


def test_an_agent_inside_of_an_agent_is_indented() -> None:
    spans = [ROOT, call("sub", "agent", at=1), call("llm", "llm", "sub", 2), call("tool", "tool", "sub", 3)]
    nodes = by_name(graph_of(spans))
    assert [nodes[name].depth for name in ("agent.invocation", "sub", "llm", "tool")] == [0, 1, 2, 2]
    assert nodes["agent.invocation"].x < nodes["sub"].x < nodes["llm"].x


def test_plain_spans_are_stepped_over_unless_they_are_where_it_failed() -> None:
    spans = [
        call("http", "span", None),
        call("inner", "span", "http", 1),
        call("llm", "llm", "inner", 2),
        call("broken", "span", "inner", 3, failure="no connection"),
    ]
    assert [node.name for node in graph_of(spans).nodes] == ["http", "llm", "broken"]


def test_a_tool_span_inside_of_the_same_tool_is_one_call() -> None:
    client = call("client", "tool", at=1, tool_name="search")
    spans = [ROOT, client, call("server", "tool", "client", 2, tool_name="search")]
    assert [node.span_id for node in graph_of(spans).nodes] == ["root", "client"]


def test_a_tool_inside_of_a_model_call_stands_beside_it() -> None:
    spans = [ROOT, call("llm", "llm", at=1), call("tool", "tool", "llm", 2)]
    nodes = by_name(graph_of(spans))
    assert (nodes["tool"].depth, nodes["tool"].asked_by, nodes["tool"].y) == (1, 2, nodes["llm"].y)


def test_what_no_model_asked_for_has_no_line() -> None:
    spans = [ROOT, call("llm", "llm", at=1), call("find", "retriever", at=2), call("early", "tool", at=0)]
    nodes = by_name(graph_of(spans))
    assert (nodes["find"].asked_by, nodes["early"].asked_by) == (None, None)


def test_a_trace_without_calls_says_so() -> None:
    assert not graph_of([call("http", "span", None), call("inner", "span", "http", 1)]).has_calls
    assert not graph_of([]).has_calls


def test_of_a_very_long_trace_the_middle_is_left_out() -> None:
    spans = [ROOT, *(call(f"t{n}", "tool", at=n + 1, failure="x" if n == 150 else "") for n in range(300))]
    graph = graph_of(spans)
    assert len(graph.nodes) == call_graph.MAX_CALLS
    assert graph.left_out
    assert (graph.left_out.calls, graph.left_out.failed, graph.total) == (101, 1, 301)
    assert (graph.nodes[0].name, graph.nodes[-1].name) == ("agent.invocation", "t299")
    assert graph.failed == 2


def test_a_cycle_of_parents_ends() -> None:
    spans = [call("a", "agent", "b"), call("b", "agent", "a", 1), call("c", "llm", None, 2)]
    assert [node.name for node in graph_of(spans).nodes] == ["c", "a", "b"]


@st.composite
def traces(draw_one: st.DrawFn) -> list[CallSpan]:
    """Any trace: parents may be missing, and stand before or behind their children in time."""
    kinds = st.sampled_from(["agent", "llm", "tool", "span", "retriever", "embedding"])
    count = draw_one(st.integers(1, 25))
    spans = []
    for n in range(count):
        parent = draw_one(st.one_of(st.none(), st.integers(0, n).map(lambda m: f"s{m}" if m else None)))
        kind = draw_one(kinds)
        failure = "failed" if draw_one(st.booleans()) else ""
        output = asks("x", "y") if kind == "llm" and draw_one(st.booleans()) else None
        spans.append(
            call(f"s{n}", kind, parent, draw_one(st.integers(0, 50)), failure=failure, output=output)
        )
    return spans


@settings(max_examples=40)
@given(traces())
def test_no_call_covers_another_and_every_line_stays_in_the_picture(spans: list[CallSpan]) -> None:
    graph = graph_of(spans)
    assert [node.number for node in graph.nodes] == list(range(1, len(graph.nodes) + 1))
    for node in graph.nodes:
        assert 0 <= node.x < node.end <= 100
        assert 0 <= node.y < node.bottom <= graph.height
    for place, one in enumerate(graph.nodes):
        for other in graph.nodes[place + 1 :]:
            beside = one.end <= other.x or other.end <= one.x
            assert beside or one.bottom <= other.y or other.bottom <= one.y
    for line in graph.lines:
        assert 0 <= min(line.x1, line.x2) <= max(line.x1, line.x2) <= 100
        assert 0 <= min(line.y1, line.y2) <= max(line.y1, line.y2) <= graph.height


@settings(max_examples=40)
@given(traces())
def test_every_call_is_drawn_once_below_what_it_stands_in(spans: list[CallSpan]) -> None:
    calls = calls_of(spans)
    ids = [span.span_id for span, _, _ in calls]
    assert len(ids) == len(set(ids))
    assert {span.span_id for span in spans if span.kind in {"agent", "llm", "retriever", "embedding"}} <= set(
        ids
    )
    places = {span_id: place for place, span_id in enumerate(ids)}
    assert all(places[inside] < places[span.span_id] for span, _, inside in calls if inside)


def test_a_picture_of_two_hundred_calls_has_all_of_them_and_their_lines() -> None:
    spans = [ROOT]
    for n in range(99):
        spans += [call(f"llm{n}", "llm", at=2 * n + 1), call(secrets.token_hex(4), "tool", at=2 * n + 2)]
    graph = graph_of(spans)
    assert len(graph.nodes) == 199
    assert sum(node.lane is Lane.RIGHT and node.asked_by == node.number - 1 for node in graph.nodes) == 99
    assert draw(calls_of(spans), {"llm0": ToolCalls()}).total == 199
