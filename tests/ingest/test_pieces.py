"""Large protobuf bodies are parsed piece by piece, say the same, and are refused where they would swell."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.otlp import decode, logs, metrics, pieces
from ingest.otlp.decode import Malformed
from ingest.otlp.pieces import SPAN, Garbled, TooMany

ALL_DOORS: tuple[Callable[[bytes], object], ...] = (
    decode.decode_protobuf,
    logs.decode_protobuf,
    metrics.count_protobuf,
)


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def framed(number: int, content: bytes) -> bytes:
    """A field of a message, with its length as a varint of four bytes."""
    size = len(content)
    length = bytes((size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21))
    return bytes((number << 3 | 2,)) + length + content


def request_of(spans: bytes) -> bytes:
    return framed(1, framed(2, spans))


def _request(resources: list[list[list[str]]]) -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    number = 0
    for place, scopes in enumerate(resources):
        resource = made.resource_spans.add(schema_url=f"r{place}")
        resource.resource.attributes.append(text("service.name", f"s{place}"))
        for names in scopes:
            scope = resource.scope_spans.add()
            scope.scope.name = f"scope{place}"
            for name in names:
                number += 1
                scope.spans.add(
                    trace_id=bytes(15) + b"\1",
                    span_id=number.to_bytes(8, "big"),
                    name=name,
                    start_time_unix_nano=number,
                    attributes=[text("a", name * 3)],
                )
    return made


requests = st.builds(
    _request,
    st.lists(st.lists(st.lists(st.text(max_size=30), max_size=6), max_size=4), max_size=4),
)


@given(requests, st.integers(100, 400))
def test_the_pieces_of_a_body_say_together_what_it_says(
    request: ExportTraceServiceRequest, size: int
) -> None:
    body = request.SerializeToString()
    whole = decode.decode_protobuf(body).spans
    cut = [one for piece in pieces.pieces(body, SPAN, size) for one in decode.decode_protobuf(piece).spans]
    assert cut == whole


@given(requests, st.integers(200, 400))
def test_a_piece_is_about_as_large_as_asked_but_for_one_span(
    request: ExportTraceServiceRequest, size: int
) -> None:
    body = request.SerializeToString()
    for piece in pieces.pieces(body, SPAN, size):
        # What stands beside its spans comes on top.
        assert len(piece) <= size + 100 or len(decode.decode_protobuf(piece).spans) <= 1


@given(st.binary(max_size=200), st.integers(1, 50))
def test_bytes_that_are_no_protobuf_are_garbled_and_nothing_else(body: bytes, size: int) -> None:
    try:
        list(pieces.pieces(body, SPAN, size))
    except (Garbled, TooMany):
        pass


@pytest.mark.parametrize("door", ALL_DOORS)
@pytest.mark.parametrize("empty", [b"\x12\x00", b"\x0a\x00"], ids=["items", "scopes"])
def test_a_body_of_empty_messages_is_refused(door: Callable[[bytes], object], empty: bytes) -> None:
    with pytest.raises(TooMany):
        door(request_of(empty * 600_000))


def test_a_body_of_empty_spans_is_refused_before_it_swells() -> None:
    body = request_of(b"\x12\x00" * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooMany):
            decode.decode_protobuf(body)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("number", SPAN)
def test_one_span_of_very_many_empty_parts_is_refused(number: int) -> None:
    with pytest.raises(TooMany):
        decode.decode_protobuf(request_of(framed(2, bytes((number << 3 | 2, 0)) * 1_000_000)))


def test_a_group_that_nobody_knows_is_passed_over() -> None:
    group = b"\xa3\x06" + framed(1, b"x" * 20) + b"\x0b\x08\x01\x0c" + b"\xa4\x06"
    request = _request([[["a", "b", "c"]]]).SerializeToString()
    cut = [
        one
        for piece in pieces.pieces(group + request, SPAN, 200)
        for one in decode.decode_protobuf(piece).spans
    ]
    assert cut == decode.decode_protobuf(group + request).spans
    assert len(cut) == 3


def test_many_events_in_many_spans_are_refused() -> None:
    span = Span(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\1", start_time_unix_nano=1)
    span.events.extend(Span.Event() for _ in range(10_000))
    with pytest.raises(TooMany):
        decode.decode_protobuf(request_of(framed(2, span.SerializeToString()) * 60))


def test_a_single_large_attribute_is_taken() -> None:
    span = Span(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\1", start_time_unix_nano=1)
    span.attributes.append(text("image", "x" * 3_000_000))
    (found,) = decode.decode_protobuf(request_of(framed(2, span.SerializeToString()))).spans
    assert len(str(found.attributes["image"])) == 3_000_000


@pytest.mark.parametrize("door", ALL_DOORS)
def test_a_large_body_that_is_no_protobuf_is_malformed(door: Callable[[bytes], object]) -> None:
    with pytest.raises(Malformed):
        door(b"\xff" * 2_000_000)


def test_json_of_very_many_empty_objects_is_refused() -> None:
    with pytest.raises(TooMany):
        decode.decode_json(b'{"resourceSpans":[' + b"{}," * 5_000_000 + b"{}]}")


@pytest.mark.parametrize("sent", ["\u00e9", "not base64", "YWJ"])
def test_bytes_of_json_that_are_not_base64_are_kept_as_sent(sent: str) -> None:
    assert decode.read_json_value({"bytesValue": sent}, 0) == sent
