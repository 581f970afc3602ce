"""Real stores for the tests, started when the first test asks for them, and the fixed cast."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2 as httpx
import pytest
from django.conf import settings
from django.db import connections
from hypothesis import settings as hypothesis_settings

from tests import cast
from tests.cast import http_client
from tests.interpreter import Interpreter
from tracehouse.embedded.stores import StoreUrls, running_stores
from tracehouse.tenancy.models import Project, Role, Team, User
from traces.span import Span

# How long an example takes says how busy the machine is.
hypothesis_settings.register_profile("tracehouse", deadline=None)
hypothesis_settings.load_profile("tracehouse")

ROOT = Path(__file__).resolve().parent.parent
# As `manage.py` does it; the last one prints what it made.
PREPARE = """
from django.core.management import call_command
for command in ("migrate", "migrate_clickhouse", "bootstrap"):
    call_command(command)
"""
NEW_PROJECT = """
import json
from tracehouse.tenancy import services
from tracehouse.tenancy.models import Project, Team
project = services.create_project(team=Team.objects.order_by("pk").first(), name="{name}", actor="test")
Project.objects.filter(pk=project.pk).update(**{fields})
made = services.create_api_key(project=project, name="test", actor=None)
keys = {{"public_key": made.key.public_key, "secret_key": made.secret}}
print(json.dumps({{"project_slug": project.slug, **keys}}))
"""


@pytest.fixture(scope="session")
def store_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tracehouse-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def stores(store_folder: Path) -> Iterator[StoreUrls]:
    """PostgreSQL, the ClickHouse engine and Valkey, started once a run."""
    with running_stores(store_folder) as urls:
        yield urls


@pytest.fixture(scope="session")
def django_db_modify_db_settings(stores: StoreUrls) -> None:
    url = urlsplit(stores.database_url)
    connections["default"].settings_dict.update(
        NAME=url.path.lstrip("/"),
        USER=url.username,
        PASSWORD=url.password,
        HOST=url.hostname,
        PORT=str(url.port),
        CONN_MAX_AGE=0,
    )


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The databases go with the stores; dropping them first would fail on a connection that a thread still has."""
    return True


@pytest.fixture(scope="session")
def _clickhouse_schema(stores: StoreUrls) -> Iterator[str]:
    from tracehouse.clickhouse import client, migrate

    url = urlunsplit(urlsplit(stores.clickhouse_url)._replace(path="/test"))
    settings.CLICKHOUSE_URL = url
    migrate.apply_all()
    yield url
    client.forget_client()


@pytest.fixture
def clickhouse(_clickhouse_schema: str, settings: object) -> Iterator[None]:
    """The ClickHouse engine with our tables, empty again after the test."""
    from tracehouse.clickhouse import client

    settings.CLICKHOUSE_URL = _clickhouse_schema  # type: ignore[attr-defined]
    yield
    for table in ("spans", "traces", "trace_costs", "cost_sums", "scores"):
        client.client().command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def store_spans(clickhouse: None) -> Callable[[list[Span]], None]:
    """Writes spans the way the drain does."""
    return cast.store_spans


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.com", cast.PASSWORD)


@pytest.fixture
def team(owner: User) -> Team:
    return cast.team("Team one", owner)


@pytest.fixture
def project(team: Team, owner: User) -> Project:
    return cast.project(team, "Agents", owner)


@pytest.fixture
def teammate(team: Team) -> User:
    return cast.member(team, "teammate@example.com", Role.MEMBER)


@pytest.fixture
def viewer(team: Team) -> User:
    return cast.member(team, "viewer@example.com", Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Owner of another team, with a project of its own."""
    user = User.objects.create_user("stranger@example.com", cast.PASSWORD)
    cast.project(cast.team("Team two", user), "Elsewhere", user)
    return user


@pytest.fixture
def api_key(project: Project, owner: User) -> str:
    """A secret key of the project."""
    return cast.secret_key(project, owner)


@pytest.fixture(autouse=True)
def _nothing_is_cached() -> Iterator[None]:
    from costs import loading
    from ingest import policies
    from tracehouse.tenancy import keys

    caches = keys.cache, policies.cache, loading.cache
    for cache in caches:
        cache.forget_all()
    yield
    for cache in caches:
        cache.forget_all()


@dataclass(frozen=True)
class Platform:
    """A running installation: gunicorn on the real stores."""

    url: str
    data: Path
    environment: dict[str, str]
    email: str
    password: str
    public_key: str
    secret_key: str
    project_slug: str
    interpreter: Interpreter

    def get(self, path: str, **parameters: object) -> httpx.Response:
        return http_client.get(self.url + path, params=parameters, headers=self.headers)  # type: ignore[arg-type]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret_key}"}

    def send(
        self, body: bytes, content_type: str = "application/x-protobuf", **headers: str
    ) -> httpx.Response:
        return http_client.post(
            f"{self.url}/v1/traces",
            content=body,
            headers={**self.headers, "Content-Type": content_type, **headers},
        )

    def score(self, **fields: object) -> None:
        answer = http_client.post(f"{self.url}/api/v1/scores", json=fields, headers=self.headers)
        assert answer.status_code == 200, answer.text

    def wait_for_trace(
        self, trace_id: str, *, spans: int = 1, until: Callable[[Any], object] = bool
    ) -> dict[str, object]:
        """The trace once it is visible with that many spans, as `until` wants it, and listed.

        Each request may reach another process, and each process stores at its own moment: say all that is waited for.
        The index that lists read is committed a moment after the spans.
        """
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            response = self.get(f"/api/v1/traces/{trace_id}")
            found: Any = response.json() if response.status_code == 200 else {"spans": [], "span_count": 0}
            whole = min(len(found["spans"]), found["span_count"]) >= spans
            if whole and until(found) and self._is_listed(found):
                shown: dict[str, object] = found
                return shown
            time.sleep(0.05)
        raise AssertionError(f"trace {trace_id} did not show: {response.status_code} {response.text[:1000]}")

    def _is_listed(self, trace: dict[str, Any]) -> bool:
        start = datetime.fromisoformat(trace["start_time"])
        window = {"from": start.isoformat(), "to": (start + timedelta(seconds=1)).isoformat()}
        listed = self.get("/api/v1/traces", **window, limit=200).json()["data"]
        return trace["trace_id"] in {one["trace_id"] for one in listed}

    def run(self, code: str) -> str:
        """What code prints that runs inside the installation."""
        return self.interpreter.run(code)

    def other_project(self, name: str, **fields: object) -> "Platform":
        """The same installation for the sender and the readers of a new project of the same team."""
        made = self.run(NEW_PROJECT.format(name=f"{name} {secrets.token_hex(3)}", fields=fields))
        return replace(self, **json.loads(made))

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@pytest.fixture(scope="session")
def platform(stores: StoreUrls) -> Iterator[Platform]:
    """One running installation for all end-to-end tests."""
    with tempfile.TemporaryDirectory(prefix="tracehouse-web-") as folder:
        environment = cast.environment_of(stores, Path(folder))
        with closing(Interpreter(ROOT, environment)) as interpreter:
            first = json.loads(interpreter.run(PREPARE).splitlines()[-1])
            with cast.served(environment, ROOT):
                yield Platform(
                    url=environment["TRACEHOUSE_URL"],
                    data=Path(folder),
                    environment=environment,
                    email=first["email"],
                    password=first["password"],
                    public_key=first["public_key"],
                    secret_key=first["secret_key"],
                    project_slug=first["project"],
                    interpreter=interpreter,
                )


os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "true"
)  # Playwright's loop runs beside the ORM in browser tests
