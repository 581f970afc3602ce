"""The real `anthropic` client, instrumented by OpenInference; its address comes from ANTHROPIC_BASE_URL."""

import anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
AnthropicInstrumentor().instrument(tracer_provider=provider)

with provider.get_tracer("support").start_as_current_span("support.turn") as root:
    reply = anthropic.Anthropic(api_key="not-a-key").messages.create(
        model="claude-sonnet-4-5-20250929",
        max_tokens=256,
        system="You are a support engineer.",
        messages=[{"role": "user", "content": "I am grace.hopper@example.com, call +1 415 555 2671."}],
    )
    assert reply.content[0].type == "text"

provider.shutdown()
print(format(root.get_span_context().trace_id, "032x"))  # noqa: T201
