"""`make demo` against a running installation: every link leads to what it promises."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Platform

FAILED = "Marketing assistant, failed: context window exceeded"


@pytest.fixture(scope="module")
def links(platform: Platform) -> dict[str, str]:
    """Title -> address, as the command prints them."""
    printed = platform.manage("demo")
    return dict(re.findall(r"^  (\S.*?)  +(http\S+)$", printed, re.MULTILINE))


def test_the_failed_run_reads_at_a_glance(links: dict[str, str], platform: Platform) -> None:
    trace = _trace(platform, links[FAILED])
    root = next(span for span in trace["spans"] if span["parent_id"] is None)
    children = [
        (span["name"], span["latency_ms"], span["status"]) for span in trace["spans"] if span["parent_id"]
    ]
    assert (root["name"], root["latency_ms"], trace["status"]) == ("agent.invocation", 10_200, "error")
    assert children == [
        ("llm.claude.call", 2100, "ok"),
        ("tool.hubspot_query", 6800, "ok"),
        ("tool.ga4_query", 900, "ok"),
        ("llm.claude.call", 400, "error"),
    ]


def test_the_failed_call_says_why(links: dict[str, str], platform: Platform) -> None:
    trace = _trace(platform, links[FAILED])
    failed = [span for span in trace["spans"] if span["status"] == "error" and span["kind"] == "llm"]
    assert [span["status_message"][:23] for span in failed] == ["context window exceeded"]
    assert failed[0]["events"][0]["attributes"]["exception.type"] == "anthropic.BadRequestError"


def test_the_failed_run_belongs_to_its_user_and_customer(links: dict[str, str], platform: Platform) -> None:
    trace = _trace(platform, links[FAILED])
    shown = {key: trace[key] for key in ("user_id", "organization_id", "session_id", "feature", "input_type")}
    assert shown == {
        "user_id": "u-1042",
        "organization_id": "northwind-outdoor",
        "session_id": "s-spring-webinar",
        "feature": "draft",
        "input_type": "text",
    }


def test_nothing_personal_of_the_failed_run_is_shown(links: dict[str, str], platform: Platform) -> None:
    text = str(_trace(platform, links[FAILED]))
    assert "priya.natarajan@northwind-outdoor.com" not in text
    assert "+1 415 555 2671" not in text


def test_users_and_a_judge_have_scored_some_traces(links: dict[str, str], platform: Platform) -> None:
    scores = platform.get("/api/v1/scores", limit=200).json()["data"]
    demo = [score for score in scores if score["id"].startswith("demo-")]
    assert {score["name"] for score in demo} == {"feedback", "quality"}
    assert {"up", "down", "wrong"} <= {score["value"] for score in demo}
    assert all(platform.get(f"/api/v1/traces/{score['trace_id']}").status_code == 200 for score in demo[:3])


def test_the_mcp_server_hangs_under_its_client(links: dict[str, str], platform: Platform) -> None:
    spans = _trace(platform, links["MCP: client and server spans in one tree"])["spans"]
    client, server = (span for span in spans if span["name"] == "tools/call search_tickets")
    assert server["parent_id"] == client["span_id"]
    assert client["resource"]["service.name"] == "support-copilot"
    assert server["resource"]["service.name"] == "mcp-ticketing"


def test_the_retrieval_has_every_kind(links: dict[str, str], platform: Platform) -> None:
    spans = _trace(platform, links["Retrieval: embedding, retriever, reranker (OpenInference)"])["spans"]
    assert {span["kind"] for span in spans} == {"workflow", "retriever", "embedding", "reranker", "llm"}


def test_a_model_without_a_price_is_unpriced_and_not_free(links: dict[str, str], platform: Platform) -> None:
    trace = _trace(platform, links["A model without a price: unpriced, not 0"])
    call = next(span for span in trace["spans"] if span["kind"] == "llm")
    assert (call["cost_state"], call["cost_usd"], trace["unpriced_calls"]) == ("unpriced", None, 1)


def test_the_deep_agent_is_whole(links: dict[str, str], platform: Platform) -> None:
    assert _trace(platform, links["A deep agent of sixty spans"])["span_count"] == 60


def test_the_session_has_four_turns_of_one_user(links: dict[str, str], platform: Platform) -> None:
    last = _trace(platform, links["Streamed chat, last turn of a session"])
    turns = platform.get("/api/v1/traces", session_id=last["session_id"]).json()["data"]
    assert len(turns) == 4
    assert {turn["user_id"] for turn in turns} == {last["user_id"]}
    assert "@" not in last["user_id"]


def test_the_lists_link_to_the_projects_pages(links: dict[str, str], platform: Platform) -> None:
    base = f"{platform.url}/p/{platform.project_slug}/"
    assert links["Failed traces"].startswith(f"{base}traces?status=error")
    assert all(address.startswith(base) for address in links.values())


def test_some_of_the_top_tenth_pay_for_themselves_and_some_do_not(
    links: dict[str, str], platform: Platform
) -> None:
    assert "/costs/economics?only=top" in links["The top 10 % of users, and what they leave"]
    today = datetime.now(UTC).date()
    days = {"from": f"{today - timedelta(days=6)}", "to": f"{today}"}
    found = platform.get("/api/v1/unit-economics", order="-cost", limit=20, **days).json()["data"]
    margins = [float(one["margin_usd"]) for one in found if one["margin_usd"] is not None]
    assert min(margins) < 0 < max(margins)
    assert any(one["revenue_usd"] is None for one in found)


def test_no_key_of_the_demo_is_left(links: dict[str, str], platform: Platform) -> None:
    left = platform.run(
        "from tracehouse.tenancy.models import ApiKey;"
        " print(ApiKey.objects.filter(name='demo', revoked_at__isnull=True).count())",
    )
    assert links
    assert left == "0"


def _trace(platform: Platform, address: str) -> dict[str, Any]:
    found: dict[str, Any] = platform.get(f"/api/v1/traces/{address.rsplit('/', 1)[1]}").json()
    return found
