"""The doors beside traces, as their senders meet them: logs, metrics and plain spans over HTTP."""

import gzip
import http.client
import json
import os
import re
import subprocess
import uuid
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tests.cast import http_client
from tests.conftest import Platform
from tests.otlp import as_json, logs_as_json, wire_log, wire_span, with_base64_ids

ROOT = Path(__file__).resolve().parents[2]


def post(platform: Platform, path: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {**platform.headers, "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return http_client.post(platform.url + path, content=content, headers=sent)


def new_trace() -> str:
    return uuid.uuid4().hex


def as_wire(logs: bytes) -> bytes:
    return ParseDict(with_base64_ids(json.loads(logs)), ExportLogsServiceRequest()).SerializeToString()


def said(trace: str, *texts: str, span: int = 1) -> list[dict[str, Any]]:
    return [
        wire_log("gen_ai.user.message", trace=trace, span=span, body={"content": text}, ago=9 - n / 10)
        for n, text in enumerate(texts)
    ]


def prompt_of(platform: Platform, trace: str, *, messages: int) -> list[str]:
    """The texts of the only span's prompt, once that many messages have joined it."""
    found: Any = platform.wait_for_trace(
        trace, until=lambda found: len(found["spans"][0]["input"] or []) >= messages
    )
    return [message["parts"][0]["content"] for message in found["spans"][0]["input"]]


def test_log_records_before_and_after_their_span_join_it(platform: Platform) -> None:
    trace = new_trace()
    before, after = logs_as_json(*said(trace, "one", "two")), logs_as_json(*said(trace, "three"))
    late = json.loads(after)
    late["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["timeUnixNano"] = str(
        wire_span(1, trace=trace, ago=1)["startTimeUnixNano"]
    )
    assert post(platform, "/v1/logs", before).json() == {}
    assert platform.get(f"/api/v1/traces/{trace}").status_code == 404
    assert post(platform, "/v1/traces", as_json(wire_span(1, trace=trace))).status_code == 200
    for _ in range(2):
        assert post(platform, "/v1/logs", late).json() == {}
    assert prompt_of(platform, trace, messages=3) == ["one", "two", "three"]


def test_logs_come_in_protobuf_compressed_and_chunked_and_the_answer_is_in_kind(platform: Platform) -> None:
    trace = new_trace()
    body = gzip.compress(as_wire(logs_as_json(*said(trace, "chunked"))))
    connection = http.client.HTTPConnection(platform.url.removeprefix("http://"), timeout=60)
    headers = {
        **platform.headers,
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
    }
    connection.request("POST", "/v1/logs", (body[at : at + 50] for at in range(0, len(body), 50)), headers,
                       encode_chunked=True)  # fmt: skip
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["Content-Type"]) == (
        200,
        b"",
        "application/x-protobuf",
    )
    connection.close()
    post(platform, "/v1/traces", as_json(wire_span(1, trace=trace)))
    assert prompt_of(platform, trace, messages=1) == ["chunked"]


def test_records_that_are_not_kept_are_counted_with_their_reasons(platform: Platform) -> None:
    trace = new_trace()
    logs = logs_as_json(
        *said(trace, "kept"),
        wire_log("", trace=trace, body="GET / 200"),
        wire_log("", trace=trace, body="GET /a 200"),
        wire_log("gen_ai.user.message", trace="", span=0, body={"content": "whose?"}),
        wire_log("gen_ai.user.message", trace=trace, body={"content": "x" * 5_000_000}),
    )
    partial = post(platform, "/v1/logs", logs).json()["partialSuccess"]
    assert partial["rejectedLogRecords"] == "4"
    assert "2 x log record is neither a GenAI event nor an exception" in partial["errorMessage"]
    assert "1 x log record belongs to no span" in partial["errorMessage"]
    assert "larger than 4 MiB" in partial["errorMessage"]
    wire = post(platform, "/v1/logs", as_wire(logs), Content_Type="application/x-protobuf")
    told = ExportLogsServiceResponse.FromString(wire.content).partial_success
    assert (told.rejected_log_records, told.error_message) == (4, partial["errorMessage"])
    post(platform, "/v1/traces", as_json(wire_span(1, trace=trace)))
    assert prompt_of(platform, trace, messages=1) == ["kept"]


METRICS = {
    "resourceMetrics": [
        {
            "scopeMetrics": [
                {"metrics": [{"name": "requests", "sum": {"dataPoints": [{"asInt": "1"}]}}]},
            ]
        }
    ]
}


def test_metrics_are_taken_and_the_answer_says_that_they_are_not_kept(platform: Platform) -> None:
    partial = post(platform, "/v1/metrics", METRICS).json()["partialSuccess"]
    assert partial["rejectedDataPoints"] == "0"
    assert "not kept" in partial["errorMessage"]
    body = ParseDict(METRICS, ExportMetricsServiceRequest()).SerializeToString()
    wire = post(platform, "/v1/metrics", body, Content_Type="application/x-protobuf")
    told = ExportMetricsServiceResponse.FromString(wire.content).partial_success
    assert (told.rejected_data_points, told.error_message) == (0, partial["errorMessage"])


@pytest.mark.parametrize(
    "body", [b"[]", b'{"resourceMetrics": 1}', b'{"resourceMetrics": [{"scopeMetrics": "x"}]}']
)
def test_metrics_that_are_none_are_malformed(platform: Platform, body: bytes) -> None:
    assert post(platform, "/v1/metrics", body).status_code == 400


CALL = {
    "name": "chat",
    "kind": "llm",
    "model": "claude-sonnet-4-5",
    "provider": "anthropic",
    "duration_ms": 500,
    "usage": {"input_tokens": 1000, "output_tokens": 100},
    "user_id": "u_1",
    "input": [{"role": "user", "content": "Hi"}],
}


def test_a_plain_span_is_stored_priced_and_read_back(platform: Platform) -> None:
    answer = post(platform, "/api/v1/spans", {"spans": [CALL]}).json()
    [result] = answer["results"]
    assert (answer["accepted"], result["status"], "errors" in result) == (1, "accepted", False)
    found: Any = platform.wait_for_trace(result["trace_id"])
    [span] = found["spans"]
    assert (span["span_id"], span["latency_ms"], span["vocabulary"]) == (result["span_id"], 500.0, "plain")
    assert (found["cost_usd"], found["user_id"], found["input_tokens"]) == ("0.0045", "u_1", 1000)


def test_each_span_has_its_own_result_in_order(platform: Platform) -> None:
    trace = new_trace()
    spans = [
        {**CALL, "trace_id": trace},
        {**CALL, "usage": {"input_tokens": "many"}},
        {**CALL, "trace_id": trace, "input": "x" * 5_000_000},
        {**CALL, "userid": "u"},
    ]
    response = post(platform, "/api/v1/spans", {"spans": spans})
    answer = response.json()
    assert (response.status_code, answer["accepted"]) == (200, 1)
    assert [result["status"] for result in answer["results"]] == ["accepted", *["refused"] * 3]
    assert [result.get("errors") for result in answer["results"]] == [
        None,
        [{"field": "spans[1].usage.input_tokens", "message": "must be a whole number of 0 or more"}],
        [{"field": "spans[2]", "message": "span is larger than 4 MiB"}],
        [{"field": "spans[3].userid", "message": "unknown field; did you mean user_id?"}],
    ]
    assert platform.wait_for_trace(trace)["span_count"] == 1


def test_a_span_sent_in_two_parts_is_one(platform: Platform) -> None:
    own = {"trace_id": new_trace(), "span_id": "ab" * 8, "name": "run"}
    started = wire_span(1, trace="", ago=5)["startTimeUnixNano"]
    first = {**own, "start_time": int(started), "user_id": "u_2"}
    second = {**own, "start_time": int(started), "duration_ms": 3000, "output": "done"}
    for span in (first, second, second):
        assert post(platform, "/api/v1/spans", {"spans": [span]}).json()["accepted"] == 1
    found: Any = platform.wait_for_trace(
        own["trace_id"], until=lambda found: found["spans"][0]["output"] and found["user_id"]
    )
    assert (found["span_count"], found["user_id"], found["latency_ms"]) == (1, "u_2", 3000.0)


WRONG: list[tuple[str, Any, dict[str, str], int, str]] = [
    ("not JSON", b"{", {}, 400, "invalid"),
    ("another shape", {"span": []}, {}, 400, "invalid"),
    ("a list", [], {}, 400, "invalid"),
    ("not gzip", b"{}", {"Content_Encoding": "gzip"}, 400, "invalid"),
    ("a gzip bomb", gzip.compress(bytes(200_000_000)), {"Content_Encoding": "gzip"}, 413, "invalid"),
    ("protobuf", b"", {"Content_Type": "application/x-protobuf"}, 415, "invalid"),
    ("an unknown encoding", b"{}", {"Content_Encoding": "br"}, 415, "invalid"),
    ("no key", {"spans": []}, {"Authorization": "-"}, 401, "not_authenticated"),
    ("another project", {"spans": []}, {"X_Tracehouse_Project": "elsewhere"}, 403, "permission_denied"),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_what_is_wrong_with_a_plain_request_is_said_as_everywhere_in_the_api(
    platform: Platform, body: Any, headers: dict[str, str], status: int, code: str
) -> None:
    response = post(platform, "/api/v1/spans", body, **headers)
    assert response.status_code == status
    error = response.json()["error"]
    assert (error["code"], error["message"][-1]) == (code, ".")
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_plain_spans_come_chunked_and_compressed(platform: Platform) -> None:
    body = gzip.compress(json.dumps({"spans": [CALL] * 50}).encode())
    connection = http.client.HTTPConnection(platform.url.removeprefix("http://"), timeout=60)
    headers = {
        **platform.headers,
        "Content-Type": "application/json; charset=utf-8",
        "Content-Encoding": "gzip",
    }
    connection.request("POST", "/api/v1/spans", (body[at : at + 40] for at in range(0, len(body), 40)), headers,
                       encode_chunked=True)  # fmt: skip
    assert json.loads(connection.getresponse().read())["accepted"] == 50
    connection.close()


def test_only_post_is_taken(platform: Platform) -> None:
    assert platform.get("/api/v1/spans").status_code == 405


def test_the_description_names_every_field_and_its_example_is_taken(platform: Platform) -> None:
    described = platform.get("/api/schema/", format="json").json()
    content = described["paths"]["/api/v1/spans"]["post"]["requestBody"]["content"]["application/json"]
    fields = content["schema"]["properties"]["spans"]["items"]["properties"]
    assert fields["usage"]["properties"]["input_tokens"]["minimum"] == 0
    assert fields["kind"]["enum"]
    assert "$ref" not in json.dumps(content)
    [example] = [example["value"] for example in content["examples"].values()]
    for span in example["spans"]:
        del span["start_time"]
    assert post(platform, "/api/v1/spans", example).json()["accepted"] == 1


def test_the_curl_example_of_the_readme_works_as_it_stands(platform: Platform) -> None:
    [command] = re.findall(r"```sh\n(curl -s http://127.0.0.1:8000/api/v1/spans.*?)```", _readme(), re.S)
    done = subprocess.run(
        ["bash", "-c", command.replace("http://127.0.0.1:8000", platform.url)],
        env={**os.environ, "KEY": platform.secret_key},
        capture_output=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["accepted"] == 1
    found: Any = platform.wait_for_trace(answer["results"][0]["trace_id"])
    assert (found["user_id"], found["feature"], found["llm_calls"], found["cost_usd"]) == (
        "u_1",
        "draft",
        1,
        "0.006",
    )


def _readme() -> str:
    return (ROOT / "README.md").read_text()
