"""Records `langsmith.json`: the LangSmith SDK in its OpenTelemetry mode, with OpenAI wrapped.

Run with `langsmith[otel]` and `openai` installed (`requirements-record.txt`).
"""

import os

os.environ |= {
    "LANGSMITH_OTEL_ENABLED": "true",
    "LANGSMITH_OTEL_ONLY": "true",
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_REVISION_ID": "r1",
}

from collections.abc import Callable
from typing import Any

import openai
import stand_in_openai as stand_in
from langsmith import Client, traceable
from langsmith.wrappers import wrap_openai
from opentelemetry import trace
from recording import recording


@traceable(run_type="tool")
def get_weather(city: str) -> dict[str, Any]:
    return {"celsius": 3, "sky": "rain"}


def forecaster(client: openai.OpenAI) -> Callable[..., str | None]:
    @traceable(run_type="chain", name="forecast", tags=["beta", "weather"])
    def forecast(question: str) -> str | None:
        messages: list[Any] = [{"role": "user", "content": question}]
        request: dict[str, Any] = {"model": "gpt-5-mini", "temperature": 0.2, "tools": [stand_in.TOOL]}
        first = client.chat.completions.create(messages=messages, **request)
        messages += [
            first.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": "call_1", "content": str(get_weather("Oslo"))},
        ]
        return client.chat.completions.create(messages=messages, **request).choices[0].message.content

    return forecast


@traceable(run_type="retriever")
def search(query: str) -> list[dict[str, Any]]:
    raise TimeoutError("no answer from the index")


def main() -> None:
    with recording("langsmith") as provider, stand_in.serving() as address:
        trace.set_tracer_provider(provider)
        client = Client(api_key="not-a-key", api_url="http://127.0.0.1:9", otel_tracer_provider=provider)
        wrapped = wrap_openai(openai.OpenAI(api_key="not-a-key", base_url=address, max_retries=0))
        metadata = {"user_id": "u-17", "session_id": "s-4", "organization_id": "acme"}
        extra = {"client": client, "metadata": metadata}
        forecaster(wrapped)(stand_in.QUESTION, langsmith_extra=extra)
        try:
            search("rain", langsmith_extra={"client": client})
        except TimeoutError:
            client.flush()


if __name__ == "__main__":
    main()
