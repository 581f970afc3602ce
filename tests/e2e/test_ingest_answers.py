"""The documented answer to everything a sender can get wrong, and nothing stored half."""

import gzip
import http.client
import json
import uuid
import zlib
from typing import Any

import pytest
from backports import zstd
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.conftest import Platform
from tests.otlp import as_json, as_protobuf, wire_span

YEAR = 365 * 86_400
DOORS = ["/v1/traces", "/api/public/otel/v1/traces"]
OTLP_DOORS = [*DOORS, "/v1/logs", "/v1/metrics"]


def new_trace() -> str:
    return uuid.uuid4().hex


def post(
    platform: Platform, body: bytes, *, path: str = "/v1/traces", **headers: str
) -> tuple[int, bytes, Any]:
    """By http.client, which adds no header of its own."""
    host = platform.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    sent = {
        "Content-Type": "application/x-protobuf",
        **platform.headers,
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    connection.request("POST", path, body, {name: value for name, value in sent.items() if value})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content, response.headers


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("wire", ["protobuf", "json"])
def test_both_doors_take_both_wire_formats_and_answer_in_kind(
    platform: Platform, path: str, wire: str
) -> None:
    trace = new_trace()
    body = (as_json if wire == "json" else as_protobuf)(wire_span(1, trace=trace))
    content_type = "application/json" if wire == "json" else "application/x-protobuf"
    status, content, headers = post(platform, body, path=path, Content_Type=content_type)
    assert (status, headers["Content-Type"]) == (200, content_type)
    assert content == (b"{}" if wire == "json" else b"")
    assert platform.wait_for_trace(trace)["span_count"] == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_compressed_bodies_arrive(platform: Platform, encoding: str) -> None:
    trace = new_trace()
    squeeze = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}[encoding]
    assert (
        post(platform, squeeze(as_protobuf(wire_span(1, trace=trace))), Content_Encoding=encoding)[0] == 200
    )
    platform.wait_for_trace(trace)


def test_a_chunked_body_without_content_length_arrives_whole(platform: Platform) -> None:
    trace = new_trace()
    body = as_protobuf(*[wire_span(n, trace=trace, attributes={"pad": "x" * 1000}) for n in range(1, 301)])
    connection = http.client.HTTPConnection(platform.url.removeprefix("http://"), timeout=60)
    chunks = (body[at : at + 7000] for at in range(0, len(body), 7000))
    headers = {**platform.headers, "Content-Type": "application/x-protobuf"}
    connection.request("POST", "/v1/traces", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert platform.wait_for_trace(trace, spans=300)["span_count"] == 300


WRONG: list[tuple[str, bytes, dict[str, str], int]] = [
    ("malformed protobuf", b"\xff\xff\xff", {}, 400),
    ("malformed JSON", b"{", {"Content_Type": "application/json"}, 400),
    (
        "protobuf said to be JSON",
        as_protobuf(wire_span(1, trace="a" * 32)),
        {"Content_Type": "application/json"},
        400,
    ),
    ("not gzip", b"plain", {"Content_Encoding": "gzip"}, 400),
    ("gzip cut short", gzip.compress(b"x" * 1000)[:-5], {"Content_Encoding": "gzip"}, 400),
    ("a gzip bomb", gzip.compress(bytes(200_000_000)), {"Content_Encoding": "gzip"}, 413),
    ("a zstd bomb", zstd.compress(bytes(200_000_000)), {"Content_Encoding": "zstd"}, 413),
    ("an unknown encoding", b"x", {"Content_Encoding": "br"}, 415),
    ("text", b"x", {"Content_Type": "text/plain"}, 415),
    ("no type", b"x", {"Content_Type": ""}, 415),
    ("no key", b"", {"Authorization": ""}, 401),
    ("a made-up key", b"", {"Authorization": "Bearer sk-th-nobody"}, 401),
    ("half a Basic header", b"", {"Authorization": "Basic cGstdGg="}, 401),
    ("another scheme", b"", {"Authorization": "Digest x"}, 401),
    ("another project", b"", {"X_Tracehouse_Project": "elsewhere"}, 403),
]


@pytest.mark.parametrize("path", OTLP_DOORS)
@pytest.mark.parametrize(
    ("body", "headers", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_what_is_wrong_gets_its_status_and_a_sentence(
    platform: Platform, path: str, body: bytes, headers: dict[str, str], expected: int
) -> None:
    status, content, answered = post(platform, body, path=path, **headers)
    assert status == expected
    if answered["Content-Type"] == "application/json":
        message = json.loads(content)["message"]
    else:
        message = Status.FromString(content).message
    assert message.endswith(".")
    assert ("WWW-Authenticate" in answered) == (expected == 401)


def test_a_body_announced_as_too_large_is_refused_unread(platform: Platform) -> None:
    connection = http.client.HTTPConnection(platform.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/v1/traces")
    for name, value in {
        **platform.headers,
        "Content-Type": "application/json",
        "Content-Length": str(10**12),
    }.items():
        connection.putheader(name, value)
    connection.endheaders(b"{")
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("path", OTLP_DOORS)
def test_a_get_says_that_only_post_is_taken(platform: Platform, path: str) -> None:
    response = platform.get(path)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"traceId": ""}, "trace id"),
        ({"spanId": "00"}, "span id"),
        ({"startTimeUnixNano": "0"}, "start time"),
        ({"startTimeUnixNano": "1000000000"}, "too long ago"),
        ({"ago": -2 * 86_400}, "in the future"),
        ({"ago": 30 * YEAR}, "too long ago"),
        ({"endTimeUnixNano": str(2**63 - 1)}, "in the future"),
        ({"attributes": [{"key": "big", "value": {"stringValue": "x" * 5_000_000}}]}, "larger than"),
    ],
)
def test_a_bad_span_is_refused_with_its_reason_and_the_good_one_is_kept(
    platform: Platform, bad: dict[str, Any], reason: str
) -> None:
    trace = new_trace()
    broken = wire_span(2, trace=trace, ago=bad.pop("ago", 10)) | bad
    status, content, _ = post(
        platform, as_json(wire_span(1, trace=trace), broken), Content_Type="application/json"
    )
    partial = json.loads(content)["partialSuccess"]
    assert (status, partial["rejectedSpans"]) == (200, "1")
    assert reason in partial["errorMessage"]
    assert platform.wait_for_trace(trace)["span_count"] == 1


