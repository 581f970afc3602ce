"""One step of two traces in detail: which figures, parameters and words differ."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from traces import pair
from traces.pair import Figure, readable
from traces.queries import SpanUsage, StoredSpan
from traces.text_diff import MAX_PIECE, Change, Piece

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BLANK: dict[str, Any] = {
    **dict.fromkeys(StoredSpan.__slots__, ""),
    "parent_id": None, "start_time": NOON, "end_time": NOON, "start_ns": 0, "latency_ms": 100.0,
    "time_to_first_token_ms": None, "tags": [], "usage": None, "cost_usd": None, "reported_cost_usd": None,
    "input": None, "output": None, "output_bytes": None, "tool_definitions": None, "request_params": {},
    "attributes": {}, "resource": {}, "events": [], "links": [], "redactions": {},
}  # fmt: skip


def span(**fields: Any) -> StoredSpan:
    return StoredSpan(**{**BLANK, "span_id": "1", "name": "step", "kind": "tool", "status": "ok", **fields})


def differing(lines: list[Figure]) -> list[tuple[str, str, str]]:
    return [(line.label, line.a, line.b) for line in lines if line.differs]


def test_figures_of_both_stand_side_by_side() -> None:
    usage = SpanUsage(6_842, 6_842, 0, 0, 0, 310, None)
    a = span(kind="llm", model="old", usage=usage, cost_usd=Decimal("0.0042"), cost_state="computed")
    b = span(
        kind="llm",
        model="new",
        status="error",
        status_message="too long",
        latency_ms=6_800,
        cost_state="unpriced",
    )
    assert differing(pair.describe(a, b).figures) == [
        ("Status", "ok", "failed"),
        ("Error", "", "too long"),
        ("Latency", "100 ms", "6.8 s"),
        ("Tokens", "6,842 in, 310 out", ""),
        ("Cost", "$0.0042", "unpriced"),
        ("Model", "old", "new"),
    ]


def test_parameters_are_compared_by_their_path() -> None:
    a = span(input={"limit": 5, "filters": [{"field": "stage", "value": "won"}], "old": True})
    b = span(input={"filters": [{"field": "stage", "value": "lost"}], "limit": 5, "new": None})
    assert differing(pair.describe(a, b).parameters.lines) == [
        ("filters[0].value", "won", "lost"),
        ("old", "true", ""),
        ("new", "", "null"),
    ]


def test_how_a_model_was_set_are_its_parameters() -> None:
    a, b = (span(kind="llm", request_params={"temperature": heat}) for heat in (0, 1))
    assert differing(pair.describe(a, b).parameters.lines) == [("temperature", "0", "1")]


def test_a_text_is_not_taken_for_a_number_or_for_nothing() -> None:
    a = span(input={"limit": 5, "all": True, "tag": "", "name": "won"})
    b = span(input={"limit": "5", "all": "true", "name": "won"})
    assert differing(pair.describe(a, b).parameters.lines) == [
        ("limit", "5", '"5"'),
        ("all", "true", '"true"'),
        ("tag", '""', ""),
    ]


def test_where_long_values_differ_is_shown() -> None:
    a, b = (span(input={"sql": f"SELECT {'column, ' * 200} FROM {table}"}) for table in ("deals", "leads"))
    [line] = pair.describe(a, b).parameters.lines
    assert [said for change, said, _ in line.words if change is Change.REMOVED] == ["deals"]
    assert [said for change, said, _ in line.words if change is Change.ADDED] == ["leads"]
    assert pair.describe(a, a).parameters.lines[0].words == []


def test_of_very_many_parameters_those_that_differ_are_kept() -> None:
    many = {f"p{number:03}": number for number in range(pair.MAX_PARAMETERS + 20)}
    a, b = span(input=many), span(input={**many, "p110": "other"})
    found = pair.describe(a, b).parameters
    assert differing(found.lines) == [("p110", "110", "other")]
    assert (len(found.lines), found.left_out, found.left_out_differing) == (pair.MAX_PARAMETERS, 20, 0)


def test_texts_are_the_same_only_when_all_of_them_is() -> None:
    far = "word " * pair.MAX_TEXT
    [asked] = pair.describe(span(input=f"{far}one"), span(input=f"{far}two")).texts
    assert [(piece.change, piece.text) for piece in asked.pieces[1:]] == [
        (Change.REMOVED, "one"),
        (Change.ADDED, "two"),
    ]
    assert (asked.is_same, asked.left) == (False, 0)
    [other] = pair.describe(span(input="a" * 2 * pair.MAX_TEXT), span(input="b" * 2 * pair.MAX_TEXT)).texts
    assert other.left == pair.MAX_TEXT


def test_attributes_and_tools_that_differ_are_told() -> None:
    tools = [{"name": "crm", "description": "Looks up deals."}]
    a = span(kind="llm", attributes={"variant": "A", "same": 1}, resource={"service.version": "1"})
    b = span(kind="llm", attributes={"variant": "B", "same": 1}, resource={"service.version": "2"})
    found = pair.describe(a, replace(b, tool_definitions=tools))
    assert differing(found.attributes.lines) == [
        ("variant", "A", "B"),
        ("resource.service.version", '"1"', '"2"'),
    ]
    assert [text.title for text in found.texts] == ["Tools offered"]
    assert pair.describe(a, None).attributes.lines == []


def test_words_of_outputs_are_marked_and_equal_texts_are_told_once() -> None:
    a = span(kind="llm", input="Who went quiet?", output="Acme went quiet")
    b = span(kind="llm", input="Who went quiet?", output="Acme went silent")
    asked, answered = pair.describe(a, b).texts
    assert (asked.title, asked.is_same, asked.whole) == ("Input", True, "Who went quiet?")
    assert answered.pieces == [
        Piece(Change.SAME, "Acme went "),
        Piece(Change.REMOVED, "quiet"),
        Piece(Change.ADDED, "silent"),
    ]


def test_a_step_that_only_one_side_has_is_shown_without_marks() -> None:
    detail = pair.describe(None, span(output="rows"))
    assert (detail.title, [text.is_same for text in detail.texts]) == ("step", [True])


def test_a_long_new_text_is_cut_and_says_so() -> None:
    detail = pair.describe(span(output="a"), span(output="b" * 10_000))
    assert detail.texts[0].shown == [
        (Change.REMOVED, "a", 0),
        (Change.ADDED, "b" * MAX_PIECE, 10_000 - MAX_PIECE),
    ]


def test_messages_read_as_who_said_what() -> None:
    content = [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "name": "crm", "arguments": {"n": 1}}]},
    ]
    assert readable(content) == 'user: Hi\n\nassistant: call crm {\n  "n": 1\n}'
    assert (readable({"a": 1}), readable(None), readable("text")) == ('{\n  "a": 1\n}', "", "text")
