"""One step is read: its conversation, its structure, what changed in its prompt, its raw form, its place."""

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import otlp

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser

RULES = "You are the marketing assistant.\n" + "\n".join(f"{n}. A rule that holds." for n in range(60))
DOCUMENT = "\n".join(f"line {n} of a document that was put into the prompt" for n in range(4_800))
ARGUMENTS = {
    "filters": {"stage": ["customer", "renewal"], "last contact": {"before": "2026-08-01"}},
    "limit": 5,
    "accounts": {"7": 1234567890123456789},
}
FOUND = {"total": 412, "rows": [{"id": n, "name": f"Customer {n}"} for n in range(12)]}
USER = {"role": "user", "parts": [{"type": "text", "content": DOCUMENT}]}
ASKED = {
    "role": "assistant",
    "parts": [
        {"type": "tool_call", "id": "c1", "name": "hubspot_query", "arguments": ARGUMENTS},
        {"type": "tool_call", "id": "c2", "name": "mail_search", "arguments": {}},
    ],
}
TOLD = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": FOUND}]}


def prompt(rules: str, *more: object) -> str:
    return json.dumps([{"role": "system", "parts": [{"type": "text", "content": rules}]}, USER, *more])


@pytest.fixture
def trace(platform: "Platform") -> str:
    """An agent that asks a model, runs a tool, and asks again with changed rules."""
    trace_id = otlp.new_trace_id()
    root = otlp.Step("agent.invocation", ms=5_000, attributes={"gen_ai.operation.name": "invoke_agent"})
    chat: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-sonnet-4-5",
    }
    tool: dict[str, str | int] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "hubspot_query",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.call.result": json.dumps(FOUND),
    }
    asked = {**chat, "gen_ai.input.messages": prompt(RULES), "gen_ai.output.messages": json.dumps([ASKED])}
    changed = prompt(RULES.replace("marketing", "sales"), ASKED, TOLD)
    steps = [
        otlp.Step("plan", 5, 900, asked),
        otlp.Step("look", 910, 600, tool),
        otlp.Step("answer", 1_600, 400, {**chat, "gen_ai.input.messages": changed}, "overloaded"),
    ]
    for step in steps:
        step.parent_id = root.span_id
    assert platform.send(otlp.body(trace_id, [root, *steps]), "application/json").status_code == 200
    platform.wait_for_trace(trace_id, spans=4)
    return trace_id


