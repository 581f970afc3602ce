"""What is asked for beside the trace page: whole texts, prompts side by side, the picture of calls, the raw form."""

import json
import time
from collections.abc import Callable
from html import unescape
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.urls import reverse

from tests.ingest.golden import text_message
from tests.traces.test_views import TRACE, failed_run, span, trace_address
from tracehouse.tenancy.models import AuditEntry, Project, User
from tracehouse.web.folding import FIRST_CHARACTERS, NEXT_CHARACTERS
from traces import outline_queries, queries, raw, step_page
from traces.span import Event, Kind, Span, Status

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
Store = Callable[[list[Span]], None]
CALL = "00000000000000ab"
HTMX = {"HX-Request": "true", "HX-Target": "step"}
LONG = "\n".join(f"line {n} of a document" for n in range(40_000))


@pytest.fixture
def reader(client: Client, viewer: User, clickhouse: None) -> Client:
    client.force_login(viewer)
    return client


def text_address(project: Project) -> str:
    return reverse("traces:text", args=[project.slug, TRACE])


def step(reader: Client, project: Project, **asked: str) -> str:
    return reader.get(trace_address(project), asked, headers=HTMX).content.decode()


def test_a_long_text_is_sent_in_parts(reader: Client, project: Project, store_spans: Store) -> None:
    prompt = [text_message("system", "Be brief."), text_message("user", LONG)]
    store_spans([span(project, TRACE, span_id=CALL, kind=Kind.LLM, input=prompt)])
    page = step(reader, project, span=CALL)
    assert "Show 39,980 more lines" in page
    assert len(page) < FIRST_CHARACTERS + 20_000
    asked = {"span": CALL, "of": "input.1.0"}
    whole = reader.get(text_address(project), asked)
    assert (whole["Content-Type"], whole.content.decode()) == ("text/plain; charset=utf-8", LONG)
    part = reader.get(
        text_address(project), {**asked, "from": str(FIRST_CHARACTERS), "prose": "1"}, headers=HTMX
    )
    body = part.content.decode()
    assert LONG[FIRST_CHARACTERS : FIRST_CHARACTERS + NEXT_CHARACTERS] in body
    assert f"from={FIRST_CHARACTERS + NEXT_CHARACTERS}&amp;prose=1" in body
    last = reader.get(text_address(project), {**asked, "from": str(len(LONG) - 5)}, headers=HTMX)
    assert "Show more" not in last.content.decode()


def test_a_text_that_is_not_there_is_not_found(reader: Client, project: Project, store_spans: Store) -> None:
    store_spans([span(project, TRACE, span_id=CALL, input="Hi")])
    asked = [{"span": CALL, "of": "input.7"}, {"span": "0" * 16, "of": "input"}, {}]
    assert [reader.get(text_address(project), one).status_code for one in asked] == [404, 404, 404]


def test_the_middle_of_a_long_conversation_comes_when_asked_for(
    reader: Client, project: Project, store_spans: Store
) -> None:
    prompt = [text_message("user", f"message number {n}.") for n in range(200)]
    store_spans([span(project, TRACE, span_id=CALL, kind=Kind.LLM, input=prompt)])
    page = step(reader, project, span=CALL)
    assert "140 messages in between are not shown" in page
    assert "message number 199." in page
    assert "message number 100." not in page
    assert "message number 100." in step(reader, project, span=CALL, messages="all")


def test_hostile_content_is_text_in_every_tab(reader: Client, project: Project, store_spans: Store) -> None:
    evil = "<script>alert(1)</script>"
    structure = {evil: [evil] * 9}
    first = span(
        project, TRACE, span_id="00000000000000a0", kind=Kind.LLM, input=[text_message("user", "Hi")]
    )
    chosen = span(
        project,
        TRACE,
        span_id=CALL,
        after_ms=5,
        name=evil,
        kind=Kind.LLM,
        status=Status.ERROR,
        status_message=evil,
        model=evil,
        input=[text_message(evil, evil)],
        output=structure,
        attributes={evil: json.dumps(structure)},
        events=(Event(name=evil, time_ns=time.time_ns(), attributes={evil: evil}),),
    )
    store_spans([first, chosen])
    pages = [step(reader, project, span=CALL, show=tab) for tab in ("", "diff", "otlp")]
    pages.append(reader.get(trace_address(project), {"view": "graph"}).content.decode())
    asked = {"span": CALL, "of": "input.0.0", "from": "0"}
    pages.append(reader.get(text_address(project), asked, headers=HTMX).content.decode())
    for page in pages:
        assert "&lt;script&gt;alert(1)" in page
        assert evil not in page


