"""What changed between two prompts is found, nothing is lost, and long texts end in time."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.golden import BEGAN_NS, text_message
from tests.traces.stored import stored
from traces import prompt_diff
from traces.prompt_diff import Change, MessageDiff, Said, Skipped, compare_messages
from traces.queries import StoredSpan
from traces.span import JSONValue, Kind, Span
from traces.text_diff import Piece

SYSTEM = Said("system", "You are a helpful assistant. Answer in one sentence.")
QUESTION = Said("user", "Who went quiet?")
ANSWER = Said("assistant", "Acme has not written since May.")


def call(messages: JSONValue, **told: Any) -> StoredSpan:
    span = Span(
        project_id=7,
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_id="",
        start_ns=BEGAN_NS,
        end_ns=BEGAN_NS + 5,
        kind=Kind.LLM,
        input=messages,
    )
    return replace(stored(span), **told)


def changes(old: list[Said], new: list[Said]) -> list[tuple[str, str]]:
    return [(found.change, found.role) for found in compare_messages(old, new)]


def test_a_conversation_that_goes_on_only_gains_messages() -> None:
    old, new = [SYSTEM, QUESTION], [SYSTEM, QUESTION, ANSWER, Said("user", "And Globex?")]
    assert changes(old, new) == [
        ("same", "system"),
        ("same", "user"),
        ("added", "assistant"),
        ("added", "user"),
    ]


def test_a_changed_prompt_is_changed_word_by_word() -> None:
    new = Said("system", "You are a helpful assistant. Answer in two short sentences.")
    [system, question] = compare_messages([SYSTEM, QUESTION], [new, QUESTION])
    assert (system.change, question.change) == (Change.CHANGED, Change.SAME)
    assert [(piece.change, piece.text) for piece in system.pieces] == [
        ("same", "You are a helpful assistant. Answer in "),
        ("removed", "one sentence"),
        ("added", "two short sentences"),
        ("same", "."),
    ]


def test_a_history_that_was_cut_loses_its_beginning() -> None:
    assert changes([SYSTEM, QUESTION, ANSWER], [SYSTEM, ANSWER]) == [
        ("same", "system"),
        ("removed", "user"),
        ("same", "assistant"),
    ]


def test_messages_that_have_nothing_in_common_are_two() -> None:
    other = Said("user", "Translate this letter into German, please.")
    assert changes([QUESTION], [other]) == [("removed", "user"), ("added", "user")]


def test_what_is_no_conversation_is_compared_as_text() -> None:
    diff = prompt_diff.compare(call({"q": "boots"}), call({"q": "shoes"}))
    [found] = diff.messages
    assert (found.role, found.change) == ("", Change.CHANGED)
    assert diff.counts == [("changed", 1)]


def test_an_empty_prompt_is_one_without_messages() -> None:
    assert prompt_diff.compare(call(None), call([text_message("user", "Hi")])).counts == [("added", 1)]


def test_settings_that_differ_are_named() -> None:
    old = call(
        [],
        request_model="claude-sonnet-4",
        request_params={"temperature": 0.2},
        tool_definitions=[{"name": "a"}],
    )
    new = call(
        [],
        request_model="claude-opus-4",
        request_params={"temperature": 0.2},
        tool_definitions=[{"name": "b"}],
    )
    found = prompt_diff.compare(old, new).settings
    assert [(one.name, bool(one.old), bool(one.new)) for one in found] == [
        ("model", True, True),
        ("tool a", True, False),
        ("tool b", False, True),
    ]


def test_calls_and_results_are_part_of_what_is_compared() -> None:
    asked = {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c", "name": "find", "arguments": {"q": 1}}],
    }
    told = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "12 hits"}]}
    assert [one.text for one in prompt_diff.said([asked, told])] == [
        'calls find {\n  "q": 1\n}',
        "returned 12 hits",
    ]


TEXTS = st.lists(st.sampled_from(["one", "two", " ", "\n", ".", "ä", "a b", "<b>"]), max_size=60).map("".join)
MESSAGES = st.lists(st.builds(Said, st.sampled_from(["user", "assistant"]), TEXTS), max_size=8)


def side(found: list[Piece], change: Change) -> str:
    return "".join(piece.text for piece in found if piece.change.value in (Change.SAME, change))


def says(found: list[MessageDiff], change: Change) -> list[Said]:
    return [
        Said(one.role, side(one.pieces, change))
        for one in found
        if one.change in (Change.SAME, Change.CHANGED, change)
    ]


@settings(max_examples=60)
@given(MESSAGES, MESSAGES)
def test_both_conversations_can_be_read_from_their_difference(old: list[Said], new: list[Said]) -> None:
    found = list(compare_messages(old, new))
    assert says(found, Change.REMOVED) == old
    assert says(found, Change.ADDED) == new


def test_a_long_prompt_is_compared_and_only_its_changes_are_shown() -> None:
    lines = [f"line {n} of a document that was put into the prompt" for n in range(20_000)]
    old, new = "\n".join(lines), "\n".join([*lines[:9_000], "a new line", *lines[9_000:]])
    [found] = compare_messages([Said("user", old)], [Said("user", new)])
    assert found.change is Change.CHANGED
    assert [(one.change, one.left_out > 0) for one in found.shown] == [
        ("left out", True),
        ("same", False),
        ("added", False),
        ("same", False),
        ("left out", True),
    ]


def test_a_long_message_that_was_added_says_how_much_is_not_shown() -> None:
    [found] = compare_messages([], [Said("user", "a" * (prompt_diff.MAX_SHOWN + 7))])
    assert [(one.change, one.left_out) for one in found.shown] == [("added", 7)]


def test_of_a_message_that_is_the_same_only_the_beginning_is_shown() -> None:
    same = Said("user", "a" * 9_000)
    [found] = compare_messages([same], [same])
    assert [(len(one.text), one.left_out) for one in found.shown] == [(600, 8_400)]


def test_a_long_run_of_messages_that_are_the_same_shows_its_ends() -> None:
    prompt: JSONValue = [text_message("user", f"message {n}") for n in range(100)]
    diff = prompt_diff.compare(call(prompt), call([*prompt, text_message("user", "new")]))  # type: ignore[misc]
    shown = [one.count if isinstance(one, Skipped) else one.opening for one in diff.shown]
    assert shown == ["message 0", "message 1", 96, "message 98", "message 99", "new"]
