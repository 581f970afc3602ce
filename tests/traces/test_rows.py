"""Rows of the tree: what stays when it is narrowed, and the columns that the script draws from."""

from decimal import Decimal
from typing import Any

import msgspec

from traces import rows, tree
from traces.outline_queries import OutlineSpan
from traces.rows import Flag, Only


def step(number: int, parent: int = 0, **fields: Any) -> OutlineSpan:
    defaults: dict[str, Any] = {
        "span_id": f"{number:016x}",
        "parent_id": f"{parent:016x}" if parent else None,
        "name": f"step {number}",
        "kind": "span",
        "status": "ok",
        "failure": "",
        "start_ns": number * 10**9,
        "latency_ms": 1000.0,
        "model": "",
        "tool_name": "",
        "prompt_name": "",
        "prompt_version": "",
        "tokens": None,
        "cost_usd": None,
        "cost_state": "",
    }
    return OutlineSpan(**{**defaults, **fields})


NESTED = tree.build([step(1), step(2, 1), step(3, 2), step(4, 1), step(5, 4), step(6, 5), step(7)]).rows


def names(kept: list[rows.OutlineRow]) -> list[str]:
    return [row.span.name for row in kept]


def test_what_is_kept_keeps_the_way_to_it() -> None:
    assert names(rows.kept(NESTED, {f"{6:016x}"})) == ["step 1", "step 4", "step 5", "step 6"]
    assert names(rows.kept(NESTED, {f"{2:016x}", f"{7:016x}"})) == ["step 1", "step 2", "step 7"]
    assert rows.kept(NESTED, set()) == []


def test_a_narrowed_tree_holds_what_was_asked_for() -> None:
    failed_tool = step(1, kind="tool", status="error")
    call = step(2, kind="llm")
    assert [only for only in Only if only.holds(failed_tool)] == [Only.EVERYTHING, Only.TOOL, Only.FAILED]
    assert [only for only in Only if only.holds(call)] == [Only.EVERYTHING, Only.LLM]


def test_columns_say_each_text_once_and_figures_as_they_are_read() -> None:
    priced = step(
        2, 1, kind="llm", model="m", tokens=6842, cost_usd=Decimal("0.00421"), cost_state="computed"
    )
    unpriced = step(3, 1, kind="odd", status="error", failure="too long", cost_state="unpriced")
    lost = step(4, 9, name="chat m", model="m")
    sent: Any = rows.columns(tree.build([step(1), priced, unpriced, lost]).rows)

    def column(name: str) -> list[str]:
        return [sent[name]["texts"][place] for place in sent[name]["at"]]

    assert sent["id"] == [f"{number:016x}" for number in (1, 2, 3, 4)]
    assert sent["depth"] == [0, 1, 1, 0]
    assert column("kind") == ["span", "llm", "span", "span"]
    assert column("model") == ["", "m", "", ""]
    assert column("tokens") == ["", "6.8k", "", ""]
    assert column("cost") == ["", "$0.0042", "unpriced", ""]
    assert column("exact") == ["", "$0.00421", "", ""]
    assert column("failure") == ["", "", "too long", ""]
    assert sent["flags"] == [Flag.CRITICAL, 0, Flag.FAILED | Flag.UNPRICED, Flag.MISSING_PARENT]
    assert sent["kind"]["texts"] == ["span", "llm"]
    assert msgspec.json.encode(sent)


def test_prompts_are_named_once_with_their_version() -> None:
    spans = [
        step(1, prompt_name="plan", prompt_version="2"),
        step(2, prompt_name="plan", prompt_version="2"),
        step(3),
    ]
    assert rows.prompts(spans) == [("plan", "2")]


def test_a_blank_row_has_every_part_a_row_can_have() -> None:
    assert rows.BLANK.critical
    assert rows.BLANK.detached
    assert rows.shown_model(rows.BLANK.span)
    assert (rows.BLANK.span.status, rows.BLANK.span.cost_state) == ("error", "computed")
