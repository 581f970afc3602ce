"""Records `openai_v2.json`: OpenTelemetry's own instrumentation of OpenAI, content on the spans.

Run with `opentelemetry-instrumentation-openai-v2` and `openai` installed (`requirements-record.txt`).
"""

import os

os.environ |= {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}

from typing import Any

import openai
import stand_in_openai as stand_in
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from recording import recording


def converse(client: openai.OpenAI) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": stand_in.QUESTION},
    ]
    request: dict[str, Any] = {"model": "gpt-5-mini", "max_tokens": 256, "tools": [stand_in.TOOL]}
    first = client.chat.completions.create(messages=messages, **request)
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": "call_1", "content": '{"celsius": 3, "sky": "rain"}'},
    ]
    stream = client.chat.completions.create(
        messages=messages, stream=True, stream_options={"include_usage": True}, **request
    )
    for _ in stream:
        pass
    client.embeddings.create(model="text-embedding-3-small", input="rain in Oslo")
    try:
        client.chat.completions.create(messages=messages, model="overloaded")
    except openai.APIStatusError:
        return


def main() -> None:
    instrumentor = OpenAIInstrumentor()
    with recording("openai_v2") as provider, stand_in.serving() as address:
        instrumentor.instrument(tracer_provider=provider)
        converse(openai.OpenAI(api_key="not-a-key", base_url=address, max_retries=0))
        instrumentor.uninstrument()


if __name__ == "__main__":
    main()
