"""A stand-in for OpenAI's API: chat completions (also streamed) and embeddings, answers that never change."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

MODEL = "gpt-5-mini-2025-08-07"
QUESTION = "What is the weather in Oslo?"
ANSWER = "3 degrees and rain."
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
FIRST_USAGE = {
    "prompt_tokens": 51,
    "completion_tokens": 18,
    "total_tokens": 69,
    "prompt_tokens_details": {"cached_tokens": 20},
    "completion_tokens_details": {"reasoning_tokens": 8},
}
LATER_USAGE = {"prompt_tokens": 82, "completion_tokens": 7, "total_tokens": 89}
CHUNKS = ("3 degrees", " and rain.")


class Completions(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if request["model"] == "overloaded":
            error = {"message": "Overloaded", "type": "server_error", "code": "overloaded"}
            self._answer(503, "application/json", json.dumps({"error": error}))
        elif self.path.endswith("/embeddings"):
            self._answer(200, "application/json", json.dumps(_embedding()))
        elif request.get("stream"):
            self._answer(200, "text/event-stream", "".join(_stream(request)))
        else:
            self._answer(200, "application/json", json.dumps(_completion(request)))

    def _answer(self, status: int, content_type: str, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a recording prints nothing."""


def _wants_tool(request: dict[str, Any]) -> bool:
    return bool(request.get("tools")) and not any(said["role"] == "tool" for said in request["messages"])


def _completion(request: dict[str, Any]) -> dict[str, Any]:
    asks = _wants_tool(request)
    said = {"role": "assistant", "content": None if asks else ANSWER}
    return {
        "id": "chatcmpl-1" if asks else "chatcmpl-2",
        "object": "chat.completion",
        "created": 1_763_978_400,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {**said, "tool_calls": [CALL]} if asks else said,
                "finish_reason": "tool_calls" if asks else "stop",
            }
        ],
        "usage": FIRST_USAGE if asks else LATER_USAGE,
    }


def _stream(request: dict[str, Any]) -> Iterator[str]:
    asks = _wants_tool(request)
    deltas: list[dict[str, Any]] = (
        [{"role": "assistant", "tool_calls": [{"index": 0, **CALL}]}]
        if asks
        else [{"role": "assistant", "content": ""}, *({"content": chunk} for chunk in CHUNKS)]
    )
    for delta in deltas:
        yield _chunk(asks, [{"index": 0, "delta": delta, "finish_reason": None}])
    yield _chunk(asks, [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if asks else "stop"}])
    yield _chunk(asks, [], usage=FIRST_USAGE if asks else LATER_USAGE)
    yield "data: [DONE]\n\n"


def _chunk(asks: bool, choices: list[dict[str, Any]], **fields: Any) -> str:
    chunk = {
        "id": "chatcmpl-1" if asks else "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1_763_978_400,
        "model": MODEL,
        "choices": choices,
        **fields,
    }
    return f"data: {json.dumps(chunk)}\n\n"


def _embedding() -> dict[str, Any]:
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, 0.5]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }


@contextmanager
def serving() -> Iterator[str]:
    """The base address that an OpenAI client is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Completions)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()
