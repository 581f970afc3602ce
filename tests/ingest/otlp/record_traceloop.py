"""Records `traceloop.json`: a workflow under the Traceloop SDK's decorators, its model calls traced by OpenLLMetry.

Run as `python tests/ingest/otlp/record_traceloop.py` with the packages of `requirements-record.txt`.
"""

import contextlib
import json
from typing import Any

import anthropic
import openai
import stand_in
import stand_in_openai
from capturing import capturing
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, task, tool, workflow

QUESTION = stand_in_openai.QUESTION
ANTHROPIC_TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": stand_in_openai.TOOL["function"]["parameters"],
}
CALLER = {
    "user_id": "u-17",
    "session_id": "s-4",
    "organization_id": "acme",
    "feature": "forecast",
    "input_type": "voice",
}
STEADY = {
    "gen_ai.openai.api_base": {"stringValue": "https://api.openai.com/v1/"},
    "server.address": {"stringValue": "api.anthropic.com"},
    "server.port": {"intValue": "443"},
    "url.full": {"stringValue": "https://api.anthropic.com/v1/messages"},
    "url.scheme": {"stringValue": "https"},
}


@tool(name="get_weather")
def get_weather(city: str) -> dict[str, object]:
    return {"celsius": 3, "sky": "rain"}


@agent(name="forecaster")
def forecast(client: openai.OpenAI, question: str) -> str:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": question},
    ]
    request: dict[str, Any] = {"model": "gpt-5-mini", "tools": [stand_in_openai.TOOL], "temperature": 0.2}
    first = client.chat.completions.create(messages=messages, **request).choices[0].message
    call = first.tool_calls[0]
    result = get_weather(**json.loads(call.function.arguments))
    messages += [
        first.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)},
    ]
    return client.chat.completions.create(messages=messages, **request).choices[0].message.content or ""


@task(name="look_up")
def look_up(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    client.embeddings.create(model="text-embedding-3-small", input="rain")
    claude.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=64,
        system="Be brief.",
        messages=[{"role": "user", "content": QUESTION}],
        tools=[ANTHROPIC_TOOL],
    )
    with contextlib.suppress(anthropic.APIStatusError):
        claude.messages.create(
            model="overloaded", max_tokens=64, messages=[{"role": "user", "content": QUESTION}]
        )
    for _ in client.chat.completions.create(
        model="gpt-5-mini",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        pass


@workflow(name="weather")
def weather(client: openai.OpenAI, claude: anthropic.Anthropic) -> str:
    Traceloop.set_association_properties(CALLER)
    answer = forecast(client, QUESTION)
    look_up(client, claude)
    return answer


def traceloop() -> None:
    with (
        capturing("traceloop", STEADY) as collector,
        stand_in.serving() as anthropic_address,
        stand_in_openai.serving() as openai_address,
    ):
        Traceloop.init(
            app_name="golden",
            disable_batch=True,
            telemetry_enabled=False,
            exporter=OTLPSpanExporter(f"{collector}/v1/traces"),
            resource_attributes={"service.version": "4.2.0", "deployment.environment.name": "staging"},
            instruments=set(),
        )
        OpenAIInstrumentor().instrument()
        AnthropicInstrumentor().instrument()
        client = openai.OpenAI(api_key="not-a-key", base_url=openai_address, max_retries=0)
        claude = anthropic.Anthropic(api_key="not-a-key", base_url=anthropic_address, max_retries=0)
        weather(client, claude)


if __name__ == "__main__":
    traceloop()
