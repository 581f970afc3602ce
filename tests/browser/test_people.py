"""From a user's complaint to the trace of it: users, a user, their session, and the lists that figures lead to."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import otlp
from tests.browser.otlp import Step

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.browser


def turn(
    platform: "Platform", user: str, session: str, *, question: str, error: str = "", organization: str = ""
) -> str:
    trace_id = otlp.new_trace_id()
    said = {"input.value": question, "output.value": "" if error else "It is done."}
    whose = {
        "openinference.span.kind": "AGENT",
        "user.id": user,
        "session.id": session,
        **({"tracehouse.organization.id": organization} if organization else {}),
    }
    platform.send(
        otlp.body(trace_id, [Step("support.turn", ms=900, error=error, attributes={**said, **whose})]),
        "application/json",
    )
    platform.wait_for_trace(trace_id)
    return trace_id


def test_from_a_user_to_the_failed_turn_of_a_session(
    page: Page, platform: "Platform", problems: list[str]
) -> None:
    user, session = f"team/{otlp.new_trace_id()[:8]} & co", f"talk #{otlp.new_trace_id()[:8]}?"
    turn(platform, user, session, question="Can you refund order 88213?")
    failed = turn(platform, user, session, question="Are you sure?", error="context window exceeded")
    page.goto(f"/p/{platform.project_slug}/traces")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Users").click()
    page.get_by_role("link", name=user).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(user)
    page.get_by_role("link", name=session).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(session)
    turns = page.locator(".turn")
    expect(turns.first).to_contain_text("Can you refund order 88213?")
    expect(turns.first).to_contain_text("It is done.")
    expect(turns.last).to_contain_text("context window exceeded")
    turns.last.get_by_role("link", name="support.turn").click()
    expect(page).to_have_url(re.compile(f"{failed}$"))
    page.go_back()
    page.locator(".strip").get_by_role("link", name=user).click()
    page.locator(".strip > div", has_text="Failed").get_by_role("link").click()
    expect(page.locator(".chip")).to_have_text([re.compile("that failed"), re.compile("by user")])
    expect(page.locator("[data-row]")).to_have_count(1)

    # Where the headings have no room, a menu orders the lists.
    for kind in ("sessions", "users", "organizations"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(f"/p/{platform.project_slug}/{kind}")
        expect(page.get_by_text("Order", exact=True)).to_be_hidden()
        page.set_viewport_size({"width": 390, "height": 800})
        expect(page.get_by_role("columnheader", name="Cost")).to_be_hidden()
        page.get_by_text("Order", exact=True).click()
        page.get_by_role("link", name="Dearest first").click()
        expect(page).to_have_url(re.compile(r"order=-cost$"))
    assert problems == []


def test_from_an_organization_to_a_session_that_is_called_wrong_and_back_to_its_traces(
    page: Page, platform: "Platform", problems: list[str]
) -> None:
    mark = otlp.new_trace_id()[:8]
    user, session, organization = f"user {mark}", f"session {mark}", f"Müller & {mark}"
    turn(platform, user, session, question="When does it end?", organization=organization)
    page.goto(f"/p/{platform.project_slug}/organizations")
    page.get_by_role("link", name=organization).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(organization)
    page.get_by_role("link", name=user).click()
    page.get_by_role("link", name=session).click()
    said = page.locator("#scores-session")
    said.get_by_role("button", name="Wrong").click()
    expect(said.get_by_role("button", name="Wrong", pressed=True)).to_be_focused()
    expect(said.locator(".score")).to_contain_text("you, just now")
    page.locator(".back a").click()
    row = page.locator("tbody tr", has=page.get_by_role("link", name=session))
    expect(row.get_by_role("img", name="wrong")).to_be_visible()
    page.goto(f"/p/{platform.project_slug}/traces?score=feedback%3Dwrong")
    row = page.locator("tbody tr", has_text=user)
    expect(row.locator(".score-cell")).to_contain_text("session")
    assert problems == []
