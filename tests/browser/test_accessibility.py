"""axe finds nothing to say about any page, light or dark, wide or narrow."""

from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser import otlp
from tests.browser.conftest import sign_in, wait_until_counted

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def trace_id(platform: "Platform") -> str:
    """A failed trace, beside a refused request, so that there is something on every page."""
    sent = otlp.new_trace_id()
    assert platform.send(otlp.failed_run(sent), "application/json").status_code == 200
    assert platform.send(b"{", "application/json").status_code == 400
    platform.wait_for_trace(sent, spans=5)
    platform.score(trace_id=sent, name="feedback", value="wrong", comment="No such date.")
    wait_until_counted(platform, platform.project_slug, requests=2)
    return sent


@pytest.fixture(scope="module")
def good_id(platform: "Platform") -> str:
    """A trace that did not fail, to put beside the other one."""
    sent = otlp.new_trace_id()
    assert platform.send(otlp.good_run(sent), "application/json").status_code == 200
    platform.wait_for_trace(sent, spans=3)
    return sent


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_accessible(
    browser: Browser,
    platform: "Platform",
    trace_id: str,
    good_id: str,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    context = browser.new_context(
        base_url=platform.url, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    axe = Axe()
    page.goto("/sign-in")
    found = {"/sign-in": axe.run(page)}
    sign_in(page, platform)
    slug = platform.project_slug
    for path in (
        f"/p/{slug}/traces?status=error",
        f"/p/{slug}/traces?live=1&columns=session.tags.models.spans.latency.user.cost.release.errors.calls.tokens",
        f"/p/{slug}/traces/views",
        f"/p/{slug}/traces?user_id=nobody",
        f"/p/{slug}/traces/{trace_id}",
        f"/p/{slug}/traces/{trace_id}?view=graph&show=diff",
        f"/p/{slug}/traces/{trace_id}?show=otlp",
        f"/p/{slug}/compare?a={good_id}&b={trace_id}",
        f"/p/{slug}/compare?b={trace_id}",
        f"/p/{slug}/sessions",
        f"/p/{slug}/sessions?feature=none",
        f"/p/{slug}/session?id=talk/{trace_id}",
        f"/p/{slug}/users?status=error",
        f"/p/{slug}/user?id=u-1042&range=7d",
        f"/p/{slug}/ingest",
        f"/p/{slug}/ingest/rejected",
        f"/p/{slug}/ingest/rejected?from=2001-01-01T00:00&to=2001-01-02T00:00",
        f"/p/{slug}/redaction",
        f"/p/{slug}/redaction/rules",
        f"/p/{slug}/settings",
        "/status",
        "/nowhere",
    ):
        page.goto(path)
        found[path] = axe.run(page)
    context.close()
    told = {path: result.generate_report() for path, result in found.items() if result.violations_count}
    assert not told, "\n".join(told.values())
