"""A real Chromium, and people who are signed in."""

import re
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.cast import wait_for

if TYPE_CHECKING:
    from tests.conftest import Platform

NAMES = ("chromium", "chromium-browser", "google-chrome")
SESSION = """
from django.test import Client
from tracehouse.tenancy.models import User
client = Client()
client.force_login(User.objects.get(email="{email}"))
print(client.cookies["sessionid"].value)
"""
COUNTED = """
from ingest.models import IngestMinute
print(sum(IngestMinute.objects.filter(project__slug="{slug}").values_list("requests", flat=True)))
"""
# For a machine that others load too; what is there sooner is not waited for.
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)
# Whoever leaves a page ends its requests, of which htmx says only that something failed: what, the browser says.
LEFT = re.compile(r"request: net::ERR_ABORTED |htmx:(afterRequest|sendError)\b|error: undefined$")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(
            "The browser tests need Chromium: install it from your system's packages"
            " (on Debian: apt-get install chromium)."
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def platform(platform: "Platform") -> "Platform":
    """With a project that only one file's tests send to: what they sent stands first in its lists."""
    return platform.other_project("Browser")


@pytest.fixture
def context(browser: Browser, platform: "Platform") -> Iterator[BrowserContext]:
    made = browser.new_context(
        base_url=platform.url, viewport={"width": 1440, "height": 900}, timezone_id="UTC"
    )
    made.set_default_timeout(TIMEOUT_MS)
    yield made
    made.close()


@pytest.fixture
def problems() -> list[str]:
    """What the page complained about: uncaught errors, blocked scripts, dialogs."""
    return []


@pytest.fixture
def page(context: BrowserContext, platform: "Platform", problems: list[str]) -> Page:
    """An empty page of somebody who has signed in. Every problem in it ends up in `problems`."""

    def note(problem: str) -> None:
        if not LEFT.match(problem):
            problems.append(problem)

    take_session(context, platform)
    opened = context.new_page()
    opened.on("pageerror", lambda error: note(f"error: {error}"))
    opened.on("console", lambda message: note(message.text) if message.type == "error" else None)
    opened.on("dialog", lambda dialog: (note(f"dialog: {dialog.message}"), dialog.dismiss()))
    opened.on("requestfailed", lambda request: note(f"request: {request.failure} {request.url}"))
    return opened


@pytest.fixture
def plain_page(browser: Browser, platform: "Platform") -> Iterator[Page]:
    """Somebody who has signed in by the page, without JavaScript."""
    made = browser.new_context(base_url=platform.url, java_script_enabled=False)
    made.set_default_timeout(TIMEOUT_MS)
    opened = made.new_page()
    sign_in(opened, platform)
    yield opened
    made.close()


def wait_until_counted(platform: "Platform", slug: str, *, requests: int) -> None:
    """Counts of what arrived are written every few seconds."""
    wait_for(lambda: int(platform.run(COUNTED.format(slug=slug))) >= requests)


def take_session(context: BrowserContext, platform: "Platform") -> None:
    """A session as signing in makes it, without the way through the page."""
    key = platform.run(SESSION.format(email=platform.email))
    context.add_cookies([{"name": "sessionid", "value": key, "url": platform.url}])


def sign_in(page: Page, platform: "Platform") -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(platform.email)
    page.get_by_label("Password").fill(platform.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
