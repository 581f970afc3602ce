"""The data folder: where everything lies, secrets made once, ports, and the lock that allows one run."""

import fcntl
import json
import os
import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Below the range from which systems take the ports of outgoing connections, so that a port stays free
# while its program is being restarted.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000


class Refused(Exception):
    """Starting is not possible; the message says why and what to do, in a sentence for the user."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths of one installation; `run/` holds only what belongs to the present run."""

    root: Path

    @classmethod
    def open(cls, path: Path) -> "DataFolder":
        folder = cls(path.expanduser().resolve())
        for part in (folder.root, folder.run, folder.logs, folder.secrets):
            part.mkdir(parents=True, exist_ok=True)
        folder.run.chmod(0o700)
        folder.secrets.chmod(0o700)
        return folder

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def environment_file(self) -> Path:
        return self.run / "env.json"

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    def secret(self, name: str) -> str:
        """A random secret, made at first use and kept."""
        path = self.secrets / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held while an installation runs from here; the system lets go of it however the process ends."""
        with (self.run / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused(self._already_runs()) from None
            yield

    def _already_runs(self) -> str:
        url = read_json(self.environment_file).get("TRACEHOUSE_URL")
        where = f"at {url}" if url else "and is starting or stopping"
        return (
            f"Tracehouse already runs from {self.root} {where}. Stop it first, or start a second "
            "installation with another TRACEHOUSE_DATA and TRACEHOUSE_PORT."
        )

    def ports(self, names: list[str]) -> dict[str, int]:
        """A loopback port for each name: that of the last run where it is free, else another free one."""
        path = self.run / "ports.json"
        kept, chosen = read_json(path), dict[str, int]()
        for name in names:
            before = int(kept.get(name, 0))
            free = before and before not in chosen.values() and port_is_free("127.0.0.1", before)
            chosen[name] = before if free else _free_port(chosen)
        write_private(path, json.dumps({**kept, **chosen}))
        return chosen


def _free_port(taken: dict[str, int]) -> int:
    for port in random.sample(range(_FIRST_PORT, _LAST_PORT), 500):
        if port not in taken.values() and port_is_free("127.0.0.1", port):
            return port
    raise Refused(f"No free port between {_FIRST_PORT} and {_LAST_PORT} on 127.0.0.1.")


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now (a port whose last connections still linger counts as free)."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner reads; after a crash it is there whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(draft, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes names created in or renamed into the folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> dict[str, str]:
    """A flat JSON object, empty when there is no file."""
    try:
        found: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found
