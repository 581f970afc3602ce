"""The first span of a project, its keys, and going from one project to another."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import otlp
from tests.cast import http_client, wait_for

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture
def empty_project(platform: "Platform") -> str:
    """The slug of a project that never had a span."""
    return platform.other_project("Empty").project_slug


def secret_in(page: Page, block: str) -> str:
    found = re.search(r"sk-th-[\w-]+", page.locator(f"#{block}").inner_text())
    assert found
    return found[0]


def send(platform: "Platform", secret: str) -> int:
    response = http_client.post(
        f"{platform.url}/v1/traces",
        content=otlp.failed_run(otlp.new_trace_id(), name="first.run"),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    return response.status_code


def test_the_set_up_page_turns_into_the_list(
    page: Page, platform: "Platform", empty_project: str, problems: list[str]
) -> None:
    page.goto(f"/p/{empty_project}/traces")
    expect(page.get_by_role("heading", name="Send the first trace")).to_be_visible()
    page.get_by_role("button", name="Make a key and put it in").click()
    expect(page.get_by_text("it is shown only now")).to_be_visible()
    secret = secret_in(page, "snippet")
    assert f"{platform.url}/v1/traces" in page.locator("#snippet").inner_text()
    assert send(platform, secret) == 200
    expect(page.get_by_role("link", name="first.run")).to_be_visible(timeout=15_000)
    assert problems == []


def test_a_secret_is_shown_once_and_a_revoked_key_is_refused(
    page: Page, platform: "Platform", empty_project: str
) -> None:
    page.goto(f"/p/{empty_project}/settings")
    page.get_by_label("What will use it").fill("nightly job")
    page.get_by_role("button", name="Make a key").click()
    secret = secret_in(page, "secret")
    assert send(platform, secret) == 200
    page.reload()
    expect(page.get_by_role("cell", name="nightly job")).to_be_visible()
    assert secret not in page.content()
    page.get_by_label("Revoke nightly job").click()
    page.get_by_role("button", name="Revoke this key").click()
    expect(page.get_by_role("status")).to_contain_text("is revoked")
    # Within keys.FRESH_SECONDS, in each process.
    wait_for(lambda: [send(platform, secret) for _ in range(4)] == [401] * 4)


def test_the_switch_leads_to_another_project(page: Page, empty_project: str, platform: "Platform") -> None:
    page.goto(f"/p/{platform.project_slug}/traces")
    page.locator(".topbar summary").first.click()
    page.locator(f".menu-body a[href='/p/{empty_project}/traces']").click()
    expect(page).to_have_url(re.compile(f"/p/{empty_project}/traces$"))
    expect(page.locator(".topbar summary strong")).to_contain_text("Empty")