def choose_plan(page: Page, context: BrowserContext, platform: "Platform", trace: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/p/{platform.project_slug}/traces/{trace}")
    page.get_by_role("link", name="plan", exact=True).click()


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_step_is_read_from_its_messages_to_its_raw_form(
    page: Page, context: BrowserContext, trace: str, platform: "Platform", problems: list[str]
) -> None:
    choose_plan(page, context, platform, trace)
    step = page.locator("#step")
    expect(step.locator("h2")).to_contain_text("plan")

    # Long instructions wait behind their first words; a long text comes in parts.
    expect(step.get_by_text("59. A rule that holds.")).to_be_hidden()
    step.locator(".instructions > summary").click()
    expect(step.get_by_text("Show 41 more lines")).to_be_visible()
    expect(step).not_to_contain_text("line 4799 of a document")
    step.get_by_text("Show 4,780 more lines").click()
    step.get_by_role("link", name="Show more").click()
    expect(step).to_contain_text("line 4000 of a document")
    step.get_by_role("link", name="Show more").click()
    expect(step).to_contain_text("line 4799 of a document")
    expect(step.get_by_role("link", name="Show more")).to_have_count(0)
    step.get_by_role("button", name="Copy the user message").click()
    expect(step.get_by_role("button", name="Copy the user message")).to_have_text("Copied")
    expect(page.locator("#announced")).to_have_text("Copied")
    assert clipboard(page) == DOCUMENT

    # The call's arguments are a tree, and its result, from the span that ran it, stands beside it.
    call = step.locator(".call").first
    expect(call).to_contain_text("returned")
    expect(call).to_contain_text("412")
    call.locator(".jtree [data-row=json]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(call.locator("li:focus")).to_contain_text("customer")
    copy_value, copy_path = call.locator(".jtools button").all()
    copy_path.click()
    expect(copy_path).to_have_text("Copied")
    assert clipboard(page) == "$.filters.stage[0]"
    call.get_by_text("last contact", exact=True).hover()
    copy_value.click()
    expect(copy_value).to_have_text("Copied")
    assert json.loads(clipboard(page)) == ARGUMENTS["filters"]["last contact"]  # type: ignore[index]
    # What changed since the call before.
    page.get_by_role("link", name="answer", exact=True).click()
    expect(step.locator("h2")).to_contain_text("answer")
    expect(page.locator("#announced")).to_have_text("answer, llm, failed")
    expect(page.locator(".trace-body [aria-live]")).to_have_count(0)
    step.get_by_role("link", name="Diff").click()
    expect(step.locator("del")).to_have_text("marketing")
    expect(step.locator("ins").first).to_have_text("sales")
    expect(step.locator(".diff-counts")).to_have_text("1 same, 2 added, 1 changed")
    expect(page).to_have_url(re.compile("show=diff"))

    # The raw form.
    step.get_by_role("link", name="OTLP").click()
    step.get_by_role("button", name="Copy the span as JSON").click()
    expect(step.get_by_text("Copied")).to_be_visible()
    sent = json.loads(clipboard(page))["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (sent["traceId"], sent["name"]) == (trace, "answer")
    assert problems == []


def test_an_id_of_64_bits_is_copied_as_it_is(
    page: Page, context: BrowserContext, trace: str, platform: "Platform", problems: list[str]
) -> None:
    choose_plan(page, context, platform, trace)
    expect(page.locator("#step h2")).to_contain_text("plan")
    call = page.locator("#step .call").first
    copy_value, copy_path = call.locator(".jtools button").nth(0), call.locator(".jtools button").nth(1)
    for row, value in (
        ("1234567890123456789", "1234567890123456789"),
        ("accounts", '{\n  "7": 1234567890123456789\n}'),
    ):
        call.get_by_text(row, exact=True).hover()
        copy_value.click()
        expect(copy_value).to_have_text("Copied")
        assert clipboard(page) == value
        expect(copy_value).to_have_text("Copy value")
    # A field with a number for a name is no place in a list.
    call.get_by_text("1234567890123456789", exact=True).hover()
    copy_path.click()
    expect(copy_path).to_have_text("Copied")
    assert clipboard(page) == '$.accounts["7"]'
    assert problems == []


def test_the_picture_leads_to_each_step(
    page: Page, plain_page: Page, trace: str, platform: "Platform", problems: list[str]
) -> None:
    address = f"/p/{platform.project_slug}/traces/{trace}"
    page.goto(address)
    page.get_by_role("link", name="Calls as a picture").click()
    nodes = page.locator(".picture .node")
    expect(nodes).to_have_count(5)
    expect(page.locator(".picture .node.failed")).to_contain_text("overloaded")
    expect(page.locator(".picture .node.blank")).to_contain_text("mail_search")
    nodes.filter(has_text="hubspot_query").click()
    expect(page.locator("#step h2")).to_contain_text("look")
    expect(page.locator(".picture [aria-current]")).to_contain_text("hubspot_query")
    page.reload()
    expect(page.locator(".picture [aria-current]")).to_contain_text("hubspot_query")

    # The keys move in the picture, say what they cannot do, and lead to the search in the steps.
    page.keyboard.press("j")
    expect(page.locator(".picture a:focus")).to_contain_text("answer")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".picture a:focus")).to_contain_text("hubspot_query")
    page.keyboard.press("e")
    expect(page.locator("#step h2")).to_contain_text("answer")
    page.keyboard.press("]")
    expect(page.get_by_text("Open a trace from the list first")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("next call")
    expect(page.get_by_role("dialog", name="Keys")).not_to_contain_text("next match")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search in this trace")).to_be_focused()
    expect(page.locator("#step h2")).to_contain_text("answer")
    assert problems == []

    # The same without script.
    plain_page.goto(address)
    plain_page.get_by_role("link", name="Calls as a picture").click()
    plain_page.locator(".picture .node").filter(has_text="answer").click()
    plain_page.locator("#step").get_by_role("link", name="Diff").click()
    expect(plain_page.locator("#step del")).to_have_text("marketing")
    plain_page.get_by_role("button", name="Compare").click()
    expect(plain_page.locator(".diff-counts")).to_contain_text("2 added")
    plain_page.locator("#step").get_by_role("link", name="Step", exact=True).click()
    plain_page.locator("#step").get_by_text("Show 4,780 more lines").click()
    plain_page.get_by_role("link", name="all of it as plain text").click()
    expect(plain_page.locator("body")).to_contain_text("line 4799 of a document")
