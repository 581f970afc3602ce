"""Tools that model calls asked for, and the spans that ran them."""

import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import step, tool_calls
from traces.queries import StoredSpan
from traces.span import JSONValue

MS = 1_000_000
ABSENT: dict[str, Any] = {"str": "", "dict": {}, "list": []}


def span(span_id: str, kind: str, at: int, **said: Any) -> StoredSpan:
    moment = datetime(2025, 11, 24, tzinfo=UTC)
    absent = {
        field.name: ABSENT.get(str(getattr(field.type, "__name__", field.type)))
        for field in fields(StoredSpan)
    }
    given = {
        "span_id": span_id,
        "kind": kind,
        "parent_id": "root",
        "name": span_id,
        "status": "ok",
        "latency_ms": 2.0,
    }
    times = {"start_ns": at * MS, "start_time": moment, "end_time": moment}
    return StoredSpan(**{**absent, **given, **times, **said})


def call(name: str, call_id: str = "", arguments: JSONValue = None) -> dict[str, JSONValue]:
    return {"type": "tool_call", "id": call_id or None, "name": name, "arguments": arguments}


def model(span_id: str, at: int, *calls: dict[str, JSONValue], **said: Any) -> StoredSpan:
    return span(span_id, "llm", at, output=[{"role": "assistant", "parts": [*calls]}], **said)


def tool(span_id: str, at: int, name: str, call_id: str = "", **said: Any) -> StoredSpan:
    return span(span_id, "tool", at, tool_name=name, tool_call_id=call_id, **said)


def runs(spans: list[StoredSpan]) -> dict[str, list[list[str]]]:
    """For each model call the spans that ran each of its requests."""
    found = tool_calls.by_model_call(spans)
    return {span_id: [one.executed_by for one in calls.requested] for span_id, calls in found.items()}


def test_a_request_and_what_ran_it() -> None:
    asked = model("m", 1, call("find", "c1", {"q": "rain"}), call("mail", "c2"))
    ran = tool("t", 2, "find", "c1", input={"q": "rain"}, output="wet", status="error", status_message="late")
    found = tool_calls.by_model_call([ran, asked])["m"]

    assert found.requested == [
        tool_calls.Requested("c1", "find", {"q": "rain"}, ["t"]),
        tool_calls.Requested("c2", "mail", None, []),
    ]
    assert found.executed == [
        tool_calls.Executed("t", "c1", "find", {"q": "rain"}, "wet", "error", "late", 2.0),
    ]
    assert tool_calls.asked_by({"m": found}, "t") == "m"
    assert tool_calls.asked_by({"m": found}, "m") == ""


@pytest.mark.parametrize(
    "output",
    [
        [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}],
            }
        ],
        {
            "messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "server_tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}],
                }
            ]
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]},
    ],
)
def test_requests_in_every_shape_of_an_answer(output: JSONValue) -> None:
    found = tool_calls.by_model_call([span("m", "llm", 1, output=output)])

    assert found["m"].requested == [tool_calls.Requested("c", "f", {"a": 1})]


@pytest.mark.parametrize(
    "output", [None, "text", 3, [], [3], {"role": "assistant"}, [{"parts": "x", "content": None}]]
)
def test_an_answer_without_requests(output: JSONValue) -> None:
    assert tool_calls.by_model_call([span("m", "llm", 1, output=output)])["m"].requested == []


def test_without_an_id_the_last_request_before_it_for_the_tool_is_meant() -> None:
    spans = [
        model("m1", 1, call("find", "c1")),
        tool("t1", 2, "find"),
        model("m2", 3, call("mail"), call("find")),
        tool("t2", 4, "find"),
        model("m3", 5, call("find")),
    ]

    assert runs(spans) == {"m1": [["t1"]], "m2": [[], ["t2"]], "m3": [[]]}


def test_two_calls_of_one_tool_are_told_apart_by_what_they_ask_for() -> None:
    oslo, rome = {"city": "Oslo"}, {"city": "Rome"}
    spans = [
        model("m", 1, call("find", "", oslo), call("find", "", rome)),
        tool("t1", 2, "find", input=rome),
        tool("t2", 3, "find", input=oslo),
    ]

    assert runs(spans) == {"m": [["t2"], ["t1"]]}


def test_agents_side_by_side_keep_their_calls() -> None:
    spans = [
        model("m1", 1, call("find"), parent_id="a"),
        model("m2", 2, call("find"), parent_id="b"),
        tool("t1", 3, "find", parent_id="a"),
        tool("t2", 4, "find", parent_id="b"),
    ]

    assert runs(spans) == {"m1": [["t1"]], "m2": [["t2"]]}


