"""Records the payloads in `with_logs`: the OpenAI client as OpenTelemetry instruments it, content on log records.

Run as `python tests/ingest/otlp/record_logs.py` in an environment with `openai`,
`opentelemetry-instrumentation-openai-v2` and `opentelemetry-exporter-otlp-proto-common`; each file holds the
traces request and the logs request of one program. Recorded with openai-v2 2.4b0, util-genai 0.4b0 (the last
that writes an event a message) and openai 2.54.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import openai
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

HERE = Path(__file__).parent
BEGAN_NS = 1_763_978_400_000_000_000
STEP_NS = 1_000_000
RESOURCE = Resource({"service.name": "golden", "service.version": "4.2.0"})
MODEL = "gpt-4o-mini"
QUESTION = "What is the weather in Oslo?"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}
USAGE = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}


class Completions(BaseHTTPRequestHandler):
    """A stand-in for the chat completions API: asks for the tool, then answers; streams when asked to."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answered = any(message["role"] == "tool" for message in request["messages"])
        message = (
            {"role": "assistant", "content": "3 degrees and rain."}
            if answered
            else {"role": "assistant", "content": None, "tool_calls": [CALL]}
        )
        if request.get("stream"):
            self._answer("text/event-stream", "".join(_chunks()))
        else:
            reason = "stop" if answered else "tool_calls"
            choice = {"index": 0, "message": message, "finish_reason": reason}
            self._answer("application/json", json.dumps(_completion([choice], "chat.completion")))

    def _answer(self, content_type: str, body: str) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a recording prints nothing."""


def _completion(choices: list[Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": kind,
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": choices,
        "usage": USAGE,
    }


def _chunks() -> Iterator[str]:
    for text in ("Hello", " there."):
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        yield f"data: {json.dumps(_completion([choice], 'chat.completion.chunk'))}\n\n"
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield f"data: {json.dumps(_completion([last], 'chat.completion.chunk'))}\n\ndata: [DONE]\n\n"


class CountedIds(IdGenerator):
    """The same ids in every run."""

    def __init__(self) -> None:
        self._next = count(1)

    def generate_trace_id(self) -> int:
        return 0x1065 << 112 | next(self._next)

    def generate_span_id(self) -> int:
        return 0x1065 << 48 | next(self._next)


@contextmanager
def recording(name: str) -> Iterator[tuple[openai.OpenAI, TracerProvider]]:
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    traces = TracerProvider(resource=RESOURCE, id_generator=CountedIds(), shutdown_on_exit=False)
    traces.add_span_processor(SimpleSpanProcessor(spans))
    events = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    events.add_log_record_processor(SimpleLogRecordProcessor(logs))
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=traces, logger_provider=events)
    server = HTTPServer(("127.0.0.1", 0), Completions)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/v1"
    yield openai.OpenAI(api_key="not-a-key", base_url=address, max_retries=0), traces
    server.shutdown()
    instrumentor.uninstrument()
    payload = {
        "traces": MessageToDict(encode_spans(spans.get_finished_spans())),
        "logs": MessageToDict(encode_logs(logs.get_finished_logs())),
    }
    _steady(payload)
    (HERE / "with_logs" / f"{name}.json").write_text(json.dumps(payload, indent=1, ensure_ascii=False) + "\n")


def _steady(payload: dict[str, Any]) -> None:
    """Ids as hex, as OTLP/JSON has them; the moments in their order, a millisecond apart; no port of this run."""
    holders = list(_holders(payload))
    times = {"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "observedTimeUnixNano"}
    moments = sorted({int(holder[key]) for holder in holders for key in times & holder.keys()})
    steady = {moment: BEGAN_NS + rank * STEP_NS for rank, moment in enumerate(moments)}
    for holder in holders:
        for key in {"traceId", "spanId", "parentSpanId"} & holder.keys():
            holder[key] = base64.b64decode(holder[key]).hex()
        for key in times & holder.keys():
            holder[key] = str(steady[int(holder[key])])
        if holder.get("key") == "server.port":
            holder["value"] = {"intValue": "8080"}


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _holders(item)


def converse(client: openai.OpenAI, traces: TracerProvider) -> None:
    """An agent's run: a call that asks for a tool, a call with its result, a call that streams."""
    with traces.get_tracer("golden").start_as_current_span("agent.run", attributes={"user.id": "u-17"}):
        messages: list[Any] = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": QUESTION},
        ]
        client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"celsius": 3}'},
        ]
        client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        greeting: list[Any] = [{"role": "user", "content": "Hi!"}]
        for _ in client.chat.completions.create(model=MODEL, messages=greeting, stream=True):
            pass


def openai_messages() -> None:
    """What the instrumentation does unless told otherwise: an event a message."""
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
    with recording("openai_messages") as (client, traces):
        converse(client, traces)


def openai_details() -> None:
    """The current convention: one event a call, with the whole conversation."""
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "EVENT_ONLY"
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = "true"
    with recording("openai_details") as (client, traces):
        converse(client, traces)


RECORDINGS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (openai_messages, openai_details)
}

if __name__ == "__main__":
    # The instrumentation reads its environment once: a process a recording.
    for name in sys.argv[1:] or RECORDINGS:
        if len(sys.argv) > 1:
            RECORDINGS[name]()
        else:
            os.spawnv(os.P_WAIT, sys.executable, [sys.executable, __file__, name])
