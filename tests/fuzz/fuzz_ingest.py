"""A coverage-guided fuzzer for the way from bytes to lines: `make fuzz` (SECONDS=300).

Bytes go through the steps of a door, as a request's do: decode (protobuf, or JSON when the first byte is even; the
same byte chooses the door), normalize, price, encode and redact. Whatever they hold, the only exception is `Malformed`,
no step needs the rescue of `_isolated`, and every line is JSON. libFuzzer stops at a crash, and at an input that takes
longer than `-timeout`.
"""

import base64
import os
import sys
from pathlib import Path

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracehouse.settings.test")

with atheris.instrument_imports(include=["ingest", "traces", "costs"]):
    import django

    django.setup()
    from ingest import pipeline
    from ingest.otlp.decode import Malformed
    from ingest.policy import Policy

import msgspec
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracehouse.tenancy.keys import KeyHolder

HOLDER = KeyHolder(1, "fuzz", "pk", b"k" * 32, ("US", "GB"), keep_identity=False)
POLICY = Policy(HOLDER.redaction_key, HOLDER.phone_regions)
DOORS = (pipeline.TRACES, pipeline.LOGS, pipeline.PLAIN, pipeline.METRICS)
NOW_NS = 1_763_978_500_000_000_000
PLAIN = msgspec.json.encode(
    {
        "spans": [
            {
                "name": "chat",
                "trace_id": "ab" * 16,
                "kind": "llm",
                "start_time": "2025-11-24T10:00:00Z",
                "duration_ms": 5,
                "usage": {"input_tokens": 3, "cache_read_tokens": 1},
                "input": [{"role": "user", "content": "Hi"}],
                "events": [{"name": "e", "time": 1763978400, "attributes": {"a": 1}}],
                "cost_usd": "0.1",
            }
        ]
    }
)
PAYLOADS = Path(__file__).resolve().parents[1] / "ingest" / "otlp"


def test_one_input(data: bytes) -> None:
    if not data:
        return
    wire: pipeline.Wire = "json" if data[0] % 2 == 0 else "protobuf"
    steps = DOORS[data[0] // 2 % len(DOORS)]
    batch = pipeline.Batch(data[1:], wire, HOLDER, now_ns=NOW_NS, given_policy=POLICY)
    try:
        items = steps.decode(batch)
    except Malformed:
        return
    for step in steps.per_item.values():
        items = step(batch, items)
    for line in items:
        msgspec.json.decode(line)


def seeds(folder: Path) -> None:
    """Recorded payloads in both wire formats, to start from."""
    for payload in PAYLOADS.glob("*.json"):
        source = payload.read_bytes()
        (folder / f"{payload.stem}.json").write_bytes(b"\x00" + source)
        message = ParseDict(_with_base64_ids(msgspec.json.decode(source)), ExportTraceServiceRequest())
        (folder / f"{payload.stem}.pb").write_bytes(b"\x01" + message.SerializeToString())
    for payload in (PAYLOADS / "with_logs").glob("*.json"):
        logs = msgspec.json.decode(payload.read_bytes())["logs"]
        (folder / f"{payload.stem}_logs.json").write_bytes(b"\x02" + msgspec.json.encode(logs))
        message = ParseDict(_with_base64_ids(logs), ExportLogsServiceRequest())
        (folder / f"{payload.stem}_logs.pb").write_bytes(b"\x03" + message.SerializeToString())
    (folder / "plain.json").write_bytes(b"\x04" + PLAIN)


def _with_base64_ids(value: object) -> object:
    """OTLP writes ids as hex, where protobuf's own JSON form has base64."""
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode()
            if key in {"traceId", "spanId", "parentSpanId"} and isinstance(item, str)
            else _with_base64_ids(item)
            for key, item in value.items()
        }
    return [_with_base64_ids(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    corpus = Path(sys.argv[-1])
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(corpus)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
