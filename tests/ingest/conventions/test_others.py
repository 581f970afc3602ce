"""LiveKit Agents, Genkit, Opik and VoltAgent: names set by hand."""

import pytest

from tests.ingest.golden import read, text_message
from traces.span import Attributes, Kind, Status, Usage


def test_a_turn_and_a_model_call_of_livekit() -> None:
    context = '{"items": [{"type": "message", "role": "user", "content": ["Hi"]}, {"type": "agent_handoff"}]}'
    turn = read({"lk.user_input": "Hi", "lk.agent_name": "concierge"}, name="agent_turn")
    call = read(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "lk.chat_ctx": context,
            "lk.response.text": "Hello",
            "lk.function_tools": ["find"],
        }
    )

    assert (turn.kind, turn.agent_name, turn.input) == (Kind.AGENT, "concierge", "Hi")
    assert (call.kind, call.input, call.output) == (Kind.LLM, [text_message("user", "Hi")], "Hello")
    assert call.tool_definitions == ["find"]


def test_a_tool_call_of_livekit() -> None:
    names: Attributes = {
        "id": "call_1",
        "name": "find",
        "arguments": '{"a": 1}',
        "is_error": True,
        "output": "none",
    }
    span = read({f"lk.function_tool.{name}": value for name, value in names.items()})

    assert (span.kind, span.tool_name, span.tool_call_id) == (Kind.TOOL, "find", "call_1")
    assert (span.input, span.output, span.status) == ({"a": 1}, "none", Status.ERROR)


def test_what_livekit_speaks() -> None:
    assert read({"lk.input_text": "Hello", "lk.tts.label": "x"}).input == "Hello"


@pytest.mark.parametrize(
    ("subtype", "kind"),
    [
        ("model", Kind.LLM),
        ("embedder", Kind.EMBEDDING),
        ("tool", Kind.TOOL),
        ("retriever", Kind.RETRIEVER),
        ("reranker", Kind.RERANKER),
        ("prompt", Kind.PROMPT),
        ("flow", Kind.WORKFLOW),
        ("evaluator", Kind.EVALUATOR),
        ("agent", Kind.AGENT),
        ("util", Kind.SPAN),
    ],
)
def test_genkit_s_subtype_says_the_kind(subtype: str, kind: Kind) -> None:
    assert read({"genkit:metadata:subtype": subtype}).kind is kind


def test_a_model_call_of_genkit() -> None:
    span = read(
        {
            "genkit:metadata:subtype": "model",
            "genkit:name": "googleai/gemini-3-flash",
            "genkit:input": '{"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "config": {}}',
            "genkit:output": '{"message": {"role": "model", "content": [{"text": "Hello"}]}, "finishReason": "stop",'
            ' "usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11}}',
        }
    )

    assert (span.model, span.usage) == ("gemini-3-flash", Usage(input_uncached=9, output=2))
    assert span.input == [text_message("user", "Hi")]
    assert span.output == [text_message("assistant", "Hello") | {"finish_reason": "stop"}]


def test_a_tool_of_genkit_is_called_by_its_name() -> None:
    span = read({"genkit:metadata:subtype": "tool", "genkit:name": "find", "genkit:input": '"x"'})

    assert (span.tool_name, span.model, span.input) == ("find", None, '"x"')


def test_a_thread_of_opik_is_a_session_and_a_program_s_session_beats_it() -> None:
    assert read({"opik.tags": ["a"], "thread_id": "t"}).session_id == "t"
    assert read({"opik.tags": ["a"], "thread_id": "t", "session.id": "s-4"}).session_id == "s-4"


def test_usage_of_voltagent() -> None:
    span = read({"voltagent.type": "x", "usage.prompt_tokens": 9, "usage.completion_tokens": 2})

    assert span.usage == Usage(input_uncached=9, output=2)
