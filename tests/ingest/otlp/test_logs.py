"""An OTLP logs body, in both wire formats, to the same records."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingest.otlp.decode import Malformed
from ingest.otlp.logs import decode_json, decode_protobuf
from tests.ingest.golden import FOLDER
from tests.otlp import with_base64_ids

GOLDEN = ("openai_messages", "openai_details")


def sent(payload: str) -> dict[str, Any]:
    logs: dict[str, Any] = json.loads((FOLDER / "with_logs" / f"{payload}.json").read_text())["logs"]
    return logs


@pytest.mark.parametrize("payload", GOLDEN)
def test_both_wire_formats_say_the_same(payload: str) -> None:
    from_json = decode_json(json.dumps(sent(payload)).encode())
    wire = ParseDict(with_base64_ids(sent(payload)), ExportLogsServiceRequest()).SerializeToString()
    assert decode_protobuf(wire) == from_json
    assert [record.place for record in from_json] == list(range(len(from_json)))
    assert all(record.trace_id and record.span_id and record.name for record in from_json)


def test_a_name_in_an_attribute_is_the_events_name() -> None:
    record = {"attributes": [{"key": "event.name", "value": {"stringValue": "gen_ai.choice"}}]}
    [log] = decode_json(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode())
    assert (log.name, log.trace_id, log.span_id, log.time_ns) == ("gen_ai.choice", "", "", 0)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"resourceLogs": 3}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": 3}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": -1}]}]}]}',
    ],
)
def test_what_is_not_otlp_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_json(body)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_decoder(body: bytes) -> None:
    for decode in (decode_json, decode_protobuf):
        try:
            decode(body)
        except Malformed:
            pass
