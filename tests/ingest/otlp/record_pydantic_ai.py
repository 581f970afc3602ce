"""Records `pydantic_ai.json`: a Pydantic AI agent, traced by Logfire, calls a tool once.

Run with `pydantic-ai-slim[openai]` and `logfire` installed (`requirements-record.txt`).
"""

import logfire
import recording
import stand_in_openai
from openai import AsyncOpenAI
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def forecaster(address: str) -> Agent:
    client = AsyncOpenAI(api_key="not-a-key", base_url=address, max_retries=0)
    model = OpenAIChatModel("gpt-5-mini", provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, name="forecaster", instructions="Be brief.")

    @agent.tool_plain
    def get_weather(city: str) -> dict[str, object]:
        """The weather in a city."""
        return {"celsius": 3, "sky": "rain"}

    return agent


def main() -> None:
    exporter = InMemorySpanExporter()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        service_name="golden",
        service_version="4.2.0",
        environment="staging",
        additional_span_processors=[SimpleSpanProcessor(exporter)],
        inspect_arguments=False,
    )
    logfire.instrument_pydantic_ai()
    with (
        stand_in_openai.serving() as address,
        logfire.span("forecast for {city}", city="Oslo", _tags=["beta", "weather"]),
    ):
        forecaster(address).run_sync(stand_in_openai.QUESTION, model_settings={"max_tokens": 256})
        logfire.info("served")
    recording.write("pydantic_ai", exporter.get_finished_spans())


if __name__ == "__main__":
    main()
