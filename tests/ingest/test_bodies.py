"""Requests to and answers of model APIs, recorded whole."""

import pytest

from ingest.bodies import answered, asked, parameters, response_id
from tests.ingest.golden import text_message
from traces.span import JSONValue

HI = text_message("user", "Hi")
SYSTEM = text_message("system", "Be brief.")
HELLO = text_message("assistant", "Hello")
CALL = {"type": "tool_call", "id": "call_1", "name": "f", "arguments": {"a": 1}}


def dump(kind: str, **kwargs: JSONValue) -> JSONValue:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", kind], "kwargs": kwargs}


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}], "model": "m"}, [HI]),
        ({"messages": [{"role": "user", "content": "Hi"}], "system": "Be brief."}, [SYSTEM, HI]),
        ({"input": [{"role": "user", "content": "Hi"}], "instructions": "Be brief."}, [SYSTEM, HI]),
        ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, [HI]),
        ({"messages": [[dump("HumanMessage", content="Hi", type="human")]]}, [HI]),
        ([{"type": "human", "content": "Hi"}], [HI]),
        ([{"type": "human", "data": {"content": "Hi"}}], [HI]),
        ({"question": "Hi"}, None),
        ("Hi", None),
        ([[], 3], None),
    ],
)
def test_the_messages_of_a_request(body: JSONValue, messages: JSONValue) -> None:
    assert asked(body) == messages


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]},
            [HELLO | {"finish_reason": "stop"}],
        ),
        ({"choices": [{"text": "Hello"}]}, [HELLO]),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"},
            [HELLO | {"finish_reason": "end_turn"}],
        ),
        (
            {
                "candidates": [
                    {"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}
                ]
            },
            [text_message("assistant", "Hello") | {"finish_reason": "STOP"}],
        ),
        ({"generations": [[{"text": "Hello", "message": dump("AIMessage", content="Hello")}]]}, [HELLO]),
        (
            {
                "output": [
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "Hello"}],
                    },
                    {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a": 1}'},
                    {"type": "other"},
                ]
            },
            [HELLO, {"role": "assistant", "parts": [CALL]}],
        ),
        ({"output": "Hello"}, None),
        ({"choices": [], "candidates": 3}, None),
        (None, None),
    ],
)
def test_the_messages_of_an_answer(body: JSONValue, messages: JSONValue) -> None:
    assert answered(body) == messages


def test_the_parameters_of_a_request_are_what_is_no_content() -> None:
    request: JSONValue = {"messages": [], "model": "m", "tools": [], "temperature": 0, "stop": None, "n": 1}

    assert parameters(request) == {"temperature": 0, "n": 1}
    assert parameters({"question": "Hi"}) is None
    assert parameters("Hi") is None


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"id": "chatcmpl-1", "model": "gpt-5", "choices": []}', "chatcmpl-1"),
        ('{"generations": [[]], "llm_output": {"id": "msg_1", "model_name": "claude"}}', "msg_1"),
        ('{"id": "42", "name": "made up by a model"}', None),
        ('{"id": 42, "model": "m"}', None),
        ('{"id": "cut off", "model', None),
        ("It rains.", None),
        ({"id": "structure", "model": "m"}, None),
    ],
)
def test_the_id_of_an_answer_is_the_provider_s(answer: JSONValue, found: str | None) -> None:
    assert response_id(answer) == found
