"""The trace list and the trace page, on the real engine."""

import html
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from django.test import Client
from django.urls import reverse

from tests import cast
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import Project, User
from traces import outline_queries
from traces.span import Cost, CostState, Event, Kind, Span, Status, Usage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
MS = 1_000_000
Store = Callable[[list[Span]], None]


def span(project: Project, trace_id: str, *, after_ms: int = 0, ms: int = 100, **fields: Any) -> Span:
    start = time.time_ns() - 60_000 * MS + after_ms * MS
    given = {"name": "step", "kind": Kind.SPAN, "status": Status.OK, "parent_id": "", **fields}
    return Span(
        project_id=project.pk,
        trace_id=trace_id,
        span_id=given.pop("span_id", secrets.token_hex(8)),
        start_ns=start,
        end_ns=start + ms * MS,
        **given,
    )


def failed_run(project: Project, trace_id: str) -> list[Span]:
    root = span(
        project,
        trace_id,
        span_id="00000000000000aa",
        ms=10_200,
        name="agent.invocation",
        kind=Kind.AGENT,
        status=Status.ERROR,
        status_message="context window exceeded",
        user_id="u-1042",
        feature="draft",
        environment="production",
    )
    call = span(
        project,
        trace_id,
        parent_id=root.span_id,
        span_id="00000000000000ab",
        after_ms=5,
        ms=2_100,
        name="llm.claude.call",
        kind=Kind.LLM,
        model="claude-sonnet-4-5",
        prompt_name="follow-up",
        prompt_version="3",
        tags=("vip", "a, b"),
        attributes={"region": "eu", "langfuse:stage": "two"},
        usage=Usage(input_uncached=6_842, output=310),
        cost=Cost(state=CostState.COMPUTED, total=Decimal("0.0042")),
        input=[{"role": "user", "parts": [{"type": "text", "content": "Who went quiet?"}]}],
        output=[
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "id": "c1", "name": "hubspot_query", "arguments": {"limit": 5}}
                ],
            }
        ],
    )
    tool = span(
        project,
        trace_id,
        parent_id=root.span_id,
        after_ms=2_110,
        ms=6_800,
        name="tool.hubspot_query",
        kind=Kind.TOOL,
        tool_name="hubspot_query",
        tool_call_id="c1",
        output={"total": 412},
    )
    last = span(
        project,
        trace_id,
        parent_id=root.span_id,
        span_id="00000000000000ac",
        after_ms=9_790,
        ms=400,
        name="llm.claude.call",
        kind=Kind.LLM,
        status=Status.ERROR,
        model="acme-7b",
        usage=Usage(input_uncached=10),
        cost=Cost(state=CostState.UNPRICED),
        events=(
            Event(
                name="exception",
                time_ns=time.time_ns(),
                attributes={
                    "exception.type": "BadRequestError",
                    "exception.message": "prompt is too long",
                    "exception.stacktrace": "Traceback\n  File agent.py",
                },
            ),
        ),
    )
    return [root, call, tool, last]


TRACE = "0123456789abcdef0123456789abcdef"


def list_address(project: Project) -> str:
    return reverse("traces:list", args=[project.slug])


def trace_address(project: Project, trace_id: str = TRACE) -> str:
    return reverse("traces:detail", args=[project.slug, trace_id])


def rows(page: str) -> str:
    return page.partition("<tbody>")[2].partition("</tbody>")[0]


def listed(page: str) -> str:
    """The rows of the tree that the server drew."""
    return page.partition('id="tlist"')[2].partition('id="nothing"')[0]


def drawn(page: str) -> list[str]:
    return re.findall(r"data-row [^>]*>([^<]*)</a>", listed(page))


@pytest.fixture
def reader(client: Client, viewer: User, clickhouse: None) -> Client:
    client.force_login(viewer)
    return client


