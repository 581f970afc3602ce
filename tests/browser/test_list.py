"""The trace list: zooming in on the chart with mouse and keyboard, and the keys."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import otlp

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser
RANGE = re.compile(r"\?from=\d{4}-\d\d-\d\dT\d\d%3A\d\d(%3A\d\d)?Z&to=")


@pytest.fixture
def failed(platform: "Platform") -> str:
    trace_id = otlp.new_trace_id()
    assert platform.send(otlp.failed_run(trace_id), "application/json").status_code == 200
    platform.wait_for_trace(trace_id, spans=5)
    return trace_id


def test_the_chart_is_brushed_to_zoom(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces?range=1h")
    chart = page.get_by_role("slider", name="Traces over time")
    box = chart.locator(".plot-drawing").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + 20, steps=3)
    expect(page.locator("#readout")).to_contain_text(" traces")
    page.mouse.up()
    expect(page).to_have_url(RANGE)
    expect(page.locator(f"a[href$='{failed}']")).to_be_visible()
    zoomed_in = page.url
    page.get_by_role("link", name="Zoom out").click()
    expect(page).not_to_have_url(zoomed_in)
    zoomed_out = page.url

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("zooms in")
    page.keyboard.press("Escape")
    chart.focus()
    for key in ("End", "ArrowLeft", "Shift+Home"):
        page.keyboard.press(key)
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r" to .* traces$"))
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(zoomed_out)
    expect(chart).to_be_focused()
    expect(page.locator("#overview")).to_contain_text("failed")
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    expect(page.locator("a[data-row]:focus")).to_have_count(1)
    page.go_back()
    page.go_back()
    expect(page).to_have_url(zoomed_in)
    page.locator(f"a[href$='{failed}']").click()
    expect(page.locator("#step")).to_be_visible()
    page.go_back()
    expect(page.locator(f"a[href$='{failed}']")).to_be_focused()
    expect(chart).to_be_visible()
    assert problems == []


def test_a_bar_zooms_without_script(plain_page: Page, failed: str, platform: "Platform") -> None:
    plain_page.goto(f"/p/{platform.project_slug}/traces?range=1h")
    plain_page.locator("#plot a", has=plain_page.locator(".failed")).last.click()
    expect(plain_page).to_have_url(RANGE)
    expect(plain_page.locator(f"a[href$='{failed}']")).to_be_visible()


@pytest.mark.parametrize("who", ["page", "plain_page"])
def test_the_list_is_exported_as_it_is_filtered(
    who: str, request: pytest.FixtureRequest, failed: str, platform: "Platform"
) -> None:
    """With script the filters change without a new page, and the menu goes with them."""
    reader: Page = request.getfixturevalue(who)
    reader.goto(f"/p/{platform.project_slug}/traces?range=1h")
    reader.get_by_label("Status").select_option("error")
    if who == "plain_page":
        reader.locator("#filters input[name=q]").press("Enter")
    expect(reader).to_have_url(re.compile(r"status=error"))
    reader.locator("summary", has_text="Export").click()
    with reader.expect_download() as started:
        reader.get_by_role("link", name="CSV").click()
    file = started.value
    assert re.fullmatch(r"traces-browser-\w+-\d{8}T\d{6}Z\.csv", file.suggested_filename)
    head, *rows = Path(file.path()).read_text().splitlines()
    assert head.startswith("trace_id,name,status,")
    assert failed in {row.partition(",")[0] for row in rows}
    assert {row.split(",")[2] for row in rows} == {"error"}


def test_new_traces_wait_and_a_view_is_saved_shared_and_changed(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_role("link", name="Live is off: turn it on").click()
    expect(page).to_have_url(re.compile(r"\?live=1$"))
    rows = page.locator("tr")
    shown = rows.count()
    late = otlp.new_trace_id()
    platform.send(otlp.failed_run(late), "application/json")
    expect(page.locator("a.newer")).to_have_text("1 new trace: show it")
    assert rows.count() == shown
    expect(page).to_have_title(re.compile(r"^\(1\) Traces"))
    page.keyboard.press("j")
    page.keyboard.press("n")
    expect(page.locator(f"a[href$='{late}']")).to_be_visible()
    expect(page.locator(f"a[href$='{failed}']")).to_be_focused()
    expect(page.locator("a.newer")).to_have_count(0)
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile(r"/traces\??$"))

    page.get_by_label("Status").select_option("error")
    expect(page.locator(".chip")).to_have_text(re.compile("that failed"))
    page.locator("summary", has_text="Display").click()
    page.get_by_role("checkbox", name="Session").check()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.get_by_role("columnheader", name="Session")).to_be_visible()
    page.locator("summary", has_text="Views").click()
    page.get_by_label("Save what the list shows as").fill(late)
    page.get_by_label("Shared in the project").check()
    page.get_by_role("button", name="Save the view").click()
    menu = page.get_by_label(f"Saved views: {late}")
    expect(menu).to_be_visible()
    page.get_by_label("Status").select_option("ok")
    expect(menu).to_contain_text("changed")
    menu.click()
    page.get_by_role("button", name=f"Save the changes to “{late}”").click()
    expect(page.get_by_text(f"Changed the view “{late}”.")).to_be_visible()
    expect(menu).not_to_contain_text("changed")
    page.goto(f"/p/{platform.project_slug}/traces")
    page.locator("summary", has_text="Views").click()
    shared = page.locator(".menu-title", has_text="Shared in").locator("xpath=following-sibling::a")
    shared.filter(has_text=late).click()
    expect(page).to_have_url(re.compile(r"\?status=ok&columns=[a-z.]*session"))
    page.goto(f"/p/{platform.project_slug}/traces/views")
    page.get_by_label(f"Delete {late}").click()
    page.get_by_role("button", name="Delete this view").click()
    expect(page.get_by_text(f"Deleted the view “{late}”.")).to_be_visible()
    assert problems == []


def test_the_keys_go_on_from_where_they_were_when_the_list_changes(
    page: Page, failed: str, platform: "Platform", problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces?range=1h&status=error")
    for heading, order, sort in (
        ("Latency", "-latency", "descending"),
        ("Started", "", "descending"),
        ("Started", "time", "ascending"),
    ):
        by = page.get_by_role("columnheader", name=heading)
        by.get_by_role("link").press("Enter")
        expect(by).to_have_attribute("aria-sort", sort)
        expect(by.get_by_role("link")).to_be_focused()
        expect(page).to_have_url(re.compile(rf"order={order}(&|$)" if order else r"\?(?!.*order=)"))
    page.get_by_role("link", name="u-1042").first.press("Enter")
    expect(page.locator(".chip")).to_have_text([re.compile("that failed"), re.compile("by user")])
    sentence = page.locator(".sentence")
    expect(sentence).to_be_focused()
    page.get_by_label("Remove: by user u-1042").press("Enter")
    expect(page.locator(".chip")).to_have_text([re.compile("that failed")])
    expect(sentence).to_be_focused()
    page.get_by_role("link", name="Clear all").press("Enter")
    expect(sentence).to_have_count(0)
    expect(page.locator("#results-line")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("a[data-row]:focus")).to_have_count(1)

    attribute = page.get_by_label("Attributes")
    page.locator("summary", has_text="More filters").click()
    attribute.press_sequentially("service.na")
    offered = page.locator("#offers-attribute option[value='service.name']")
    expect(offered).to_have_count(1)
    attribute.press_sequentially("me:")
    expect(page.locator("#offers-attribute option[value='service.name:browser-test']")).to_have_count(1)
    attribute.fill("service.name:browser-test")
    attribute.press("Enter")
    expect(page.locator(".chip")).to_have_text(re.compile("with attribute service.name:browser-test"))
    expect(page.locator(f"#row-{failed}")).to_be_visible()
    expect(attribute).to_be_focused()
    attribute.fill("")
    page.get_by_role("textbox", name="Score").fill("quality>>0.5")
    page.get_by_role("textbox", name="Score").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        "not filtered by what could not be read: Score “quality>>0.5”"
    )
    expect(page).to_have_url(re.compile("score=quality%3E%3E0.5"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Search").fill("window")
    page.get_by_label("Search").press("Enter")
    expect(page).to_have_url(re.compile("q=window"))
    expect(page.locator(".chip")).to_have_text(re.compile("containing “window”"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?(?!.*q=window)"))
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.get_by_label("Search")).to_have_value("")
    assert sum("q=window" in address for address in asked) == 1
    page.get_by_role("alert").get_by_role("link", name="Remove it").press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#results-line")).to_be_focused()
    assert problems == []
