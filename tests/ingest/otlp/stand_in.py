"""A stand-in for Anthropic's Messages API: answers that never change, as JSON and as a stream."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

FIRST_USAGE = {
    "input_tokens": 40,
    "cache_creation_input_tokens": 60,
    "cache_read_input_tokens": 20,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 50},
    "output_tokens": 30,
}
LATER_USAGE = {"input_tokens": 25, "cache_read_input_tokens": 80, "output_tokens": 12}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
CHUNKS = ("3 degrees", " and rain.")


class Messages(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if request["model"] == "overloaded":
            error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
            self._answer(529, "application/json", json.dumps(error))
        elif request.get("stream"):
            self._answer(200, "text/event-stream", "".join(_stream(request)))
        else:
            self._answer(200, "application/json", json.dumps(_message(request)))

    def _answer(self, status: int, content_type: str, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a recording prints nothing."""


def _message(request: dict[str, Any]) -> dict[str, Any]:
    answered = len(request["messages"]) > 1
    thought = {"type": "thinking", "thinking": "The tool said rain.", "signature": "c2ln"}
    content = (
        [thought, {"type": "text", "text": "3 degrees and rain."}]
        if answered
        else [{"type": "text", "text": "Let me look."}, CALL]
    )
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": content,
        "stop_reason": "end_turn" if answered else "tool_use",
        "stop_sequence": None,
        "usage": LATER_USAGE if answered else FIRST_USAGE,
    }


def _stream(request: dict[str, Any]) -> Iterator[str]:
    message = {
        **_message(request),
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }
    yield _event("message_start", message=message)
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for chunk in CHUNKS:
        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": chunk})
    yield _event("content_block_stop", index=0)
    yield _event(
        "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 6}
    )
    yield _event("message_stop")


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


@contextmanager
def serving() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Messages)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
