"""Feedback on a trace and a step in a browser: with script without a reload, and without script."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import otlp
from tests.browser.conftest import take_session

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture
def trace(platform: "Platform") -> str:
    trace_id = otlp.new_trace_id()
    assert platform.send(otlp.failed_run(trace_id), "application/json").status_code == 200
    platform.wait_for_trace(trace_id, spans=5)
    return f"/p/{platform.project_slug}/traces/{trace_id}"


def test_a_mind_is_changed_and_explained_without_a_reload(
    page: Page, trace: str, problems: list[str]
) -> None:
    page.goto(trace)
    page.evaluate("document.body.dataset.loaded = 'once'")
    of_trace, of_step = page.locator("#scores-trace"), page.locator("#scores-span")
    of_trace.get_by_role("button", name="Good").click()
    expect(of_trace.get_by_role("button", name="Good", pressed=True)).to_be_focused()
    # A comment that is being written outlives a change of the verdict.
    of_trace.get_by_text("Comment", exact=True).click()
    of_trace.get_by_label("Your comment").fill("No such date.")
    of_trace.get_by_role("button", name="Wrong").click()
    expect(of_trace.get_by_role("button", pressed=True)).to_have_text("Wrong")
    expect(of_trace.locator(".score")).to_have_count(1)
    expect(of_trace.get_by_label("Your comment")).to_have_value("No such date.")
    of_trace.get_by_label("Your comment").fill("No such date in the contract.")
    of_trace.get_by_role("button", name="Save the comment").click()
    expect(of_trace.locator(".score blockquote")).to_have_text("No such date in the contract.")
    expect(of_trace.get_by_role("button", pressed=True)).to_have_text("Wrong")
    of_step.get_by_role("button", name="Bad").click()
    expect(of_step.locator(".score")).to_contain_text("you, just now")
    # The step's row says so, and so does the trace's panel, which leads there.
    chosen, on_steps = page.locator(".trow.chosen"), page.locator("#on-steps")
    expect(chosen.locator(".mark")).to_have_attribute("title", "Scores: 1 bad")
    expect(on_steps).to_contain_text("1 on steps")
    of_step.get_by_role("button", name="Wrong").click()
    expect(chosen.locator(".mark")).to_have_attribute("title", "Scores: 1 wrong")
    marked = chosen.locator("[data-row]").inner_text()
    page.get_by_role("link", name="tool.hubspot_query").first.click()
    expect(page.locator("#step h2")).to_contain_text("tool.hubspot_query")
    expect(of_step.locator(".score")).to_have_count(0)
    expect(chosen.locator(".mark")).to_be_hidden()
    on_steps.get_by_role("link").click()
    expect(page.locator("#step h2")).to_contain_text(marked)
    expect(chosen.locator("[data-row]")).to_have_text(marked)
    of_step.get_by_role("button", name="Take back").click()
    expect(chosen.locator(".mark")).to_be_hidden()
    expect(on_steps.get_by_role("link")).to_have_count(0)
    of_trace.get_by_role("button", name="Take back").click()
    expect(of_trace.locator(".score")).to_have_count(0)
    assert page.evaluate("document.body.dataset.loaded") == "once"
    assert problems == []


def test_what_cannot_be_stored_is_told_kept_and_brought_back(
    page: Page, platform: "Platform", trace: str
) -> None:
    page.goto(trace)
    panel, written = page.locator("#scores-trace"), page.locator("#trace-comment")
    opener, told = panel.locator(".remark summary"), panel.get_by_role("alert")
    opener.press("Enter")
    written.fill("Three long lines.")
    # The server is away, or something before it answers.
    page.route("**/feedback", lambda route: route.abort())
    page.locator("#trace-save").press("Enter")
    expect(told).to_contain_text("the server did not answer")
    expect(page.get_by_text("The step did not load")).to_have_count(0)
    page.unroute("**/feedback")
    page.route("**/feedback", lambda route: route.fulfill(status=502, body="Bad gateway"))
    panel.get_by_role("button", name="Wrong").click()
    expect(told).to_contain_text("did not answer as it should")
    expect(panel.get_by_role("button", name="Wrong", pressed=False)).to_be_visible()
    page.unroute("**/feedback")
    # Signed out meanwhile: first as the form shows by its cookie, then as the session does.
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.locator("#trace-save").press("Enter")
    expect(told).to_contain_text("you were signed out since")
    expect(written).to_have_value("Three long lines.")
    page.context.add_cookies([one for one in cookies if one["name"] != "sessionid"])  # type: ignore[misc]
    page.locator("#trace-save").press("Enter")
    page.wait_for_url("**/sign-in?**")
    take_session(page.context, platform)
    page.goto(trace)
    expect(written).to_have_value("Three long lines.")
    expect(told).to_have_text("Your comment is not saved yet.")
    # Stored, it is said to those who hear the page, and the keys go on from where they were.
    page.locator("#trace-save").press("Enter")
    expect(page.locator("#announced")).to_have_text("Your feedback is saved.")
    expect(opener).to_be_focused()
    expect(panel.locator(".score blockquote")).to_have_text("Three long lines.")
    page.locator("#trace-none").press("Enter")
    expect(page.locator("#announced")).to_have_text("Your feedback is removed.")
    expect(opener).to_be_focused()
    page.reload()
    expect(written).to_have_value("")


def test_it_works_without_script(plain_page: Page, trace: str) -> None:
    page = plain_page
    page.goto(trace)
    page.locator("#span-down").click()
    expect(page.locator("#scores-span .score")).to_contain_text("Bad")
    expect(page.locator(".trow.chosen .mark")).to_have_attribute("title", "Scores: 1 bad")
    page.locator("#scores-trace summary").click()
    page.locator("#trace-comment").fill("Ask the customer.")
    page.locator("#trace-save").click()
    expect(page.locator("#scores-trace .score blockquote")).to_have_text("Ask the customer.")
    page.locator("#trace-none").click()
    expect(page.locator("#scores-trace .score")).to_have_count(0)
    expect(page.locator("#scores-span .score")).to_have_count(1)
