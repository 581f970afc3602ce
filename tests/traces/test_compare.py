"""Two traces are aligned step by step: everything once, in order, and the place where they go apart is found."""

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import compare as comparing
from traces.compare import Comparison, Mark, Pair, Step, Weight, compare, differing_only

MS = 1_000_000


def step(span_id: str, parent: str | None = None, *, at: int = 0, **fields: Any) -> Step:
    given_fields: dict[str, Any] = {
        "latency_ms": 100.0,
        "name": "step",
        "kind": "span",
        "status": "ok",
        "failure": "",
        "model": "",
        "tool_name": "",
        "prompt": "",
        "tokens": None,
        "cost_usd": None,
        "cost_state": "",
        "error": "",
        "parameters": "",
        "offered": "",
        "asked": "",
        "answered": "",
    }
    return Step(span_id=span_id, parent_id=parent, start_ns=at * MS, **{**given_fields, **fields})


def tool(span_id: str, name: str, *, at: int, **fields: Any) -> Step:
    return step(span_id, "root", at=at, kind="tool", name=f"tool.{name}", tool_name=name, **fields)


def llm(span_id: str, *, at: int, **fields: Any) -> Step:
    return step(span_id, "root", at=at, **{"kind": "llm", "name": "chat", "model": "m", **fields})


def run(*inside: Step, **fields: Any) -> list[Step]:
    return [step("root", kind="agent", name="agent", **fields), *inside]


def test_a_step_without_an_end_is_neither_slower_nor_faster() -> None:
    [row] = compare([step("root", is_open=True, latency_ms=0.0)], [step("root", latency_ms=9_000.0)]).rows
    assert (row.more_ms, row.is_slower_or_faster) == (None, False)


def told(found: Comparison) -> list[str]:
    """Each row in a line: what A has, what B has, the marks."""
    return [
        " ".join(
            [
                f"{'.' * row.depth}{row.a.span_id if row.a else '-'}",
                row.b.span_id if row.b else "-",
                *row.marks,
            ]
        )
        for row in found.rows
    ]


def test_a_failed_run_beside_a_good_one_shows_where_it_failed_and_what_it_never_did() -> None:
    good = run(
        llm("g1", at=1),
        tool("g2", "hubspot", at=2, parameters="p"),
        tool("g3", "ga4", at=3),
        llm("g4", at=4),
    )
    bad = run(
        llm("b1", at=1),
        tool("b2", "hubspot", at=2, parameters="q", status="error", failure="timeout"),
        status="error",
    )
    found = compare(good, bad)
    assert told(found) == [
        "root root status",
        ".g1 b1",
        ".g2 b2 status parameters",
        ".g3 -",
        ".g4 -",
    ]
    # The failed root only says what the tool inside of it says better.
    assert found.first == 2
    assert (found.only_a, found.only_b, found.differing, found.same) == (2, 0, 2, 1)


def test_a_call_more_is_a_row_of_its_own_and_the_rest_stays_aligned() -> None:
    a = run(tool("a1", "search", at=1), llm("a2", at=2), tool("a3", "send", at=3))
    b = run(tool("b1", "search", at=1), tool("b2", "search", at=2), llm("b3", at=3), tool("b4", "send", at=4))
    assert told(compare(a, b)) == ["root root", ".a1 b1", ".- b2", ".a2 b3", ".a3 b4"]


def test_of_two_equal_calls_the_one_with_the_same_parameters_is_the_partner() -> None:
    a = run(tool("a1", "search", at=1, parameters="x"), tool("a2", "search", at=2, parameters="y"))
    b = run(tool("b1", "search", at=1, parameters="y"))
    assert told(compare(a, b)) == ["root root", ".a1 -", ".a2 b1"]


def test_another_model_or_tool_in_the_same_place_is_a_difference_of_one_step() -> None:
    a = run(llm("a1", at=1, model="old"), tool("a2", "ga4", at=2))
    b = run(llm("b1", at=1, model="new"), tool("b2", "hubspot", at=2))
    assert told(compare(a, b)) == ["root root", ".a1 b1 model", ".a2 b2 tool"]


