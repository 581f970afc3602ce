"""Records `strands.json`: a Strands agent calls a tool once.

Run with `strands-agents[otel,openai]` installed (`requirements-record.txt`).
"""

from typing import Any

import stand_in_openai as stand_in
from opentelemetry import trace
from recording import recording
from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> dict[str, Any]:
    """The weather in a city."""
    return {"status": "success", "content": [{"json": {"celsius": 3, "sky": "rain"}}]}


def main() -> None:
    with recording("strands") as provider, stand_in.serving() as address:
        trace.set_tracer_provider(provider)
        model = OpenAIModel(
            client_args={"api_key": "not-a-key", "base_url": address, "max_retries": 0}, model_id="gpt-5-mini"
        )
        agent = Agent(
            model=model,
            name="forecaster",
            system_prompt="Be brief.",
            tools=[get_weather],
            callback_handler=None,
            trace_attributes={"session.id": "s-4", "user.id": "u-17"},
        )
        agent(stand_in.QUESTION)


if __name__ == "__main__":
    main()
