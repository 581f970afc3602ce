"""Records `openlit.json`: OpenLIT's instrumentation of OpenAI.

Run with `openlit` and `openai` installed (`requirements-record.txt`).
"""

import os
from typing import Any

import openai
import openlit
import stand_in_openai as stand_in
from capturing import capturing


def converse(client: openai.OpenAI) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": stand_in.QUESTION},
    ]
    request: dict[str, Any] = {"model": "gpt-5-mini", "max_tokens": 256, "user": "u-17"}
    first = client.chat.completions.create(messages=messages, tools=[stand_in.TOOL], **request)
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


def main() -> None:
    with capturing("openlit") as receiver, stand_in.serving() as address:
        os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "service.version=4.2.0,openlit.organization.id=acme"
        openlit.init(
            service_name="golden",
            environment="staging",
            otlp_endpoint=receiver,
            disable_batch=True,
            disable_metrics=True,
            disabled_instrumentors=["httpx", "urllib3", "urllib", "requests"],
        )
        converse(openai.OpenAI(api_key="not-a-key", base_url=address, max_retries=0))


if __name__ == "__main__":
    main()
