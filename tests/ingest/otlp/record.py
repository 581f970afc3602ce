"""Records the golden payloads beside this file: real SDKs and instrumentations, a stand-in for the API.

Run as `python tests/ingest/otlp/record.py` after an upgrade of an instrumentation; the difference is what
changed on the wire.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import stand_in
from openinference.instrumentation import OITracer, TraceConfig, using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode
from recording import recording

MODEL = "claude-sonnet-4-6"
TOOLS: list[Any] = [
    {
        "name": "get_weather",
        "description": "The weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
QUESTION = "What is the weather in Oslo?"


@contextmanager
def anthropic_client(provider: TracerProvider, *, genai_names: bool = False) -> Iterator[anthropic.Anthropic]:
    instrumentor = AnthropicInstrumentor()
    config = TraceConfig(enable_genai_semconv=genai_names)
    instrumentor.instrument(tracer_provider=provider, config=config)
    with stand_in.serving() as address:
        yield anthropic.Anthropic(api_key="not-a-key", base_url=address, max_retries=0)
    instrumentor.uninstrument()


def anthropic_tool_use() -> None:
    """An agent that calls a tool once: agent, model, tool and model span."""
    with recording("anthropic_tool_use") as provider, anthropic_client(provider) as client:
        tracer = OITracer(provider.get_tracer("golden"), config=TraceConfig())
        with (
            using_attributes(
                user_id="u-17",
                session_id="s-4",
                metadata={"organization_id": "acme", "feature": "forecast", "input_type": "voice"},
                tags=["beta", "weather"],
                prompt_template_version="v3",
            ),
            tracer.start_as_current_span("forecast", openinference_span_kind="agent") as agent,
        ):
            agent.set_input(QUESTION)
            _converse(client, tracer)
            agent.set_output("3 degrees and rain.")
            agent.set_status(Status(StatusCode.OK))


def _converse(client: anthropic.Anthropic, tracer: OITracer) -> None:
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    request: dict[str, Any] = {"model": MODEL, "max_tokens": 512, "tools": TOOLS}
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    first = client.messages.create(messages=messages, system=system, **request)
    call = first.content[-1]
    with tracer.start_as_current_span("get_weather", openinference_span_kind="tool") as tool:
        tool.set_tool(name=call.name, parameters=TOOLS[0]["input_schema"])
        tool.set_attribute("tool.id", call.id)
        tool.set_input(call.input)
        tool.set_output({"celsius": 3, "sky": "rain"})
        tool.set_status(Status(StatusCode.OK))
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": call.id, "content": '{"celsius": 3, "sky": "rain"}'}
            ],
        },
    ]
    client.messages.create(messages=messages, system=system, **request)


def anthropic_stream() -> None:
    with (
        recording("anthropic_stream") as provider,
        anthropic_client(provider) as client,
        client.messages.stream(
            model=MODEL, max_tokens=64, messages=[{"role": "user", "content": QUESTION}]
        ) as stream,
    ):
        for _ in stream.text_stream:
            pass


def anthropic_error() -> None:
    with recording("anthropic_error") as provider, anthropic_client(provider) as client:
        try:
            client.messages.create(
                model="overloaded", max_tokens=64, messages=[{"role": "user", "content": QUESTION}]
            )
        except anthropic.APIStatusError:
            return


def anthropic_both_names() -> None:
    """OpenInference and OTel GenAI names on one span: every count is there twice."""
    with (
        recording("anthropic_both_names") as provider,
        anthropic_client(provider, genai_names=True) as client,
    ):
        client.messages.create(
            model=MODEL, max_tokens=64, messages=[{"role": "user", "content": QUESTION}], tools=TOOLS
        )


def openinference_retrieval() -> None:
    """An embedding, a retriever and a reranker span, set by hand."""
    with recording("openinference_retrieval") as provider:
        tracer = OITracer(provider.get_tracer("golden"), config=TraceConfig())
        with tracer.start_as_current_span("embed", openinference_span_kind="embedding") as span:
            span.set_attributes(
                {
                    "embedding.model_name": "text-embedding-3-small",
                    "llm.provider": "azure",
                    "embedding.invocation_parameters": '{"dimensions": 256}',
                    "embedding.embeddings.0.embedding.text": "rain",
                    "embedding.embeddings.0.embedding.vector": [0.25, 0.5],
                    "embedding.embeddings.1.embedding.text": "sun",
                    "llm.token_count.prompt": 2,
                    "llm.token_count.total": 2,
                    "llm.cost.total": 0.00000004,
                }
            )
        with tracer.start_as_current_span("search", openinference_span_kind="retriever") as span:
            span.set_input("rain in Oslo")
            span.set_attributes(_documents("retrieval.documents", "Wet.", "Dry."))
        with tracer.start_as_current_span("rerank", openinference_span_kind="reranker") as span:
            span.set_attributes(
                {"reranker.model_name": "rerank-v3.5", "reranker.query": "rain", "reranker.top_k": 1}
                | _documents("reranker.input_documents", "Wet.", "Dry.")
                | _documents("reranker.output_documents", "Wet.")
            )


def _documents(prefix: str, *contents: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for index, text in enumerate(contents):
        base = f"{prefix}.{index}.document"
        flat |= {f"{base}.id": f"d{index}", f"{base}.score": 0.5, f"{base}.content": text}
        flat[f"{base}.metadata"] = '{"page": 1}'
    return flat


def genai_agent() -> None:
    """The current convention as an SDK of its own would set it: content as structure and as JSON text."""
    with recording("genai_agent") as provider:
        tracer = provider.get_tracer("golden.genai", "1.0")
        agent_attributes: dict[str, Any] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "Forecaster",
            "gen_ai.conversation.id": "made-up-per-run",
            "gen_ai.usage.input_tokens": 130,
            "gen_ai.usage.output_tokens": 20,
            "user.id": "u-17",
            "session.id": "s-4",
            "organization.id": "acme",
            "feature": "forecast",
            "input.type": "voice",
            "tags": ["beta", "weather"],
        }
        with tracer.start_as_current_span("invoke_agent Forecaster", attributes=agent_attributes):
            _chat_span(tracer)
            _tool_span(tracer)
            with tracer.start_as_current_span(
                "tools/call get_weather",
                attributes={"mcp.method.name": "tools/call", "mcp.session.id": "transport"},
            ):
                pass


def _chat_span(tracer: Any) -> None:
    asked = [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
    call = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
    with tracer.start_as_current_span(
        "chat gpt-5-mini",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "azure.ai.openai",
            "gen_ai.request.model": "gpt-5-mini",
            "gen_ai.response.model": "gpt-5-mini-2025-08-07",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 256,
            "gen_ai.request.stream": True,
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.response.time_to_first_chunk": 0.375,
            "gen_ai.usage.input_tokens": 130,
            "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.usage.cache_creation.input_tokens": 32,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "gen_ai.usage.cost": 0.000123,
            "gen_ai.prompt.name": "forecast",
            "gen_ai.prompt.version": "3",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
            "gen_ai.tool.definitions": json.dumps(TOOLS),
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": [{"role": "assistant", "parts": [call], "finish_reason": "tool_call"}],
        },
    ):
        pass


def _tool_span(tracer: Any) -> None:
    with tracer.start_as_current_span(
        "execute_tool get_weather",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
            "error.type": "TimeoutError",
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        span.record_exception(TimeoutError("no answer from the weather service"))


def genai_deprecated() -> None:
    """The names of 2024: `gen_ai.system`, prompt and completion tokens, an event a message."""
    with recording("genai_deprecated") as provider:
        tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
        with tracer.start_as_current_span(
            "chat gpt-4o-mini",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.system": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.openai.request.response_format": "json_object",
                "gen_ai.usage.prompt_tokens": 40,
                "gen_ai.usage.completion_tokens": 5,
                "enduser.id": "u-17",
            },
        ) as span:
            span.add_event("gen_ai.system.message", {"content": "Be brief."})
            span.add_event("gen_ai.user.message", {"content": QUESTION})
            calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
            span.add_event("gen_ai.assistant.message", {"tool_calls": json.dumps(calls)})
            span.add_event("gen_ai.tool.message", {"id": "call_1", "content": "3 degrees"})
            choice = {"index": 0, "finish_reason": "stop", "message": {"content": "Rain."}}
            span.add_event("gen_ai.choice", {"gen_ai.event.content": json.dumps(choice)})


RECORDINGS: tuple[Callable[[], None], ...] = (
    anthropic_tool_use,
    anthropic_stream,
    anthropic_error,
    anthropic_both_names,
    openinference_retrieval,
    genai_agent,
    genai_deprecated,
)

if __name__ == "__main__":
    for record in RECORDINGS:
        record()
