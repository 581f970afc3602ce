"""Two traces side by side: chosen in several ways, read without bodies, and where they go apart said first."""

import secrets
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.test import Client

from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.scope import Scope
from traces import compare_queries
from traces.compare_views import id_in
from traces.span import Cost, CostState, Kind, Span, Status, Usage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
Store = Callable[[list[Span]], None]
SECOND = 10**9
GOOD, BAD = "a" * 32, "b" * 32


def run(project: Project, trace_id: str, *, at: int, fails: bool = False, **fields: Any) -> list[Span]:
    """An agent that asks a model, calls a tool and, where the tool does not fail, asks again."""
    start = time.time_ns() - (3_600 - at) * SECOND
    common = {"project_id": project.pk, "trace_id": trace_id, "start_ns": start}
    outcome = Status.ERROR if fails else Status.OK
    root = Span(
        span_id=f"{1:016x}", parent_id="", end_ns=start + 8 * SECOND, name="agent.invocation", kind=Kind.AGENT,
        status=outcome, feature="draft", **common, **fields,
    )  # fmt: skip
    ask = Span(
        span_id=f"{2:016x}", parent_id=root.span_id, end_ns=start + 2 * SECOND, name="llm.call", kind=Kind.LLM,
        status=Status.OK, model="m", usage=Usage(input_uncached=100, output=10), output="I will look it up.",
        cost=Cost(state=CostState.COMPUTED, total=Decimal("0.01")), **common,
    )  # fmt: skip
    tool = Span(
        span_id=f"{3:016x}", parent_id=root.span_id, end_ns=start + 3 * SECOND, name="tool.crm", kind=Kind.TOOL,
        status=outcome, tool_name="crm", status_message="timed out" if fails else None,
        input={"limit": 50 if fails else 5, "all": True}, output=None if fails else "rows", **common,
    )  # fmt: skip
    again = Span(
        span_id=f"{4:016x}", parent_id=root.span_id, end_ns=start + 8 * SECOND, name="llm.call", kind=Kind.LLM,
        status=Status.OK, model="m", output="<b>Acme</b>", **{**common, "start_ns": start + 3 * SECOND},
    )  # fmt: skip
    return [root, ask, tool] if fails else [root, ask, tool, again]


@pytest.fixture
def reader(client: Client, viewer: User, clickhouse: None) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def both(project: Project, store_spans: Store) -> str:
    """The address of the page that compares, with a good and a failed trace stored."""
    store_spans([*run(project, GOOD, at=0), *run(project, BAD, at=60, fails=True)])
    return f"/p/{project.slug}/compare"


def shown(reader: Client, address: str, status: int = 200) -> str:
    answer = reader.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_where_two_traces_go_apart_is_said_first_and_shown(reader: Client, both: str) -> None:
    page = shown(reader, f"{both}?a={GOOD}&b={BAD}")
    verdict = " ".join(page.partition('class="verdict"')[2].partition("</p>")[0].split())
    assert "tool.crm</a>: <bdi>failed in B, ok in A" in verdict
    assert "timed out" in verdict
    assert "1 step the same, 2 differ, 1 only in A, 0 only in B" in verdict
    # The chosen step is that one: its parameters and its error.
    detail = page.partition('id="pair"')[2]
    assert "Here they go apart" in detail
    assert "limit" in detail
    assert detail.index("<td>5</td>") < detail.index("<td>50</td>")


def test_any_step_can_be_chosen_and_content_is_text(reader: Client, both: str) -> None:
    last = shown(reader, f"{both}?a={GOOD}&b={BAD}&sa={4:016x}")
    assert "only A has it" in last
    assert "&lt;b&gt;Acme&lt;/b&gt;" in last
    assert "<b>" not in last
    part = reader.get(
        f"{both}?a={GOOD}&b={BAD}&sa={2:016x}&sb={2:016x}",
        headers={"HX-Request": "true", "HX-Target": "pair"},
    ).content.decode()
    assert "The same parameters, texts and outcome in both" in part
    assert "<html" not in part


def test_only_differences_leave_out_what_is_the_same(reader: Client, both: str) -> None:
    page = shown(reader, f"{both}?a={GOOD}&b={BAD}&only=differences")
    assert page.partition("<tbody>")[2].count("llm.call") < shown(
        reader, f"{both}?a={GOOD}&b={BAD}"
    ).partition("<tbody>")[2].count("llm.call")


def test_a_trace_beside_itself_is_the_same(reader: Client, both: str) -> None:
    assert "Both did the same" in shown(reader, f"{both}?a={GOOD}&b={GOOD}")


def test_traces_that_fail_with_other_errors_or_offer_other_tools_are_not_the_same(
    reader: Client, project: Project, store_spans: Store
) -> None:
    def failed(trace_id: str, error: str, **offered: Any) -> list[Span]:
        root, call = run(project, trace_id, at=0)[:2]
        told: dict[str, Any] = {"status": Status.ERROR, "status_message": error}
        return [msgspec.structs.replace(root, **told), msgspec.structs.replace(call, **told, **offered)]

    store_spans([*failed(GOOD, "timed out"), *failed(BAD, "too long", tool_definitions=[{"name": "crm"}])])
    page = shown(reader, f"/p/{project.slug}/compare?a={GOOD}&b={BAD}")
    assert "llm.call</a>: <bdi>failed in both, in A with “timed out”, in B with “too long”" in page
    assert "error, tools offered" in page


