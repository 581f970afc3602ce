"""From the sign-in page to the error of a failed span, with the mouse, the keyboard and without script."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import otlp
from tests.browser.conftest import take_session

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture
def failed(platform: "Platform") -> str:
    """The id of a failed trace that pages show."""
    trace_id = otlp.new_trace_id()
    assert platform.send(otlp.failed_run(trace_id), "application/json").status_code == 200
    platform.wait_for_trace(trace_id, spans=5)
    return trace_id


def test_an_error_is_found_and_read(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_label("Status").select_option("error")
    expect(page).to_have_url(re.compile(r"\?status=error$"))
    expect(page.locator(".chip")).to_have_text(re.compile("that failed"))
    page.locator(f"a[href$='{failed}']").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("agent.invocation")
    page.get_by_role("link", name="tool.hubspot_query").click()
    expect(page.locator("#step h2")).to_contain_text("tool.hubspot_query")
    page.locator("[data-failed]").last.click()
    expect(page).to_have_url(re.compile(r"\?span=[0-9a-f]{16}$"))
    expect(page.locator("#step .failure").last).to_contain_text("BadRequestError")
    expect(page.locator("#step .failure").last).to_contain_text(
        "prompt is too long: 214583 tokens > 200000 maximum"
    )
    page.get_by_text("Stack trace").click()
    expect(page.locator("#step")).to_contain_text("File agent.py, line 40")
    assert problems == []


def test_messages_tokens_and_cost_of_a_call(page: Page, failed: str, platform: "Platform") -> None:
    page.goto(f"/p/{platform.project_slug}/traces/{failed}")
    page.get_by_role("link", name="llm.claude.call").first.click()
    expect(page.locator("#step .message").first).to_contain_text("Who went quiet?")
    expect(page.locator("#step")).to_contain_text("I will look it up.")
    expect(page.locator("#step")).to_contain_text("6,842")


def test_a_call_that_was_asked_for_leads_to_what_ran_it_and_back(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces/{failed}")
    page.get_by_role("link", name="llm.claude.call").first.click()
    expect(page.locator("#step .calls li").last).to_contain_text("no span of this trace ran it")
    page.get_by_role("link", name="ran in 6.8 s").click()
    expect(page.locator("#step h2")).to_contain_text("tool.hubspot_query")
    expect(page.locator(".trow.chosen")).to_contain_text("tool.hubspot_query")
    page.locator("#step [data-step]").click()
    expect(page.locator("#step h2")).to_contain_text("llm.claude.call")
    assert problems == []


def test_a_click_on_a_cell_filters(page: Page, failed: str, platform: "Platform") -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.locator("td.c-user a", has_text="u-1042").first.click()
    expect(page.locator(".chip")).to_contain_text("by user")
    expect(page.locator("#filter-user_id")).to_have_value("u-1042")
    page.get_by_label("Remove: by user u-1042").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.go_back()
    expect(page.locator(".chip")).to_contain_text("by user")


def test_nothing_found_leads_back(page: Page, failed: str, platform: "Platform") -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_label("Search").fill("no trace says this")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_role("heading", name="No trace matches")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator("table.traces")).to_be_visible()


def test_keys_move_through_the_tree(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces/{failed}?span=none")
    focused = page.locator(".trow:focus [data-row]")
    step = page.locator("#step h2")
    for key, name in (
        ("k", "tool.ga4_query"),
        ("k", "tool.hubspot_query"),
        ("j", "tool.ga4_query"),
        ("ArrowUp", "tool.hubspot_query"),
        ("ArrowLeft", "agent.invocation"),
        ("End", "llm.claude.call"),
        ("Home", "agent.invocation"),
        ("ArrowRight", "llm.claude.call"),
    ):
        page.keyboard.press(key)
        expect(focused).to_have_text(name)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(step).to_contain_text("tool.hubspot_query")
    expect(page).to_have_url(re.compile(r"\?span=[0-9a-f]{16}$"))
    page.keyboard.press("e")
    expect(page.locator("#step .failure").last).to_contain_text("BadRequestError")
    page.keyboard.press("e")
    expect(step).to_contain_text("agent.invocation")
    page.keyboard.press("E")
    expect(step).to_contain_text("llm.claude.call")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("open the next error")
    assert problems == []


def test_steps_collapse_are_searched_and_narrowed(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces/{failed}")
    rows, found = page.locator("#tlist .trow"), page.locator("#found")
    root = rows.first
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "6")
    expect(root).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("/")
    page.keyboard.type("who went")
    expect(found).to_have_text("1 step with this text")
    expect(page.locator(".trow.match")).to_contain_text("in input")
    page.keyboard.press("Enter")
    expect(found).to_have_text("1 of 1")
    expect(page.locator(".trow:focus")).to_have_class(re.compile("match"))
    expect(page).to_have_url(re.compile(r"q=who\+went"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(root).to_have_attribute("aria-expanded", "false")
    expect(rows).to_have_count(1)
    expect(root).to_contain_text("+4")
    page.keyboard.press("n")
    expect(rows).to_have_count(5)
    page.get_by_label("Search in this trace").fill("claude")
    expect(found).to_have_text("2 steps with this text")
    expect(page.locator(".trow.match mark").first).to_have_text("claude")
    root.locator(".toggle").click()
    expect(rows).to_have_count(1)
    page.get_by_label("Which steps").select_option("failed")
    page.get_by_role("button", name="Expand all").click()
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("only=failed"))
    page.reload()
    expect(page.locator("#tlist .trow.failed")).to_have_count(2)
    expect(found).to_have_text("2 steps with this text")
    assert problems == []


def test_a_long_trace_is_drawn_where_one_looks(
    page: Page, plain_page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    trace_id = otlp.new_trace_id()
    assert platform.send(otlp.long_run(trace_id, groups=60), "application/json").status_code == 200
    platform.wait_for_trace(trace_id, spans=601)
    address = f"/p/{platform.project_slug}/traces/{trace_id}"
    page.goto(f"/p/{platform.project_slug}/traces")
    page.locator(f"a[data-row][href$='{trace_id}']").click()
    rows, grid = page.locator("#tlist .trow"), page.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", "602")
    assert rows.count() < 150
    page.mouse.move(400, 600)
    page.mouse.wheel(0, 8_000)
    expect(page.locator(".trow[aria-rowindex='300']")).to_be_visible()
    assert rows.count() < 150
    page.keyboard.press("e")
    expect(page.locator("#step .failure")).to_contain_text("out of quota")
    expect(page.locator(".trow:focus .tmessage")).to_be_in_viewport()
    page.keyboard.press("End")
    expect(page.locator(".trow:focus")).to_have_attribute("aria-rowindex", "602")
    expect(page.locator(".trow:focus")).to_be_in_viewport()
    page.keyboard.press("Shift+ArrowLeft")
    expect(grid).to_have_attribute("aria-rowcount", "62")
    expect(page.locator(".trow:focus")).to_contain_text("+9")
    page.get_by_label("Search in this trace").fill("question 50.3")
    page.keyboard.press("Enter")
    expect(page.locator(".trow:focus")).to_contain_text("in input")
    expect(page.locator(".trow:focus")).to_be_in_viewport()
    expect(grid).to_have_attribute("aria-rowcount", "71")
    page.keyboard.press("]")
    expect(page).not_to_have_url(re.compile(trace_id), timeout=20_000)
    expect(grid).to_be_visible()
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(trace_id), timeout=20_000)
    assert problems == []

    plain_page.goto(address)
    expect(plain_page.locator("#tlist .trow")).to_have_count(100)
    plain_page.get_by_role("link", name="Next steps").click()
    expect(plain_page.get_by_text("Steps 101 to 200 of 601")).to_be_visible()
    plain_page.get_by_label("Search in this trace").fill("question 50.3")
    plain_page.get_by_role("button", name="Show").click()
    expect(plain_page.locator("#tlist .trow")).to_have_count(3)


def test_it_works_without_script(plain_page: Page, failed: str, platform: "Platform") -> None:
    page = plain_page
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_label("Status").select_option("error")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?status=error$"))
    page.locator(f"a[href$='{failed}']").click()
    expect(page.locator("#step .failure").last).to_contain_text("BadRequestError")
    page.get_by_role("link", name="tool.hubspot_query").click()
    expect(page).to_have_url(re.compile(r"\?span=[0-9a-f]{16}#step$"))
    expect(page.locator("#step h2")).to_contain_text("tool.hubspot_query")
    page.get_by_role("link", name="u-1042").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("u-1042")


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_screen(
    browser: Browser, platform: "Platform", failed: str, width: int
) -> None:
    context = browser.new_context(base_url=platform.url, viewport={"width": width, "height": 844})
    take_session(context, platform)
    page = context.new_page()
    slug = platform.project_slug
    for path in (f"/p/{slug}/traces", f"/p/{slug}/traces/{failed}", f"/p/{slug}/settings", "/nowhere"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_the_theme_stays(page: Page, platform: "Platform") -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_label("Account").click()
    page.get_by_role("button", name="Dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 23)"
