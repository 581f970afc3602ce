"""Memory and processor time of each process of an installation, from /proc; empty where there is no /proc."""

import os
from collections.abc import Iterator, Sequence
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
class Processes:
    """Mebibytes and seconds. `proportional` shares pages among the processes that map them, so it may be added up."""

    name: str
    processes: int
    resident: float
    proportional: float
    cpu: float


def measure(data: Path) -> list[Processes]:
    """What the processes of the installation in `data` take, summed by what they are; most memory first."""
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for name, figures in _found(str(data)):
        groups.setdefault(name, []).append(figures)
    totals = [
        Processes(
            name=name,
            processes=len(figures),
            resident=sum(resident for resident, _, _ in figures),
            proportional=sum(proportional for _, proportional, _ in figures),
            cpu=sum(cpu for _, _, cpu in figures),
        )
        for name, figures in groups.items()
    ]
    return sorted(totals, key=lambda group: -group.proportional)


def cpu_between(before: Sequence[Processes], after: Sequence[Processes]) -> dict[str, float]:
    """Seconds of processor time by name, most first."""
    earlier = {group.name: group.cpu for group in before}
    used = {group.name: group.cpu - earlier.get(group.name, 0.0) for group in after}
    return dict(sorted(used.items(), key=lambda pair: -pair[1]))


def _found(data: str) -> Iterator[tuple[str, tuple[float, float, float]]]:
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


def _figures(folder: Path) -> tuple[float, float, float]:
    # Fields 14 and 15 of /proc/PID/stat, user and system time in ticks; the name before them may hold spaces.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    rows = (line.split() for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
    kilobytes = {row[0]: int(row[1]) for row in rows}
    return kilobytes["Rss:"] / 1024, kilobytes["Pss:"] / 1024, ticks / os.sysconf("SC_CLK_TCK")
