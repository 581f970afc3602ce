"""Records `langfuse.json`: the Langfuse SDK, which exports OTLP of its own, pointed at a local server.

Run as `python tests/ingest/otlp/record_langfuse.py` with `langfuse` installed (`requirements-record.txt`).
"""

from datetime import UTC, datetime

from capturing import capturing
from langfuse import Langfuse, propagate_attributes
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient

QUESTION = "What is the weather in Oslo?"
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}
PROMPT = TextPromptClient(
    Prompt_Text(name="forecaster", version=3, prompt="Be brief.", config={}, labels=[], tags=[])
)
FIRST_CHUNK = datetime(2025, 11, 24, 10, 0, 0, 3500, tzinfo=UTC)


def langfuse() -> None:
    """An agent that calls a tool once, searches, and fails to look something up."""
    with capturing("langfuse") as address:
        client = Langfuse(
            public_key="pk-golden",
            secret_key="not-a-key",
            base_url=address,
            environment="staging",
            release="4.2.0",
        )
        with client.start_as_current_observation(name="forecast", as_type="agent", input=QUESTION) as agent:
            with propagate_attributes(
                user_id="u-17",
                session_id="s-4",
                tags=["beta", "weather"],
                version="v3",
                trace_name="Weather question",
                metadata={"organization_id": "acme", "feature": "forecast", "input_type": "voice"},
            ):
                _model_calls(client)
                _steps(client)
            agent.update(output="3 degrees and rain.", metadata={"attempt": 2, "plan": {"steps": ["look"]}})
        client.shutdown()


def _model_calls(client: Langfuse) -> None:
    with client.start_as_current_observation(
        name="ask",
        as_type="generation",
        model="claude-sonnet-4-6",
        model_parameters={"temperature": 0.2, "max_tokens": 512},
        input=ASKED,
        prompt=PROMPT,
        completion_start_time=FIRST_CHUNK,
    ) as generation:
        generation.update(
            output={"role": "assistant", "content": None, "tool_calls": [CALL]},
            usage_details={
                "input": 40,
                "cache_read_input_tokens": 20,
                "input_cache_creation_5m": 10,
                "input_cache_creation_1h": 50,
                "output": 22,
                "output_reasoning_tokens": 8,
                "total": 150,
            },
            cost_details={"input": 0.00012, "output": 0.00045},
        )
    with client.start_as_current_observation(
        name="embed",
        as_type="embedding",
        model="text-embedding-3-small",
        input=["rain", "sun"],
        usage_details={"input": 2},
        cost_details={"total": 0.00000004},
    ):
        pass


def _steps(client: Langfuse) -> None:
    with client.start_as_current_observation(
        name="get_weather", as_type="tool", input={"city": "Oslo"}, output={"celsius": 3, "sky": "rain"}
    ):
        pass
    with client.start_as_current_observation(
        name="search", as_type="retriever", input="rain in Oslo", output=[{"id": "d0", "content": "Wet."}]
    ):
        pass
    for kind in ("chain", "guardrail", "evaluator", "span"):
        with client.start_as_current_observation(name=f"a {kind}", as_type=kind):
            pass
    client.create_event(name="cached", input="hit")
    with client.start_as_current_observation(name="look up", as_type="tool", level="ERROR") as failed:
        failed.update(status_message="No such city")


if __name__ == "__main__":
    langfuse()
