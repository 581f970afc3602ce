"""What is taken for personal data, and what only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.detectors import Detector, find
from ingest.detectors.cards import luhn

REGIONS = ("US", "GB")


def found(text: str) -> list[tuple[str, str]]:
    encoded = text.encode()
    return [(hit.detector, encoded[hit.start : hit.end].decode()) for hit in find(encoded, REGIONS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail jane.doe@example.com now", [("email", "jane.doe@example.com")]),
        ("JANE+crm@Sub.Example.co.uk", [("email", "JANE+crm@Sub.Example.co.uk")]),
        ("für müller@büro.de", [("email", "müller@büro.de")]),
        ("<a@b.io>,<c@d.org>", [("email", "a@b.io"), ("email", "c@d.org")]),
        ("call +1 (415) 555-2671 today", [("phone", "+1 (415) 555-2671")]),
        ("call (415) 555-2671 or 415.555.2671", [("phone", "(415) 555-2671"), ("phone", "415.555.2671")]),
        ("ring +49 30 901820", [("phone", "+49 30 901820")]),
        ("ring 020 7946 0958 2 times", [("phone", "020 7946 0958")]),
        ("tel:+14155552671", [("phone", "+14155552671")]),
        ("card 4111 1111 1111 1111 exp 12/27", [("card", "4111 1111 1111 1111")]),
        ("5500-0000-0000-0004", [("card", "5500-0000-0000-0004")]),
        ("378282246310005.", [("card", "378282246310005")]),
    ],
)
def test_personal_values_are_found_whole(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order 123456789012",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "at 2026-11-24T02:23:11.123456789Z",
        "at 2026-11-24 02:23:11",
        "v1.2.3-4567890",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "1732413600000000000 ns",
        "0.4155552671",
        "4111 1111 1111 1112 fails Luhn",
        "0000000000000000",
        "192.168.100.200:8080",
        "3.14159265358979",
        "tokens 6842 cost 0.00126 latency 10200",
        "user@localhost",
        "@decorator(args) def f",
        "12 34 56 78 90 12 34 56",
        "$1,204,555,2671",
    ],
)
def test_look_alikes_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_number_in_several_spellings_has_one_canonical_form() -> None:
    spellings = ["+1 415 555 2671", "(415) 555-2671", "415.555.2671"]
    hits = [find(text.encode(), REGIONS)[0] for text in spellings]
    assert {(hit.detector, hit.canonical) for hit in hits} == {(Detector.PHONE, "+14155552671")}


def test_national_formats_follow_the_projects_regions() -> None:
    assert find(b"ring 030 901820", ("DE",)) != []
    assert find(b"ring 030 901820", ("US",)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Name:\njohn@x.com\n", ["john@x.com"]),
        (r"{\"to\":\"\\njohn@x.com\"}", ["john@x.com"]),
        (r"\n4111 1111 1111 1111\n", ["4111 1111 1111 1111"]),
        (r"\t+1 415 555 2671\r\n", ["+1 415 555 2671"]),
        (r"\u001f4111111111111111\u001f", ["4111111111111111"]),
        (r"\n@x.com", []),
    ],
)
def test_a_value_right_after_an_escape_is_found_whole(text: str, expected: list[str]) -> None:
    assert [value for _, value in found(text)] == expected


@given(st.text(alphabet="0123456789+-() .@abc/", max_size=80))
def test_hits_lie_in_the_text_in_order_and_apart(text: str) -> None:
    encoded = text.encode()
    hits = find(encoded, REGIONS)
    edges = [edge for hit in hits for edge in (hit.start, hit.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(encoded) for edge in edges)
    assert all(hit.start < hit.end for hit in hits)


@given(st.integers(min_value=10**11, max_value=10**18))
def test_exactly_one_check_digit_passes_luhn(payload: int) -> None:
    assert sum(luhn(f"{payload}{digit}".encode()) for digit in range(10)) == 1
