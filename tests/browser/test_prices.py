"""From an unpriced call to its cost in a browser, with the worker that does it."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from costs.loading import FRESH_SECONDS
from tests.browser import otlp
from tests.browser.conftest import take_session

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def worker(platform: "Platform") -> Iterator[None]:
    """A Celery worker of the installation."""
    command = [sys.executable, "-m", "celery", "-A", "tracehouse.celery", "worker", "--pool", "solo"]
    log = (platform.data / "worker.log").open("wb")
    process = subprocess.Popen(
        [*command, "--loglevel", "INFO"], env={**os.environ, **platform.environment}, stdout=log, stderr=log
    )
    yield
    process.terminate()
    process.wait(timeout=40)
    log.close()


@pytest.fixture
def model() -> str:
    """A model that nobody knows, in two traces of a call each."""
    return f"acme-{secrets.token_hex(4)}"


def send_calls(platform: "Platform", model: str, calls: int) -> None:
    for _ in range(calls):
        trace_id = otlp.new_trace_id()
        step = otlp.Step(
            "chat",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "acme",
                "gen_ai.request.model": model,
                "gen_ai.response.model": model,
                "gen_ai.usage.input_tokens": 1_000_000,
                "gen_ai.usage.output_tokens": 100_000,
            },
        )
        assert platform.send(otlp.body(trace_id, [step]), "application/json").status_code == 200
        platform.wait_for_trace(trace_id)


def test_set_a_price_and_re_price(
    page: Page, platform: "Platform", worker: None, model: str, problems: list[str]
) -> None:
    send_calls(platform, model, 2)
    page.goto(f"/p/{platform.project_slug}/prices")
    row = page.locator("tr", has_text=model)
    expect(row).to_contain_text("2M")
    row.get_by_role("link", name=f"Set a price for {model}").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(model)
    expect(page.get_by_label("Provider")).to_have_value("acme")
    page.get_by_label("Input", exact=True).first.fill("3")
    page.get_by_label("Output", exact=True).first.fill("15")
    page.get_by_role("button", name="Save and see what re-pricing changes").click()
    # The numbers come from the worker, by themselves.
    expect(page.locator(".outcome")).to_contain_text("2 of 2 calls would change.", timeout=30_000)
    known_everywhere = time.monotonic() + FRESH_SECONDS
    expect(page.locator(".outcome")).to_contain_text("would cost $9.00 and were unpriced.")
    page.get_by_role("button", name="Re-price 2 calls").click()
    expect(page.locator(".outcome")).to_contain_text("2 of 2 calls changed.", timeout=30_000)
    page.get_by_role("link", name="Back to prices").click()
    expect(page.get_by_role("row", name=f"Change the price of {model}")).to_contain_text("$3.00")
    expect(page.get_by_role("link", name=f"Set a price for {model}")).to_have_count(0)
    page.goto(f"/p/{platform.project_slug}/traces?model={model}")
    expect(page.locator("td.c-cost").first).to_have_text("$4.50")
    # The next call is priced as it arrives, once both web processes have read the price.
    time.sleep(max(0, known_everywhere - time.monotonic()))
    send_calls(platform, model, 1)
    page.reload()
    expect(page.locator("td.c-cost")).to_have_text(["$4.50", "$4.50", "$4.50"])
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_price_pages_are_accessible(
    browser: Browser, platform: "Platform", model: str, scheme: Literal["light", "dark"], width: int
) -> None:
    send_calls(platform, model, 1)
    context = browser.new_context(
        base_url=platform.url, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    take_session(context, platform)
    page = context.new_page()
    slug, axe = platform.project_slug, Axe()
    paths = ("prices", f"prices/models/new?model={model}", "prices/tools/new", "prices/repricing")
    found = {}
    for path in paths:
        page.goto(f"/p/{slug}/{path}")
        found[path] = axe.run(page)
        scrolls = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not scrolls, path
    context.close()
    told = {path: result.generate_report() for path, result in found.items() if result.violations_count}
    assert not told, "\n".join(told.values())
