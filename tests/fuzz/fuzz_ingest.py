"""A coverage-guided fuzzer for the way from bytes to lines: `make fuzz` (SECONDS=300).

Bytes go through decode (protobuf, or JSON when the first byte is even), normalize, price, encode and redact, as a
request's do. Whatever they hold, the only exception is `Malformed`, no step needs the rescue of `_isolated`, and every
line is JSON. libFuzzer stops at a crash, and at an input that takes longer than `-timeout`.
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

import msgspec
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracehouse.tenancy.keys import KeyHolder

HOLDER = KeyHolder(1, "fuzz", "pk", b"k" * 32, ("US", "GB"), keep_identity=False)
NOW_NS = 1_763_978_500_000_000_000
PAYLOADS = Path(__file__).resolve().parents[1] / "ingest" / "otlp"


def test_one_input(data: bytes) -> None:
    if not data:
        return
    wire: pipeline.Wire = "json" if data[0] % 2 == 0 else "protobuf"
    batch = pipeline.Batch(data[1:], wire, HOLDER, now_ns=NOW_NS)
    try:
        items = pipeline.decode(batch)
    except Malformed:
        return
    for step in pipeline.PER_SPAN.values():
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
