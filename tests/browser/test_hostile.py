"""A browser never runs, loads or follows what a span carries."""

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser import otlp

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser

ELSEWHERE = "https://elsewhere.example"
ATTACKS = [
    "<script>alert('script')</script>",
    "<img src=x onerror=alert('image')>",
    "javascript:alert('link')",
    "\"><svg onload=alert('svg')>",
    "' onmouseover='alert(1)' x='",
    f"<img src={ELSEWHERE}/pixel.png>",
    f"![image]({ELSEWHERE}/markdown.png) [click](javascript:alert('markdown'))",
    "<iframe srcdoc=\"<script>parent.alert('frame')</script>\"></iframe>",
    "{{ 7|add:7 }} {% csrf_token %} ${7*7}",
    f"<a href='{ELSEWHERE}' hx-get='/sign-out' hx-trigger='load'>x</a>",
    "\u202eturned around",
]
EVERY = " ".join(ATTACKS)


def messages(role: str) -> str:
    return json.dumps(
        [
            {
                "role": role,
                "parts": [
                    {"type": "text", "content": EVERY},
                    {"type": "reasoning", "content": EVERY},
                    {"type": "tool_call", "id": EVERY, "name": EVERY, "arguments": {EVERY: EVERY}},
                    {"type": "tool_call_response", "id": EVERY, "response": EVERY},
                    {"type": "uri", "modality": "image", "uri": f"{ELSEWHERE}/part.png \u202eturned around"},
                    {"type": EVERY, "content": EVERY},
                ],
            }
        ]
    )


def hostile_trace(trace_id: str) -> bytes:
    identity: dict[str, str | int] = {
        "user.id": EVERY,
        "session.id": EVERY,
        "organization.id": EVERY,
        "feature": EVERY,
        "gen_ai.agent.name": EVERY,
    }
    call: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": EVERY,
        "gen_ai.response.model": EVERY,
        "gen_ai.provider.name": EVERY,
        "gen_ai.prompt.name": EVERY,
        "gen_ai.input.messages": messages(EVERY),
        "gen_ai.output.messages": messages("assistant"),
        "gen_ai.tool.definitions": json.dumps([{"name": EVERY}]),
        "error.type": EVERY,
        EVERY: EVERY,
    }
    tool: dict[str, str | int] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": EVERY,
        "gen_ai.tool.call.arguments": EVERY,
        "gen_ai.tool.call.result": EVERY,
    }
    thrown = {
        "exception.type": EVERY,
        "exception.message": EVERY,
        "exception.stacktrace": EVERY,
        EVERY: EVERY,
    }
    events = [("exception", thrown), (EVERY, {EVERY: EVERY})]
    root = otlp.Step(EVERY, attributes=identity, error=EVERY)
    children = [
        otlp.Step(EVERY, 1, 50, call, EVERY, events, parent_id=root.span_id),
        otlp.Step(EVERY, 2, 50, tool, parent_id=root.span_id),
    ]
    return otlp.body(
        trace_id,
        [root, *children],
        resource={"service.name": EVERY, "service.version": EVERY, "deployment.environment.name": EVERY},
    )


def test_everything_a_span_carries_is_text(page: Page, platform: "Platform", problems: list[str]) -> None:
    trace_id = otlp.new_trace_id()
    assert platform.send(hostile_trace(trace_id), "application/json").status_code == 200
    platform.wait_for_trace(trace_id, spans=3)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(_host(request)))

    page.goto(f"/p/{platform.project_slug}/traces")
    row = page.locator("tr", has=page.locator(f"a[href$='{trace_id}']"))
    expect(row).to_contain_text("<script>alert('script')</script>")
    _move_over_everything(page)
    row.locator(f"a[href$='{trace_id}']").click()
    for place in range(3):
        with page.expect_response(lambda response: "?span=" in response.url):
            page.locator("a[data-row]").nth(place).click()
        expect(page.locator("#step .tabs [aria-current]")).to_have_text("Step")
        page.evaluate("document.querySelectorAll('main details').forEach(fold => { fold.open = true })")
        text = page.locator("#step").inner_text()
        for attack in ATTACKS[:3]:
            assert attack in text
        assert _foreign(page) == []
        assert _turned_around(page) == []
        _move_over_everything(page)
        page.locator("#step .tabs a", has_text="OTLP").click()
        expect(page.locator("#step .tabs [aria-current]")).to_have_text("OTLP")
        assert _foreign(page) == []
    page.get_by_role("link", name="Calls as a picture").click()
    expect(page.locator(".picture")).to_contain_text("<script>alert('script')</script>")
    assert _foreign(page) == []
    _move_over_everything(page)
    page.locator(".trace-head a[href*='/user?']").click()
    expect(page.locator("h1")).to_contain_text("<script>")
    assert _foreign(page) == []

    assert problems == []
    assert set(asked) == {platform.url}


def _host(request: Request) -> str:
    return "/".join(request.url.split("/")[:3])


def _move_over_everything(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('main *').forEach(it => it.dispatchEvent(new MouseEvent('mouseover')))"
    )


def _turned_around(page: Page) -> list[str]:
    """Words of our templates beside what a span carries that are written from right to left."""
    found: list[str] = page.evaluate(
        """() => {
            const left = (text, at) => {
                const range = document.createRange();
                range.setStart(text, at);
                range.setEnd(text, at + 1);
                return range.getBoundingClientRect().left;
            };
            return [...document.querySelectorAll("main .faint, main .note, main dt")]
                .map(element => element.firstChild)
                .filter(text => ["(not shown)", "calls", "Attributes", "Model"].includes(text?.data?.trim()))
                .filter(text => left(text, 1) > left(text, 2))
                .map(text => text.data);
        }"""
    )
    return found


def _foreign(page: Page) -> list[str]:
    """Elements that none of our templates write, and links that lead anywhere but to our pages."""
    found: list[str] = page.evaluate(
        """() => {
            // A link in a picture has its address as an attribute only; one without an address leads nowhere.
            const xlink = "http://www.w3.org/1999/xlink";
            const address = link => link.getAttribute("href") ?? link.getAttributeNS(xlink, "href") ?? "";
            const leads_away = link => new URL(address(link), location.href).origin !== location.origin;
            const handles = element => element.getAttributeNames().some(name => name.startsWith("on"));
            return [
                ...document.querySelectorAll("main script:not([type='application/json']), main img"),
                ...document.querySelectorAll("main iframe, main object, main style"),
                ...[...document.querySelectorAll("main a")].filter(leads_away),
                ...[...document.querySelectorAll("main *")].filter(handles),
            ].map(element => element.outerHTML.slice(0, 200));
        }"""
    )
    return found
