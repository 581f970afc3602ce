"""A stand-in for Google's Gemini API: an answer that asks for a tool, then one in words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

CALL = {"functionCall": {"id": "call_1", "name": "get_weather", "args": {"city": "Oslo"}}}
FIRST_USAGE = {
    "promptTokenCount": 51,
    "cachedContentTokenCount": 20,
    "candidatesTokenCount": 10,
    "thoughtsTokenCount": 8,
    "totalTokenCount": 69,
}
LATER_USAGE = {"promptTokenCount": 82, "candidatesTokenCount": 7, "totalTokenCount": 89}


class GenerateContent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(_answer(request)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a recording prints nothing."""


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    answered = any("functionResponse" in part for said in request["contents"] for part in said["parts"])
    part = {"text": "3 degrees and rain."} if answered else CALL
    return {
        "candidates": [
            {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [part]}},
        ],
        "usageMetadata": LATER_USAGE if answered else FIRST_USAGE,
        "modelVersion": "gemini-2.5-flash-001",
        "responseId": "resp_2" if answered else "resp_1",
    }


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), GenerateContent)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
