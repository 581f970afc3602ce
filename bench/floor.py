"""What the work costs at the least in one Python process: parse, walk, scan, raw insert."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import hyperscan
from clickhouse_connect.driver.client import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.workload import Payload, Workload
from traces.span import Attributes, JSONValue

TABLE = "bench_floor"
COLUMNS = (
    "trace_id", "span_id", "parent_id", "start_ns", "end_ns", "name", "status", "status_message", "model",
    "provider", "user_id", "session_id", "input_tokens", "output_tokens", "input", "output", "attributes",
)  # fmt: skip
REQUESTS_AN_INSERT = 50
MOST_SPANS = 20_000
PATTERNS = (
    rb"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    rb"(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}",
    rb"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Microseconds a span, by part."""

    parse: float
    walk: float
    scan: float
    insert: float
    found: int

    @property
    def total(self) -> float:
        return self.parse + self.walk + self.scan + self.insert

    @property
    def rate(self) -> float:
        return 1_000_000 / self.total


@dataclass(frozen=True, slots=True)
class _Row:
    span: Span
    attributes: Attributes


def measure(client: Client, workload: Workload) -> Floor:
    """Uses the first part of the same bytes, and a plain MergeTree table that it drops again."""
    payloads = workload.payloads[: MOST_SPANS // 100]
    spans = sum(payload.spans for payload in payloads)
    client.command(f"DROP TABLE IF EXISTS {TABLE}")
    client.command(_DDL)
    try:
        return _measure(client, payloads, spans)
    finally:
        client.command(f"DROP TABLE {TABLE}")


def _measure(client: Client, payloads: Sequence[Payload], spans: int) -> Floor:
    marks = [time.perf_counter()]
    requests = [ExportTraceServiceRequest.FromString(payload.body) for payload in payloads]
    marks.append(time.perf_counter())
    rows = [row for request in requests for row in _walk(request)]
    marks.append(time.perf_counter())
    found = sum(_scan(row) for row in rows)
    marks.append(time.perf_counter())
    for start in range(0, len(rows), REQUESTS_AN_INSERT * 100):
        _insert(client, rows[start : start + REQUESTS_AN_INSERT * 100])
    marks.append(time.perf_counter())
    parts = [(end - start) * 1_000_000 / spans for start, end in pairwise(marks)]
    return Floor(parse=parts[0], walk=parts[1], scan=parts[2], insert=parts[3], found=found)


def _walk(request: ExportTraceServiceRequest) -> Iterator[_Row]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield _Row(span, {item.key: _plain(item.value) for item in span.attributes})


def _plain(value: AnyValue) -> JSONValue:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: _plain(item.value) for item in value.kvlist_value.values}
    plain: JSONValue = getattr(value, kind) if kind else None
    return plain


def _scan(row: _Row) -> int:
    """How many matches the span's text has."""
    matches: list[int] = []
    text = "\n".join(value for value in row.attributes.values() if isinstance(value, str))
    _database().scan(text.encode(), match_event_handler=lambda pattern, *_: matches.append(pattern))
    return len(matches)


def _insert(client: Client, rows: Sequence[_Row]) -> None:
    columns = list(zip(*map(_columns, rows), strict=True))
    client.insert(TABLE, columns, column_names=COLUMNS, column_oriented=True)


def _columns(row: _Row) -> tuple[JSONValue, ...]:
    span, attributes = row.span, dict(row.attributes)
    read = attributes.pop
    return (
        span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
        span.start_time_unix_nano, span.end_time_unix_nano, span.name, span.status.code, span.status.message,
        read("gen_ai.request.model", ""), read("gen_ai.provider.name", ""),
        read("user.id", ""), read("session.id", ""),
        read("gen_ai.usage.input_tokens", 0), read("gen_ai.usage.output_tokens", 0),
        read("gen_ai.input.messages", "") or read("gen_ai.tool.call.arguments", ""),
        read("gen_ai.output.messages", "") or read("gen_ai.tool.call.result", ""),
        json.dumps(attributes),
    )  # fmt: skip


_DDL = f"""
CREATE TABLE {TABLE}
(
    trace_id String,
    span_id String,
    parent_id String,
    start_ns UInt64,
    end_ns UInt64,
    name String,
    status UInt8,
    status_message String,
    model String,
    provider String,
    user_id String,
    session_id String,
    input_tokens UInt64,
    output_tokens UInt64,
    input String,
    output String,
    attributes String
)
ENGINE = MergeTree
ORDER BY (trace_id, span_id)
"""
_made: list[hyperscan.Database] = []


def _database() -> hyperscan.Database:
    if not _made:
        database = hyperscan.Database()
        # Without start offsets: with them the same scan takes several times as long.
        database.compile(
            expressions=list(PATTERNS), ids=list(range(len(PATTERNS))), flags=[0] * len(PATTERNS)
        )
        _made.append(database)
    return _made[0]