def conversation(project: Project, trace_id: str, prompts: list[list[Any]], **told: Any) -> list[Span]:
    root = span(project, trace_id, span_id="00000000000000aa", kind=Kind.AGENT, agent_name="writer", **told)
    calls = [
        span(
            project,
            trace_id,
            parent_id=root.span_id,
            span_id=f"{n + 1:016x}",
            after_ms=n + 1 + told.get("after_ms", 0),
            kind=Kind.LLM,
            name=f"call {n + 1}",
            input=prompt,
        )
        for n, prompt in enumerate(prompts)
    ]
    return [root, *calls]


HELLO, ANSWER, MORE = (
    text_message("user", "Hello"),
    text_message("assistant", "Hi"),
    text_message("user", "More"),
)


def test_a_prompt_is_compared_with_the_one_before_it_or_with_one_that_is_chosen(
    reader: Client, project: Project, store_spans: Store
) -> None:
    prompts = [[HELLO], [HELLO, ANSWER, MORE], [HELLO, ANSWER, MORE, ANSWER, MORE]]
    store_spans(conversation(project, TRACE, prompts))
    page = step(reader, project, span=f"{3:016x}", show="diff")
    assert "3 same" in page
    assert "2 added" in page
    chosen = step(reader, project, span=f"{3:016x}", show="diff", **{"with": f"{TRACE}/{1:016x}"})
    assert "4 added" in chosen
    gone = step(reader, project, span=f"{3:016x}", show="diff", **{"with": f"{TRACE}/{'f' * 16}"})
    assert "not among the ones before this step" in gone


def test_the_first_prompt_of_a_trace_is_compared_with_the_session_before(
    reader: Client, project: Project, store_spans: Store
) -> None:
    before = conversation(project, "e" * 32, [[HELLO]], session_id="s-1", after_ms=-50_000)
    store_spans([*before, *conversation(project, TRACE, [[HELLO, ANSWER]], session_id="s-1")])
    page = step(reader, project, span=f"{1:016x}", show="diff")
    assert "A trace before, in the session: call 1" in " ".join(page.split())
    assert "1 added" in page
    alone = conversation(project, "d" * 32, [[HELLO]])
    store_spans(alone)
    address = trace_address(project, "d" * 32)
    first = reader.get(address, {"span": f"{1:016x}", "show": "diff"}, headers=HTMX).content.decode()
    assert "there is nothing to compare it with" in first


