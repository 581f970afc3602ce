"""Charts answer to the pointer and lead to what they sum, in a browser with the page's policy in force."""

import json
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.browser import otlp
from tests.cast import http_client

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser

DAY = 86_400
HOSTILE = '<b>draft</b> & <a href="https://evil.example">%{x}</a>'


@pytest.fixture(scope="module")
def spent(platform: "Platform") -> None:
    """Ada on four days in two features, eve on one day; and ada the week before."""
    now = time.time_ns() // 10**9
    made = [("ada", day, "1.25", "query") for day in (0, 1, 2, 3, 9)]
    made += [("ada", 1, "0.75", HOSTILE), ("eve", 2, "40", HOSTILE)]
    spans = [
        {
            "trace_id": (trace_id := otlp.new_trace_id()),
            "span_id": trace_id[:16],
            "name": "chat",
            "kind": "llm",
            "start_time": now - day * DAY - 2,
            "end_time": now - day * DAY - 1,
            "user_id": user,
            "feature": feature,
            "cost_usd": cost,
        }
        for user, day, cost, feature in made
    ]
    answer = http_client.post(f"{platform.url}/api/v1/spans", json={"spans": spans}, headers=platform.headers)
    assert answer.status_code == 200, answer.text
    for span in spans:
        platform.wait_for_trace(str(span["trace_id"]))


def live(page: Page, name: str) -> Locator:
    """The chart once it answers to the pointer."""
    frame = page.locator(f"[data-chart={name}]")
    frame.scroll_into_view_if_needed()
    expect(frame).to_have_class(re.compile("is-live"))
    return frame.locator(".chart-live")


def point(page: Page, chart: Locator, place: int, of: int) -> None:
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * (place + 0.5) / of, box["y"] + box["height"] / 2, steps=4)


def said(chart: Locator) -> Locator:
    return chart.locator(".hovertext")


def click_until(page: Page, address: re.Pattern[str]) -> None:
    """On a busy machine the library may be drawing when the button goes down, and takes no click then."""
    for _ in range(3):
        page.mouse.down()
        page.mouse.up()
        with suppress(TimeoutError):
            return page.wait_for_url(address, timeout=5_000)
    return page.wait_for_url(address, timeout=1)


def test_a_chart_of_cost_says_zooms_and_leads(
    page: Page, platform: "Platform", spent: None, problems: list[str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/p/{platform.project_slug}/traces")
    assert not [url for url in asked if "plotly" in url]
    page.goto(f"/p/{platform.project_slug}/costs?range=7d")
    expect(page.locator("#spent")).to_contain_text("is 89.1 %")
    chart = live(page, "spend-data")
    # The drawing below keeps its place, and every bar is where it was drawn.
    drawn, now = page.locator(".spend-drawing").bounding_box(), chart.bounding_box()
    assert drawn == now
    point(page, chart, 5, 7)
    expect(said(chart)).to_contain_text("$2, 2 traces")
    expect(said(chart)).to_contain_text("<b>draft</b>")
    assert page.locator(".chart-live a, .chart-live b").count() == 0
    names = page.locator(".spend-names")
    expect(names).to_contain_text("query")
    # Its colours are those of the scheme.
    bar = chart.locator(".trace.bars path").first
    light = bar.evaluate("one => getComputedStyle(one).fill")
    page.emulate_media(color_scheme="dark")
    expect(chart.locator(".trace.bars path").first).not_to_have_css("fill", light)
    # Dragged over, the days become the range.
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 3.3 / 7, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 5.6 / 7, box["y"] + 80, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("$44.50 from")
    # Another breakdown comes without a new page, and with a chart that is alive.
    page.get_by_role("navigation", name="Break down by").get_by_role("link", name="Model").click()
    expect(page.locator("#spent")).to_contain_text("Cost by model")
    point(page, live(page, "spend-data"), 2, 3)
    expect(said(live(page, "spend-data"))).to_contain_text("2 traces")
    click_until(page, re.compile("/traces.*order=-cost"))
    expect(page.locator("[data-row]")).to_have_count(2)
    page.go_back()
    # By keyboard the same link is in the table.
    page.get_by_text("Each day as a table").press("Enter")
    page.get_by_role("table", name="Cost per day").get_by_role("link", name="$2.00").press("Enter")
    expect(page.locator("[data-row]")).to_have_count(2)
    assert problems == []


def test_a_column_of_users_leads_to_them_and_their_charts_share_a_cursor(
    page: Page, platform: "Platform", spent: None, problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/costs?range=7d")
    expect(page.locator("#spread")).to_have_text(
        "Half of the users cost less than $10.00 each in the last 7 days"
    )
    chart = live(page, "spread-data")
    columns = len(json.loads(page.locator("#spread-data").inner_text())["links"])
    point(page, chart, columns - 1, columns)
    expect(said(chart)).to_contain_text("1 user: $20.00 to $50.00 each")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".economics-table tbody tr")).to_have_count(1)
    expect(page.locator(".chip")).to_contain_text("costing $20.00 to $50.00")
    page.get_by_role("link", name="Remove: the cost").click()
    expect(page.locator(".economics-table tbody tr")).to_have_count(2)
    page.locator(".economics-table").get_by_role("link", name="ada", exact=True).click()
    costs, counts = live(page, "cost-data"), live(page, "count-data")
    places = len(json.loads(page.locator("#cost-data").inner_text())["links"])
    point(page, costs, places - 3, places)
    expect(said(costs)).to_be_visible()
    expect(said(counts)).to_be_visible()
    page.mouse.move(0, 0)
    expect(said(counts)).to_have_count(0)
    page.get_by_text("with traces, as a table").click()
    expect(page.get_by_role("table", name="Traces and cost per day").locator("tbody tr")).to_have_count(4)
    assert problems == []


def test_without_script_each_bar_is_a_link(plain_page: Page, platform: "Platform", spent: None) -> None:
    plain_page.goto(f"/p/{platform.project_slug}/costs?range=7d")
    expect(plain_page.locator(".spend-drawing a")).to_have_count(7)
    plain_page.locator(".histogram-drawing a").last.click()
    expect(plain_page.locator(".economics-table tbody tr")).to_have_count(1)
