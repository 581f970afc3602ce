"""From spans and a file of plans to who is under water, in a browser; and axe finds nothing on these pages."""

import re
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import otlp
from tests.browser.conftest import take_session
from tests.cast import http_client

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser

MAIL = "mara.jensen@fjordmail.no"
PLANS = f"user_id,plan,monthly_usd,from\nada,Pro,300,2026-01-01\n{MAIL},Starter,30,2026-01-01\n"


@pytest.fixture(scope="module")
def spent(platform: "Platform") -> None:
    """Two users: one costs cents, one a fortune and is known by her address."""
    now = time.time_ns() // 10**9
    costs = {"ada": "0.50", MAIL: "90"}
    spans = [
        {
            "trace_id": (trace_id := otlp.new_trace_id()),
            "span_id": trace_id[:16],
            "name": "chat",
            "kind": "llm",
            "start_time": now - 2,
            "end_time": now - 1,
            "user_id": user,
            "feature": "draft",
            "cost_usd": cost,
        }
        for user, cost in costs.items()
    ]
    answer = http_client.post(f"{platform.url}/api/v1/spans", json={"spans": spans}, headers=platform.headers)
    assert answer.status_code == 200, answer.text
    for span in spans:
        platform.wait_for_trace(str(span["trace_id"]))


def test_from_what_a_feature_cost_to_the_traces_that_come_to_it(
    page: Page, platform: "Platform", spent: None, problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/costs")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("$90.50 in the last 30 days")
    page.get_by_text("Last 30 days", exact=True).first.click()
    page.get_by_role("banner").get_by_role("link", name="This week").click()
    expect(heading).to_contain_text("$90.50 this week")
    expect(page.locator(".tile").first).to_contain_text("new")
    page.get_by_role("navigation", name="Break down by").get_by_role("link", name="Organization").click()
    expect(page.get_by_role("heading", name="Cost by organization")).to_be_visible()
    expect(page.locator(".breakdown tbody tr")).to_contain_text("(no organization)")
    page.get_by_role("navigation", name="Break down by").get_by_role("link", name="Feature").click()
    expect(page.get_by_role("heading", name="Cost by feature")).to_be_visible()
    expect(page.locator("#attention")).to_contain_text("No budget is near its limit.")
    page.locator(".breakdown").get_by_role("link", name="$90.50").click()
    expect(page.locator(".chip")).to_have_text([re.compile("draft")])
    expect(page.locator("[data-row]")).to_have_count(2)
    costs = page.locator("td.c-cost").all_inner_texts()
    assert sum(Decimal(cost.strip().removeprefix("$")) for cost in costs) == Decimal("90.50")
    page.go_back()
    page.locator(".spenders").first.get_by_role("link", name="ada", exact=True).click()
    expect(heading).to_have_text("ada")
    assert problems == []


def test_a_finance_person_finds_out_whether_the_top_tenth_earns(
    page: Page, platform: "Platform", spent: None, problems: list[str]
) -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_role("link", name="Costs").click()
    page.get_by_role("link", name="Unit economics").click()
    page.get_by_role("link", name="Import plans").click()
    page.get_by_label("Or its lines").fill(PLANS.replace(",30,", ",thirty,"))
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was taken: 1 line to mend")
    assert "400 (Bad Request)" in problems.pop()
    page.get_by_label("CSV file").set_input_files(
        {"name": "plans.csv", "mimeType": "text/csv", "buffer": PLANS.encode()}
    )
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The file would add 2 prices and change 0")
    expect(page.locator("body")).not_to_contain_text(MAIL)
    page.get_by_role("button", name="Import 2 prices").click()
    expect(page.get_by_role("status")).to_contain_text("2 prices are new")
    page.goto(f"/p/{platform.project_slug}/traces")
    follow_by_keyboard(page, "Costs")
    share = page.get_by_role("table", name="What the dearest tenth of the users cost").get_by_role("row")
    expect(share).to_contain_text(["", *(["1 of 2 $90.00 99.4 %"] * 4)], use_inner_text=True)
    follow_by_keyboard(page, "By day, week and month")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("The top 10 % of users cost 99.4 % of all in a day")
    follow_by_keyboard(page, "Month")
    expect(heading).to_have_text("The top 10 % of users cost 99.4 % of all in a month")
    follow_by_keyboard(page, "Day")
    expect(heading).to_contain_text("in a day")
    follow_by_keyboard(page, "Are we making money on the top 10 %?")
    expect(page.get_by_role("heading", name="The top 10 % of users lose us money")).to_be_visible()
    expect(page.locator(".tenth")).to_contain_text("1 user cost $90.00, 99.4 % of all that users cost")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Starter")
    expect(page.locator("tbody tr .tag-error")).to_have_text("under water")
    page.get_by_label("Show").select_option("Everybody")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="Margin", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("ada")
    page.locator("tbody tr").first.get_by_role("link", name="$0.50").click()
    expect(page.locator("table.traces tbody tr")).to_have_count(1)
    assert problems == []


def follow_by_keyboard(page: Page, name: str) -> None:
    """Tab to the link of that name, then Enter."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    pytest.fail(f"No link called {name!r} comes up by Tab on {page.url}")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_pages_of_money_are_accessible(
    browser: Browser, platform: "Platform", spent: None, width: int, scheme: Literal["light", "dark"]
) -> None:
    budget = {"subject": "each_user", "period": "day", "limit_usd": "50"}
    put = http_client.put(f"{platform.url}/api/v1/budgets", json=budget, headers=platform.headers)
    assert put.status_code == 200, put.text
    context = browser.new_context(
        base_url=platform.url, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    take_session(context, platform)
    page, axe, found = context.new_page(), Axe(), {}
    paths = (
        "",
        "?range=today&by=model",
        "/economics",
        "/top-users?by=week",
        "/outcomes?score=resolved",
        "/anomalies",
        "/plans",
        "/plans/import",
        "/budgets",
    )
    for path in paths:
        page.goto(f"/p/{platform.project_slug}/costs{path}")
        expect(page.get_by_text("Looking at every user…")).to_have_count(0)
        for chart in page.locator("[data-chart]").all():
            chart.scroll_into_view_if_needed()
            expect(chart).to_have_class(re.compile("is-live"))
        found[path] = axe.run(page)
        scrolls = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not scrolls, path
    context.close()
    told = {path: result.generate_report() for path, result in found.items() if result.violations_count}
    assert not told, "\n".join(told.values())
