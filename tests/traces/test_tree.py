"""The tree: every span once, whatever its parents say."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from traces import tree
from traces.tree import Detached, Row


@dataclass(frozen=True)
class Node:
    span_id: str
    parent_id: str | None = None
    start_ns: int = 0
    latency_ms: float = 1.0
    is_open: bool = False


def shape(rows: list[Row[Node]]) -> list[tuple[str, int]]:
    return [(row.span.span_id, row.depth) for row in rows]


def ms(milliseconds: float) -> int:
    return int(milliseconds * 1_000_000)


MARKETING = [
    Node("root", None, ms(0), 10_200),
    Node("llm1", "root", ms(5), 2_100),
    Node("hubspot", "root", ms(2_110), 6_800),
    Node("ga4", "root", ms(8_915), 850),
    Node("llm2", "root", ms(9_790), 400),
]


def test_children_follow_their_parent_by_start() -> None:
    spans = [Node("c", "a", 3), Node("b", "a", 2), Node("a", None, 1), Node("d", "b", 4)]
    assert shape(tree.build(spans).rows) == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]


def test_no_spans_make_no_rows() -> None:
    assert tree.build(list[Node]()).rows == []


def test_bars_lie_on_one_axis() -> None:
    rows = tree.build(MARKETING).rows
    assert (rows[0].offset, rows[0].width) == (0, 100)
    assert round(rows[2].offset, 1) == 20.7
    assert round(rows[2].width, 1) == 66.7
    assert all(row.end <= 100 for row in rows)


def test_an_instant_has_a_bar_to_see() -> None:
    rows = tree.build([*MARKETING, Node("event", "root", ms(10_200), 0)]).rows
    assert rows[-1].width == tree.MIN_BAR
    assert rows[-1].end == 100


def test_the_critical_path_leads_backwards_from_the_end() -> None:
    spans = [
        Node("root", None, 0, 100),
        Node("slow", "root", ms(5), 80),
        Node("beside", "root", ms(5), 20),
        Node("inner", "slow", ms(10), 70),
        Node("after", "root", ms(86), 10),
    ]
    assert critical(spans) == {"root", "slow", "inner", "after"}


def critical(spans: list[Node]) -> set[str]:
    return {row.span.span_id for row in tree.build(spans).rows if row.critical}


def test_what_ends_after_its_parent_is_waited_for_until_that_ends() -> None:
    late = [Node("root", None, 0, 100), Node("child", "root", 0, 100.1), Node("inner", "child", 0, 90)]
    assert critical(late) == {"root", "child", "inner"}
    # Of two that outlive the root the longer one; a step that began as others still ran waited for none of them.
    beside = [Node("root", None, 0, 100), Node("long", "root", 0, 101), Node("event", "root", ms(99), 5)]
    assert critical(beside) == {"root", "long"}
    at_once = [Node("root", None, 0, 100), *(Node(f"tool{n}", "root", ms(n), 90 + n) for n in range(3))]
    assert critical(at_once) == {"root", "tool2"}


def test_the_critical_path_is_that_of_the_root_not_of_an_orphan_that_ends_later() -> None:
    spans = [Node("root", None, 0, 100), Node("child", "root", 0, 90), Node("lost", "gone", ms(50), 51)]
    assert critical(spans) == {"root", "child"}
    assert critical(spans[2:]) == {"lost"}


def test_a_span_without_its_parent_stands_at_the_top() -> None:
    rows = tree.build([Node("a", None, 1), Node("lost", "gone", 0), Node("below", "lost", 2)]).rows
    assert shape(rows) == [("lost", 0), ("below", 1), ("a", 0)]
    assert [row.detached for row in rows] == [Detached.MISSING_PARENT, None, None]


def test_a_loop_opens_at_its_earliest_span() -> None:
    spans = [Node("b", "a", 2), Node("a", "c", 1), Node("c", "b", 3), Node("under", "b", 0)]
    rows = tree.build(spans).rows
    assert shape(rows) == [("a", 0), ("b", 1), ("under", 2), ("c", 2)]
    assert rows[0].detached is Detached.CYCLE


def test_its_own_parent_is_a_loop_too() -> None:
    rows = tree.build([Node("self", "self")]).rows
    assert shape(rows) == [("self", 0)]


def test_a_chain_of_thousands_is_drawn() -> None:
    spans = [Node(str(n), str(n - 1) if n else None, n) for n in range(5_000)]
    rows = tree.build(spans).rows
    assert rows[-1].depth == 4_999
    assert rows[-1].depth_shown == tree.MAX_INDENT
    assert len(rows[-1].guides) == tree.MAX_INDENT - 1


def test_guides_go_on_while_a_sibling_follows() -> None:
    spans = [
        Node("root", None, 0),
        Node("first", "root", 1),
        Node("inner", "first", 2),
        Node("deep", "inner", 3),
        Node("last", "root", 4),
        Node("tail", "last", 5),
    ]
    guides = {row.span.span_id: (row.guides, row.is_last) for row in tree.build(spans).rows}
    assert guides["inner"] == ((True,), True)
    assert guides["deep"] == ((True, False), True)
    assert guides["tail"] == ((False,), True)


ids = st.sampled_from([f"{n:02x}" for n in range(12)])
nodes = st.builds(
    Node,
    span_id=ids,
    parent_id=st.none() | ids | st.just("missing"),
    start_ns=st.integers(0, 10**19),
    latency_ms=st.floats(0, 1e9),
    is_open=st.booleans(),
)


@given(st.lists(nodes, unique_by=lambda node: node.span_id))
def test_any_structure_yields_each_span_once(spans: list[Node]) -> None:
    rows = tree.build(spans).rows
    assert sorted(row.span.span_id for row in rows) == sorted(span.span_id for span in spans)
    for above, row in zip([None, *rows], rows, strict=False):
        assert row.depth <= (above.depth + 1 if above else 0)
        assert len(row.guides) == min(max(row.depth - 1, 0), tree.MAX_INDENT - 1)
        assert 0 <= row.offset <= 100
        assert 0 < row.width <= 100
        assert (row.depth == 0) == (not row.span.parent_id or row.detached is not None)


@given(st.lists(nodes, unique_by=lambda node: node.span_id))
def test_the_critical_path_is_a_chain_in_which_each_begins_before_the_moment_waited_for(
    spans: list[Node],
) -> None:
    end = max((node.start_ns + round(node.latency_ms * 1e6) for node in spans), default=0)
    rows = tree.build(spans).rows
    end_of = partial(known_end, until=end)
    on_path = {row.span.span_id: row for row in rows if row.critical}
    roots = [row for row in rows if not row.span.parent_id]
    tops = [row for row in on_path.values() if row.depth == 0]
    assert len(tops) == bool(rows)
    latest = max((end_of(row.span) for row in roots or rows if row.depth == 0), default=0)
    assert [end_of(top.span) for top in tops] == [latest] * len(tops)
    inside: dict[str, list[Node]] = {}
    for row in on_path.values():
        if row.depth:
            inside.setdefault(row.span.parent_id or "", []).append(row.span)
    assert inside.keys() <= on_path.keys()
    for chain in inside.values():
        chain.sort(key=lambda node: node.start_ns)
        for span, following in pairwise(chain):
            assert span.start_ns < following.start_ns
            assert end_of(span) <= following.start_ns
    # What is around a chain was waited for from somewhere after the chain's last step began.
    for parent, chain in inside.items():
        assert chain[-1].start_ns < end_of(on_path[parent].span)


def test_what_has_no_end_runs_as_far_as_the_trace_is_known() -> None:
    spans = [
        Node("root", None, ms(0), 0, is_open=True),
        Node("done", "root", ms(1_000), 2_000),
        Node("stuck", "root", ms(3_000), 0, is_open=True),
        Node("short", "root", ms(3_500), 500),
    ]
    rows = tree.build(spans).rows
    assert [(row.offset, row.width) for row in rows] == [(0, 100), (25, 50), (75, 25), (87.5, 12.5)]
    assert [row.span.span_id for row in rows if row.critical] == ["root", "done", "stuck"]


def known_end(node: Node, until: int) -> int:
    if node.is_open:
        return until
    return node.start_ns + round(node.latency_ms * 1e6)
