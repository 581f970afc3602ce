"""Records `google_adk_old.json` and `google_adk.json`: an agent of Google's Agent Development Kit that calls a
tool once, in the kit's own names and in the OTel names that replaced them.

Run as `python tests/ingest/otlp/record_google_adk.py` with `google-adk` installed (`requirements-record.txt`).
"""

import asyncio
import os
import subprocess
import sys

import stand_in_gemini
from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types
from opentelemetry import trace
from recording import recording

QUESTION = "What is the weather in Oslo?"


def get_weather(city: str) -> dict[str, object]:
    """The weather in a city."""
    return {"celsius": 3, "sky": "rain"}


async def converse() -> None:
    agent = Agent(
        name="forecaster",
        model="gemini-2.5-flash",
        instruction="Be brief.",
        tools=[get_weather],
        generate_content_config=types.GenerateContentConfig(
            temperature=0.2, max_output_tokens=256, top_p=0.9
        ),
    )
    runner = InMemoryRunner(agent=agent, app_name="golden")
    await runner.session_service.create_session(app_name="golden", user_id="u-17", session_id="s-4")
    asked = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    async for _ in runner.run_async(user_id="u-17", session_id="s-4", new_message=asked):
        pass
    await runner.close()


STEADY = {
    name: {"stringValue": "made-up-per-run"}
    for name in ("gcp.vertex.agent.event_id", "gcp.vertex.agent.invocation_id")
}
# Payload -> the environment that asks for its names, with content.
RECORDINGS = {
    "google_adk_old": {"ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN": "1"},
    "google_adk": {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"},
}


def record(name: str) -> None:
    with recording(name, STEADY) as provider, stand_in_gemini.serving() as address:
        os.environ |= {"GOOGLE_API_KEY": "not-a-key", "GOOGLE_GEMINI_BASE_URL": address}
        trace.set_tracer_provider(provider)
        asyncio.run(converse())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        record(sys.argv[1])
    else:
        for payload, variables in RECORDINGS.items():
            # The kit reads its environment when it is imported.
            command = [sys.executable, __file__, payload]
            subprocess.run(command, env={**os.environ, **variables}, check=True)
