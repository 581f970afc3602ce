"""A prompt is compared with the one before it in the same conversation."""

from tests.traces.test_call_graph import call
from traces.call_queries import CallSpan
from traces.prompt_choice import agent_of, earlier, last, previous, session_of

# Two runs of one agent, and another agent that is called in between.
SPANS = [
    call("root", "agent", None, agent_name="writer"),
    call("first", "llm", at=1),
    call("other", "agent", at=2, agent_name="reader"),
    call("read", "llm", "other", 3),
    call("step", "span", at=4),
    call("second", "llm", "step", 5),
    call("again", "agent", None, 6, agent_name="reader"),
    call("reread", "llm", "again", 7),
]


def name(found: CallSpan | None) -> str:
    return found.name if found else ""


def test_the_call_before_it_in_the_same_run_comes_first() -> None:
    assert name(previous(SPANS, "second")) == "first"


def test_then_the_last_call_of_the_same_agent() -> None:
    assert name(previous(SPANS, "reread")) == "read"


def test_the_first_call_of_an_agent_has_none_before_it() -> None:
    assert previous(SPANS, "read") is None
    assert previous(SPANS, "first") is None
    assert previous(SPANS, "no such span") is None


def test_any_earlier_call_can_be_chosen_the_nearest_first() -> None:
    assert [found.name for found in earlier(SPANS, "reread")] == ["second", "read", "first"]


def test_of_the_trace_before_it_is_the_agents_last_call_else_the_last() -> None:
    assert name(last(SPANS, "writer")) == "second"
    assert name(last(SPANS, "nobody")) == "reread"
    assert last([], "writer") is None


def test_the_nearest_agent_above_counts_and_cycles_end() -> None:
    by_id = {span.span_id: span for span in SPANS}
    assert agent_of(by_id["second"], by_id).name == "writer"
    loop = {"a": call("a", "span", "b"), "b": call("b", "span", "a")}
    assert agent_of(call("c", "llm", "a"), loop).name == ""


def test_the_session_is_the_roots_else_that_of_any_span() -> None:
    assert (
        session_of([call("a", "llm", session_id="s-2"), call("b", "agent", None, session_id="s-1")]) == "s-1"
    )
    assert session_of([call("a", "llm", session_id="s-2")]) == "s-2"
    assert session_of(SPANS) == ""
