"""Where an SDK's own OTLP exporter can send to: what came over the wire becomes a golden payload."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from recording import NO_STEADY, Steady, write_payload


class Collector(BaseHTTPRequestHandler):
    """Answers every path with an empty success and keeps the trace requests."""

    received: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self._body()
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if "traces" in self.path:
            self.received += _resource_spans(self.headers["content-type"], body)
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        return b"".join(chunks)

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a recording prints nothing."""


def _resource_spans(content_type: str, body: bytes) -> list[dict[str, Any]]:
    if "json" in content_type:
        found: list[dict[str, Any]] = json.loads(body)["resourceSpans"]
        return found
    payload = MessageToDict(ExportTraceServiceRequest.FromString(body))
    for resource in payload["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64decode(span[key]).hex()
    return payload["resourceSpans"]


@contextmanager
def capturing(name: str, steady: Steady = NO_STEADY) -> Iterator[str]:
    """The address to export to; once the SDK has sent everything, the payload is written under this name."""
    received: list[dict[str, Any]] = []
    handler = type("Capture", (Collector,), {"received": received})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    write_payload(name, {"resourceSpans": _merged(received)}, steady)


def _merged(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One resource for all requests of a process, and each scope once, its spans in the order they started:
    the order in which requests of one process arrive is another in every run."""
    merged: dict[str, dict[str, Any]] = {}
    for sent in received:
        resource = json.dumps(sent.get("resource", {}), sort_keys=True)
        kept = merged.setdefault(resource, {"resource": sent.get("resource", {}), "scopeSpans": []})
        for scope in sent["scopeSpans"]:
            known = [one for one in kept["scopeSpans"] if one.get("scope") == scope.get("scope")]
            if known:
                known[0]["spans"] += scope["spans"]
            else:
                kept["scopeSpans"].append({key: scope[key] for key in ("scope", "spans") if key in scope})
    resources = list(merged.values())
    scopes = [scope for resource in resources for scope in resource["scopeSpans"]]
    parents = {span["spanId"]: span.get("parentSpanId") for scope in scopes for span in scope["spans"]}
    for scope in scopes:
        # Clocks of a millisecond give a parent and its child the same start.
        scope["spans"].sort(
            key=lambda span: (int(span["startTimeUnixNano"]), _depth(span["spanId"], parents))
        )
    return resources


def _depth(span_id: str, parents: Mapping[str, str | None]) -> int:
    parent = parents.get(span_id)
    return 1 + _depth(parent, parents) if parent else 0