def test_the_picture_shows_the_calls_and_each_leads_to_its_step(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans(failed_run(project, TRACE))
    page = reader.get(trace_address(project), {"view": "graph"})
    graph = page.context["graph"]
    assert [(node.name, node.asked_by) for node in graph.nodes] == [
        ("agent.invocation", None),
        ("llm.claude.call", None),
        ("hubspot_query", 2),
        ("llm.claude.call", None),
    ]
    body = page.content.decode()
    assert "4 calls, " in body
    assert body.count(f'href="?view=graph&amp;span={CALL}#step"') == 2
    assert "The same as a list" in body
    plain = reader.get(trace_address(project)).content.decode()
    assert "<foreignObject" not in plain
    assert 'href="?view=graph&amp;span=' in plain


def test_a_trace_of_plain_spans_has_no_picture_and_says_why(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans([span(project, TRACE)])
    assert "No calls to draw" in reader.get(trace_address(project), {"view": "graph"}).content.decode()


def test_the_raw_form_is_the_same_on_the_page_by_file_and_by_api(
    reader: Client, project: Project, store_spans: Store, api_key: str
) -> None:
    store_spans(failed_run(project, TRACE))
    assert "llm.claude.call" in step(reader, project, span=CALL, show="otlp")
    alone = reader.get(text_address(project), {"span": CALL, "of": "otlp"}).content
    file = reader.get(reverse("traces:download", args=[project.slug, TRACE]))
    assert file["Content-Disposition"] == f'attachment; filename="trace-{TRACE}.otlp.json"'
    whole = b"".join(file.streaming_content)  # type: ignore[attr-defined]
    with_key = Client(headers={"Authorization": f"Bearer {api_key}"})
    address = f"/api/v1/traces/{TRACE}/otlp"
    assert b"".join(with_key.get(address).streaming_content) == whole  # type: ignore[attr-defined]
    one = b"".join(with_key.get(address, {"span_id": CALL}).streaming_content)  # type: ignore[attr-defined]
    assert msgspec.json.decode(one) == msgspec.json.decode(alone)
    assert with_key.get(address, {"span_id": "f" * 16}).status_code == 404
    assert with_key.get(f"/api/v1/traces/{'f' * 32}/otlp").status_code == 404
    assert reader.get(reverse("traces:download", args=[project.slug, "f" * 32])).status_code == 404


def test_a_trace_past_what_is_read_at_once_is_whole_in_a_file_and_each_step_opens(
    reader: Client, project: Project, store_spans: Store, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = range(1, 8)
    spans = [span(project, TRACE, span_id=f"{n:016x}", after_ms=n, name=f"n{n}") for n in numbers]
    store_spans(spans)
    for module in (queries, outline_queries):
        monkeypatch.setattr(module, "MAX_SPANS", 2)
    monkeypatch.setattr(raw, "TOGETHER", 3)
    with_key = Client(headers={"Authorization": f"Bearer {api_key}"})
    address = f"/api/v1/traces/{TRACE}/otlp"
    for answer in (
        reader.get(reverse("traces:download", args=[project.slug, TRACE])),
        with_key.get(address),
    ):
        file = json.loads(answer.getvalue())
        sent = [one for part in file["resourceSpans"] for one in part["scopeSpans"][0]["spans"]]
        assert [one["name"] for one in sent] == [f"n{n}" for n in numbers]
    last = f"{numbers[-1]:016x}"
    [part] = json.loads(with_key.get(address, {"span_id": last}).getvalue())["resourceSpans"]
    assert [one["spanId"] for one in part["scopeSpans"][0]["spans"]] == [last]
    page = reader.get(trace_address(project), {"span": last}).content.decode()
    assert "more than 2 spans" in page
    assert "not in this trace" not in page
    assert "</svg>n7</h2>" in page


def test_what_failed_without_a_message_says_that_of_its_exception_wherever_it_stands(
    reader: Client, project: Project, store_spans: Store
) -> None:
    def failed(trace_id: str, message: str) -> Span:
        said = span(project, trace_id, span_id=CALL, kind=Kind.TOOL, status=Status.ERROR)
        thrown = Event(
            name="exception", time_ns=said.start_ns or 0, attributes={"exception.message": message}
        )
        return msgspec.structs.replace(said, events=(thrown,))

    store_spans([failed(TRACE, "no quota"), failed("e" * 32, "no such column")])
    for asked in ({}, {"view": "graph"}):
        page = reader.get(trace_address(project), asked).content.decode()
        assert "no quota" in page.partition('class="step-head"')[0]
    both = reader.get(f"/p/{project.slug}/compare", {"a": TRACE, "b": "e" * 32}).content.decode()
    assert "in A with “no quota”, in B with “no such column”" in both


def test_a_model_call_that_says_nothing_of_its_use_costs_and_used_nothing_known(
    reader: Client, project: Project, store_spans: Store
) -> None:
    store_spans([span(project, TRACE, span_id=CALL, kind=Kind.LLM, model="m")])
    page = reader.get(trace_address(project)).content.decode()
    assert "<dt>Tokens</dt><dd>-</dd>" in page
    assert '<dt>Cost</dt><dd><span class="faint">-</span></dd>' in page
    both = reader.get(f"/p/{project.slug}/compare", {"a": TRACE, "b": TRACE}).content.decode()
    assert "$0" not in both.partition("</table>")[0]


@pytest.mark.parametrize("odd", ["[" * 700 + "]" * 700, "[" * 20_000 + "]" * 20_000, '{"ratio": 1e400}'])
def test_what_is_nested_too_deep_or_no_number_is_text_and_its_trace_opens(
    reader: Client, project: Project, store_spans: Store, api_key: str, odd: str
) -> None:
    request = [{"type": "tool_call", "id": "c1", "name": "find", "arguments": odd}]
    asked = span(
        project, TRACE, span_id=CALL, kind=Kind.LLM, output=[{"role": "assistant", "parts": request}]
    )
    ran = span(
        project,
        TRACE,
        kind=Kind.TOOL,
        tool_name="find",
        tool_call_id="c1",
        input=odd,
        output=odd,
        tool_definitions=odd,
        attributes={"told": odd},
        request_params={"told": odd},
    )
    store_spans([asked, ran])
    for span_id in (CALL, ran.span_id):
        for shown in ({}, {"show": "otlp"}, {"show": "diff"}, {"view": "graph"}):
            assert reader.get(trace_address(project), {"span": span_id, **shown}).status_code == 200
    assert odd[:40] in unescape(step(reader, project, span=ran.span_id))
    both = reader.get(f"/p/{project.slug}/compare", {"a": TRACE, "b": TRACE, "sa": ran.span_id})
    assert both.status_code == 200
    answered = Client(headers={"Authorization": f"Bearer {api_key}"}).get(f"/api/v1/traces/{TRACE}")
    assert answered.status_code == 200
    assert json.loads(answered.getvalue())["spans"]


def test_an_event_says_when_it_was_or_that_it_has_no_time(
    reader: Client, project: Project, store_spans: Store
) -> None:
    said = span(project, TRACE, span_id=CALL)
    assert said.start_ns is not None
    events = (
        Event(name="skewed", time_ns=said.start_ns - 50 * 10**6),
        Event(name="later", time_ns=said.start_ns + 7 * 10**6),
        Event(name="timeless", time_ns=0),
    )
    store_spans([msgspec.structs.replace(said, events=events)])
    page = step(reader, project, span=CALL)
    told = [page.partition(f"<strong>{name}</strong>")[2][:60] for name in ("skewed", "later", "timeless")]
    assert [when.partition(">")[2].partition("<")[0] for when in told] == [
        "50 ms before the start",
        "after 7 ms",
        "without a time",
    ]


def test_every_call_of_a_model_that_asked_for_many_is_found(
    reader: Client, project: Project, store_spans: Store
) -> None:
    ids = [f"c{number}" for number in range(outline_queries.MAX_NEIGHBOURS + 20)]
    calls: list[Any] = [{"type": "tool_call", "id": one, "name": "fetch"} for one in ids]
    asked = span(project, TRACE, span_id=CALL, kind=Kind.LLM, output=[{"role": "assistant", "parts": calls}])
    ran = [
        span(project, TRACE, kind=Kind.TOOL, tool_name="fetch", tool_call_id=one, after_ms=1 + place)
        for place, one in enumerate(ids)
    ]
    store_spans([asked, *ran])
    page = step(reader, project, span=CALL)
    assert page.count(">ran in ") == len(ids)
    assert "no span of this trace ran it" not in page
    assert "Asked for by" in step(reader, project, span=ran[-1].span_id)


def test_a_trace_without_a_model_call_in_between_is_passed_over(
    reader: Client, project: Project, store_spans: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_spans(conversation(project, "e" * 32, [[HELLO]], session_id="s-1", after_ms=-50_000))
    store_spans([span(project, "c" * 32, session_id="s-1", kind=Kind.TOOL, after_ms=-40_000)])
    store_spans(conversation(project, TRACE, [[HELLO, ANSWER]], session_id="s-1"))
    assert "1 added" in step(reader, project, span=f"{1:016x}", show="diff")
    monkeypatch.setattr(step_page, "MAX_BEFORE", 1)
    assert "none of the 1 traces before it" in step(reader, project, span=f"{1:016x}", show="diff")


def test_who_took_a_trace_as_a_file_is_in_the_audit_log(
    reader: Client, project: Project, store_spans: Store, viewer: User
) -> None:
    store_spans(failed_run(project, TRACE))
    reader.get(reverse("traces:download", args=[project.slug, TRACE]))
    entry = AuditEntry.objects.get(action="trace.downloaded")
    assert (entry.actor, entry.target, entry.project) == (viewer.email, TRACE, project)
