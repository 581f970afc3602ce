"""The pages about ingest, as somebody reads them: refused requests show with what to do, limits are set and hold."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import otlp
from tests.browser.conftest import wait_until_counted
from tests.cast import http_client

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture
def project(platform: "Platform") -> tuple[str, str]:
    """The slug and a secret key of a project of its own."""
    made = platform.other_project("Ingest")
    return made.project_slug, made.secret_key


def send(platform: "Platform", secret: str, body: bytes) -> int:
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "User-Agent": "billing-agent/3.2",
    }
    return http_client.post(f"{platform.url}/v1/traces", content=body, headers=headers).status_code


def test_refused_requests_show_with_what_to_do(
    page: Page, platform: "Platform", project: tuple[str, str], problems: list[str]
) -> None:
    slug, secret = project
    page.goto(f"/p/{slug}/traces")
    page.get_by_role("link", name="Ingest", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible()
    assert [send(platform, secret, body) for body in (b"{", otlp.failed_run(otlp.new_trace_id()))] == [
        400,
        200,
    ]
    wait_until_counted(platform, slug, requests=2)
    page.reload()
    expect(page.get_by_role("heading", name="What arrived in the last 24 hours")).to_be_visible()
    expect(page.locator(".volume svg")).to_be_visible()
    page.get_by_role("link", name="The body could not be read").click()
    expect(page).to_have_url(re.compile(r"/ingest/rejected.*#malformed$"))
    section = page.locator("#malformed")
    expect(section).to_contain_text("Check that the exporter sends OTLP")
    expect(section.get_by_role("cell", name="billing-agent/3.2")).to_be_visible()
    assert problems == []


def test_a_limit_that_is_set_holds_and_shows(
    page: Page, platform: "Platform", project: tuple[str, str]
) -> None:
    slug, secret = project
    page.goto(f"/p/{slug}/settings")
    page.get_by_label("Spans a day").fill("3")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_role("status")).to_contain_text("The limits are saved")
    assert send(platform, secret, otlp.failed_run(otlp.new_trace_id())) == 200
    assert send(platform, secret, otlp.failed_run(otlp.new_trace_id())) == 429
    page.goto(f"/p/{slug}/ingest")
    row = page.get_by_role("row").filter(has_text="Today")
    expect(row).to_contain_text("3 spans")
    expect(row).to_contain_text("5 (166.7 %)")


def test_the_status_page_renews_itself(page: Page, project: tuple[str, str], problems: list[str]) -> None:
    page.clock.install()
    page.goto(f"/p/{project[0]}/ingest")
    with page.expect_response(lambda response: response.url.endswith("/ingest")) as answer:
        page.clock.fast_forward(16_000)
    assert answer.value.request.headers["hx-target"] == "ingest"
    expect(page.get_by_role("heading", name="The installation now")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_have_count(1)
    assert problems == []


def test_the_pages_work_without_script(plain_page: Page, project: tuple[str, str]) -> None:
    plain_page.goto(f"/p/{project[0]}/ingest")
    plain_page.get_by_role("link", name="Rejected").click()
    expect(plain_page.get_by_role("heading", name="Nothing was refused in the last 24 hours")).to_be_visible()
