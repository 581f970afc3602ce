"""Whatever stands before, in and after a value, at any depth of JSON in strings: what is written decodes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.detectors import Detector
from ingest.detectors.edges import pieces
from ingest.own_patterns import redact_string
from ingest.policy import Action, Pattern, Policy
from ingest.redact import redact
from tests.ingest.test_detectors import KEYS, LETTERS

VALUES = [
    "jane.doe@example.com",
    "+1 415 555 2671",
    "tel: (415) 555-2671",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "ssn 536-90-4399",
    "81.2.69.142",
    "2a01:4f8:c17:b0f::2",
    "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    "postgresql://app:s3cr3t-pw@db.example.com/x",
    f"Authorization: Bearer {LETTERS}",
    "password: hunter2x",
    '"password": "hunter2x"',
    "api_key=abc123def456",
    f"token={LETTERS}",
    '{"x-api-key": ["abcdef123456", "abcdef123457"]}',
    "Cookie: theme=dark; sessionid=38afes7a8b1234",
    "Authorization: Token 9944b09199c62bcf9418",
    "WEBHOOK_SECRET=abc123def456",
    "postgres://u:p4ss/w0rd@host/db",
    "4111\u00a01111\u00a01111\u00a01111",
    "DE89–3704–0044–0532–0130–00",
    "desk＠lumen.example.com",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIB\nADANBgkq==\n-----END PRIVATE KEY-----",
    "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    *KEYS,
]
# Each is written as an escape, or is what an escape looks like: `\n` of two characters.
ESCAPED = [
    "\n",
    "\r",
    "\t",
    "\b",
    "\x01",
    "\x1f",
    "\\",
    '"',
    "\\n",
    "\\u0001",
    "\\u00",
    '\\"',
    "\u00e9",
    " ",
    ":",
    "\n\n",
]
ACTIONS = {action: Policy(key=b"k" * 32, actions=dict.fromkeys(Detector, action)) for action in Action}
TEXTS = st.lists(st.sampled_from(VALUES) | st.sampled_from(ESCAPED), max_size=6).map("".join)


@st.composite
def broken_up(draw: st.DrawFn) -> str:
    """A value with what is written as escapes in front of it, inside of it and behind it."""
    value = draw(st.sampled_from(VALUES))
    at = draw(st.integers(0, len(value)))
    escaped = st.sampled_from(["", *ESCAPED])
    return draw(escaped) + value[:at] + draw(escaped) + value[at:] + draw(escaped)


def nested(value: object, depth: int, *, ascii_only: bool) -> object:
    for _ in range(depth):
        value = json.dumps({"note": value}, ensure_ascii=ascii_only)
    return value


def unnested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        [value] = json.loads(value).values()
    return value


@given(
    broken_up() | TEXTS,
    st.integers(min_value=0, max_value=3),
    st.sampled_from(Action),
    st.booleans(),
)
def test_what_is_written_decodes_and_so_does_json_inside_of_it(
    text: str, depth: int, action: Action, ascii_only: bool
) -> None:
    row = msgspec.json.encode({"status_message": nested(text, depth, ascii_only=ascii_only), "output": "x"})
    [(cleaned, _)] = redact([row], ACTIONS[action])
    decoded = msgspec.json.decode(cleaned)
    assert decoded["output"] == "x"
    assert isinstance(unnested(decoded["status_message"], depth), str)


NAMES = ("password", "api_key", "token", "card", "ssn", "phone", "iban")


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.integers(-(10**18), 10**18)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from([4111111111111111, -4111111111111111, 4111111111111111.0, -31415926, 12345678.25]),
        max_size=4,
    ),
    st.sampled_from(Action),
)
def test_numbers_are_replaced_whole(values: dict[str, float], action: Action) -> None:
    [(cleaned, _)] = redact([msgspec.json.encode(values)], ACTIONS[action])
    assert msgspec.json.decode(cleaned).keys() == values.keys()


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("spaced", [True, False])
def test_numbers_in_json_inside_of_strings_become_texts_there(depth: int, spaced: bool) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    value: Any = {"card": 4111111111111111, "list": [5500000000000004, 7, -4111111111111111.0], "n": 1}
    for _ in range(depth):
        value = {"note": json.dumps(value, separators=separators)}
    [(cleaned, counts)] = redact([msgspec.json.encode({"v": value})], ACTIONS[Action.MASK])
    left = msgspec.json.decode(cleaned)["v"]
    for _ in range(depth):
        left = json.loads(left["note"])
    assert left == {"card": "[card]", "list": ["[card]", 7, "[card]"], "n": 1}
    assert counts == {"card": 3}


def test_a_string_that_is_a_list_of_numbers_stays_one() -> None:
    row = msgspec.json.encode({"a": "[4111111111111111, 2]", "b": json.dumps({"c": "[1,4111111111111111]"})})
    left = msgspec.json.decode(redact([row], ACTIONS[Action.DROP])[0][0])
    assert json.loads(left["a"]) == ["", 2]
    assert json.loads(json.loads(left["b"])["c"]) == [1, ""]


@pytest.mark.parametrize("value", [-31415926, 1234.5678, 31415926])
def test_a_password_that_is_a_number_becomes_a_text(value: float) -> None:
    [(cleaned, counts)] = redact([msgspec.json.encode({"password": value, "n": 1})], ACTIONS[Action.MASK])
    assert msgspec.json.decode(cleaned) == {"password": "[secret]", "n": 1}
    assert counts == {"secret": 1}


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_value_that_ends_in_a_backslash_ends_with_its_string(depth: int) -> None:
    value: Any = {"password": "hunter22x\\", "next": ["untouched", 'a"b\\']}
    row = msgspec.json.encode({"v": nested(value, depth, ascii_only=True)})
    left = unnested(msgspec.json.decode(redact([row], ACTIONS[Action.MASK])[0][0])["v"], depth)
    assert left == {"password": "[secret]\\", "next": ["untouched", 'a"b\\']}


def test_a_list_of_numbers_as_long_as_it_gets_is_read_once() -> None:
    row = msgspec.json.encode({"cards": [4111111111111111] * 20_000, "x": "y"})
    [(cleaned, counts)] = redact([row], ACTIONS[Action.MASK])
    assert msgspec.json.decode(cleaned)["cards"] == ["[card]"] * 20_000
    assert counts == {"card": 20_000}


OWN = Policy(key=b"k" * 32, patterns=(Pattern("customer", "CUST-[0-9]{3}"), Pattern("number", "[0-9]{3}")))


@given(
    st.lists(st.sampled_from(["CUST-004", "123", *ESCAPED]), max_size=6).map("".join) | st.integers(0, 10**6),
    st.integers(min_value=1, max_value=3),
)
def test_own_patterns_leave_json_inside_of_strings_json(value: object, depth: int) -> None:
    text = nested(value, depth, ascii_only=True)
    cleaned, _ = redact_string(str(text), OWN)
    assert "CUST-004" not in str(unnested(cleaned, depth))


@pytest.mark.parametrize("escape", [b"", rb"\n", rb"\\t", rb"\\\\n", rb"\u0001", rb"\\u0041", rb"\/", rb"\""])
def test_a_hit_that_begins_in_an_escape_is_cut_to_what_follows_it(escape: bytes) -> None:
    for start in range(len(escape) + 1):
        text = escape + b"abc"
        assert [text[first:last] for first, last in pieces(text, start, len(text))] == [b"abc"]


def test_a_hit_over_escapes_and_quotes_is_cut_into_what_stands_between() -> None:
    text = rb'a\\c\"d\u00e9e\nf\n"g'
    assert [text[first:last] for first, last in pieces(text, 0, len(text))] == [*b"a c d e f".split()]
