"""Nothing personal leaves the step, wherever in a span it stood."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import pipeline
from ingest.detectors import Detector
from ingest.policy import Action, Policy
from ingest.redact import redact_identity, redact_text
from tracehouse.tenancy.keys import KeyHolder
from traces.span import EntryKind, Event, Kind, Link, LogEntry, Span

EMAIL = "jane.doe@example.com"
POLICY = Policy(key=b"k" * 32)


def span(**fields: Any) -> Span:
    return Span(project_id=1, trace_id="1" * 32, span_id="2" * 16, **fields)


def redact(spans: list[Span], policy: Policy) -> list[dict[str, Any]]:
    """What is written of the spans, as rows."""
    holder = KeyHolder(1, "agents", "pk", policy.key, policy.regions, keep_identity=policy.keep_identity)
    batch = pipeline.Batch(b"", "json", holder, now_ns=0, given_policy=policy)
    lines = pipeline.redact(batch, pipeline.encode(batch, spans))
    return [msgspec.json.decode(line) for line in lines]


def text_of(value: object) -> str:
    return msgspec.json.encode(value).decode()


FIELDS: dict[str, Any] = {
    "name": f"answer {EMAIL}",
    "status_message": f"no such user {EMAIL}",
    "error_type": EMAIL,
    "user_id": EMAIL,
    "session_id": EMAIL,
    "organization_id": EMAIL,
    "feature": EMAIL,
    "environment": EMAIL,
    "release": EMAIL,
    "input_type": EMAIL,
    "tags": ("vip", EMAIL),
    "agent_name": EMAIL,
    "workflow_name": EMAIL,
    "model": EMAIL,
    "request_model": EMAIL,
    "provider": EMAIL,
    "tool_name": EMAIL,
    "tool_call_id": EMAIL,
    "prompt_name": EMAIL,
    "prompt_version": EMAIL,
    "finish_reason": EMAIL,
    "response_id": EMAIL,
    "scope": EMAIL,
    "input": [{"role": "user", "parts": [{"type": "text", "content": f"I am {EMAIL}"}]}],
    "output": f"Hello {EMAIL}",
    "tool_definitions": [{"name": "mail", "default": EMAIL}],
    "request_params": {"stop": [EMAIL]},
    "attributes": {EMAIL: 1, "deep": {"list": [EMAIL]}},
    "resource": {"host.owner": EMAIL},
    "events": (Event(name=EMAIL, time_ns=1, attributes={"exception.message": EMAIL}),),
    "links": (Link(trace_id="a", span_id="b", attributes={"to": EMAIL}),),
}


@pytest.mark.parametrize("field", FIELDS)
def test_an_address_is_gone_from_every_field(field: str) -> None:
    [clean] = redact([span(**{field: FIELDS[field]})], POLICY)
    assert "jane" not in text_of(clean)
    assert clean["redactions"] == {"email": 2 if field in {"attributes", "events"} else 1}


def test_every_text_field_of_a_span_is_covered_by_this_test() -> None:
    opaque = {
        "project_id",
        "trace_id",
        "span_id",
        "parent_id",
        "start_ns",
        "end_ns",
        "kind",
        "status",
        "usage",
        "time_to_first_token_ns",
        "reported_cost",
        "cost",
        "output_bytes",
        "vocabulary",
        "recorded_ns",
        "redactions",
    }
    covered_below = {"log_entries"}
    opaque |= covered_below
    assert {field.name for field in msgspec.structs.fields(Span)} == opaque | FIELDS.keys()


def test_what_a_log_record_says_is_cleaned_and_counted_in_its_entry() -> None:
    said = {"body": [EMAIL], EMAIL: {"text": json.dumps({"to": EMAIL})}}
    entry = LogEntry(key="k", kind=EntryKind.EVENT, name=EMAIL, time_ns=1, attributes=said)
    [row] = redact([span(log_entries=(entry,))], POLICY)
    assert "jane" not in text_of(row)
    assert "redactions" not in row
    assert row["log_entries"]["k"]["redactions"] == {"email": 4}


def test_a_clean_span_comes_back_as_it_was() -> None:
    clean = span(name="chat", kind=Kind.LLM, input=[{"role": "user"}], attributes={"n": 3})
    [row] = redact([clean], POLICY)
    assert "redactions" not in row
    assert row["input"] == [{"role": "user"}]
    assert row["attributes"] == {"n": 3}


def test_the_same_contact_has_the_same_id_in_a_project_and_another_elsewhere() -> None:
    here = redact([span(user_id=EMAIL), span(output=f"to {EMAIL.upper()}.")], POLICY)
    elsewhere = redact([span(user_id=EMAIL)], Policy(key=b"o" * 32))
    assert here[1]["output"] == "to " + here[0]["user_id"] + "."
    assert elsewhere[0]["user_id"] != here[0]["user_id"]


def test_identities_are_hashed_even_where_text_is_masked() -> None:
    policy = Policy(key=b"k" * 32, actions={Detector.EMAIL: Action.MASK})
    users = redact([span(user_id="a@x.com", output="a@x.com"), span(user_id="b@x.com")], policy)
    assert users[0]["output"] == "[email]"
    assert users[0]["user_id"] != users[1]["user_id"]


def test_a_project_may_keep_identities_as_sent() -> None:
    [kept] = redact([span(user_id=EMAIL, output=EMAIL)], Policy(key=b"k" * 32, keep_identity=True))
    assert kept["user_id"] == EMAIL
    assert EMAIL not in str(kept["output"])


def test_cards_are_masked_by_default() -> None:
    assert redact_text("pay 4111 1111 1111 1111", POLICY) == ("pay [card]", {"card": 1})


def test_a_text_that_is_not_json_is_cleaned_by_its_lines_too() -> None:
    assert redact_text("Password:\nhunter2x\n\npwd\t=\tabc12345", POLICY) == (
        "Password:\n[secret]\n\npwd\t=\t[secret]",
        {"secret": 2},
    )


@pytest.mark.parametrize("end", ["\\", "\\\\", '\\"', "'", '"', "[", '["', "\\u00", "=", ""])
def test_a_text_may_end_anywhere(end: str) -> None:
    for begin in (
        "password=",
        "password='ab12",
        'password="ab12',
        "token=ab12",
        "Cookie: a=",
        "Authorization: ",
        "AKIA",
    ):
        assert redact_text(begin + end, POLICY) == (begin + end, {})


def test_a_card_sent_as_a_number_is_masked() -> None:
    [clean] = redact([span(attributes={"card": 4111111111111111, "count": 12})], POLICY)
    assert clean["attributes"] == {"card": "[card]", "count": 12}


@pytest.mark.parametrize(
    "inner",
    [{"to": EMAIL, "note": "line\nbreak"}, [f"\n{EMAIL}\n"], {"again": json.dumps({"deep": f"\t{EMAIL}"})}],
)
def test_json_inside_a_string_is_cleaned_and_stays_json(inner: object) -> None:
    [clean] = redact([span(output=json.dumps(inner))], POLICY)
    assert "jane" not in str(clean["output"])
    json.loads(str(clean["output"]))


def test_an_address_hidden_behind_json_escapes_is_found() -> None:
    [clean] = redact([span(output='{"to": "jane\\u0040example.com"}')], POLICY)
    assert "jane" not in str(clean["output"])


@pytest.mark.parametrize("text", ["naïve – “so”", "请联系", "😀", "\uffff"])
def test_any_character_may_be_escaped_in_json_inside_a_string(text: str) -> None:
    inner = json.dumps({"note": text, "to": f"{text} {EMAIL}", "card": "4111\u20111111\u20111111\u20111111"})
    [clean] = redact([span(output=inner)], POLICY)
    left = json.loads(str(clean["output"]))
    assert left["note"] == text
    assert left["to"].startswith(f"{text} [email:")
    assert left["card"] == "[card]"


def test_two_keys_that_are_masked_alike_keep_both_values() -> None:
    policy = Policy(key=b"k" * 32, actions={Detector.EMAIL: Action.MASK})
    [clean] = redact([span(attributes={"a@x.com": 1, "b@x.com": 2, "c@x.com": 3})], policy)
    assert clean["attributes"] == {"[email]": 1, "[email] 2": 2, "[email] 3": 3}


def test_a_string_with_a_nul_character_is_scanned_too() -> None:
    [clean] = redact([span(output=f"a\x00b {EMAIL}", name="plain")], POLICY)
    assert "jane" not in str(clean["output"])


TEXT = (
    st.text(max_size=30)
    | st.just(EMAIL)
    | st.just(f"x\x00{EMAIL}")
    | st.just(json.dumps({"a": f"\n{EMAIL}"}))
)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=5))
def test_no_structure_hides_an_address(values: list[Any]) -> None:
    cleaned = redact([span(input=value, attributes={"v": value}) for value in values], POLICY)
    assert "jane" not in str(cleaned)


@given(
    st.from_regex(r"(xox)?[A-Za-z0-9_-]{1,25}", fullmatch=True)
    | st.from_regex(r"[A-Z]{2}[0-9]{6}[A-Z]", fullmatch=True)
)
def test_an_id_that_is_taken_for_plain_holds_nothing_that_a_scan_finds(value: str) -> None:
    hashing = Policy(key=POLICY.key, actions=dict.fromkeys(POLICY.actions, Action.HASH))
    assert redact_identity(value, POLICY) == redact_text(value, hashing)
