"""Messages of any emitter read the same."""

import pytest

from traces.body import plain
from traces.conversation import MAX_LABEL, Message, Part, messages
from traces.span import JSONValue

CUT_OUT: JSONValue = {"media": "application/pdf", "bytes": 9, "sha256": "ab"}
CALL = Part("call", '{\n  "q": "boots"\n}', name="search", call_id="c1", result="12 hits")
GENAI: JSONValue = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Find boots."}]},
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "boots"}}],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "12 hits"}]},
]
OPENAI: JSONValue = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Find boots."}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "boots"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "12 hits"},
]
ANTHROPIC: JSONValue = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Find boots."},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "boots"}}],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "12 hits"}]},
]


@pytest.mark.parametrize("content", [GENAI, OPENAI, ANTHROPIC, {"messages": GENAI}])
def test_results_stand_with_their_calls(content: JSONValue) -> None:
    assert messages(content) == [
        Message("system", [Part("text", "Be brief.")]),
        Message("user", [Part("text", "Find boots.")]),
        Message("assistant", [CALL]),
    ]


def test_a_result_without_its_call_is_shown() -> None:
    found = messages([{"role": "tool", "tool_call_id": "gone", "content": "12 hits"}])
    assert found == [Message("tool", [Part("result", "12 hits", call_id="gone")])]


def asks(*call_ids: str) -> JSONValue:
    calls: list[JSONValue] = [{"type": "tool_call", "id": one, "name": "weather"} for one in call_ids]
    return {"role": "assistant", "parts": calls}


def returns(call_id: str, result: str) -> JSONValue:
    return {"role": "tool", "parts": [{"type": "tool_call_response", "id": call_id, "response": result}]}


def test_an_id_that_is_used_again_has_the_result_of_its_own_turn() -> None:
    first = [asks("call_0", "call_1"), returns("call_0", "sun"), returns("call_1", "rain")]
    found = messages([*first, asks("call_0"), returns("call_0", "snow")])
    assert found is not None
    assert [[part.result for part in message.parts] for message in found] == [["sun", "rain"], ["snow"]]


def test_a_second_result_of_a_call_is_not_lost() -> None:
    found = messages([asks("c1"), returns("c1", "first half"), returns("c1", "second half")])
    assert found is not None
    assert [part.result for part in found[0].parts] == ["first half"]
    assert found[1] == Message("tool", [Part("result", "second half", call_id="c1")])


def test_reasoning_and_attachments_are_told_apart() -> None:
    found = messages(
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm."},
                    {"type": "image", "mime_type": "image/png", "uri": "https://example.com/x.png"},
                ],
            }
        ]
    )
    assert found is not None
    assert [part.kind for part in found[0].parts] == ["reasoning", "media"]
    assert found[0].parts[1].text == "image, image/png, https://example.com/x.png"


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}},
            "image_url, https://a.example/x.png, low",
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/y.png"}},
            "image, https://a.example/y.png",
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": CUT_OUT}},
            "file, a.pdf, application/pdf, 9 B, sha256 ab",
        ),
        ({"type": "file", "file": {"file_data": "x" * 1_000}}, f"file, {'x' * MAX_LABEL}…"),
    ],
)
def test_an_attachment_says_its_name_and_where_it_lies(part: JSONValue, shown: str) -> None:
    [message] = messages([{"role": "user", "content": [part]}]) or []
    assert message.parts == [Part("media", shown)]


def test_a_part_of_an_unknown_type_is_shown_as_it_is() -> None:
    found = messages([{"role": "user", "content": [{"type": "hologram", "content": "x"}, 7]}])
    assert found is not None
    assert [part.kind for part in found[0].parts] == ["data", "data"]
    assert '"hologram"' in found[0].parts[0].text


@pytest.mark.parametrize(
    "content", [None, "text", 5, [], ["a"], {"q": 1}, [{"role": "user"}], [{"role": 3, "content": ""}]]
)
def test_what_is_no_conversation_is_left_alone(content: JSONValue) -> None:
    assert messages(content) is None


def test_plain_keeps_text_and_indents_structure() -> None:
    assert plain("ü") == "ü"
    assert plain({"a": "ü"}) == '{\n  "a": "ü"\n}'
