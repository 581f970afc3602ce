"""Real SDKs, configured by their own environment variables alone, and what the platform shows of them."""

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.conftest import Platform
from tests.e2e import anthropic_stand_in

SCRIPTS = Path(__file__).parent / "scripts"
EMAILS = ("ada.byron@example.com", "grace.hopper@example.com")


@pytest.fixture(scope="module")
def sdk_trace(platform: Platform) -> dict[str, Any]:
    trace_id = _run("opentelemetry_sdk.py", platform)
    return dict(platform.wait_for_trace(trace_id, spans=3))


@pytest.fixture(scope="module")
def anthropic_trace(platform: Platform) -> dict[str, Any]:
    with anthropic_stand_in.running() as base_url:
        trace_id = _run("anthropic_openinference.py", platform, ANTHROPIC_BASE_URL=base_url)
    return dict(platform.wait_for_trace(trace_id, spans=2))


def test_the_opentelemetry_sdk_gives_an_agent_a_model_call_and_a_tool(sdk_trace: dict[str, Any]) -> None:
    kinds = {span["name"]: (span["kind"], span["parent_id"] is None) for span in sdk_trace["spans"]}
    assert kinds == {
        "invoke_agent travel-agent": ("agent", True),
        "chat claude-sonnet-4-5": ("llm", False),
        "execute_tool send_mail": ("tool", False),
    }


def test_the_opentelemetry_sdks_trace_is_summed_and_priced(sdk_trace: dict[str, Any]) -> None:
    shown = {
        key: sdk_trace[key] for key in ("user_id", "llm_calls", "tool_calls", "input_tokens", "output_tokens")
    }
    assert shown == {
        "user_id": "u-1",
        "llm_calls": 1,
        "tool_calls": 1,
        "input_tokens": 1000,
        "output_tokens": 200,
    }
    # 1,000 tokens in at 3 dollars and 200 out at 15 dollars a million.
    assert isinstance(sdk_trace["cost_usd"], str)
    assert Decimal(sdk_trace["cost_usd"]) == Decimal("0.006")


def test_an_instrumented_anthropic_client_gives_a_model_call(anthropic_trace: dict[str, Any]) -> None:
    call = next(span for span in anthropic_trace["spans"] if span["kind"] == "llm")
    usage = {key: call["usage"][key] for key in ("input", "input_uncached", "cache_read", "output")}
    assert call["model"] == "claude-sonnet-4-5-20250929"
    assert call["provider"] == "anthropic"
    assert usage == {"input": 1200, "input_uncached": 900, "cache_read": 300, "output": 40}


def test_an_instrumented_anthropic_call_is_priced_with_its_cache(anthropic_trace: dict[str, Any]) -> None:
    assert isinstance(anthropic_trace["cost_usd"], str)
    # 900 at 3 dollars, 300 read from the cache at 0.30, 40 out at 15 dollars a million.
    assert Decimal(anthropic_trace["cost_usd"]) == Decimal("0.00339")


def test_an_anthropic_conversation_is_shown_as_messages(anthropic_trace: dict[str, Any]) -> None:
    call = next(span for span in anthropic_trace["spans"] if span["kind"] == "llm")
    roles = [message["role"] for message in [*call["input"], *call["output"]]]
    assert roles == ["system", "user", "assistant"]


@pytest.mark.parametrize("name", ["sdk_trace", "anthropic_trace"])
def test_no_e_mail_address_is_in_the_answer(name: str, request: pytest.FixtureRequest) -> None:
    text = json.dumps(request.getfixturevalue(name))
    assert not [email for email in EMAILS if email in text]
    assert "+1 415 555 2671" not in text


@pytest.mark.parametrize("name", ["sdk_trace", "anthropic_trace"])
def test_redactions_are_counted(name: str, request: pytest.FixtureRequest) -> None:
    spans = request.getfixturevalue(name)["spans"]
    assert sum((span["redactions"] or {}).get("email", 0) for span in spans) > 0


@pytest.mark.parametrize("name", ["sdk_trace", "anthropic_trace"])
def test_the_page_shows_every_span_and_no_e_mail_address(
    name: str, request: pytest.FixtureRequest, signed_in: httpx.Client, platform: Platform
) -> None:
    found = request.getfixturevalue(name)
    page = signed_in.get(f"/p/{platform.project_slug}/traces/{found['trace_id']}")
    assert page.status_code == 200
    assert all(span["name"] in page.text for span in found["spans"])
    assert not [email for email in EMAILS if email in page.text]


@pytest.fixture(scope="module")
def signed_in(platform: Platform) -> Any:
    """A browser's connection after signing in as the first administrator."""
    with httpx.Client(base_url=platform.url, follow_redirects=True, timeout=30) as client:
        form = client.get("/sign-in")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token, form.text[:500]
        answer = client.post(
            str(form.url),
            data={"username": platform.email, "password": platform.password, "csrfmiddlewaretoken": token[1]},
            headers={"Referer": str(form.url)},
        )
        assert answer.status_code == 200
        yield client


def _run(script: str, platform: Platform, **environment: str) -> str:
    """Runs a script as its own program and returns the trace id that it prints."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script)],
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": platform.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{platform.secret_key}",
            "OTEL_SERVICE_NAME": script.removesuffix(".py"),
            **environment,
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]
