// Runs an agent of the Vercel AI SDK that calls a tool once, streams an answer and embeds a text.
// Called by record_vercel.py: node record_vercel.mjs <names> <anthropic address> <openai address> <collector address>

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SimpleSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { z } from "zod";

const [names, anthropicAddress, openaiAddress, collector] = process.argv.slice(2);
const QUESTION = "What is the weather in Oslo?";
const CALLER = { userId: "u-17", sessionId: "s-4", organizationId: "acme", feature: "forecast", tags: ["beta", "weather"] };
const FUNCTION = "forecaster";

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({
    "service.name": "golden",
    "service.version": "4.2.0",
    "deployment.environment.name": "staging",
  }),
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${collector}/v1/traces` }))],
});
provider.register();

const anthropic = createAnthropic({ apiKey: "not-a-key", baseURL: `${anthropicAddress}/v1` });
const openai = createOpenAI({ apiKey: "not-a-key", baseURL: openaiAddress });
const city = z.object({ city: z.string() });
const getWeather = {
  description: "The weather in a city.",
  parameters: city,
  inputSchema: city,
  execute: async () => ({ celsius: 3, sky: "rain" }),
};

const old = names === "ai4";
if (!old) {
  const { LegacyOpenTelemetry, OpenTelemetry } = await import("@ai-sdk/otel");
  const all = { usage: true, providerMetadata: true, embedding: true, runtimeContext: true };
  ai.registerTelemetry(names === "otel" ? new OpenTelemetry(all) : new LegacyOpenTelemetry());
}
const telemetry = old
  ? { experimental_telemetry: { isEnabled: true, functionId: FUNCTION, metadata: CALLER } }
  : {
      runtimeContext: CALLER,
      telemetry: {
        functionId: FUNCTION,
        includeRuntimeContext: Object.fromEntries(Object.keys(CALLER).map((key) => [key, true])),
      },
    };
const steps = old ? { maxSteps: 2 } : { stopWhen: ai.stepCountIs(2) };
const length = old ? { maxTokens: 64 } : { maxOutputTokens: 64 };

await ai.generateText({
  model: anthropic("claude-sonnet-4-6"),
  system: "Be brief.",
  prompt: QUESTION,
  tools: { get_weather: getWeather },
  temperature: 0.2,
  ...length,
  ...steps,
  ...telemetry,
});
const streamed = ai.streamText({ model: anthropic("claude-sonnet-4-6"), prompt: QUESTION, ...length, ...telemetry });
for await (const _ of streamed.textStream);
if (names !== "legacy") {
  const embedding = openai.textEmbeddingModel?.("text-embedding-3-small") ?? openai.embedding("text-embedding-3-small");
  await ai.embed({ model: embedding, value: "rain", ...telemetry });
  await ai
    .generateText({ model: anthropic("overloaded"), prompt: QUESTION, maxRetries: 0, ...telemetry })
    .catch(() => undefined);
}
await provider.forceFlush();
await provider.shutdown();
