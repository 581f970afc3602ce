"""An ordinary program with the OpenTelemetry SDK; where it sends comes from OTEL_EXPORTER_OTLP_* alone."""

import json

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("travel-agent")
question = [
    {"role": "user", "parts": [{"type": "text", "content": "Mail the plan to ada.byron@example.com"}]}
]
answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Sent to ada.byron@example.com."}]}]

with tracer.start_as_current_span("invoke_agent travel-agent") as root:
    root.set_attributes(
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "travel-agent", "user.id": "u-1"}
    )
    with tracer.start_as_current_span("chat claude-sonnet-4-5") as call:
        call.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic"})
        call.set_attributes({"gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.usage.input_tokens": 1000})
        call.set_attributes(
            {"gen_ai.usage.output_tokens": 200, "gen_ai.input.messages": json.dumps(question)}
        )
        call.set_attribute("gen_ai.output.messages", json.dumps(answer))
    with tracer.start_as_current_span("execute_tool send_mail") as tool:
        tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "send_mail"})
        tool.set_attribute("gen_ai.tool.call.arguments", json.dumps({"to": "ada.byron@example.com"}))

provider.shutdown()
print(format(root.get_span_context().trace_id, "032x"))  # noqa: T201
