"""Times as the browser's own clock has them."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import otlp
from tests.browser.conftest import TIMEOUT_MS, take_session

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser
IRAN = timedelta(hours=3, minutes=30)


def test_the_first_page_is_drawn_again_in_the_zone_of_the_browser(
    browser: Browser, platform: "Platform"
) -> None:
    sent = otlp.new_trace_id()
    platform.send(otlp.good_run(sent), "application/json")
    platform.wait_for_trace(sent)
    context = browser.new_context(base_url=platform.url, timezone_id="Asia/Tehran")
    context.set_default_timeout(TIMEOUT_MS)
    take_session(context, platform)
    page = context.new_page()
    page.goto(f"/p/{platform.project_slug}/traces")
    expect(page.locator(".zone-note")).to_have_text("Times in Asia/Tehran, your browser’s time zone.")
    (told,) = [one for one in context.cookies() if one["name"] == "zone"]
    assert (told["value"], told["sameSite"]) == ("Asia/Tehran", "Lax")
    started = page.locator("td.c-when time").first
    local = datetime.fromisoformat(str(started.get_attribute("datetime"))) + IRAN
    expect(started).to_have_attribute("title", re.compile(rf" UTC, {local:%Y-%m-%d %H:%M:%S}\.\d+ \+0330$"))
    page.get_by_label("Time range").click()
    expect(page.get_by_label("From")).to_have_value(re.compile(r"T\d\d:\d\d$"))
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    page.get_by_label("From").fill(f"{hour_ago + IRAN:%Y-%m-%dT%H:%M}")
    page.get_by_label("To", exact=True).fill(f"{hour_ago + IRAN + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Show this range").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("#plot a").first.wait_for(state="attached")
    address = str(page.locator("#plot a").first.get_attribute("data-address"))
    assert re.search(r"from=\d{4}-\d\d-\d\dT\d\d%3A\d\d(%3A\d\d)?Z&", address)
    page.goto(f"/p/{platform.project_slug}/costs")
    expect(page.locator(".zone-note")).to_contain_text("Days and times in UTC, the project’s time zone")
    context.close()
