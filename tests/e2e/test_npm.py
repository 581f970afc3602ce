"""The JavaScript exporters, which send chunked bodies without Content-Length, through the same door."""

import http.client
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ingest.demo import marketing
from ingest.demo.otlp import requests
from tests.conftest import ROOT, Platform

PACKAGE = Path(__file__).parent / "npm"
FILES = ("package.json", "package-lock.json", "send.mjs")


@pytest.fixture(scope="module")
def node_project() -> Path:
    """The npm package with its locked dependencies, kept between runs in a folder that git ignores."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"{' and '.join(missing)} not found: install nodejs and npm (apt-get install nodejs npm)")
    folder = ROOT / "test-artifacts" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    locked = (PACKAGE / "package-lock.json").read_bytes()
    installed = folder / "package-lock.json"
    if not (folder / "node_modules").is_dir() or not installed.exists() or installed.read_bytes() != locked:
        _install(folder)
    shutil.copy(PACKAGE / "send.mjs", folder)
    return folder


@pytest.mark.parametrize("wire", ["json", "proto"])
def test_a_javascript_exporters_trace_arrives_whole(
    wire: str, node_project: Path, platform: Platform
) -> None:
    found: dict[str, Any] = dict(platform.wait_for_trace(_send(node_project, wire, platform), spans=3))
    kinds = {span["name"]: (span["kind"], span["status"]) for span in found["spans"]}
    assert kinds["execute_tool web_search"] == ("tool", "error")
    assert kinds["chat gpt-4.1-mini"][0] == "llm"
    assert kinds["agent.invocation"][0] == "agent"
    assert (found["user_id"], found["input_tokens"], found["output_tokens"]) == ("node-user", 1200, 80)


@pytest.mark.parametrize("wire", ["json", "proto"])
def test_a_javascript_exporters_long_prompt_is_redacted(
    wire: str, node_project: Path, platform: Platform
) -> None:
    found: dict[str, Any] = dict(platform.wait_for_trace(_send(node_project, wire, platform), spans=3))
    call = next(span for span in found["spans"] if span["kind"] == "llm")
    assert "node.person@example.com" not in str(call)
    assert call["redactions"]["email"] == 4000


def test_a_chunked_body_without_content_length_is_read(platform: Platform) -> None:
    ids = random.SystemRandom()
    trace = marketing.build(datetime.now(UTC), ids).traces[0]
    (request,) = requests([trace], ids)
    assert _post_chunked(platform, request.SerializeToString()) == http.HTTPStatus.OK
    found: dict[str, Any] = dict(platform.wait_for_trace(trace.trace_id, spans=trace.span_count))
    assert found["span_count"] == 5


def _post_chunked(platform: Platform, body: bytes) -> int:
    address = urlsplit(platform.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.request(
            "POST",
            "/v1/traces",
            _pieces(body),
            {**platform.headers, "Content-Type": "application/x-protobuf"},
            encode_chunked=True,
        )
        return connection.getresponse().status
    finally:
        connection.close()


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


def _install(folder: Path) -> None:
    for name in FILES:
        shutil.copy(PACKAGE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def _send(folder: Path, wire: str, platform: Platform) -> str:
    done = subprocess.run(
        ["node", "send.mjs", wire],
        cwd=folder,
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": platform.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{platform.secret_key}",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]
