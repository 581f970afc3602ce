"""A project's own patterns on spans, wherever the text stands."""

import json
from typing import Any

import msgspec
import pytest

from ingest.own_patterns import redact_spans, redact_string
from ingest.policy import Action, Allowed, Pattern, Policy, compact
from ingest.redact import redact, redact_text
from tests.ingest.test_redact import FIELDS, span
from traces.span import EntryKind, Event, Link, LogEntry

NUMBER = "CUST-004711"
RULE = Pattern("customer", r"CUST-[0-9]{6}")
POLICY = Policy(key=b"k" * 32, patterns=(RULE,))


def with_number(value: Any) -> Any:
    """The same field's value as for the tests of addresses, with the customer's number."""
    if isinstance(value, str):
        return value.replace("jane.doe@example.com", NUMBER)
    if isinstance(value, list | tuple):
        return type(value)(with_number(item) for item in value)
    if isinstance(value, dict):
        return {with_number(key): with_number(item) for key, item in value.items()}
    if isinstance(value, Event | Link):
        changes = {"attributes": with_number(value.attributes)}
        if isinstance(value, Event):
            changes["name"] = with_number(value.name)
        return msgspec.structs.replace(value, **changes)
    return value


@pytest.mark.parametrize("field", FIELDS)
def test_a_number_is_gone_from_every_field(field: str) -> None:
    [clean] = redact_spans([span(**{field: with_number(FIELDS[field])})], POLICY)
    assert "004711" not in msgspec.json.encode(clean).decode()
    assert clean.redactions == {"customer": 2 if field in {"attributes", "events"} else 1}


def test_a_number_is_gone_from_what_log_records_say() -> None:
    entry = LogEntry(name=NUMBER, time_ns=1, key="k", kind=EntryKind.INPUT, attributes={"content": [NUMBER]})
    [clean] = redact_spans([span(log_entries=(entry,))], POLICY)
    assert "004711" not in msgspec.json.encode(clean).decode()
    assert clean.redactions == {"customer": 2}


def test_a_project_without_patterns_keeps_the_same_spans() -> None:
    kept = span(output=NUMBER)
    assert redact_spans([kept], Policy(key=b"k" * 32))[0] is kept


def test_a_span_without_a_match_comes_back_as_it_was() -> None:
    kept = span(output="hello", attributes={"n": 3})
    assert redact_spans([kept], POLICY)[0] is kept


@pytest.mark.parametrize(
    ("action", "left"),
    [(Action.MASK, "to [customer]."), (Action.DROP, "to ."), (Action.HASH, "to [customer:")],
)
def test_each_action_does_what_it_says(action: Action, left: str) -> None:
    policy = Policy(key=b"k" * 32, patterns=(Pattern("customer", RULE.expression, action),))
    text, counts = redact_string(f"to {NUMBER}.", policy)
    assert text.startswith(left)
    assert counts == {"customer": 1}


def test_identities_are_hashed_whatever_the_action_and_kept_when_the_project_says_so() -> None:
    users = redact_spans([span(user_id=NUMBER), span(user_id="CUST-000001")], POLICY)
    assert str(users[0].user_id).startswith("[customer:")
    assert users[0].user_id != users[1].user_id
    keeping = Policy(key=b"k" * 32, patterns=(RULE,), keep_identity=True)
    assert redact_spans([span(user_id=NUMBER)], keeping)[0].user_id == NUMBER


def test_a_pattern_sees_a_text_as_it_was_sent() -> None:
    rule = Pattern("codeword", '"swordfish"\n')
    [clean] = redact_spans([span(output='say "swordfish"\n')], Policy(key=b"k" * 32, patterns=(rule,)))
    assert clean.output == "say [codeword]"


def test_json_inside_a_string_is_rewritten_by_its_parts_and_stays_json() -> None:
    inner = json.dumps({"note": f"line\n{NUMBER}", "again": json.dumps([f"\t{NUMBER}"])})
    [clean] = redact_spans([span(output=inner)], POLICY)
    assert "004711" not in str(clean.output)
    json.loads(json.loads(str(clean.output))["again"])


DIGITS = Policy(key=b"k" * 32, patterns=(Pattern("customer", r"\b9[0-9]{5}\b"),))


def test_a_number_is_matched_as_it_is_written_and_becomes_a_text() -> None:
    sent = {"id": 900123, "again": 900123.0, "list": [-900124, 12, True, 0.5], "longer": 9001234}
    [clean] = redact_spans([span(input=sent, attributes=sent)], DIGITS)
    masked = {
        "id": "[customer]",
        "again": "[customer]",
        "list": ["-[customer]", 12, True, 0.5],
        "longer": 9001234,
    }
    assert clean.input == masked
    assert clean.attributes == masked
    assert clean.redactions == {"customer": 6}


def test_a_number_in_json_inside_a_string_becomes_a_text_there() -> None:
    [clean] = redact_spans([span(output='{"id":900123,"n":3}')], DIGITS)
    assert json.loads(str(clean.output)) == {"id": "[customer]", "n": 3}


def test_a_pattern_that_names_quotes_matches_json_inside_a_string_too() -> None:
    rule = Pattern("field", r'"pet": ?"[a-z]+"')
    [clean] = redact_spans([span(output='{"pet": "rex"}')], Policy(key=b"k" * 32, patterns=(rule,)))
    assert clean.output == "{[field]}"


def test_two_keys_that_are_replaced_alike_keep_both_values() -> None:
    [clean] = redact_spans([span(attributes={"CUST-000001": 1, "CUST-000002": 2})], POLICY)
    assert clean.attributes == {"[customer]": 1, "[customer] 2": 2}


def test_an_allowed_value_is_left_by_own_patterns_and_by_detectors() -> None:
    allow = Allowed(frozenset({compact("support@ACME.com"), compact("+1 (415) 555-2671"), compact(NUMBER)}))
    policy = Policy(key=b"k" * 32, patterns=(RULE,), allow=allow)
    text = f"support@acme.com, 415 555 2671, jane@acme.com, {NUMBER}"
    assert redact_string(text, policy)[0] == text
    cleaned, counts = redact_text(text, policy)
    assert cleaned.startswith("support@acme.com, 415 555 2671, [email:")
    assert counts == {"email": 1}


def test_an_allowed_pattern_must_match_the_whole_value() -> None:
    policy = Policy(key=b"k" * 32, allow=Allowed(patterns=(r"[a-z]+@acme\.com",)))
    [(text, counts)] = redact([b'{"a":"jane@acme.com","b":"jane@acme.com.evil.org"}'], policy)
    assert b'"a":"jane@acme.com"' in text
    assert counts == {"email": 1}


def test_a_private_key_counts_once_and_leaves_nothing() -> None:
    key = json.dumps("-----BEGIN PRIVATE KEY-----\nMIIEvQIB\nADANBgkq==\n-----END PRIVATE KEY-----").encode()
    [(text, counts)] = redact([key], POLICY)
    assert json.loads(text) == "-----BEGIN PRIVATE KEY-----\n[secret]\n\n-----END PRIVATE KEY-----"
    assert counts == {"secret": 1}