def test_parallel_calls_that_began_in_another_order_are_still_the_same_calls() -> None:
    a = run(tool("a1", "x", at=1), tool("a2", "y", at=2), tool("a3", "z", at=3))
    b = run(tool("b1", "y", at=1), tool("b2", "z", at=2), tool("b3", "x", at=3))
    assert told(compare(a, b)) == ["root root", ".a1 b3 order", ".a2 b1", ".a3 b2"]


def test_what_is_inside_a_step_is_compared_with_what_is_inside_its_partner() -> None:
    a = [*run(step("a1", "root", name="plan")), step("a2", "a1", kind="llm", answered="x")]
    b = [*run(step("b1", "root", name="plan")), step("b2", "b1", kind="llm", answered="y")]
    found = compare(a, b)
    assert told(found) == ["root root", ".a1 b1", "..a2 b2 output"]
    assert found.first == 2


def test_parameters_part_two_traces_only_where_both_were_asked_the_same() -> None:
    a = run(tool("a1", "x", at=1, parameters="1"), tool("a2", "y", at=2), asked="q")
    b = run(tool("b1", "x", at=1, parameters="2"), tool("b2", "y", at=2, status="error"), asked="q")
    assert compare(a, b).first == 1
    for question, same in (("another", False), ("", None)):
        otherwise = compare(a, [step("root", kind="agent", name="agent", asked=question), *b[1:]])
        assert (otherwise.first, otherwise.asked_the_same) == (2, same)


def test_where_only_texts_differ_the_innermost_is_the_first() -> None:
    a = run(llm("a1", at=1, answered="x"), answered="x")
    b = run(llm("b1", at=1, answered="y"), answered="y")
    assert compare(a, b).first == 1
    assert [row.weight for row in compare(a, b).rows] == [Weight.NONE, Weight.TEXT]


def test_numbers_stand_out_past_half_as_much_again_and_a_floor() -> None:
    row = Pair(
        step("a", latency_ms=200, tokens=100, cost_usd=Decimal("0.001")),
        step("b", latency_ms=6_800, tokens=120, cost_usd=Decimal("0.004")),
        0,
    )
    assert (row.more_ms, row.more_tokens, row.more_usd) == (6_600, 20, Decimal("0.003"))
    assert (row.is_slower_or_faster, row.uses_other_tokens, row.costs_other) == (True, False, True)
    unknown = Pair(step("a", cost_state="unpriced"), step("b", cost_usd=Decimal(1)), 0)
    assert (unknown.more_usd, unknown.costs_other) == (None, False)


def test_only_differing_rows_and_the_way_to_them_are_kept() -> None:
    a = [*run(step("p", "root", name="plan"), step("q", "root", at=2, name="write")), step("p1", "p")]
    b = [*run(step("p", "root", name="plan"), step("q", "root", at=2, name="write"))]
    assert [(place, row.a.span_id) for place, row in differing_only(compare(a, b).rows) if row.a] == [
        (0, "root"),
        (1, "p"),
        (2, "p1"),
    ]


@st.composite
def traces(draw: st.DrawFn, prefix: str) -> list[Step]:
    """Any forest, with missing parents and cycles in it."""
    count = draw(st.integers(0, 12))
    steps = []
    for number in range(count):
        parent = draw(st.sampled_from([None, *range(count + 1)]))
        kind = draw(st.sampled_from(["llm", "tool"]))
        steps.append(
            step(
                f"{prefix}{number}",
                None if parent is None else f"{prefix}{parent}",
                at=draw(st.integers(0, 3)),
                kind=kind,
                tool_name=draw(st.sampled_from("xyz")) if kind == "tool" else "",
                model=draw(st.sampled_from("mn")) if kind == "llm" else "",
                status=draw(st.sampled_from(["ok", "error"])),
                parameters=draw(st.sampled_from("pq")),
            )
        )
    return steps


# With no cells at all every level pairs by its names in turn.
@given(
    traces("a"), traces("b"), st.sampled_from([comparing.MAX_CELLS, 0, 3]), st.randoms(use_true_random=False)
)
def test_every_step_is_there_once_below_its_parents_and_the_order_of_arrival_is_nothing(
    a: list[Step], b: list[Step], cells: int, random: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "MAX_CELLS", cells)
        found = compare(a, b)
        shuffled = compare(random.sample(a, len(a)), random.sample(b, len(b)))
    assert sorted(row.a.span_id for row in found.rows if row.a) == sorted(one.span_id for one in a)
    assert sorted(row.b.span_id for row in found.rows if row.b) == sorted(one.span_id for one in b)
    assert shuffled == found
    above: list[Pair] = []
    for row in found.rows:
        del above[row.depth :]
        if above:
            assert row.a is None or above[-1].a
            assert row.b is None or above[-1].b
        if row.depth and row.a and row.b:
            assert row.a.kind == row.b.kind
        above.append(row)


