"""What the figures were measured on."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("django", "gunicorn", "chdb-core", "clickhouse-connect", "hyperscan", "protobuf", "msgspec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    date: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    packages: str


def describe() -> Machine:
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        memory_gib=round(pages * page / 1024**3, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=", ".join(f"{name} {version(name)}" for name in PACKAGES),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
