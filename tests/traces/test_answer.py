"""What the REST API answers of a trace: what the pages read of it, however it is stored and however long it is."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.test import Client

from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope
from tracehouse.web.figures import plain_decimal
from traces import answer_queries, queries, tool_calls
from traces import cursor as cursors
from traces.answer import AT_ONCE, content
from traces.queries import StoredSpan
from traces.span import Cost, CostState, EntryKind, Event, Kind, Link, LogEntry, Span, Status, Usage
from traces.tool_calls import Executed, Requested, ToolCalls

BEGAN = 1_795_600_000_123_456_789
TRACE = f"{7:032x}"
ASKED = {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "née \u2028 🙂"}}
GUESSED = {"type": "tool_call", "name": "search", "arguments": ""}
KEPT_EMPTY = {"name", "kind", "status", "span_id"}


def span(number: int, **fields: Any) -> Span:
    start = BEGAN + number * 10**9
    common: dict[str, Any] = {
        "project_id": 0,
        "parent_id": f"{1:016x}",
        "start_ns": start,
        "end_ns": start + 1_234_567,
    }
    return Span(trace_id=TRACE, span_id=f"{number:016x}", **{**common, **fields})


def entry(key: str, kind: EntryKind, **attributes: Any) -> LogEntry:
    return LogEntry(name="said", time_ns=BEGAN, attributes=attributes, key=key, kind=kind)


VARIED = [
    span(
        1,
        parent_id="",
        kind=Kind.AGENT,
        status=Status.ERROR,
        status_message="out of \x07 luck",
        user_id="u-1",
        tags=("vip", "a, b", ""),
        attributes={"list": [1, 2.5, None, {"deep": "</script>\\"}], "empty": ""},
        resource={"service.name": "agent"},
        events=(Event(name="exception", time_ns=BEGAN, attributes={"exception.message": "no"}),),
        links=(Link(trace_id=TRACE, span_id=f"{9:016x}"),),
    ),
    span(
        2,
        name="llm",
        kind=Kind.LLM,
        model="m",
        input=[{"role": "user", "parts": [{"type": "text", "content": "Where?\n"}]}],
        output=[{"role": "assistant", "parts": [ASKED, GUESSED]}],
        usage=Usage(input_uncached=7, cache_read=3, output=0),
        cost=Cost(state=CostState.COMPUTED, total=Decimal("0.001200000001"), source="book"),
        time_to_first_token_ns=1_500_001,
        request_params={"temperature": 0.25},
        tool_definitions=[{"name": "search"}],
        output_bytes=3,
        redactions={"email": 2},
    ),
    span(3, name="t", kind=Kind.TOOL, tool_name="search", tool_call_id="c1", input={"q": 1}, output="found"),
    span(4, name="search", kind=Kind.TOOL, status=Status.ERROR, error_type="Timeout", output=[1, [2]]),
    span(
        5,
        kind=Kind.LLM,
        input="{not json",
        output="",
        tool_definitions=[],
        cost=Cost(state=CostState.UNPRICED),
    ),
    span(6, parent_id=None, end_ns=None, input="[1, 2", output="[1]", output_bytes=3),
    span(7, kind=Kind.LLM, response_id="r", usage=Usage(output=5), reported_cost=Decimal("3.10")),
    span(8, kind=Kind.LLM, response_id="r", start_ns=BEGAN + 7 * 10**9, cost=Cost(state=CostState.COMPUTED)),
    span(
        9,
        kind=Kind.LLM,
        redactions={"email": 1},
        events=(Event(name="own", time_ns=BEGAN + 1, attributes={}),),
        log_entries=(
            entry("a", EntryKind.INPUT, role="user", parts=[]),
            entry("b", EntryKind.OUTPUT, role="assistant", parts=[{**ASKED, "id": "c2"}]),
            entry("c", EntryKind.EVENT, note="later"),
        ),
    ),
    span(10, kind=Kind.LLM, input="own", log_entries=(entry("d", EntryKind.INPUT, role="user"),)),
    span(11, kind=Kind.TOOL, name="search", tool_call_id="c2", input="", output={}),
]


@pytest.mark.django_db
@pytest.mark.clickhouse
@pytest.mark.parametrize("more", [0, 2 * AT_ONCE])
def test_the_answer_says_what_the_pages_read(
    project: Project, api_key: str, store_spans: Callable[[list[Span]], None], more: int
) -> None:
    sent = [*VARIED, *(span(100 + number, name=f"step {number}") for number in range(more))]
    ours = [msgspec.structs.replace(one, project_id=project.pk) for one in sent]
    store_spans(ours)
    store_spans(ours[: len(VARIED) : 2])
    answered = Client(headers={"Authorization": f"Bearer {api_key}"}).get(f"/api/v1/traces/{TRACE}")
    answer = json.loads(answered.getvalue())
    detail = queries.get_trace(Scope(project.pk), TRACE)
    assert detail
    calls = tool_calls.by_model_call(detail.spans)
    assert answer["spans"] == [told(one, calls.get(one.span_id)) for one in detail.spans]
    assert (len(answer["spans"]), answer["truncated"], answer["scores"]) == (len(sent), False, [])
    assert (answer["trace_id"], answer["span_count"]) == (TRACE, len(sent))
    assert answered.streaming == bool(more)
    assert "Content-Encoding" not in answered.headers


@pytest.mark.django_db
@pytest.mark.clickhouse
def test_a_long_trace_is_answered_by_start_a_page_at_a_time(
    project: Project,
    api_key: str,
    store_spans: Callable[[list[Span]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer_queries, "MAX_SPANS", 3)
    # The later the id, the earlier it starts, but for two that start together.
    starts = {number: BEGAN - min(number, 6) * 10**6 for number in range(1, 8)}
    store_spans(
        [span(number, start_ns=at, end_ns=at, project_id=project.pk) for number, at in starts.items()]
    )
    client = Client(headers={"Authorization": f"Bearer {api_key}"})
    address, asked, pages = f"/api/v1/traces/{TRACE}", dict[str, str](), []
    for _ in range(3):
        answer = json.loads(client.get(address, asked).getvalue())
        pages.append([int(one["span_id"], 16) for one in answer["spans"]])
        assert (answer["truncated"], answer["span_count"]) == (answer["next_spans_cursor"] is not None, 7)
        asked = {"spans_cursor": answer["next_spans_cursor"]}
    assert (pages, asked) == ([[6, 7, 5], [4, 3, 2], [1]], {"spans_cursor": None})
    for wrong in (
        "nonsense",
        cursors.encode(("e" * 32, BEGAN, "1" * 16)),
        cursors.encode((TRACE, 2**70, "x")),
    ):
        refused = client.get(address, {"spans_cursor": wrong})
        assert (refused.status_code, "spans_cursor" in refused.json()["error"]["fields"]) == (400, True)


def told(span: StoredSpan, calls: ToolCalls | None) -> dict[str, Any]:
    """The answer worked out field by field."""
    found = {name: plain(name, value) for name, value in asdict(span).items() if name != "start_ns"}
    found["tool_calls_requested"] = calls and [call(one) for one in calls.requested]
    found["tool_calls_executed"] = calls and [call(one) for one in calls.executed]
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


def call(one: Requested | Executed) -> dict[str, Any]:
    return {name: plain(name, value) for name, value in asdict(one).items()}


def plain(name: str, value: Any) -> Any:
    match value:
        case "":
            return "" if name in KEPT_EMPTY else None
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case Decimal():
            return plain_decimal(value)
    return value


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1,]",
        "[01]",
        '["\x01"]',
        '["\\ud800"]',
        '{"a" 1}',
        "[NaN]",
        "[] x",
        "[" * 5000,
        "{'a': 1}",
        "text",
    ],
)
def test_what_is_no_json_goes_out_as_text(text: str) -> None:
    assert json.loads(msgspec.json.encode([content(text)])) == [text]


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2.50, 1e3]", '["\\u00e9", "\u2028"]', "[]", "{}"])
def test_json_goes_out_as_it_is_stored(text: str) -> None:
    assert msgspec.json.encode(content(text)) == text.encode()


def test_json_that_is_laid_out_goes_out_in_one_line() -> None:
    laid_out = json.dumps([{"a": [1, 2.5], "b": "x\ny"}, []], indent=2)
    assert msgspec.json.encode(content(laid_out)) == b'[{"a":[1,2.5],"b":"x\\ny"},[]]'
