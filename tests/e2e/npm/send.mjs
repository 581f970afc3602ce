// Sends one agent trace by the exporter named on the command line ("json" or "proto"), prints its id.
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporters = { json: JsonExporter, proto: ProtoExporter };
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "e2e-node", "deployment.environment.name": "test" }),
  spanProcessors: [new BatchSpanProcessor(new exporters[process.argv[2]]())],
});
const tracer = provider.getTracer("e2e");

const root = tracer.startSpan("agent.invocation", {
  attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "node-agent", "user.id": "node-user" },
});
const inRoot = trace.setSpan(context.active(), root);
const call = tracer.startSpan("chat gpt-4.1-mini", {
  kind: SpanKind.CLIENT,
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 80,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.input.messages": JSON.stringify([
      { role: "user", parts: [{ type: "text", content: "Write to node.person@example.com, please. ".repeat(4000) }] },
    ]),
  },
}, inRoot);
call.end();
const tool = tracer.startSpan("execute_tool web_search", {
  attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "web_search" },
}, inRoot);
tool.setStatus({ code: SpanStatusCode.ERROR, message: "the search did not answer" });
tool.end();
root.end();

await provider.forceFlush();
await provider.shutdown();
console.log(root.spanContext().traceId);