@given(traces("a"))
def test_a_trace_beside_itself_is_the_same_in_every_row(a: list[Step]) -> None:
    found = compare(a, a)
    assert all(row.is_same and row.a == row.b for row in found.rows)
    assert (found.first, differing_only(found.rows)) == (None, [])


siblings = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("pq")), max_size=5)


@given(siblings, siblings)
def test_the_alignment_of_a_level_is_the_best_there_is(
    left: list[tuple[str, str]], right: list[tuple[str, str]]
) -> None:
    a = [tool(f"a{at}", name, at=at, parameters=said) for at, (name, said) in enumerate(left)]
    b = [tool(f"b{at}", name, at=at, parameters=said) for at, (name, said) in enumerate(right)]
    found = compare(run(*a), run(*b)).rows[1:]
    kept = [(row.a, row.b) for row in found if row.a and row.b and Mark.ORDER not in row.marks]
    assert [y.start_ns for _, y in kept] == sorted(y.start_ns for _, y in kept)
    assert worth([(x, y) for row in found if (x := row.a) and (y := row.b)]) >= best_worth(a, b)


def worth(pairs: Sequence[tuple[Step, Step]]) -> int:
    return sum(1 + 100 * (x.tool_name == y.tool_name) + 10 * (x.parameters == y.parameters) for x, y in pairs)


def best_worth(a: Sequence[Step], b: Sequence[Step]) -> int:
    """Tried out: every way of pairing as many of A's as of B's in order."""
    return max(
        worth(list(zip(x, y, strict=True)))
        for size in range(min(len(a), len(b)) + 1)
        for x in itertools.combinations(a, size)
        for y in itertools.combinations(b, size)
    )


def test_ten_thousand_steps_beside_others_are_aligned_within_the_bound() -> None:
    a = run(*(tool(f"a{at}", f"t{at % 7}", at=at) for at in range(10_000)))
    b = run(*(tool(f"b{at}", f"t{at % 7}", at=at, asked="x") for at in range(9_999) if at != 5_000))
    found = compare(a, b)
    assert (found.only_a, found.only_b, any(Mark.ORDER in row.marks for row in found.rows)) == (2, 0, False)
    chain = [step(f"c{at}", f"c{at - 1}" if at else None, at=at) for at in range(2_000)]
    assert compare(chain, chain).same == 2_000


def test_the_difference_is_told_in_words_and_where_it_ended_in_failure() -> None:
    a = run(tool("a1", "crm", at=1, parameters="1"), llm("a2", at=2), llm("a3", at=3, model="old"), asked="q")
    b = run(
        tool("b1", "crm", at=1, parameters="2"),
        llm("b2", at=2, status="error", failure="context window exceeded"),
        llm("b3", at=3, model="new"),
        status="error",
        asked="q",
    )
    found = compare(a, b)
    assert [row.in_words for row in found.rows] == [
        "failed in B, ok in A",
        "other parameters",
        "failed in B, ok in A",
        "model old in A, new in B",
    ]
    assert (found.first, found.failing) == (1, 2)
    assert found.rows[2].failure == "context window exceeded"
    assert [row.in_words for row in compare(a, a[:1]).rows][1] == "only A has it"
    assert compare(a, a).rows[0].in_words == "the same in both"


def test_a_step_that_failed_and_that_the_other_never_reached_is_where_it_ended() -> None:
    a = run(tool("a1", "crm", at=1, parameters="1"), asked="q")
    b = [
        *run(
            tool("b1", "crm", at=1, parameters="2"),
            llm("b2", at=2, status="error"),
            status="error",
            asked="q",
        ),
        step("b3", "b2", at=3, status="error"),
    ]
    found = compare(a, b)
    assert told(found) == ["root root status", ".a1 b1 parameters", ".- b2", "..- b3"]
    assert (found.first, found.failing) == (1, 3)
    assert compare(b, b).failing is None
