"""`python -m tracehouse.embedded`, which `make up` runs: as a user meets it, killed in the middle included."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import urllib3

from tests.cast import wait_for
from tracehouse.embedded.folder import DataFolder

STORE_VARIABLES = ("DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL")


@dataclass
class Up:
    """One run of the command and what it printed so far."""

    data: Path
    port: int
    process: subprocess.Popen[str]
    printed: str = ""

    @classmethod
    def start(cls, data: Path, port: int, **environment: str) -> "Up":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRACEHOUSE_")}
        clean = {name: value for name, value in inherited.items() if name not in STORE_VARIABLES}
        process = subprocess.Popen(
            [sys.executable, "-m", "tracehouse.embedded"],
            env={
                **clean,
                "TRACEHOUSE_DATA": str(data),
                "TRACEHOUSE_PORT": str(port),
                "DJANGO_SETTINGS_MODULE": "tracehouse.settings.base",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return cls(data, port, process)

    def wait_for(self, text: str) -> None:
        """Reads what is printed until the text is there."""
        assert self.process.stdout is not None
        while text not in self.printed:
            character = self.process.stdout.read(1)
            assert character, f"ended before {text!r}: {self.printed}"
            self.printed += character

    def finish(self) -> int:
        """Waits for the end, and returns how it ended; a second call returns the same."""
        assert self.process.stdout is not None
        if not self.process.stdout.closed:
            with self.process:
                self.printed += self.process.communicate()[0]
        return self.process.returncode

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.printed)
        assert found, self.printed
        return found[1]

    def processes(self) -> list[psutil.Process]:
        """Every living process of this installation, whoever its parent is."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cwd()
        except psutil.Error:
            return False


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / ("a long path, 100% with spaces; " + "x" * 100) / ".tracehouse"


@pytest.fixture(scope="module")
def port(data: Path) -> int:
    return DataFolder.open(data).ports(["web of the tests"])["web of the tests"]


@pytest.fixture(scope="module")
def up(data: Path, port: int) -> Iterator[Up]:
    """An installation that was killed in the middle of three starts, then started once more."""
    for moment in ("stores prepared", "PostgreSQL's tables", "first project"):
        interrupted = Up.start(data, port)
        interrupted.wait_for(moment)
        interrupted.process.kill()
        interrupted.finish()
    running = Up.start(data, port)
    running.wait_for("started in")
    yield running
    running.process.terminate()
    running.finish()


def get(up: Up, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager() as http:
        return http.request("GET", f"http://127.0.0.1:{up.port}{path}", headers=headers, timeout=30)


def is_ready(up: Up) -> bool:
    try:
        return get(up, "/readyz").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_it_is_ready_after_being_killed_in_the_middle_of_starting(up: Up) -> None:
    assert get(up, "/readyz").status == 200


def test_the_printed_key_opens_the_api_though_earlier_starts_were_killed(up: Up) -> None:
    secret = up.find(r"secret key  (sk-th-\S+)")
    assert get(up, "/api/v1/traces", Authorization=f"Bearer {secret}").status == 200
    assert get(up, "/api/v1/traces", Authorization="Bearer sk-th-wrong").status == 401
    assert len(up.find(r"password    (\S{10,})")) >= 10


def test_every_step_says_how_long_it_took(up: Up) -> None:
    steps = re.findall(r"^  (.+) \.\.\. \d+\.\d s$", up.printed, flags=re.MULTILINE)
    assert len(steps) == 8


def test_commands_find_the_running_installation(up: Up) -> None:
    path = up.data / "run" / "env.json"
    published = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert published["TRACEHOUSE_URL"] == f"http://127.0.0.1:{up.port}"
    assert all(published[name] for name in STORE_VARIABLES)


def test_a_second_start_says_that_it_runs_and_where(up: Up) -> None:
    second = Up.start(up.data, up.port)
    assert second.finish() == 1
    assert f"already runs from {up.data} at http://127.0.0.1:{up.port}" in second.printed


def test_a_web_server_that_was_killed_comes_back(up: Up) -> None:
    masters = [process for process in up.processes() if "tracehouse.wsgi" in " ".join(process.cmdline())]
    for process in masters:
        process.kill()
    up.wait_for("web had ended and was started again")
    wait_for(lambda: is_ready(up), 60)


def test_ctrl_c_stops_everything_and_the_next_start_shows_no_secret(up: Up) -> None:
    running = up.processes()
    assert len(running) >= 8
    up.process.send_signal(signal.SIGINT)
    assert up.finish() == 0
    assert up.processes() == []
    assert not (up.data / "run" / "env.json").exists()
    assert re.findall(r"stopping (\w+) ", up.printed) == [
        "beat",
        "worker",
        "web",
        "valkey",
        "clickhouse",
        "postgres",
    ]
    assert [path.name for path in (up.data / "secrets").iterdir() if "not-shown" in path.name] == []


def test_a_busy_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused = Up.start(tmp_path, port)
        assert refused.finish() == 1
    assert f"Port {port} on 127.0.0.1 is in use by another program. Set TRACEHOUSE_PORT" in refused.printed
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("port", ["eighty", "70000", "-1"])
def test_a_port_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path, port: str) -> None:
    refused = Up.start(tmp_path, 0, TRACEHOUSE_PORT=port)
    assert refused.finish() == 1
    assert "TRACEHOUSE_PORT must be" in refused.printed
    assert "Traceback" not in refused.printed


def test_a_step_that_fails_shows_the_end_of_its_log_and_leaves_nothing(tmp_path: Path) -> None:
    port = DataFolder.open(tmp_path).ports(["web"])["web"]
    failed = Up.start(tmp_path, port, DJANGO_SETTINGS_MODULE="no_such_settings")
    assert failed.finish() == 1
    assert "No module named 'no_such_settings'" in failed.printed
    assert f"The end of {tmp_path}/logs/migrate.log" in failed.printed
    assert failed.processes() == []
