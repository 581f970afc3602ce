"""What log records say of a span, put together in the order of their times."""

import itertools
import json
from typing import Any

from traces.logged import NOTHING, Logged, read, with_own_events

DETAILS = "gen_ai.client.inference.operation.details"


def stored(kind: str, time: int, content: dict[str, Any], *, name: str = "e", place: int = 0) -> str:
    entry = {"revision": 0, "kind": kind, "name": name, "time": f"2026-01-01T00:00:0{time}.000000000Z"}
    return json.dumps(entry | {"place": place, "content": content})


def test_without_records_there_is_nothing() -> None:
    assert read({}) is NOTHING
    own: list[Any] = [{"name": "own"}]
    assert with_own_events(NOTHING, own, {}) is own


def test_messages_stand_in_the_order_of_their_times_then_of_their_places() -> None:
    entries = {
        "a": stored("input", 2, {"n": 3}),
        "b": stored("input", 1, {"n": 2}, place=7),
        "c": stored("input", 1, {"n": 1}, place=3),
        "d": stored("output", 3, {"n": 4}),
    }
    for order in itertools.permutations(entries.items()):
        logged = read(dict(order))
        assert logged.input == [{"n": 1}, {"n": 2}, {"n": 3}]
        assert logged.output == [{"n": 4}]


def test_the_details_of_a_call_beat_single_messages_and_the_later_call_the_earlier() -> None:
    logged = read(
        {
            "a": stored("input", 1, {"n": 1}),
            "b": stored("details", 3, {"input": ["later"], "attributes": {}}, name=DETAILS),
            "c": stored(
                "details", 2, {"input": ["earlier"], "output": "said", "attributes": {}}, name=DETAILS
            ),
        }
    )
    assert (logged.input, logged.output, logged.output_bytes) == (["later"], "said", 4)
    [earlier] = with_own_events(logged, [], {})
    assert isinstance(earlier, dict)
    assert earlier["attributes"] == {"input": ["earlier"], "output": "said"}


def test_an_event_that_the_span_has_too_is_there_once() -> None:
    logged = read({"a": stored("event", 1, {"k": 1}, name="exception"), "b": stored("event", 2, {"k": 2})})
    own: list[Any] = [{"name": "exception", "time": "2026-01-01T00:00:01.5Z", "attributes": {"k": 1}}]
    names = [(event["name"], event["attributes"]) for event in with_own_events(logged, own, {})]  # type: ignore[index,call-overload]
    assert names == [("exception", {"k": 1}), ("e", {"k": 2})]


def test_counts_of_what_was_replaced_are_summed() -> None:
    entries = {
        key: json.dumps(json.loads(stored("event", 1, {})) | {"redactions": {"email": 2}}) for key in "ab"
    }
    assert read(entries).redactions == {"email": 4}


def test_the_size_of_an_answer_is_that_of_its_text_or_json() -> None:
    assert (Logged(output="ü").output_bytes, Logged(output=[1]).output_bytes, Logged().output_bytes) == (
        2,
        3,
        None,
    )
