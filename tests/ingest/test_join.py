"""Spans and the log records that hold their content become the same trace, however they arrive. On the real engine."""

import io
import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import pipeline
from ingest.pipeline import Batch, Steps
from ingest.policy import Policy
from tests.ingest.golden import BEGAN_NS, FOLDER, text_message
from tracehouse.clickhouse import client
from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.tenancy.keys import KeyHolder
from tracehouse.tenancy.scope import Scope, Window
from traces import queries, store
from traces.filters import TraceFilters
from traces.queries import StoredSpan, UsageGroup

pytestmark = [pytest.mark.clickhouse, pytest.mark.django_db]

NOW = datetime.fromtimestamp(BEGAN_NS // 10**9 + 60, UTC)
WINDOW = Window(NOW - timedelta(hours=1), NOW)
TRACE = "10650000000000000000000000000001"
FIRST, SECOND, STREAMED = (f"106500000000000{n}" for n in (3, 4, 5))
DAY_NS = 86_400 * 10**9
GOLDEN = ("openai_messages", "openai_details")
# Projects that no example of a property test has used: they share the table.
FRESH = itertools.count(5000)
Unit = tuple[str, dict[str, Any]]  # "spans" or "logs", and one span or record


def units(payload: str) -> list[Unit]:
    """Each span and each log record of a recording on its own."""
    sent = json.loads((FOLDER / "with_logs" / f"{payload}.json").read_text())
    spans = [
        ("spans", span)
        for resource in sent["traces"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    records = [
        ("logs", record)
        for resource in sent["logs"]["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ]
    return [*spans, *records]


def send(project_id: int, *sent: Unit) -> dict[str, int]:
    """One request of the spans and one of the records among `sent`, stored; what was refused."""
    spans = [unit for kind, unit in sent if kind == "spans"]
    records = [unit for kind, unit in sent if kind == "logs"]
    refused: dict[str, int] = {}
    if spans:
        body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
        refused |= _stored(project_id, body, pipeline.TRACES)
    if records:
        body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        refused |= _stored(project_id, body, pipeline.LOGS)
    return refused


def _stored(project_id: int, body: dict[str, Any], steps: Steps) -> dict[str, int]:
    holder = KeyHolder(project_id, "p", "pk", b"k" * 32, ("US",), False)
    policy = Policy(holder.redaction_key, holder.phone_regions)
    now_ns = BEGAN_NS + 60 * 10**9
    batch = Batch(json.dumps(body).encode(), "json", holder, now_ns=now_ns, given_policy=policy)
    lines = pipeline.made_lines(batch, steps)
    insert_json_lines(store.TABLE, io.BytesIO(b"".join(lines)), token=uuid.uuid4().hex)
    return dict(batch.refused)


def trace(project_id: int) -> dict[str, StoredSpan]:
    detail = queries.get_trace(Scope(project_id, WINDOW), TRACE)
    return {span.span_id: span for span in detail.spans} if detail else {}


def listed(project_id: int) -> list[queries.Trace]:
    return queries.list_traces(Scope(project_id, WINDOW), TraceFilters()).traces


ASKED = [text_message("system", "Be brief."), text_message("user", "What is the weather in Oslo?")]
CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
ANSWER = {"type": "tool_call_response", "id": "call_1", "response": {"celsius": 3}}


@pytest.mark.parametrize("payload", GOLDEN)
def test_content_on_log_records_is_the_content_of_the_span(clickhouse: None, payload: str) -> None:
    assert send(1, *units(payload)) == {}
    spans = trace(1)
    assert spans[FIRST].input == ASKED
    [asked_for] = cast("list[Any]", spans[FIRST].output)
    assert (asked_for["role"], asked_for["parts"]) == ("assistant", [CALL])
    assert asked_for["finish_reason"] in {"tool_calls", "tool_call"}
    said = spans[SECOND].input
    assert isinstance(said, list)
    assert said[:3] == [*ASKED, {"role": "assistant", "parts": [CALL]}]
    assert said[3] == {"role": "tool", "parts": [ANSWER]}
    assert spans[SECOND].output == [
        text_message("assistant", "3 degrees and rain.") | {"finish_reason": "stop"}
    ]
    assert spans[STREAMED].input == [text_message("user", "Hi!")]
    assert spans[STREAMED].output_bytes
    assert [event for span in spans.values() for event in span.events] == []


def test_the_details_of_a_call_bring_the_tools_and_what_the_span_does_not_say(clickhouse: None) -> None:
    name = "gen_ai.client.inference.operation.details"
    told = {"gen_ai__tool__definitions": '[{"name": "get_weather"}]', "gen_ai__request__model": "gpt-4o-mini"}
    send(1, _record(name, {}, gen_ai__conversation__id="c-1", **told), SPAN)
    assert trace(1)[FIRST].tool_definitions == [{"name": "get_weather"}]
    [event] = trace(1)[FIRST].events
    assert isinstance(event, dict)
    # The model is among the span's own attributes.
    assert (event["name"], event["attributes"]) == (name, {"gen_ai.conversation.id": "c-1"})


@pytest.mark.parametrize("payload", GOLDEN)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_trace_does_not_depend_on_the_order_the_split_or_repeats(
    clickhouse: None, payload: str, data: st.DataObject
) -> None:
    whole, scattered = next(FRESH), next(FRESH)
    send(whole, *units(payload))
    copies = [unit for unit in units(payload) for _ in range(data.draw(st.integers(1, 2)))]
    shuffled = data.draw(st.permutations(copies))
    while shuffled:
        size = data.draw(st.integers(1, 6))
        send(scattered, *shuffled[:size])
        shuffled = shuffled[size:]
    if data.draw(st.booleans()):
        client.client().command("OPTIMIZE TABLE spans FINAL")
    assert trace(scattered) == trace(whole)
    assert listed(scattered) == listed(whole)
    usage = [queries.usage(Scope(n, WINDOW), UsageGroup.MODEL) for n in (whole, scattered)]
    assert usage[0] == usage[1]
    assert usage[0][0].input_tokens == 120


def test_what_only_log_records_have_told_is_no_trace_yet_and_is_there_once_the_span_comes(
    clickhouse: None,
) -> None:
    everything = units("openai_messages")
    send(1, *[unit for unit in everything if unit[0] == "logs"])
    assert (listed(1), trace(1)) == ([], {})
    assert not queries.has_spans(Scope(1))
    # Lists read every trace of the index that does not say when it starts.
    assert client.client().query("SELECT count() FROM traces").result_rows == [(0,)]
    assert queries.usage(Scope(1, WINDOW), UsageGroup.USER) == []
    root = next(unit for unit in everything if unit[1].get("name") == "agent.run")
    send(1, root)
    [known] = listed(1)
    assert (known.span_count, known.name, known.user_id) == (1, "agent.run", "u-17")
    send(1, *[unit for unit in everything if unit[0] == "spans"])
    assert trace(1)[FIRST].input == ASKED
    assert listed(1)[0].span_count == 4


@pytest.mark.parametrize("log_first", [True, False])
def test_a_record_of_the_day_after_joins_its_span(clickhouse: None, log_first: bool) -> None:
    late = BEGAN_NS + 20 * 3600 * 10**9
    record = _record("gen_ai.user.message", {"content": "Late"}, late)
    span = next(unit for unit in units(GOLDEN[0]) if unit[1].get("spanId") == FIRST and unit[0] == "spans")
    for unit in (record, span) if log_first else (span, record):
        send(1, unit)
    assert trace(1)[FIRST].input == [text_message("user", "Late")]
    days = client.client().query("SELECT uniqExact(day) FROM spans").result_rows
    assert days == [(2,)]


def _record(name: str, body: dict[str, Any], time_ns: int = BEGAN_NS, **attributes: str) -> Unit:
    values = [{"key": key, "value": {"stringValue": value}} for key, value in body.items()]
    told = [{"key": key.replace("__", "."), "value": {"stringValue": v}} for key, v in attributes.items()]
    return "logs", {
        "traceId": TRACE,
        "spanId": FIRST,
        "eventName": name,
        "timeUnixNano": str(time_ns),
        "body": {"kvlistValue": {"values": values}},
        "attributes": told,
    }


SPAN = next(unit for unit in units(GOLDEN[0]) if unit[1].get("spanId") == FIRST and unit[0] == "spans")


def test_messages_of_one_moment_stay_in_the_order_they_were_sent(clickhouse: None) -> None:
    said = [_record("gen_ai.user.message", {"content": f"part {n}"}) for n in range(12)]
    send(1, SPAN, *said)
    send(1, said[5])
    assert trace(1)[FIRST].input == [text_message("user", f"part {n}") for n in range(12)]


def test_a_record_without_any_time_is_kept_under_the_day_it_came(clickhouse: None) -> None:
    record = _record("gen_ai.user.message", {"content": "When?"}, 0)
    for _ in range(2):
        send(1, SPAN, record)
    assert trace(1)[FIRST].input == [text_message("user", "When?")]


def test_events_stand_among_the_spans_own_by_time(clickhouse: None) -> None:
    own = {"name": "exception", "timeUnixNano": str(BEGAN_NS + 5), "attributes": []}
    evaluation = _record("gen_ai.evaluation.result", {}, BEGAN_NS + 9, gen_ai__evaluation__name="relevance")
    first = _record("exception", {}, BEGAN_NS + 2, exception__type="TimeoutError", exception__message="slow")
    send(1, evaluation)
    send(1, ("spans", SPAN[1] | {"events": [own]}))
    send(1, first)
    events: Any = trace(1)[FIRST].events
    assert [event["name"] for event in events] == ["exception", "exception", "gen_ai.evaluation.result"]
    assert events[0]["attributes"] == {"exception.type": "TimeoutError", "exception.message": "slow"}
    assert events[2]["attributes"] == {"gen_ai.evaluation.name": "relevance"}


def test_content_that_the_span_itself_carries_wins_in_either_order(clickhouse: None) -> None:
    prompt = json.dumps([text_message("user", "From the span")])
    own = {"key": "gen_ai.input.messages", "value": {"stringValue": prompt}}
    span = ("spans", SPAN[1] | {"attributes": [*SPAN[1]["attributes"], own]})
    record = _record("gen_ai.user.message", {"content": "From the log"})
    for project, order in ((1, (span, record)), (2, (record, span))):
        for unit in order:
            send(project, unit)
        assert trace(project)[FIRST].input == [text_message("user", "From the span")]


def test_two_calls_told_on_one_span_are_both_there(clickhouse: None) -> None:
    """The later one speaks for the span; the earlier stays readable as an event."""
    calls = [
        _record(
            "gen_ai.client.inference.operation.details",
            {},
            BEGAN_NS + n,
            gen_ai__output__messages=json.dumps([text_message("assistant", f"answer {n}")]),
        )
        for n in (1, 2)
    ]
    send(1, calls[1])
    send(1, SPAN, calls[0])
    span = trace(1)[FIRST]
    assert span.output == [text_message("assistant", "answer 2")]
    assert "answer 1" in json.dumps(span.events)


def test_a_search_finds_what_only_a_log_record_said(clickhouse: None) -> None:
    send(1, *units(GOLDEN[0]))
    for text, found in (("degrees and RAIN", 1), ("snow", 0)):
        page = queries.list_traces(Scope(1, WINDOW), TraceFilters(q=text))
        assert len(page.traces) == found


def test_another_projects_records_do_not_join(clickhouse: None) -> None:
    send(1, SPAN)
    send(2, *[unit for unit in units(GOLDEN[0]) if unit[0] == "logs"])
    assert trace(1)[FIRST].input is None
    assert (trace(2), listed(2)) == ({}, [])


REFUSED = [
    ({"eventName": "", "body": {"stringValue": "GET /"}}, "neither a GenAI event nor an exception"),
    ({"eventName": "app.started"}, "neither a GenAI event nor an exception"),
    ({"traceId": ""}, "belongs to no span"),
    ({"spanId": "0" * 16}, "belongs to no span"),
    ({"body": {}, "attributes": []}, "carries no content"),
    ({"timeUnixNano": "1000000000"}, "too long ago"),
    ({"timeUnixNano": str(BEGAN_NS + 3 * DAY_NS)}, "in the future"),
]


@pytest.mark.parametrize(("wrong", "reason"), REFUSED)
def test_a_record_that_is_not_kept_is_counted_with_its_reason(
    clickhouse: None, wrong: dict[str, Any], reason: str
) -> None:
    kind, record = _record("gen_ai.user.message", {"content": "Hi"})
    refused = send(1, (kind, record | wrong), (kind, record), SPAN)
    assert list(refused.values()) == [1]
    assert reason in next(iter(refused))
    assert trace(1)[FIRST].input == [text_message("user", "Hi")]


def test_an_exception_in_a_log_line_is_kept_as_an_event(clickhouse: None) -> None:
    record = _record("", {}, exception__type="KeyError", exception__message="'id'")
    record[1]["body"] = {"stringValue": "lookup failed"}
    assert send(1, SPAN, record) == {}
    [event] = trace(1)[FIRST].events
    assert isinstance(event, dict)
    assert (event["name"], event["attributes"]) == (
        "exception",
        {"exception.type": "KeyError", "exception.message": "'id'", "body": "lookup failed"},
    )


def test_personal_data_in_a_record_is_replaced(clickhouse: None) -> None:
    send(1, SPAN, _record("gen_ai.user.message", {"content": "I am jane@example.com"}))
    rows = client.client().query("SELECT * FROM spans").result_rows
    assert "jane" not in str(rows)
    assert "[email:" in str(trace(1)[FIRST].input)


@pytest.mark.parametrize("log_first", [True, False])
def test_what_was_replaced_is_counted_over_the_span_and_its_records(
    clickhouse: None, log_first: bool
) -> None:
    span = ("spans", SPAN[1] | {"name": "for jane@example.com"})
    records = [_record("gen_ai.user.message", {"content": f"jane@example.com {n}"}) for n in (1, 2)]
    for unit in [*records, span] if log_first else [span, *records, records[0]]:
        send(1, unit)
    assert trace(1)[FIRST].redactions == {"email": 3}


def test_no_entry_hides_a_value_of_a_higher_revision(clickhouse: None) -> None:
    """What replaces an entry for good (a later redaction) is not undone by a late retry of the record."""
    record = _record("gen_ai.user.message", {"content": "As sent"})
    send(1, SPAN, record)
    [(key, value)] = (
        client.client()
        .query(
            "SELECT mapKeys(log_entries)[1], mapValues(log_entries)[1] FROM spans WHERE notEmpty(log_entries)"
        )
        .result_rows
    )
    cleaned = value.replace('"revision":0', '"revision":1').replace("As sent", "[gone]")
    row = {"project_id": 1, "trace_id": TRACE, "span_id": int(FIRST, 16), "day": "2025-11-24"}
    line = json.dumps(row | {"log_entries": {key: cleaned}}).encode()
    insert_json_lines(store.TABLE, io.BytesIO(line), token=uuid.uuid4().hex)
    send(1, record)
    assert trace(1)[FIRST].input == [text_message("user", "[gone]")]