def test_the_list_shows_what_a_trace_was(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    page = reader.get(list_address(project)).content.decode()
    for text in (
        "agent.invocation",
        "u-1042",
        "draft",
        "hubspot_query",
        "10.2 s",
        "$0.0042",
        "+ unpriced",
        "7.2k",
    ):
        assert text in page
    assert "1 trace in the last 24 hours" in page
    assert trace_address(project) in page


def test_every_filter_narrows_and_is_a_chip(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans([*failed_run(project, TRACE), span(project, "f" * 32, name="other.run", user_id="u-2")])
    filters = {
        "status": "error",
        "environment": "production",
        "feature": "draft",
        "user_id": "u-1042",
        "model": "acme-7b",
        "tool": "hubspot_query",
        "name": "agent.invocation",
        "min_latency_ms": "10000",
        "min_cost_usd": "0.004",
        "has_error": "true",
        "prompt_name": "follow-up",
        "prompt_version": "3",
        "tags": "vip, a\\, b",
        "attribute": "region:eu, langfuse\\:stage",
        "q": "quiet",
    }
    page = reader.get(list_address(project), filters).content.decode()
    assert "agent.invocation" in page
    assert "other.run" not in rows(page)
    assert page.count('class="chip"') == len(filters)


def test_the_api_takes_tags_and_attributes_one_by_one(
    client: Client, project: Project, api_key: str, store_spans: Store
) -> None:
    store_spans([*failed_run(project, TRACE), span(project, "f" * 32, name="other.run")])

    def found(path: str, **parameters: Any) -> list[dict[str, Any]]:
        answer = client.get(path, parameters, headers={"Authorization": f"Bearer {api_key}"})
        assert answer.status_code == 200, answer.content
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    for chosen in (
        {"tags": ["vip", "a, b"]},
        {"attribute": ["region:eu", "langfuse\\:stage:two"]},
        {"has_error": "true"},
        {"prompt_name": "follow-up"},
    ):
        assert [trace["trace_id"] for trace in found("/api/v1/traces", **chosen)] == [TRACE], chosen
    assert found("/api/v1/traces", tags=["vip", "new"]) == []
    assert [trace["name"] for trace in found("/api/v1/traces", has_error="false")] == ["other.run"]
    assert found("/api/v1/attributes", attribute="reg") == [{"attribute": "region", "spans": 1}]
    assert found("/api/v1/attributes", attribute="langfuse\\:stage:") == [
        {"attribute": "langfuse\\:stage:two", "spans": 1}
    ]


def test_an_attribute_is_completed_while_it_is_typed(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    offered = reverse("traces:attribute-offers", args=[project.slug])
    options = reader.get(offered, {"attribute": "langfuse\\:stage:two, region:"}).content.decode()
    assert re.findall(r'value="([^"]*)"', options) == ["langfuse\\:stage:two, region:eu"]
    assert 'value="region"' in reader.get(offered).content.decode()


def test_an_address_keeps_only_filters_that_say_something(
    reader: Client, project: Project, clickhouse: None
) -> None:
    response = reader.get(list_address(project), {"status": "error", "user_id": "", "range": "7d", "q": ""})
    assert response["Location"] == f"{list_address(project)}?status=error&range=7d"


def test_a_filter_that_cannot_be_read_says_so_and_the_others_hold(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    unread = {
        "status": "failed",
        "q": "x" * 201,
        "min_latency_ms": "fast",
        "has_error": "maybe",
        "user_id": "u-1042",
    }
    page = reader.get(list_address(project), unread).content.decode()
    alert = page.partition('unread" role="alert">')[2].partition("</div>")[0]
    for text in (
        "<strong>not filtered</strong>",
        "Status</strong></a> “failed”. Write error (for failed) or ok.",
        "Search</strong></a> “xxx",
        "at most 200 characters",
        "Latency at least, ms</strong></a> “fast”. Enter a whole number.",
        "“maybe”. Write true",
    ):
        assert text in alert
    assert page.count('class="chip"') == 1
    for name in ("sessions:list", "users:list"):
        assert (
            "Write error (for failed) or ok."
            in reader.get(reverse(name, args=[project.slug]), unread).content.decode()
        )


@pytest.mark.parametrize(
    ("field", "typed", "instead"),
    [
        ("score", "quality>>0.5", "quality&gt;=0.5 or feedback=down"),
        ("without", "usr_id", "Write any of user_id,"),
        ("status", "failed", "Write error (for failed) or ok."),
        ("q", "*", "Write a word, or beside the * a part of one: timeo*."),
    ],
)
def test_a_part_says_which_filter_was_not_applied_and_its_links_keep_it(
    reader: Client, project: Project, store_spans: Store, field: str, typed: str, instead: str
) -> None:
    store_spans(failed_run(project, TRACE))
    asked = {field: typed, "user_id": "u-1042"}
    response = reader.get(
        list_address(project), asked, headers={"HX-Request": "true", "HX-Target": "results"}
    )
    page = response.content.decode()
    alert = page.partition('unread" role="alert">')[2].partition("</div>")[0]
    assert html.escape(typed) in alert
    assert instead in alert
    assert 'href="?user_id=u-1042"' in alert
    kept = urlencode({field: typed})
    assert kept in response["HX-Push-Url"]
    bars = re.findall(r'href="([^"]*)" data-from=', page)
    assert bars
    assert all(kept in bar for bar in bars)
    sent_back = reader.get(list_address(project), {**asked, "feature": ""})
    assert kept in sent_back["Location"]


def test_pages_follow_one_another(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans([span(project, f"{n:032x}", after_ms=n, name=f"run-{n:03}") for n in range(1, 61)])
    first = reader.get(list_address(project))
    assert "50 traces on this page, more follow" in first.content.decode()
    cursor = first.context["page"].next_cursor
    second = reader.get(list_address(project), {"cursor": cursor}).content.decode()
    assert "10 traces on this page, the last one" in second
    assert "Back to newest" in second
    assert "run-060" not in rows(second)


def test_a_cursor_of_another_list_is_explained(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    response = reader.get(list_address(project), {"q": "refund", "order": "time", "cursor": "nonsense"})
    assert response.status_code == 400
    shown = html.unescape(response.content.decode())
    assert "This place in the list is gone" in shown
    assert 'href="?q=refund&order=time"' in shown


def test_a_part_carries_its_address_and_the_time_range(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    response = reader.get(
        list_address(project),
        {"status": "error", "q": ""},
        headers={"HX-Request": "true", "HX-Target": "results"},
    )
    assert response["HX-Push-Url"] == f"{list_address(project)}?status=error"
    page = response.content.decode()
    assert "<html" not in page
    assert 'hx-swap-oob="true"' in page


def linked_bars(page: str) -> list[tuple[str, int]]:
    """Where bars with traces lead, and how many they say there are."""
    found = re.findall(r'<a tabindex="-1" href="([^"]*)"[^>]*data-traces="([1-9]\d*)"', page)
    return [(html.unescape(address), int(traces)) for address, traces in found]


def test_a_bar_leads_to_as_many_traces_as_it_counts(
    reader: Client, project: Project, store_spans: Store
) -> None:
    Project.objects.filter(pk=project.pk).update(time_zone="Europe/Berlin")
    day_ago = -86_400_000 + 60_000  # of the window's start, in milliseconds from when `span` begins
    cut = [span(project, secrets.token_hex(16), after_ms=day_ago + n * 100_000) for n in range(-3, 4) if n]
    second_hour = int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp() * 1000) - int(time.time() * 1000)
    twice = [
        span(project, secrets.token_hex(16), after_ms=second_hour + 60_000 + after_ms)
        for after_ms in (-3_600_000, 0, 10_000)
    ]
    store_spans([*cut, *twice])
    address = list_address(project)
    for asked, numbers in ({}, None), ({"from": "2026-10-25T00:00", "to": "2026-10-25T06:00"}, [1, 2]):
        bars = linked_bars(reader.get(address, asked).content.decode())
        assert numbers is None or [traces for _, traces in bars] == numbers
        shown = [len(reader.get(address + bar).context["page"].traces) for bar, _ in bars]
        assert shown == [traces for _, traces in bars]
        assert sum(shown) == 3


def test_nothing_found_says_which_filters(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    page = reader.get(list_address(project), {"user_id": "u-nobody"}).content.decode()
    assert "No trace matches" in page
    assert "Look in the last 7 days" in page


def test_a_quiet_range_is_not_an_empty_project(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    old = {"from": "2026-01-01T00:00", "to": "2026-01-02T00:00"}
    assert "No traces in this time range" in reader.get(list_address(project), old).content.decode()


def test_before_the_first_span_there_is_a_snippet(reader: Client, project: Project) -> None:
    page = reader.get(list_address(project)).content.decode()
    assert "Send the first trace" in page
    assert "/v1/traces" in page
    assert "Keys are made by an admin" in page
    assert reader.get(reverse("traces:first-span", args=[project.slug])).status_code == 204


def test_the_first_span_turns_the_page(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    assert reader.get(reverse("traces:first-span", args=[project.slug]))["HX-Refresh"] == "true"


def test_the_setup_page_makes_a_key(client: Client, project: Project, owner: User, clickhouse: None) -> None:
    client.force_login(owner)
    response = client.post(
        reverse("create-key", args=[project.slug]), {"name": "First agent", "then": "setup"}, follow=True
    )
    assert "shown only now" in response.content.decode()
    assert f"Bearer {response.context['new_key'].secret}" in response.context["snippet"]


def test_the_trace_page_shows_the_failure_first(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    response = reader.get(trace_address(project))
    page = response.content.decode()
    assert response.context["step"].span.span_id == "00000000000000ac"
    for text in ("BadRequestError", "prompt is too long", "Stack trace", "unpriced", "6.8 s", "$0.0042"):
        assert text in page


def test_the_header_leads_to_what_the_trace_belongs_to(
    reader: Client, project: Project, store_spans: Store
) -> None:
    root = span(project, TRACE, user_id="ann & co", session_id="s 1", organization_id="acme", feature="draft")
    call = span(project, TRACE, parent_id=root.span_id, kind=Kind.LLM, prompt_name="plan", prompt_version="3")
    store_spans([root, call])
    page = reader.get(trace_address(project)).content.decode()
    for address in (
        f"{reverse('users:user', args=[project.slug])}?id=ann+%26+co",
        f"{reverse('sessions:detail', args=[project.slug])}?id=s%201",
        f"{reverse('users:organization', args=[project.slug])}?id=acme",
        f"{list_address(project)}?prompt_name=plan&amp;prompt_version=3",
    ):
        assert address in page


def test_each_prompt_of_the_header_is_a_link_however_many_there_are(
    reader: Client, project: Project, store_spans: Store
) -> None:
    calls = [
        span(project, TRACE, kind=Kind.LLM, prompt_name=f"prompt-{place}", prompt_version="3")
        for place in range(5)
    ]
    store_spans(calls)
    page = reader.get(trace_address(project)).content.decode()
    for place in range(5):
        address = f"{list_address(project)}?prompt_name=prompt-{place}&amp;prompt_version=3"
        assert f'<a href="{address}">prompt-{place} 3</a>' in page
    assert '<summary aria-label="3 more prompts">' in page


def test_a_step_is_chosen_by_its_address(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    page = reader.get(trace_address(project), {"span": "00000000000000ab"}).content.decode()
    for text in ("Who went quiet?", "hubspot_query", "&quot;total&quot;: 412", "6,842"):
        assert text in page


def test_a_step_alone_is_a_part(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    response = reader.get(
        trace_address(project),
        {"span": "00000000000000ab"},
        headers={"HX-Request": "true", "HX-Target": "step"},
    )
    assert "<html" not in response.content.decode()
    assert "Who went quiet?" in response.content.decode()


def test_an_unknown_step_says_so(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE))
    page = reader.get(trace_address(project), {"span": "feedfeedfeedfeed"}).content.decode()
    assert "is not in this trace, or not yet" in page


def test_a_trace_without_its_root_says_so(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(failed_run(project, TRACE)[1:])
    page = reader.get(trace_address(project)).content.decode()
    assert "The root span has not arrived yet" in page
    assert listed(page).count("parent missing") == 3


def test_a_span_without_an_end_says_so_and_lends_its_trace_no_childs_latency(
    reader: Client, project: Project, store_spans: Store
) -> None:
    root = span(project, TRACE, span_id="00000000000000aa", kind=Kind.AGENT)
    inside: dict[str, Any] = {"parent_id": root.span_id, "kind": Kind.TOOL}
    done = span(project, TRACE, after_ms=1_000, ms=2_000, **inside)
    stuck = span(project, TRACE, span_id="00000000000000bb", after_ms=4_000, **inside)
    store_spans([msgspec.structs.replace(one, end_ns=None) for one in (root, stuck)])
    store_spans([done])
    page = reader.get(trace_address(project), {"span": stuck.span_id}).content.decode()
    assert "The root span has no end" in page
    assert "<dt>Latency</dt><dd>3.0 s</dd>" in page
    assert '<dt>Latency</dt><dd><span class="warn">no end</span></dd>' in page
    assert page.count(">no end</span>") == 3
    assert (
        "endTimeUnixNano"
        not in reader.get(trace_address(project), {"span": stuck.span_id, "show": "otlp"}).content.decode()
    )
    assert "no end" in reader.get(trace_address(project), {"view": "graph"}).content.decode()
    assert ">no end yet</span>" in reader.get(list_address(project)).content.decode()
    store_spans([root])
    assert "no end: it still runs" not in reader.get(trace_address(project)).content.decode()
    assert ">no end yet</span>" not in reader.get(list_address(project)).content.decode()


def test_a_trace_that_goes_on_after_its_root_says_how_long(
    reader: Client, project: Project, store_spans: Store
) -> None:
    root = span(project, TRACE, ms=2_000)
    store_spans([root, span(project, TRACE, parent_id=root.span_id, after_ms=1_500, ms=16_500)])
    page = " ".join(reader.get(trace_address(project)).content.decode().split())
    assert re.search(r"<dt>Latency</dt><dd>2.0 s <span [^>]+>of 18.0 s</span></dd>", page)


def test_a_loop_of_parents_is_shown(reader: Client, project: Project, store_spans: Store) -> None:
    first, second = "00000000000000aa", "00000000000000ab"
    store_spans(
        [
            span(project, TRACE, span_id=first, parent_id=second),
            span(project, TRACE, span_id=second, parent_id=first, after_ms=1),
        ]
    )
    assert "in a loop" in listed(reader.get(trace_address(project)).content.decode())


def test_a_long_trace_is_drawn_by_pages_and_sent_whole_to_the_script(
    reader: Client, project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traces.views.ROWS", 10)
    root = span(project, TRACE, span_id="00000000000000aa")
    children = [span(project, TRACE, parent_id=root.span_id, after_ms=n, name=f"n{n}") for n in range(1, 30)]
    store_spans([root, *children])
    first = reader.get(trace_address(project))
    page = first.content.decode()
    assert "Steps 1 to 10 of 30" in page
    assert drawn(page) == ["step", *(f"n{n}" for n in range(1, 10))]
    assert len(first.context["data"]["id"]) == 30
    last = reader.get(trace_address(project), {"page": "3"}).content.decode()
    assert drawn(last) == [f"n{n}" for n in range(20, 30)]
    assert drawn(
        reader.get(trace_address(project), {"span": children[-1].span_id}).content.decode()
    ) == drawn(last)


def test_without_script_the_tree_narrows_to_what_is_asked_for_and_the_way_there(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    names = {
        "only=tool": ["agent.invocation", "tool.hubspot_query"],
        "only=failed": ["agent.invocation", "llm.claude.call"],
        "only=llm&q=WHO+WENT": ["agent.invocation", "llm.claude.call"],
        "only=nonsense": ["agent.invocation", "llm.claude.call", "tool.hubspot_query", "llm.claude.call"],
        "q=no+span+says+this": [],
    }
    pages = {asked: reader.get(f"{trace_address(project)}?{asked}").content.decode() for asked in names}
    assert {asked: drawn(page) for asked, page in pages.items()} == names
    assert "in input" in pages["only=llm&q=WHO+WENT"]
    assert "1 step with this text" in pages["only=llm&q=WHO+WENT"]


def test_a_text_is_found_in_the_steps_that_hold_it(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    address = reverse("traces:find", args=[project.slug, TRACE])
    assert reader.get(address, {"q": "who went"}).json() == {"00000000000000ab": "input"}
    assert reader.get(address, {"q": ""}).json() == {}


@pytest.mark.parametrize("trace_id", ["f" * 32, "nonsense", "<script>"])
def test_an_unknown_trace_says_what_to_do(reader: Client, project: Project, trace_id: str) -> None:
    response = reader.get(trace_address(project, trace_id))
    assert response.status_code == 404
    assert "It may still be on its way" in response.content.decode()
    assert "<script>" not in response.content.decode().partition("<main")[2]


def test_another_projects_trace_is_unknown(
    client: Client, project: Project, stranger: User, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    client.force_login(stranger)
    mine = Project.objects.get(name="Elsewhere")
    assert client.get(trace_address(mine)).status_code == 404
    assert "Send the first trace" in client.get(list_address(mine)).content.decode()


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (QueryUnavailable("down"), 503, "ClickHouse does not answer"),
        (QueryTooLarge("big"), 400, "too much to read at once"),
    ],
)
@pytest.mark.parametrize("part", ["", "step"])
def test_a_failed_read_is_a_page_that_says_what_to_do(
    reader: Client,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    text: str,
    part: str,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(outline_queries, "get_outline", fail)
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    response = reader.get(trace_address(project), headers=headers)
    assert response.status_code == status
    assert text in response.content.decode()
    assert ("<html" in response.content.decode()) == (not part)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_what_a_span_carries_is_text(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans(
        [
            span(
                project,
                TRACE,
                name=HOSTILE,
                user_id=HOSTILE,
                feature=HOSTILE,
                model=HOSTILE,
                kind=Kind.LLM,
                status=Status.ERROR,
                status_message=HOSTILE,
                input=[{"role": HOSTILE, "parts": [{"type": "text", "content": HOSTILE}]}],
                output=HOSTILE,
                attributes={HOSTILE: HOSTILE},
            )
        ]
    )
    for address in (list_address(project), trace_address(project)):
        page = reader.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_pages_of_a_project_open_for_each_of_its_members(
    client: Client, project: Project, teammate: User, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    client.force_login(teammate)
    assert client.get(list_address(project)).status_code == 200
    assert cast.PASSWORD not in client.get(trace_address(project)).content.decode()


def test_a_model_call_leads_to_the_tools_it_asked_for_and_a_tool_back(
    reader: Client, project: Project, store_spans: Store
) -> None:
    run = failed_run(project, TRACE)
    store_spans(run)
    asked = reader.get(trace_address(project), {"span": run[1].span_id}).content.decode()
    ran = reader.get(trace_address(project), {"span": run[2].span_id}).content.decode()

    assert "Tools it asked for" in asked
    assert f'data-step href="?span={run[2].span_id}#step"' in asked
    assert "ran in 6.8 s" in asked
    assert "Asked for by" in ran
    assert f'data-step href="?span={run[1].span_id}#step"' in ran


def test_a_tool_that_nothing_ran_says_so(reader: Client, project: Project, store_spans: Store) -> None:
    root, call, _, last = failed_run(project, TRACE)
    store_spans([root, call, last])
    page = reader.get(trace_address(project), {"span": call.span_id}).content.decode()

    assert "no span of this trace ran it" in page


def test_the_api_gives_tool_calls_as_data(
    client: Client, project: Project, owner: User, store_spans: Store
) -> None:
    run = failed_run(project, TRACE)
    store_spans(run)
    bearer = f"Bearer {cast.secret_key(project, owner)}"
    answer = client.get(f"/api/v1/traces/{TRACE}", headers={"authorization": bearer}).json()
    root, call, tool, last = answer["spans"]

    assert call["tool_calls_requested"] == [
        {"id": "c1", "name": "hubspot_query", "arguments": {"limit": 5}, "executed_by": [tool["span_id"]]}
    ]
    assert call["tool_calls_executed"] == [
        {
            "span_id": tool["span_id"],
            "tool_call_id": "c1",
            "name": "hubspot_query",
            "parameters": None,
            "result": {"total": 412},
            "status": "ok",
            "error": None,
            "latency_ms": 6800.0,
        }
    ]
    assert (last["tool_calls_requested"], last["tool_calls_executed"]) == ([], [])
    assert (root["tool_calls_requested"], tool["tool_calls_executed"]) == (None, None)
