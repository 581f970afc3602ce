"""Both wire formats say the same, invalid spans are refused one by one, and nothing else gets past the edge."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from ingest.otlp.decode import Malformed, Refusal, decode_json, decode_protobuf
from tests.otlp import as_json, as_protobuf, wire_span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_protobuf_and_json_decode_to_the_same_records() -> None:
    spans = [
        wire_span(1, trace=TRACE, attributes={"s": "text", "i": 2**53 + 1, "d": 0.5, "b": True}),
        wire_span(2, trace=TRACE, parent=1, status={"code": 2, "message": "boom"}),
    ]
    assert decode_json(as_json(*spans)).spans == decode_protobuf(as_protobuf(*spans)).spans


def test_every_kind_of_value_becomes_a_plain_json_value() -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    nested = KeyValueList(values=[KeyValue(key="n", value=AnyValue(int_value=-1))])
    values = {
        "bytes": AnyValue(bytes_value=b"\x00\xff"),
        "text": AnyValue(bytes_value=b"Hello"),
        "list": AnyValue(
            array_value=ArrayValue(values=[AnyValue(string_value="a"), AnyValue(kvlist_value=nested)])
        ),
        "nan": AnyValue(double_value=float("nan")),
        "inf": AnyValue(double_value=float("-inf")),
        "empty": AnyValue(),
    }
    span.attributes.extend(KeyValue(key=key, value=value) for key, value in values.items())
    [record] = decode_protobuf(request.SerializeToString()).spans
    assert record.attributes == {
        "bytes": "AP8=",
        "text": "Hello",
        "list": ["a", {"n": -1}],
        "nan": "NaN",
        "inf": "-Infinity",
        "empty": None,
    }
    json.dumps(record.attributes, allow_nan=False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traceId": ""}, Refusal.NO_TRACE_ID),
        ({"traceId": "0" * 32}, Refusal.NO_TRACE_ID),
        ({"traceId": "abc"}, Refusal.NO_TRACE_ID),
        ({"traceId": "z" * 32}, Refusal.NO_TRACE_ID),
        ({"spanId": ""}, Refusal.NO_SPAN_ID),
        ({"spanId": "0" * 16}, Refusal.NO_SPAN_ID),
    ],
)
def test_a_span_without_ids_is_refused_and_its_neighbours_are_kept(
    change: dict[str, str], reason: Refusal
) -> None:
    decoded = decode_json(as_json(wire_span(1, trace=TRACE) | change, wire_span(2, trace=TRACE)))
    assert [record.span_id for record in decoded.spans] == ["0000000000000002"]
    assert decoded.refused == {reason: 1}


def test_ids_in_capitals_and_numbers_for_times_are_read() -> None:
    span = wire_span(1, trace=TRACE.upper(), status={"code": "STATUS_CODE_ERROR"}) | {
        "startTimeUnixNano": 1_700_000_000_000_000_000
    }
    [record] = decode_json(as_json(span)).spans
    assert (record.trace_id, record.start_ns, record.status_code) == (TRACE, 1_700_000_000_000_000_000, 2)


def test_half_an_emoji_from_javascript_loses_nothing_but_itself() -> None:
    body = as_json(wire_span(1, trace=TRACE) | {"name": "cut HALF"}).replace(b"HALF", b"\\ud83d")
    assert [record.name for record in decode_json(body).spans] == ["cut ?"]


def test_unknown_fields_are_ignored() -> None:
    assert len(decode_json(as_json(wire_span(1, trace=TRACE) | {"flags": 257, "new": {"a": 1}})).spans) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        as_json(wire_span(1, trace=TRACE) | {"startTimeUnixNano": "soon"}),
        as_json(wire_span(1, trace=TRACE) | {"startTimeUnixNano": "-5"}),
        as_json(wire_span(1, trace=TRACE) | {"attributes": [{"key": "n", "value": {"intValue": "x"}}]}),
        as_json(wire_span(1, trace=TRACE) | {"attributes": [{"key": "n", "value": {"intValue": str(2**70)}}]}),
        b"[" * 100_000,
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": '
        + b'{"arrayValue": {"values": [' * 200 + b"]}}" * 200 + b"}]}}]}",
    ],
)  # fmt: skip
def test_what_is_not_otlp_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_json(body)


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"not protobuf", b"\x0a\x05ab", b'{"resourceSpans": []}'])
def test_what_is_not_protobuf_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_protobuf(body)


def test_an_empty_request_is_a_request() -> None:
    assert decode_protobuf(b"").spans == []
    assert decode_json(b"{}").spans == []


@given(st.binary(max_size=300))
def test_arbitrary_bytes_decode_or_are_malformed(body: bytes) -> None:
    for decode in (decode_protobuf, decode_json):
        try:
            decode(body)
        except Malformed:
            pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "intValue",
                         "stringValue",
                         "arrayValue", "values", "kvlistValue", "events", "links", "status", "code", "traceId"]),
        inner, max_size=4),
    max_leaves=25,
)  # fmt: skip


@given(JSON)
def test_arbitrary_json_decodes_or_is_malformed(value: Any) -> None:
    try:
        decode_json(json.dumps(value).encode())
    except Malformed:
        pass
