"""axe finds nothing to say about any page, light or dark, wide or narrow; none is too wide or sends much script."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import otlp
from tests.browser.conftest import sign_in, wait_until_counted

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser

MOST_SCRIPT = 300_000
# Bytes of each script of a page, unpacked, by its address.
SCRIPTS = """() => Object.fromEntries(performance.getEntriesByType("resource")
  .filter((one) => one.initiatorType === "script").map((one) => [one.name, one.decodedBodySize]))"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_MENUS = "() => document.querySelectorAll('details.menu').forEach((menu) => { menu.open = true; })"


@dataclass
class Visits:
    """What there is to say against the pages that were opened."""

    page: Page
    axe: Axe = field(default_factory=Axe)
    told: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(path)
        self.check(path)
        if (more := self.page.evaluate(TOO_WIDE)) > 0:
            self.told.append(f"{path} is {more} pixels wider than the screen")
        self._weigh(path)

    def check(self, what: str) -> None:
        found: Any = self.axe.run(self.page, options={"resultTypes": ["violations"]})
        if found.violations_count:
            self.told.append(f"{what}: {found.generate_report()}")

    def _weigh(self, path: str) -> None:
        scripts = self.page.evaluate(SCRIPTS)
        library = sum(size for name, size in scripts.items() if "/plotly" in name)
        own = sum(scripts.values()) - library
        if not 0 < own <= MOST_SCRIPT:
            self.told.append(f"{path} sends {own} bytes of script apart from the library of charts")
        if library and not self.page.locator("[data-chart]").count():
            self.told.append(f"{path} loads the library of charts and has none")


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


@pytest.fixture(scope="module")
def empty(platform: "Platform") -> "Platform":
    """A project that nothing was sent to."""
    return platform.other_project("Empty")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_accessible(
    browser: Browser,
    platform: "Platform",
    trace_id: str,
    good_id: str,
    empty: "Platform",
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    context = browser.new_context(
        base_url=platform.url, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    visits = Visits(page)
    visits.open("/sign-in")
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
        f"/p/{slug}/traces/{otlp.new_trace_id()}",
        f"/p/{slug}/traces?cursor=another",
        f"/p/{empty.project_slug}/traces",
        f"/p/{slug}/compare?a={good_id}&b={trace_id}",
        f"/p/{slug}/compare?b={trace_id}",
        f"/p/{slug}/sessions",
        f"/p/{slug}/sessions?feature=none",
        f"/p/{slug}/session?id=talk/{trace_id}",
        f"/p/{slug}/session?id=none",
        f"/p/{slug}/users?status=error",
        f"/p/{slug}/organizations",
        f"/p/{slug}/organization?id=acme",
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
        visits.open(path)
    for path in (f"/p/{slug}/traces", f"/p/{slug}/traces/{trace_id}?view=graph"):
        page.goto(path)
        page.evaluate(OPEN_MENUS)
        visits.check(f"{path} with its menus open")
        page.keyboard.press("?")
        visits.check(f"{path} with its list of keys")
    context.close()
    assert not visits.told, "\n".join(visits.told)
