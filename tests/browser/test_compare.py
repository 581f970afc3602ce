"""A failed run beside a good one: chosen in the list or from its page, read by mouse, keyboard and without script."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import otlp

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture
def runs(platform: "Platform") -> tuple[str, str, str]:
    """The ids of a good and of a failed run, and the name that only these two have."""
    good, bad = otlp.new_trace_id(), otlp.new_trace_id()
    name = f"agent {good[:8]}"
    platform.send(otlp.good_run(good, name=name), "application/json")
    platform.send(otlp.failed_run(bad, name=name), "application/json")
    platform.wait_for_trace(good, spans=3)
    platform.wait_for_trace(bad, spans=5)
    return good, bad, name


def test_two_ticked_rows_stand_side_by_side_and_steps_are_read_pair_by_pair(
    page: Page, platform: "Platform", runs: tuple[str, str, str], problems: list[str]
) -> None:
    good, bad, name = runs
    page.goto(f"/p/{platform.project_slug}/traces?name={name}")
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_hidden()
    page.keyboard.press("/")
    for key in ("ArrowDown", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("checkbox", name=f"Compare {name}", checked=True)).to_have_count(2)
    compare.click()
    expect(page).to_have_url(re.compile(rf"compare\?a={good}&b={bad}$"))
    expect(page.locator(".verdict")).to_contain_text(
        "They go apart at tool.hubspot_query: other parameters (limit)"
    )
    expect(page.locator("#pair")).to_contain_text("Here they go apart")
    page.keyboard.press("d")
    expect(page.locator("#pair h2")).to_contain_text("tool.ga4_query")
    expect(page.locator("#pair")).to_contain_text("only B has it")
    expect(page.locator("#announced")).to_have_text("tool.ga4_query: only B has it")
    expect(page.locator("#pair[aria-live]")).to_have_count(0)
    page.locator(".verdict [data-lead]").last.click()
    expect(page.locator("#pair")).to_contain_text("context window exceeded")
    expect(page).to_have_url(re.compile(r"&sb=[0-9a-f]{16}$"))
    page.set_viewport_size({"width": 390, "height": 800})
    differing = page.locator("#aligned tr", has_text="tool.hubspot_query")
    expect(differing.locator(".c-more").first).to_be_hidden()
    expect(differing.locator(".c-under")).to_contain_text("s")
    page.get_by_role("link", name="Open in B").click()
    expect(page.locator("#step")).to_contain_text("BadRequestError")
    assert problems == []


def test_from_a_failed_trace_to_the_last_good_one_without_script(
    plain_page: Page, platform: "Platform", runs: tuple[str, str, str]
) -> None:
    good, bad, name = runs
    plain_page.goto(f"/p/{platform.project_slug}/traces/{bad}")
    plain_page.get_by_text("Compare with …").click()
    plain_page.get_by_role("link", name=f"The last good one of {name}").click()
    expect(plain_page).to_have_url(re.compile(rf"compare\?a={good}&b={bad}$"))
    plain_page.locator("#aligned").get_by_role("link", name="llm.claude.call").first.click()
    expect(plain_page.locator("#pair")).to_contain_text("Who went quiet?")
    plain_page.get_by_role("link", name="Swap A and B").click()
    expect(plain_page).to_have_url(re.compile(rf"compare\?a={bad}&b={good}$"))
    expect(plain_page.locator("#aligned")).to_contain_text("only in A")


def test_only_the_steps_that_differ_are_drawn_or_it_is_said_that_none_does(
    plain_page: Page, platform: "Platform", runs: tuple[str, str, str]
) -> None:
    good, _, name = runs
    twin = otlp.new_trace_id()
    platform.send(otlp.good_run(twin, name=name), "application/json")
    platform.wait_for_trace(twin, spans=3)
    plain_page.goto(f"/p/{platform.project_slug}/compare?a={good}&b={twin}")
    rows = plain_page.locator("#aligned tbody tr")
    expect(rows).to_have_count(3)
    plain_page.get_by_role("link", name="Only differences").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("No step differs.")
    rows.get_by_role("link", name="All steps").click()
    expect(rows).to_have_count(3)