def test_of_two_ticked_rows_the_good_one_is_the_measure(reader: Client, both: str) -> None:
    for ticked in (f"t={GOOD}&t={BAD}", f"t={BAD}&t={GOOD}"):
        assert reader.get(f"{both}?{ticked}").headers["Location"] == f"{both}?a={GOOD}&b={BAD}"
    assert "One trace was ticked" in shown(reader, f"{both}?t={BAD}")
    assert "3 traces were ticked" in shown(reader, f"{both}?t={BAD}&t={GOOD}&t={'c' * 32}")


def test_the_last_good_trace_of_the_same_name_is_found(reader: Client, both: str) -> None:
    assert reader.get(f"{both}?a=other&b={BAD}").headers["Location"] == f"{both}?a={GOOD}&b={BAD}"
    offered = shown(reader, f"{both}?b={BAD}")
    assert f"?a={GOOD}&amp;b={BAD}" in offered


def test_without_another_one_the_page_says_so(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(run(project, BAD, at=0, fails=True))
    page = shown(reader, f"/p/{project.slug}/compare?a=other&b={BAD}")
    assert "No trace of this name and feature ended well" in page


def test_a_link_will_do_and_what_is_not_there_is_named(reader: Client, both: str) -> None:
    link = f"http%3A%2F%2Fhost%2Fp%2Fx%2Ftraces%2F{GOOD}%3Fspan%3D0000000000000001"
    assert "They go apart" in shown(reader, f"{both}?a={link}&b={BAD}")
    assert "no such trace A" in shown(reader, f"{both}?a={'c' * 32}&b={BAD}", 404)
    assert "Trace A could not be read" in shown(reader, f"{both}?a=what&b={BAD}", 404)
    assert "Compare two traces" in shown(reader, both)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, GOOD),
        (f" {GOOD.upper()} ", GOOD),
        ("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", GOOD),
        (f"https://h/p/x/traces/{GOOD}?span=1", GOOD),
        (GOOD + "a", ""),
        ("", ""),
    ],
)
def test_an_id_is_found_in_what_was_entered(text: str, expected: str) -> None:
    assert id_in(text) == expected


def test_parameters_written_in_another_order_are_the_same(project: Project, store_spans: Store) -> None:
    start = time.time_ns()
    store_spans(
        [
            Span(
                project_id=project.pk, trace_id=trace_id, span_id=secrets.token_hex(8), parent_id="", name="t",
                kind=Kind.TOOL, status=Status.OK, start_ns=start, end_ns=start, input=said,
            )
            for trace_id, said in ((GOOD, {"a": 1, "b": [2]}), (BAD, {"b": [2], "a": 1}))
        ]
    )  # fmt: skip
    a, b = (compare_queries.get_side(Scope(project.pk), trace_id) for trace_id in (GOOD, BAD))
    assert a
    assert b
    assert a.steps[0].parameters == b.steps[0].parameters != ""


def test_the_api_compares_as_the_page_does(both: str, api_key: str) -> None:
    holder = Client(headers={"Authorization": f"Bearer {api_key}"})
    answer = holder.get("/api/v1/traces/compare", {"a": GOOD, "b": BAD})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["a"]["trace_id"], found["b"]["status"], found["truncated"]) == (GOOD, "error", False)
    apart = found["steps"][found["first_difference"]]
    assert (apart["a"]["tool_name"], apart["b"]["failure"], apart["depth"]) == ("crm", "timed out", 1)
    assert apart["differs_in"] == ["status", "parameters", "output"]
    assert apart["in_words"] == "failed in B, ok in A"
    assert [(step["a"] or {}).get("span_id") for step in found["steps"]] == [f"{n:016x}" for n in range(1, 5)]
    assert [step["b"] is None for step in found["steps"]] == [False, False, False, True]
    # Marks of content are good for comparing only, and a price is decimal text.
    assert not {"asked", "answered", "parameters", "start_ns"} & found["steps"][1]["a"].keys()
    assert (found["steps"][1]["a"]["cost_usd"], found["steps"][1]["more_cost_usd"]) == ("0.01", "0")
    assert apart["a"]["model"] is None


def test_the_api_says_which_trace_is_missing(both: str, api_key: str) -> None:
    holder = Client(headers={"Authorization": f"Bearer {api_key}"})
    missing = holder.get("/api/v1/traces/compare", {"a": GOOD, "b": "f" * 32})
    assert (missing.status_code, "`b`" in missing.json()["error"]["message"]) == (404, True)
    assert list(holder.get("/api/v1/traces/compare", {"a": GOOD}).json()["error"]["fields"]) == ["b"]
