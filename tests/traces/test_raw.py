"""A stored span comes back from its raw form as it is: what is sent again is the same span."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ingest.normalize import normalize
from ingest.otlp.decode import decode_json
from ingest.plain import NAME as PLAIN_VOCABULARY
from tests.ingest.golden import BEGAN_NS, FOLDER, recorded, text_message
from tests.traces.stored import stored
from traces import raw
from traces.queries import StoredSpan
from traces.span import Event, Kind, Link, Span, Status, Usage

PAYLOADS = sorted(path.stem for path in FOLDER.glob("*.json"))
TRACE = "0123456789abcdef0123456789abcdef"


def sent_again(spans: list[StoredSpan]) -> list[StoredSpan]:
    body = b"".join(raw.chunks(TRACE, spans))
    assert json.loads(body) == raw.request(TRACE, spans)
    decoded = decode_json(body)
    assert not decoded.refused
    return [stored(normalize(record, project_id=7)) for record in decoded.spans]


def said(span: StoredSpan) -> dict[str, Any]:
    """Everything of a span, without the names that stand for what lay in columns."""
    fields = {name: getattr(span, name) for name in span.__slots__}
    put_back = {
        raw.SPAN_NAME,
        "gen_ai.operation.name",
        "gen_ai.response.id",
        *(f"gen_ai.request.{name}" for name in span.request_params),
    }
    fields["attributes"] = {name: value for name, value in span.attributes.items() if name not in put_back}
    if span.vocabulary == "openinference" and span.usage:
        written = (span.usage.cache_write_5m or 0) + (span.usage.cache_write_1h or 0)
        fields["usage"] = replace(span.usage, cache_write_5m=written, cache_write_1h=None)
    return fields


@pytest.mark.parametrize("payload", PAYLOADS)
def test_spans_of_every_vocabulary_are_the_same_when_sent_again(payload: str) -> None:
    before = [stored(span) for span in recorded(payload)]
    after = sent_again(before)
    assert [said(span) for span in after] == [said(span) for span in before]
    assert all(
        old.attributes.items() <= new.attributes.items() for old, new in zip(before, after, strict=True)
    )


FULL = Span(
    project_id=7,
    trace_id=TRACE,
    span_id="00000000000000ab",
    parent_id="00000000000000aa",
    start_ns=BEGAN_NS + 123,
    end_ns=BEGAN_NS + 2_100_000_456,
    name="answer",
    kind=Kind.LLM,
    status=Status.ERROR,
    status_message="overloaded",
    error_type="OverloadedError",
    user_id="u-1",
    session_id="s-1",
    organization_id="o-1",
    feature="draft",
    environment="production",
    release="1.4",
    input_type="text",
    tags=("a", "b"),
    agent_name="writer",
    workflow_name="weekly",
    model="claude-sonnet-4-6",
    request_model="claude-sonnet-4",
    provider="anthropic",
    prompt_name="answer",
    prompt_version="7",
    finish_reason="stop",
    time_to_first_token_ns=412_000_000,
    usage=Usage(
        input_uncached=40, cache_read=20, cache_write_5m=10, cache_write_1h=50, output=30, reasoning=5
    ),
    reported_cost=Decimal("0.0042"),
    input=[text_message("user", "Hello <b>")],
    output=[text_message("assistant", "Hi")],
    output_bytes=63,
    tool_definitions=[{"name": "search", "parameters": {"q": {"type": "string"}}}],
    request_params={"temperature": 0.2, "output.type": "json"},
    attributes={"deep": {"list": [1, 2.5, True, None, "x"], "empty": {}}, "big": 2**63, "n": -5},
    events=(Event(name="retry", time_ns=BEGAN_NS + 7, attributes={"attempt": 2}),),
    links=(Link(trace_id="f" * 32, span_id="1" * 16, attributes={"why": "batch"}),),
    vocabulary=PLAIN_VOCABULARY,
)


def test_a_plain_span_tells_its_fields_by_their_genai_names() -> None:
    before = stored(FULL)
    [after] = sent_again([before])
    columns = {
        name: getattr(after, name) for name in after.__slots__ if name not in ("attributes", "vocabulary")
    }
    assert columns == {name: getattr(before, name) for name in columns}
    assert {**before.attributes, "big": str(2**63)}.items() <= after.attributes.items()


def test_spans_of_one_origin_stand_together() -> None:
    others = msgspec.structs.replace(FULL, span_id="00000000000000ac", resource={"service.name": "other"})
    body = raw.request(TRACE, [stored(FULL), stored(FULL), stored(others)])
    spans = [found["scopeSpans"][0]["spans"] for found in body["resourceSpans"]]  # type: ignore[index,union-attr,call-overload]
    assert [len(found) for found in spans] == [2, 1]
