"""What the user said and what the agent answered, read from whatever an emitter sent."""

import pytest

from traces.span import JSONValue
from traces.turns import NOTHING, Said, answered, asked, first_said


def text(role: str, *said: str) -> JSONValue:
    return {"role": role, "parts": [{"type": "text", "content": one} for one in said]}


CALL = {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "crm", "arguments": {}}]}
CONVERSATION: JSONValue = [
    text("system", "Be brief"),
    text("user", "Hi"),
    text("assistant", "Hello"),
    text("user", "Who went quiet?", "Since May"),
]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CONVERSATION, Said("Who went quiet?\n\nSince May")),
        ([text("system", "Be brief")], NOTHING),
        ("Plan it", Said("Plan it")),
        ({"query": "q"}, Said('{\n  "query": "q"\n}')),
        ([{"role": "user", "content": "as OpenAI writes it"}], Said("as OpenAI writes it")),
        (
            [{"role": "user", "parts": [{"type": "blob", "mime_type": "image/png"}]}],
            Said("", ("Attachment: blob, image/png",)),
        ),
        (None, NOTHING),
        ([], NOTHING),
    ],
)
def test_the_last_thing_the_user_said_is_the_question(content: JSONValue, expected: Said) -> None:
    assert asked(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([text("assistant", "Acme did")], Said("Acme did")),
        ([CALL], Said("", ("Asked for crm",))),
        ([CALL, text("assistant", "Acme did")], Said("Acme did")),
        (CONVERSATION, Said("Hello")),
        ("done", Said("done")),
        ("", NOTHING),
    ],
)
def test_the_last_thing_that_was_said_is_the_answer(content: JSONValue, expected: Said) -> None:
    assert answered(content) == expected


def test_words_win_over_notes_and_anything_over_nothing() -> None:
    note, words = Said("", ("Asked for crm",)), Said("Acme")
    assert first_said(NOTHING, note, words) == words
    assert first_said(NOTHING, note) == note
    assert first_said(NOTHING) is NOTHING
