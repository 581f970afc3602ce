"""Records `mlflow.json`: MLflow's tracing exports an agent and OpenAI calls over OTLP.

Run with `mlflow-tracing` and `openai` installed (`requirements-record.txt`).
"""

import os
from collections.abc import Callable
from typing import Any

import mlflow
import openai
import stand_in_openai as stand_in
from capturing import capturing
from mlflow.entities import SpanType


@mlflow.trace(span_type=SpanType.TOOL)
def get_weather(city: str) -> dict[str, Any]:
    return {"celsius": 3, "sky": "rain"}


def forecaster(client: openai.OpenAI) -> Callable[[str], str | None]:
    @mlflow.trace(span_type=SpanType.AGENT)
    def forecast(question: str) -> str | None:
        mlflow.update_current_trace(
            user="u-17", session_id="s-4", tags={"organization_id": "acme", "tier": "gold"}
        )
        messages: list[Any] = [{"role": "user", "content": question}]
        request: dict[str, Any] = {"model": "gpt-5-mini", "temperature": 0.2, "tools": [stand_in.TOOL]}
        first = client.chat.completions.create(messages=messages, **request)
        messages += [
            first.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": "call_1", "content": str(get_weather("Oslo"))},
        ]
        return client.chat.completions.create(messages=messages, **request).choices[0].message.content

    return forecast


def main() -> None:
    with capturing("mlflow") as receiver, stand_in.serving() as address:
        os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f"{receiver}/v1/traces"
        os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
        mlflow.set_tracking_uri(receiver)
        mlflow.openai.autolog()
        forecaster(openai.OpenAI(api_key="not-a-key", base_url=address, max_retries=0))(stand_in.QUESTION)
        mlflow.tracing.provider.provider.get().shutdown()


if __name__ == "__main__":
    main()