def test_partial_success_in_protobuf_says_the_same(platform: Platform) -> None:
    spans = wire_span(1, trace=new_trace()), wire_span(2, trace=new_trace(), ago=30 * YEAR)
    _, content, _ = post(platform, as_protobuf(*spans))
    partial = ExportTraceServiceResponse.FromString(content).partial_success
    assert (partial.rejected_spans, "too long ago" in partial.error_message) == (1, True)


def test_a_span_just_under_the_limit_is_stored_whole(platform: Platform) -> None:
    trace, text = new_trace(), "y" * 3_500_000
    assert post(platform, as_protobuf(wire_span(1, trace=trace, attributes={"input.value": text})))[0] == 200
    stored: Any = platform.wait_for_trace(trace)
    assert text in json.dumps(stored["spans"][0])


def test_a_trace_in_three_requests_child_first_one_twice_shows_once_with_the_right_sums(
    platform: Platform,
) -> None:
    trace = new_trace()
    call = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    }
    child = as_protobuf(wire_span(3, trace=trace, parent=1, ago=9, attributes=call))
    tool = as_protobuf(
        wire_span(
            2,
            trace=trace,
            parent=1,
            ago=8,
            attributes={"gen_ai.tool.name": "t", "gen_ai.operation.name": "execute_tool"},
        )
    )
    root = as_protobuf(
        wire_span(1, trace=trace, ago=10, lasts=5, attributes={"user.id": "u1", "feature": "draft"})
    )
    for body in (child, tool, child, root):
        assert post(platform, body)[0] == 200
    stored: Any = platform.wait_for_trace(trace, spans=3)
    assert [span["span_id"][-1] for span in stored["spans"]] == ["1", "3", "2"]
    assert (stored["input_tokens"], stored["output_tokens"], stored["cost_usd"]) == (1000, 100, "0.0045")
    assert (stored["user_id"], stored["feature"], stored["span_count"]) == ("u1", "draft", 3)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=400),
    kind=st.sampled_from(["application/x-protobuf", "application/json"]),
    encoding=st.sampled_from(["", "gzip", "deflate", "zstd"]),
    path=st.sampled_from([*OTLP_DOORS, "/api/v1/spans"]),
)
def test_no_body_makes_the_server_fail(
    platform: Platform, body: bytes, kind: str, encoding: str, path: str
) -> None:
    status = post(platform, body, path=path, Content_Type=kind, Content_Encoding=encoding)[0]
    assert status in ({200, 400, 413} if path != "/api/v1/spans" else {200, 400, 413, 415})
