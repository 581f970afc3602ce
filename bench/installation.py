"""A fresh installation in a temporary folder, or one that runs already, as the benchmark sees it."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.demo.platform import Platform, PlatformUnavailable

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 180
STOP_SECONDS = 60


class DidNotStart(Exception):
    """The installation stopped, or did not answer /readyz in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    url: str
    secret: str
    data: Path

    def platform(self) -> Platform:
        return Platform(self.url, self.secret)

    def environment(self) -> Mapping[str, str]:
        """What `make up` writes for `manage.py`: the addresses of the stores."""
        found: Mapping[str, str] = json.loads((self.data / "run" / "env.json").read_text())
        return found


@contextmanager
def fresh() -> Iterator[Installation]:
    """Starts `python -m tracehouse.embedded` on a free port; stops it and removes its data at the end."""
    with tempfile.TemporaryDirectory(prefix="tracehouse-bench-") as folder:
        data, port, secret = Path(folder) / "data", _free_port(), f"sk-th-{secrets.token_hex(16)}"
        installation = Installation(url=f"http://127.0.0.1:{port}", secret=secret, data=data)
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tracehouse.embedded"],
                cwd=ROOT,
                env=_environment(data, port, secret),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait_until_ready(installation, process, Path(log.name))
                yield installation
            finally:
                _stop(process)


def _environment(data: Path, port: int, secret: str) -> dict[str, str]:
    stores = ("DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL")
    inherited = {key: value for key, value in os.environ.items() if key not in stores}
    return inherited | {
        "TRACEHOUSE_DATA": str(data),
        "TRACEHOUSE_PORT": str(port),
        "TRACEHOUSE_INIT_PUBLIC_KEY": f"pk-th-{secrets.token_hex(8)}",
        "TRACEHOUSE_INIT_SECRET_KEY": secret,
    }


def _wait_until_ready(installation: Installation, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with Platform(installation.url, "", timeout=10) as platform:
                if platform.request("GET", "/readyz")[0] == 200:
                    return
        except PlatformUnavailable:
            pass
        time.sleep(0.3)
    raise DidNotStart(f"the installation did not become ready:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
