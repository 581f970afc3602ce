"""What `make up` is told by its environment: host, port, data folder and stores that are already there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tracehouse.embedded.folder import Refused

_PORTS = range(1, 65_536)
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # compared, not listened on


@dataclass(frozen=True, slots=True)
class UpSettings:
    host: str
    port: int
    data: Path
    url: str
    worker_processes: int

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "UpSettings":
        host = environment.get("TRACEHOUSE_HOST") or "127.0.0.1"
        port = _number(environment, "TRACEHOUSE_PORT", 8000)
        if port not in _PORTS:
            raise Refused(f"TRACEHOUSE_PORT must be between 1 and 65535, not {port}.")
        return cls(
            host=host,
            port=port,
            data=Path(environment.get("TRACEHOUSE_DATA") or ".tracehouse"),
            url=environment.get("TRACEHOUSE_URL") or _local_url(host, port),
            worker_processes=_number(environment, "TRACEHOUSE_WORKER_PROCESSES", 2),
        )

    @property
    def local_url(self) -> str:
        """Where this machine reaches the web server, whatever name the world knows it by."""
        return _local_url(self.host, self.port)


def _local_url(host: str, port: int) -> str:
    name = _ANY_ADDRESS.get(host) or (f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not value.isdigit():
        raise Refused(f"{name} must be a whole number, not {value!r}.")
    return int(value)
