"""A coverage-guided fuzzer for the way from bytes to lines: `make fuzz` (SECONDS=300).

Bytes go through the steps of a door, as a request's do: inflate, decode (protobuf, or JSON when the first byte is even;
the same byte chooses the door and the encoding), normalize, price, encode and redact. A protobuf body is also cut into
small pieces, which say what it says. Whatever the bytes hold, the only exceptions are those that are answered, no step
needs the rescue of `_isolated`, and every line is JSON. libFuzzer stops at a crash, and at an input that takes longer
than `-timeout`.
"""

import base64
import gzip
import os
import sys
from pathlib import Path

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracehouse.settings.test")

with atheris.instrument_imports(include=["ingest", "traces", "costs"]):
    import django

    django.setup()
    from ingest import pipeline
    from ingest.limits import BadEncoding, TooLarge, inflate
    from ingest.otlp.decode import Malformed, decode_protobuf
    from ingest.otlp.pieces import SPAN, TooMany, pieces
    from ingest.otlp.records import OtlpSpan
    from ingest.policy import Policy

import msgspec
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracehouse.tenancy.keys import KeyHolder

HOLDER = KeyHolder(1, "fuzz", "pk", b"k" * 32, ("US", "GB"), keep_identity=False)
POLICY = Policy(HOLDER.redaction_key, HOLDER.phone_regions)
DOORS = (pipeline.TRACES, pipeline.LOGS, pipeline.PLAIN, pipeline.METRICS)
ENCODINGS = ("", "gzip", "deflate", "zstd")
MAX_BYTES, PIECE_BYTES = 1_000_000, 300
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
BYTES = (
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"'
    + b"ab" * 16
    + b'","spanId":"'
    + b"cd" * 8
    + b'",'
    b'"startTimeUnixNano":"1763978400000000000","attributes":[{"key":"b","value":{"bytesValue":"YWJj"}}]}]}]}]}'
)
PAYLOADS = Path(__file__).resolve().parents[1] / "ingest" / "otlp"


def test_one_input(data: bytes) -> None:
    if not data:
        return
    wire: pipeline.Wire = "json" if data[0] % 2 == 0 else "protobuf"
    steps = DOORS[data[0] // 2 % len(DOORS)]
    encoding = ENCODINGS[data[0] // 8 % len(ENCODINGS)]
    try:
        body = inflate(data[1:], encoding, MAX_BYTES)
        batch = pipeline.Batch(body, wire, HOLDER, now_ns=NOW_NS, given_policy=POLICY)
        items = steps.decode(batch)
        if steps is pipeline.TRACES and wire == "protobuf":
            assert list(map(repr, items)) == list(map(repr, in_pieces(body)))
    except (Malformed, TooMany, TooLarge, BadEncoding):
        return
    for step in steps.per_item.values():
        items = step(batch, items)
    for line in items:
        msgspec.json.decode(line)


def in_pieces(body: bytes) -> list[OtlpSpan]:
    return [span for piece in pieces(body, SPAN, PIECE_BYTES) for span in decode_protobuf(piece).spans]


def seeds(folder: Path) -> None:
    """Recorded payloads in both wire formats, to start from."""
    for payload in PAYLOADS.glob("*.json"):
        source = payload.read_bytes()
        (folder / f"{payload.stem}.json").write_bytes(b"\x00" + source)
        message = ParseDict(_with_base64_ids(msgspec.json.decode(source)), ExportTraceServiceRequest())
        (folder / f"{payload.stem}.pb").write_bytes(b"\x01" + message.SerializeToString())
        (folder / f"{payload.stem}.pb.gz").write_bytes(b"\x09" + gzip.compress(message.SerializeToString()))
    for payload in (PAYLOADS / "with_logs").glob("*.json"):
        logs = msgspec.json.decode(payload.read_bytes())["logs"]
        (folder / f"{payload.stem}_logs.json").write_bytes(b"\x02" + msgspec.json.encode(logs))
        message = ParseDict(_with_base64_ids(logs), ExportLogsServiceRequest())
        (folder / f"{payload.stem}_logs.pb").write_bytes(b"\x03" + message.SerializeToString())
    (folder / "plain.json").write_bytes(b"\x04" + PLAIN)
    (folder / "bytes.json").write_bytes(b"\x00" + BYTES)


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
