"""The table of environment variables: name, type, default and help, read in one place.

A variable `X` may also be given as `X_FILE`, the path of a file that holds the value. When the stores'
URLs are not set, those of the installation running from `TRACEHOUSE_DATA` are read from the file that
`make up` writes there, so that `manage.py` and the benchmarks find it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["text", "int", "bool", "path", "list"]


class SettingError(ValueError):
    """A variable holds a value that its row does not allow."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    kind: Kind
    default: str
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("TRACEHOUSE_HOST", "text", "127.0.0.1", "Address the web server listens on."),
    Setting("TRACEHOUSE_PORT", "int", "8000", "Port the web server listens on."),
    Setting(
        "TRACEHOUSE_DATA",
        "path",
        ".tracehouse",
        "Folder for everything that is kept: embedded stores, spool, logs.",
    ),
    Setting(
        "TRACEHOUSE_URL",
        "text",
        "",
        "Address people and agents reach the platform at; made from host and port when empty.",
    ),
    Setting(
        "TRACEHOUSE_ALLOWED_HOSTS",
        "list",
        "*",
        "Host names answered, separated by commas. `*` answers any; name yours on a server.",
    ),
    Setting(
        "TRACEHOUSE_SECRET_KEY",
        "text",
        "",
        "Signs sessions and encrypts stored secrets. `make up` makes one and keeps it in the data folder.",
        secret=True,
    ),
    Setting("TRACEHOUSE_HTTPS", "bool", "false", "Set cookies as secure and send HSTS; for use behind TLS."),
    Setting("TRACEHOUSE_DEBUG", "bool", "false", "Django's debug pages. Never on a server."),
    Setting("TRACEHOUSE_LOG_LEVEL", "text", "INFO", "Lowest level that is logged."),
    Setting("TRACEHOUSE_WEB_WORKERS", "int", "2", "Web processes."),
    Setting("TRACEHOUSE_WEB_THREADS", "int", "8", "Threads of a web process."),
    Setting(
        "TRACEHOUSE_INIT_PUBLIC_KEY",
        "text",
        "",
        "Public half of the first project's key (`pk-th-...`); made up when empty.",
    ),
    Setting(
        "TRACEHOUSE_INIT_SECRET_KEY",
        "text",
        "",
        "Secret half of the first project's key (`sk-th-...`); made up when empty.",
        secret=True,
    ),
    Setting(
        "TRACEHOUSE_INIT_ADMIN_EMAIL", "text", "admin@localhost", "E-mail address of the first administrator."
    ),
    Setting(
        "TRACEHOUSE_INIT_ADMIN_PASSWORD",
        "text",
        "",
        "Password of the first administrator; made up and printed once when empty.",
        secret=True,
    ),
    Setting(
        "DATABASE_URL", "text", "", "PostgreSQL, `postgresql://user:password@host:port/name`.", secret=True
    ),
    Setting(
        "CLICKHOUSE_URL",
        "text",
        "",
        "ClickHouse's HTTP interface, `http://user:password@host:port/database`.",
        secret=True,
    ),
    Setting(
        "CLICKHOUSE_CLUSTER",
        "text",
        "",
        "Name of a ClickHouse cluster; when set, tables are made replicated and distributed.",
    ),
    Setting("REDIS_URL", "text", "", "Valkey or Redis, `redis://:password@host:port/0`.", secret=True),
    Setting(
        "TRACEHOUSE_MAX_BODY_MB",
        "int",
        "64",
        "Largest body of one ingest request after decompression, in MiB.",
    ),
    Setting(
        "TRACEHOUSE_SPOOL_MAX_MB",
        "int",
        "4096",
        "Spans waiting on disk for ClickHouse, in MiB, past which ingest answers 503 with Retry-After.",
    ),
    Setting(
        "TRACEHOUSE_MAX_SPAN_AGE_DAYS",
        "int",
        "400",
        "Spans that started longer ago than this are refused one by one.",
    ),
    Setting(
        "TRACEHOUSE_MAX_SPANS_PER_SECOND",
        "int",
        "0",
        "Spans a second, averaged over a minute, for projects that set no limit of their own; 0 is no limit.",
    ),
    Setting(
        "TRACEHOUSE_MAX_MB_PER_MINUTE",
        "int",
        "0",
        "Bytes a minute after decompression, in MB, for projects that set no limit of their own; 0 is no limit.",
    ),
    Setting(
        "TRACEHOUSE_MAX_SPANS_PER_DAY",
        "int",
        "0",
        "Spans a day for projects that set no quota of their own; 0 is no quota.",
    ),
    Setting(
        "TRACEHOUSE_MAX_SPANS_PER_MONTH",
        "int",
        "0",
        "Spans a calendar month for projects that set no quota of their own; 0 is no quota.",
    ),
    Setting(
        "TRACEHOUSE_SMTP_URL",
        "text",
        "",
        "The server that mail (weekly reports) goes through: `smtp+starttls://user:password@host:587`, `smtps://...`"
        " for TLS from the start, `smtp://...` without. When empty, no mail is sent.",
        secret=True,
    ),
    Setting(
        "TRACEHOUSE_MAIL_FROM",
        "text",
        "",
        "Sender of mail, `Tracehouse <tracehouse@example.com>`; made from the host of `TRACEHOUSE_URL` when empty.",
    ),
    Setting(
        "TRACEHOUSE_METRICS_TOKEN",
        "text",
        "",
        "Bearer token of `/metrics`. When empty, only an installation whose address is this machine answers, and only"
        " to this machine.",
        secret=True,
    ),
)
_ROWS = {row.name: row for row in SETTINGS}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str) -> str:
    """The value of a row as text, from the environment, its `_FILE`, the running installation or the default."""
    row = _ROWS[name]
    if name in os.environ:
        return os.environ[name]
    if f"{name}_FILE" in os.environ:
        return Path(os.environ[f"{name}_FILE"]).read_text().strip()
    return _running_installation().get(name, row.default)


def integer(name: str) -> int:
    value = text(name)
    try:
        return int(value)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {value!r}") from None


def boolean(name: str) -> bool:
    value = text(name).strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise SettingError(f"{name} must be true or false, not {value!r}")


def items(name: str) -> list[str]:
    return [part.strip() for part in text(name).split(",") if part.strip()]


def path(name: str) -> Path:
    return Path(text(name)).expanduser().resolve()


@cache
def _running_installation() -> Mapping[str, str]:
    data = os.environ.get("TRACEHOUSE_DATA") or _ROWS["TRACEHOUSE_DATA"].default
    try:
        found: Mapping[str, str] = json.loads((Path(data) / "run" / "env.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


def as_markdown() -> str:
    """The table as docs/configuration.md has it."""
    rows = [
        f"| `{row.name}` | {row.kind} | {f'`{row.default}`' if row.default else ''} | {row.help} |"
        for row in SETTINGS
    ]
    return "\n".join(("| variable | type | default | what it does |", "| --- | --- | --- | --- |", *rows, ""))
