"""Records `litellm.json`: LiteLLM's OpenTelemetry callback, a call that asks for a tool and one that fails.

Run with `litellm` and `opentelemetry-sdk` installed (`requirements-record.txt`).
"""

import os

os.environ |= {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OTEL_SERVICE_NAME": "golden",
    "OTEL_ENVIRONMENT_NAME": "staging",
}

from typing import Any

import litellm
import stand_in_openai as stand_in
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from litellm.litellm_core_utils.thread_pool_executor import executor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from recording import write

# Names files of the machine that records.
FRAMES = "error.stack_trace"


def converse(address: str) -> None:
    arguments: dict[str, Any] = {
        "messages": [{"role": "user", "content": stand_in.QUESTION}],
        "api_base": address,
        "api_key": "not-a-key",
        "max_retries": 0,
        "user": "u-17",
        "metadata": {"user_api_key_team_id": "acme", "user_api_key_user_id": "owner"},
    }
    litellm.completion(model="openai/gpt-5-mini", tools=[stand_in.TOOL], **arguments)
    try:
        litellm.completion(model="openai/overloaded", **arguments)
    except litellm.exceptions.ServiceUnavailableError:
        # Callbacks run in threads of their own.
        executor.shutdown(wait=True)


def without_frames(span: ReadableSpan) -> ReadableSpan:
    attributes = {name: value for name, value in (span.attributes or {}).items() if name != FRAMES}
    span._attributes = attributes
    return span


def main() -> None:
    exporter = InMemorySpanExporter()
    litellm.suppress_debug_info = True
    litellm.callbacks = [OpenTelemetry(config=OpenTelemetryConfig(exporter=exporter))]
    with stand_in.serving() as address:
        converse(address)
    write("litellm", [without_frames(span) for span in exporter.get_finished_spans()])


if __name__ == "__main__":
    main()