def test_an_id_that_comes_again_means_the_last_request_with_it() -> None:
    spans = [
        model("m1", 1, call("find", "call_1")),
        tool("t1", 2, "find", "call_1"),
        model("m2", 3, call("find", "call_1")),
        tool("t2", 4, "find", "call_1"),
    ]

    assert runs(spans) == {"m1": [["t1"]], "m2": [["t2"]]}


def test_a_retried_call_was_run_twice() -> None:
    spans = [model("m", 1, call("find", "c")), tool("t1", 2, "find", "c"), tool("t2", 3, "find", "c")]

    assert runs(spans) == {"m": [["t1", "t2"]]}


def test_a_clock_that_is_behind_does_not_part_an_id_from_its_request() -> None:
    assert runs([tool("t", 1, "find", "c"), model("m", 2, call("find", "c"))]) == {"m": [["t"]]}
    assert runs([tool("t", 1, "find"), model("m", 2, call("find"))]) == {"m": [[]]}


def test_an_id_that_nobody_gave_is_no_hindrance() -> None:
    assert runs([model("m", 1, call("find", "c")), tool("t", 2, "find", "made-up")]) == {"m": [["t"]]}


def test_an_mcp_server_s_span_is_the_same_call_once_more() -> None:
    spans = [
        model("m", 1, call("find"), call("find")),
        tool("client", 2, "find"),
        tool("server", 3, "find", parent_id="client"),
        tool("helper", 4, "fetch", parent_id="server"),
    ]

    assert runs(spans) == {"m": [["client"], []]}


def test_a_tool_without_a_name_is_called_like_its_span() -> None:
    assert runs([model("m", 1, call("find")), span("t", "tool", 2, name="find")]) == {"m": [["t"]]}


def test_a_trace_as_large_as_one_can_be_is_quick() -> None:
    spans = [
        made
        for n in range(5_000)
        for made in (model(f"m{n}", 2 * n, call("find", "call_1")), tool(f"t{n}", 2 * n + 1, "find"))
    ]
    began = time.perf_counter()

    assert all(of_call == [[f"t{call_id[1:]}"]] for call_id, of_call in runs(spans).items())
    assert time.perf_counter() - began < 5


spans_of_any_kind = st.lists(
    st.builds(
        lambda n, kind, at, name, call_id, parent: (
            model(f"s{n}", at, call(name, call_id), parent_id=parent)
            if kind == "llm"
            else tool(f"s{n}", at, name, call_id, parent_id=parent)
        ),
        st.integers(0, 30),
        st.sampled_from(("llm", "tool")),
        st.integers(0, 9),
        st.sampled_from("ab"),
        st.sampled_from(("", "1", "2")),
        st.sampled_from(("s1", "s2", "root")),
    ),
    max_size=20,
    unique_by=lambda one: one.span_id,
)


@given(spans_of_any_kind)
def test_no_span_runs_two_requests_and_order_of_arrival_does_not_matter(spans: list[StoredSpan]) -> None:
    found = runs(spans)
    ran = [span_id for requests in found.values() for executed_by in requests for span_id in executed_by]

    assert len(ran) == len(set(ran))
    assert runs(spans[::-1]) == found


def test_a_step_shows_the_results_of_its_own_calls_where_ids_are_used_again() -> None:
    turns = [
        model("m1", 1, call("weather", "call_0", {"city": "Rome"})),
        tool("t1", 2, "weather", "call_0", output="sun"),
        model("m2", 3, call("weather", "call_0", {"city": "Oslo"})),
        tool("t2", 4, "weather", "call_0", output="snow"),
    ]
    shown = [step.describe(turns[place], turns).output for place in (0, 2)]
    assert [content.beginning[0].parts[0].result for content in shown if content] == ["sun", "snow"]
    history = span("agent", "agent", 0, input=turns[0].output)
    unsure = step.describe(history, [history, *turns]).input
    assert unsure is not None
    assert unsure.beginning[0].parts[0].result is None
    sure = step.describe(history, [history, *turns[:2]]).input
    assert sure is not None
    assert sure.beginning[0].parts[0].result == "sun"


def test_calls_without_an_id_show_the_result_of_the_span_that_ran_them() -> None:
    spans = [
        model("m", 1, call("find", "", {"n": 1}), call("find", "", {"n": 2}), call("mail")),
        tool("t2", 2, "find", input={"n": 2}, output="two"),
        tool("t1", 3, "find", input={"n": 1}, output="one"),
        tool("again", 4, "find", input={"n": 1}, output="late"),
    ]
    shown = step.describe(spans[0], spans).output
    assert shown is not None
    assert [part.result for part in shown.beginning[0].parts] == ["one", "two", None]
