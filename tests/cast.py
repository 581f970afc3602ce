"""The people and things that tests speak of, and how a test installation is put on its feet."""

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection

from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.embedded.stores import StoreUrls
from tracehouse.tenancy import services
from tracehouse.tenancy.models import Membership, Project, Team, User
from traces import store
from traces.span import Span

PASSWORD = "correct horse battery"


def team(name: str, owner: User) -> Team:
    return services.create_team(name=name, owner=owner)


def project(of: Team, name: str, owner: User) -> Project:
    return services.create_project(team=of, name=name, actor=owner.email)


def member(of: Team, email: str, role: str) -> User:
    user = User.objects.create_user(email, PASSWORD)
    Membership.objects.create(team=of, user=user, role=role)
    return user


def secret_key(of: Project, actor: User) -> str:
    return services.create_api_key(project=of, name="test", actor=actor).secret


def store_spans(spans: list[Span]) -> None:
    insert_json_lines(store.TABLE, io.BytesIO(b"".join(store.json_lines(spans))), token=uuid.uuid4().hex)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postgresql_away() -> Iterator[None]:
    """PostgreSQL does not answer this process."""

    def refuse(*args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield


@contextmanager
def running_platform(
    stores: StoreUrls, data: Path, root: Path
) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Migrates, bootstraps and serves with gunicorn on given stores; yields the environment and the first key."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": stores.database_url,
        "CLICKHOUSE_URL": stores.clickhouse_url,
        "REDIS_URL": stores.redis_url,
        "TRACEHOUSE_SECRET_KEY": "only-for-tests-" + "y" * 40,
        "TRACEHOUSE_DATA": str(data),
        "TRACEHOUSE_PORT": str(port),
        "TRACEHOUSE_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "tracehouse.settings.base",
        "PYTHONWARNINGS": "default",
    }
    for command in ("migrate", "migrate_clickhouse"):
        _manage(root, environment, command)
    first = json.loads(_manage(root, environment, "bootstrap"))
    log = (data / "web.log").open("wb")
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:tracehouse.gunicorn", "tracehouse.wsgi:application"],
        cwd=root,
        env=environment,
        stdout=log,
        stderr=log,
    )
    try:
        _wait_until_ready(environment["TRACEHOUSE_URL"], web, data / "web.log")
        yield environment, first
    finally:
        web.terminate()
        web.wait(timeout=40)
        log.close()


def _manage(root: Path, environment: dict[str, str], command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _wait_until_ready(url: str, web: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10):
                return
        except OSError:  # not yet, or slow to answer on a busy machine
            assert web.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())
