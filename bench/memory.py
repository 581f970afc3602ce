"""Memory of each process of an installation, read from /proc; empty where there is no /proc."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# What a command line must hold, and what the process is called in the table; the first match wins.
NAMES = (
    ("tracehouse.wsgi", "web (gunicorn)"),
    ("tracehouse.celery beat", "beat (Celery)"),
    ("tracehouse.celery worker", "worker (Celery)"),
    ("chdb", "ClickHouse (chdb)"),
    ("clickhouse", "ClickHouse (chdb)"),
    ("postgres", "PostgreSQL"),
    ("valkey", "Valkey"),
    ("redis", "Valkey"),
    ("supervisor", "supervisor"),
    ("tracehouse.embedded", "make up"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Mebibytes. `proportional` shares pages among the processes that map them, so it may be added up."""

    name: str
    processes: int
    resident: float
    proportional: float


def measure(data: Path) -> list[Memory]:
    """What the processes of the installation in `data` take, summed by what they are; most first."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for name, figures in _found(str(data)):
        groups.setdefault(name, []).append(figures)
    totals = [
        Memory(
            name=name,
            processes=len(figures),
            resident=sum(resident for resident, _ in figures),
            proportional=sum(proportional for _, proportional in figures),
        )
        for name, figures in groups.items()
    ]
    return sorted(totals, key=lambda memory: -memory.proportional)


def _found(data: str) -> Iterator[tuple[str, tuple[float, float]]]:
    for folder in PROC.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            environment = (folder / "environ").read_bytes().split(b"\0")
            folders = (command, str((folder / "cwd").readlink()))
            if any(data in text for text in folders) or f"TRACEHOUSE_DATA={data}".encode() in environment:
                yield _name(command), _figures(folder)
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else


def _name(command: str) -> str:
    return next((name for part, name in NAMES if part in command), command.partition(" ")[0][-40:])


def _figures(folder: Path) -> tuple[float, float]:
    rows = (line.split() for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
    kilobytes = {row[0]: int(row[1]) for row in rows}
    return kilobytes["Rss:"] / 1024, kilobytes["Pss:"] / 1024
