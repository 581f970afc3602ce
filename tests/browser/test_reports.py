"""The weekly report in a browser: switched on, looked at, sent by a real SMTP server, and shown as delivered."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import take_session
from tests.mail import Mailbox, parts_of, smtp_server

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser

SPENT = """
from datetime import timedelta
from django.utils import timezone
from costs import rollup
from tests.cast import store_spans
from tests.costs.money import invocations, plan
from tracehouse.tenancy.models import Project
project = Project.objects.get(slug="{slug}")
monday = timezone.now().date() - timedelta(days=timezone.now().weekday())
spans = []
for day in range(-14, 1):
    dollars = "40" if day == -2 else "3"
    spans += invocations(project, "u-1042", dollars, on=monday + timedelta(days=day), hour=0, feature="drafts")
    search = {{"hour": 0, "feature": "search", "count": 2, "unpriced": 1}}
    spans += invocations(project, "u-7 <b>bold</b>", "1", on=monday + timedelta(days=day), **search)
store_spans(spans)
plan(project, "u-1042", "30", since=monday - timedelta(days=60))
rollup.roll_up(project.pk, settle=timedelta(0))
"""
# What the timetable does, a week after the report was switched on.
A_WEEK_LATER = """
from datetime import timedelta
from django.utils import timezone
from costs import report_services
from costs.models import ReportSettings
found = ReportSettings.objects.get(project__slug="{slug}")
found.first_week -= timedelta(days=7)
found.weekday = found.hour = 0
found.save()
for delivery in report_services.make_due_reports(found.project_id, now=timezone.now()):
    report_services.deliver(delivery, now=timezone.now())
"""


@pytest.fixture
def mailbox(platform: "Platform") -> Iterator[Mailbox]:
    with smtp_server(urlsplit(platform.environment["TRACEHOUSE_SMTP_URL"]).port) as found:
        yield found


def test_from_switching_it_on_to_a_delivered_report(
    page: Page, browser: Browser, platform: "Platform", mailbox: Mailbox, problems: list[str]
) -> None:
    slug = platform.project_slug
    platform.run(SPENT.format(slug=slug))
    page.goto(f"/p/{slug}/costs/economics")
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("link", name="Send it every week").click()
    page.get_by_label("Send it every week").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("Give at least one recipient, or leave the report off.")
    assert [one[-17:] for one in problems] == ["400 (Bad Request)"]
    problems.clear()
    page.get_by_label("Recipients").fill("cfo@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The report is on.")).to_be_visible()

    page.get_by_role("link", name="Preview this week").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("so far in the week of")
    page.get_by_role("link", name="Last week").click()
    expect(page.get_by_role("heading", name="1 customer cost more than they pay")).to_be_visible()
    expect(page.get_by_role("table", name="Features that drove growth")).to_contain_text("dearer invocations")
    expect(page.get_by_role("table", name="7 unpriced calls")).to_be_visible()
    page.get_by_role("link", name="HTML mail").click()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", level=1)).to_contain_text("At least $65.00 in the week of")
    expect(mail.get_by_role("link", name="u-7 <b>bold</b>")).to_be_visible()
    page.get_by_role("link", name="Plain text").click()
    expect(page.get_by_label("The plain text of the mail")).to_contain_text("u-7 <b>bold</b>")
    page.get_by_role("button", name="Send to me now").click()
    expect(page.get_by_text(f"Sent to {platform.email}.")).to_be_visible()
    assert [one["To"] for one in mailbox.messages] == [platform.email]
    assert platform.url in parts_of(mailbox.messages[0])[1]

    platform.run(A_WEEK_LATER.format(slug=slug))
    page.goto(f"/p/{slug}/costs/reports")
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("1 sent")
    row.get_by_role("link").click()
    sent = page.get_by_role("table", name="Who it was sent to")
    expect(sent.get_by_role("row", name="cfo@example.com")).to_contain_text("sent")
    page.get_by_label("E-mail address").fill("cto@example.com")
    page.get_by_role("button", name="Send to this address").click()
    expect(sent.get_by_role("row", name="cto@example.com")).to_contain_text("sent")
    assert [one["To"] for one in mailbox.messages][1:] == ["cfo@example.com", "cto@example.com"]
    assert problems == []
    looked_at(browser, platform, page.url, "light", 390)
    looked_at(browser, platform, page.url, "dark", 1440)


def looked_at(
    browser: Browser, platform: "Platform", report: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """axe finds nothing, and nothing is wider than the window."""
    context = browser.new_context(
        base_url=platform.url, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    take_session(context, platform)
    page, axe, found = context.new_page(), Axe(), {}
    reports = f"/p/{platform.project_slug}/costs/reports"
    for path in (
        reports,
        report,
        f"{report}.html",
        f"{report}?as=text",
        f"{reports}/settings",
        f"{reports}/preview",
    ):
        page.goto(path)
        found[path] = axe.run(page)
        assert not page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        ), path
    context.close()
    told = {path: result.generate_report() for path, result in found.items() if result.violations_count}
    assert not told, "\n".join(told.values())
