"""The people and things that tests speak of, and how a test installation is put on its feet."""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx2 as httpx
from django.db import OperationalError, connection

from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.embedded.folder import DataFolder
from tracehouse.embedded.stores import StoreUrls
from tracehouse.tenancy import services
from tracehouse.tenancy.models import Membership, Project, Team, User
from traces import store
from traces.span import Span

PASSWORD = "correct horse battery"
Found = TypeVar("Found")
# A connection for each request, so that every web process gets some; setting up TLS would cost more than the request.
http_client = httpx.Client(verify=False, limits=httpx.Limits(max_keepalive_connections=0), timeout=60)


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
    lines = io.BytesIO(b"".join(store.json_lines(spans)))
    insert_json_lines(store.TABLE, lines, token=uuid.uuid4().hex, later=store.INDEXED_LATER)


def wait_for(read: Callable[[], Found], seconds: float = 60) -> Found:
    """What `read` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := read():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


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


def environment_of(stores: StoreUrls, data: Path) -> dict[str, str]:
    """What an installation on these stores runs with; its port is free."""
    port = DataFolder.open(data).ports(["web"])["web"]
    return {
        **os.environ,
        "DATABASE_URL": stores.database_url,
        "CLICKHOUSE_URL": stores.clickhouse_url,
        "REDIS_URL": stores.redis_url,
        "TRACEHOUSE_SECRET_KEY": "only-for-tests-" + "y" * 40,
        "TRACEHOUSE_DATA": str(data),
        "TRACEHOUSE_PORT": str(port),
        "TRACEHOUSE_URL": f"http://127.0.0.1:{port}",
        # Nobody listens there but a test that wants the mail.
        "TRACEHOUSE_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "DJANGO_SETTINGS_MODULE": "tracehouse.settings.base",
        "PYTHONWARNINGS": "default",
    }


@contextmanager
def served(environment: dict[str, str], root: Path) -> Iterator[None]:
    """gunicorn on stores that are prepared, for as long as the block runs."""
    path = Path(environment["TRACEHOUSE_DATA"]) / "web.log"
    log = path.open("wb")
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:tracehouse.gunicorn", "tracehouse.wsgi:application"],
        cwd=root,
        env=environment,
        stdout=log,
        stderr=log,
    )
    try:
        _wait_until_ready(environment["TRACEHOUSE_URL"], web, path)
        yield
    finally:
        web.terminate()
        web.wait(timeout=40)
        log.close()


def _wait_until_ready(url: str, web: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10):
                return
        except OSError:  # not yet, or slow to answer on a busy machine
            assert web.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())
