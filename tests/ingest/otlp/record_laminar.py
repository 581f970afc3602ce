"""Records `laminar.json`: Laminar's SDK with its instrumentation of OpenAI.

Run with `lmnr` and `openai` installed (`requirements-record.txt`).
"""

from collections.abc import Callable
from typing import Any

import openai
import stand_in_openai as stand_in
from capturing import capturing
from lmnr import Instruments, Laminar, observe


@observe(span_type="TOOL")
def get_weather(city: str) -> dict[str, Any]:
    return {"celsius": 3, "sky": "rain"}


def forecaster(client: openai.OpenAI) -> Callable[[str], str | None]:
    @observe(user_id="u-17", session_id="s-4", tags=["beta"], metadata={"organization_id": "acme"})
    def forecast(question: str) -> str | None:
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
    with capturing("laminar") as receiver, stand_in.serving() as address:
        host, _, port = receiver.rpartition(":")
        Laminar.initialize(
            project_api_key="not-a-key",
            base_url=host,
            http_port=int(port),
            force_http=True,
            instruments={Instruments.OPENAI},
            disable_batch=True,
        )
        forecaster(openai.OpenAI(api_key="not-a-key", base_url=address, max_retries=0))(stand_in.QUESTION)
        Laminar.shutdown()


if __name__ == "__main__":
    main()
