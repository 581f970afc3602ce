"""Marked secrets of every kind of detector, and requests that carry them in each field of each door."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.plain_shape import GivenEvent, GivenSpan
from tests.ingest.test_normalize import KNOWN
from tests.otlp import as_json, logs_as_json, wire_log, wire_span, with_base64_ids

# A secret as it is written -> what must be found nowhere. In two pieces where a scanner for leaked keys would look.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "marked.secret@example.com": ("marked.secret",),
    "sk-" "ant-api03-MARKEDkey7Qx2mPz81LdRk5VtYw-9A": ("MARKEDkey7Qx2",),
    "+44 20 7183 8751": ("7183 8751", "71838751"),
    "4929 7431 0586 2143": ("4929 7431", "4929743105862143"),
    "postgres://app:Mark3d-Dsn@db.internal:5432/app": ("Mark3d-Dsn",),
    "password=Mark3d!Word": ("Mark3d!Word",),
    "eyJ" "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZWQifQ.MARKEDsignature-00112233": ("MARKEDsignature", "eyJzdWIiOiJt"),
    "Password:\nMark3dLine7": ("Mark3dLine7",),
    "pwd\t=\tMark3dTab77": ("Mark3dTab77",),
    '"x-api-key": ["Mark3dHeader0123"]': ("Mark3dHeader0123",),
    '"cookie": ["theme=dark; sessionid=Mark3dCookie0123"]': ("Mark3dCookie0123",),
    "Authorization: Token Mark3dToken0123": ("Mark3dToken0123",),
    "4532\u00a07153\u00a03790\u00a01245": ("7153\u00a03790", "4532715337901245"),
}  # fmt: skip
HEADERS: Mapping[str, str] = {
    "http.request.header.x-api-key": "Mark3dHeader0123",
    "http.request.header.cookie": "lang=de; sessionid=Mark3dCookie0123",
    "http.request.header.authorization": "Token Mark3dToken0123",
}
TEXT = f"I am {', '.join(SECRETS)}; thanks"
EMAIL = next(iter(SECRETS))
DEEP: Any = {
    TEXT: [
        TEXT,
        {"headers": {name: [value] for name, value in HEADERS.items()}},
        {"inner": json.dumps({"text": f"to\n{TEXT}", "deeper": json.dumps([TEXT])})},
    ]
}
PICTURE = f"data:text/plain;base64,{base64.b64encode(TEXT.encode()).decode()}"
DETAILS = "gen_ai.client.inference.operation.details"
GOLDEN = sorted((Path(__file__).parent.parent / "ingest" / "otlp").glob("*.json"))
NOT_TEXT = {"trace_id", "span_id", "parent_id", "kind", "start_time", "end_time", "duration_ms", "status",
            "time_to_first_token_ms", "usage", "cost_usd"}  # fmt: skip
# Attributes whose value decides how the others are read.
_TELLING = ("kind", "type", "operation.name", "Type", "operationId")


def marks() -> list[bytes]:
    """All that must be found nowhere, also as base64 writes it wherever in a text it stands."""
    plain = [mark.encode() for found in SECRETS.values() for mark in found]
    return plain + [encoded for mark in plain if len(mark) > 9 for encoded in _in_base64(mark)]


def _in_base64(mark: bytes) -> Iterator[bytes]:
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + mark)
        # The first and last characters depend on what stands beside the mark.
        yield encoded[(0, 2, 3)[before] : (len(mark) + before) * 8 // 6]


def wire_trace(trace: str) -> dict[str, Any]:
    """An OTLP/JSON request with the secrets in every field: of the span, what happened in it, and who sent it."""
    values = [
        {"key": TEXT, "value": {"stringValue": TEXT}},
        {"key": "bytes", "value": {"bytesValue": base64.b64encode(TEXT.encode()).decode()}},
        {
            "key": "list",
            "value": {"arrayValue": {"values": [{"stringValue": TEXT}, {"stringValue": PICTURE}]}},
        },
        {
            "key": "map",
            "value": {"kvlistValue": {"values": [{"key": EMAIL, "value": {"stringValue": TEXT}}]}},
        },
        *[
            {"key": name, "value": {"arrayValue": {"values": [{"stringValue": value}]}}}
            for name, value in HEADERS.items()
        ],
        {"key": "json", "value": {"stringValue": json.dumps(DEEP)}},
        {"key": "quoted", "value": {"stringValue": json.dumps(json.dumps(DEEP))}},
    ]
    now = str(time.time_ns())
    full = wire_span(
        1,
        trace=trace,
        name=TEXT,
        traceState=f"vendor={EMAIL}",
        status={"code": 2, "message": TEXT},
        events=[
            {"name": name, "timeUnixNano": now, "attributes": values}
            for name in (TEXT, "exception", "gen_ai.choice", "gen_ai.user.message")
        ],
        links=[{"traceId": trace, "spanId": f"{2:016x}", "traceState": EMAIL, "attributes": values}],
    )
    full["attributes"] = values
    known = [wire_span(2 + n, trace=trace, parent=1, attributes=dict.fromkeys(KNOWN, told))
             for n, told in enumerate((TEXT, EMAIL, json.dumps(DEEP), PICTURE))]  # fmt: skip
    scope = {"name": TEXT, "version": TEXT, "attributes": values}
    spans = {"scope": scope, "spans": [full, *known], "schemaUrl": TEXT}
    return {"resourceSpans": [{"resource": {"attributes": values}, "scopeSpans": [spans], "schemaUrl": TEXT}]}


def as_protobuf(request: dict[str, Any]) -> bytes:
    return json_format.ParseDict(with_base64_ids(request), ExportTraceServiceRequest()).SerializeToString()


def recording(path: Path, trace: str) -> dict[str, Any]:
    """What a real SDK sent, with the secrets added to every text in it."""
    request: dict[str, Any] = json.loads(path.read_bytes())
    _mark(request, trace, str(time.time_ns()))
    return request


def _mark(value: Any, trace: str, now: str) -> None:
    if isinstance(value, list):
        for item in value:
            _mark(item, trace, now)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "stringValue":
            value[key] = _marked(item)
        elif key in {"name", "message"}:
            value[key] = f"{item} {TEXT}" if isinstance(item, str) else item
        elif key == "traceId":
            value[key] = trace
        elif key.endswith("UnixNano"):
            value[key] = now
        elif not (key == "value" and str(value.get("key", "")).endswith(_TELLING)):
            _mark(item, trace, now)


def _marked(text: str) -> str:
    """The text with the secrets after it; the values of JSON text one by one, so that it is still read as that."""
    if text[:1] not in {"{", "[", '"'}:
        return f"{text} {TEXT}"
    try:
        return json.dumps(_leaves(json.loads(text)))
    except ValueError:
        return f"{text} {TEXT}"


def _leaves(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item if key in {"role", "type"} else _leaves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_leaves(item) for item in value]
    return f"{value} {TEXT}" if isinstance(value, str) else value


def plain_span() -> dict[str, Any]:
    """A plain span with the secrets in every field that takes text."""
    special = {
        "tags": [TEXT],
        "request_params": DEEP,
        "attributes": DEEP,
        "events": [{"name": TEXT, "attributes": DEEP}],
        "input": [{"role": "user", "content": f"{TEXT} {PICTURE}", "name": TEXT}],
        "output": DEEP,
        "tool_definitions": [DEEP],
    }
    names = [field.name for field in msgspec.structs.fields(GivenSpan) if field.name not in NOT_TEXT]
    assert {field.name for field in msgspec.structs.fields(GivenEvent)} == {"name", "time", "attributes"}
    return {name: special.get(name, TEXT) for name in names} | {"kind": "llm"}


def records(trace: str) -> list[dict[str, Any]]:
    """Log records of every kind with the secrets in body, attributes, names and resource."""
    told = {"gen_ai__note": TEXT, TEXT: TEXT}
    call = {"id": TEXT, "function": {"name": TEXT, "arguments": json.dumps({"to": TEXT})}}
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": TEXT}]}])
    content = {f"gen_ai__{name}__messages": messages for name in ("input", "output")}
    more = {"gen_ai__system_instructions": TEXT, "gen_ai__tool__definitions": json.dumps([{"name": TEXT}])}
    return [
        *[
            wire_log(
                f"gen_ai.{role}.message",
                trace=trace,
                body={"content": f"{TEXT} {PICTURE}", "id": TEXT},
                **told,
            )
            for role in ("system", "user", "assistant", "tool", "developer")
        ],
        wire_log("gen_ai.user.message", trace=trace, body=TEXT),
        wire_log(
            "gen_ai.choice",
            trace=trace,
            body={"message": {"content": TEXT, "tool_calls": json.dumps([call])}},
        ),
        wire_log(DETAILS, trace=trace, **content, **more, **told),
        wire_log("exception", trace=trace, exception__message=TEXT, exception__stacktrace=TEXT),
        wire_log("gen_ai.evaluation.result", trace=trace, body={"deep": {TEXT: TEXT}}, **told),
        wire_log(f"gen_ai.{TEXT}", trace=trace, body=TEXT),
    ]


def metrics() -> dict[str, Any]:
    point = {"asInt": "1", "attributes": [{"key": TEXT, "value": {"stringValue": TEXT}}]}
    metric = {"name": TEXT, "description": TEXT, "unit": TEXT, "sum": {"dataPoints": [point]}}
    return {"resourceMetrics": [{"scopeMetrics": [{"scope": {"name": TEXT}, "metrics": [metric]}]}]}


DOORS = ("/v1/traces", "/api/public/otel/v1/traces", "/v1/logs", "/v1/metrics", "/api/v1/spans")


def broken() -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Requests, and spans in them, that are refused, each for another reason: path, body, headers."""
    wrong: list[Any] = [
        {"name": "n", field.name: value}
        for field in msgspec.structs.fields(GivenSpan)
        for value in (TEXT, [TEXT], {"x": TEXT}, {TEXT: 1})
    ]
    yield "/api/v1/spans", json.dumps({"spans": [*wrong, {"name": "n", TEXT: TEXT}]}).encode(), {}
    yield "/v1/logs", logs_as_json(wire_log(TEXT, trace="", body=TEXT)), {}
    old = {"startTimeUnixNano": "1", "endTimeUnixNano": "1", "name": TEXT, "status": {"message": TEXT}}
    yield "/v1/traces", as_json(wire_span(1, trace="ab" * 16) | old, wire_span(2, trace=EMAIL)), {}
    whole = json.dumps(
        {"spans": TEXT, "resourceLogs": TEXT, "resourceSpans": TEXT, "resourceMetrics": TEXT}
    ).encode()
    for door in DOORS:
        yield door, whole, {}
        yield door, whole[:-20], {}
        yield door, TEXT.encode(), {"Content-Type": "application/x-protobuf"}
        yield door, b"{}", {"Content-Type": f"text/{EMAIL}"}
        yield door, b"{}", {"Content-Encoding": EMAIL}
        yield door, b"{}", {"X-Tracehouse-Project": EMAIL}
        yield door, b"{}", {"Authorization": f"Bearer {list(SECRETS)[1]}"}
        yield (
            door,
            whole,
            {
                "User-Agent": f"agent/{EMAIL} {list(SECRETS)[1]}/1.0 (+{EMAIL})",
                "Referer": f"https://x/?{EMAIL}",
            },
        )
