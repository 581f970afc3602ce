"""Connections that stay open are spread over the web processes."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = """
import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", str(len(str(os.getpid()))))])
    return [str(os.getpid()).encode()]
"""


def test_no_process_takes_most_connections_that_come_at_once_and_stay_open(tmp_path: Path) -> None:
    with serving(tmp_path) as port, ExitStack() as stack:
        connections = [
            stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)))
            for _ in range(16)
        ]
        for connection in connections:
            connection.connect()
        taken = Counter(map(answering_process, connections))
        assert len(taken) == 2, taken
        assert min(taken.values()) >= 5, taken


def answering_process(connection: http.client.HTTPConnection) -> bytes:
    connection.request("GET", "/")
    return connection.getresponse().read()


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Two workers of our class; gives their port."""
    (folder / "pids.py").write_text(APPLICATION)
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "-w", "2", "--threads", "4", "--keep-alive", "60"),
                *("-k", "tracehouse.web_worker.BalancedWorker", "-b", f"fd://{listener.fileno()}"),
                *("--no-control-socket", "--chdir", str(folder), "pids:application"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"},
            pass_fds=[listener.fileno()],
            stderr=log,
        )
        try:
            wait_for_workers(folder / "log", process)
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for_workers(log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while log.read_text().count("Booting worker") < 2:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
