"""Every text of a span can be read whole, by the place that pages name."""

import pytest

from tests.ingest.golden import BEGAN_NS, text_message
from tests.traces.stored import stored
from traces import texts
from traces.body import ONE_LINE, of_text
from traces.span import Event, Kind, Link, Span

SPAN = stored(
    Span(
        project_id=7,
        trace_id="a" * 32,
        span_id="b" * 16,
        start_ns=BEGAN_NS,
        end_ns=BEGAN_NS + 5,
        kind=Kind.LLM,
        status_message="it broke",
        input=[
            text_message("user", "Hi"),
            {"role": "user", "parts": [{"type": "text", "content": "a"}, "b"]},
        ],
        output={"answer": 42},
        tool_definitions=[{"name": "search"}],
        request_params={"stop": ["a", "b"]},
        attributes={"a b&c": "attribute", "empty": ""},
        resource={"service.name": "agents"},
        events=(Event(name="exception", time_ns=BEGAN_NS, attributes={"exception.stacktrace": "Traceback"}),),
        links=(Link(trace_id="f" * 32, span_id="1" * 16, attributes={"why": "batch"}),),
    )
)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("input.0", "Hi"),
        ("input.1", "a\nb"),
        ("input.1.1", "b"),
        ("output", '{\n  "answer": 42\n}'),
        ("tools", '[\n  {\n    "name": "search"\n  }\n]'),
        ("parameters.stop", '[\n  "a",\n  "b"\n]'),
        ("attributes.a b&c", "attribute"),
        ("attributes.empty", ""),
        ("resource.service.name", "agents"),
        ("events.0.exception.stacktrace", "Traceback"),
        ("links.0.why", "batch"),
        ("status_message", "it broke"),
    ],
)
def test_a_text_is_found_at_its_place(place: str, text: str) -> None:
    assert texts.find(SPAN, place) == text


@pytest.mark.parametrize(
    "place",
    [
        "",
        "input.7",
        "input.0.9",
        "input.x",
        "input.-1",
        "input.0.0.0",
        "attributes.no",
        "events.3.a",
        "events.x",
        "span_id",
    ],
)
def test_any_other_place_has_no_text(place: str) -> None:
    assert texts.find(SPAN, place) is None


def test_the_raw_text_of_json_is_the_text_that_was_sent() -> None:
    sent = '{"id": 1, "id": 2, "ratio": 1.50, "rest": "' + "x" * ONE_LINE + '"}'
    found = of_text(sent)
    assert (found.is_structure, found.text) == (True, sent)
