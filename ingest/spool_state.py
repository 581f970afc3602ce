"""What waits in the spool folder of this machine, by looking at it."""

import hashlib
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tracehouse.pulse import SpoolReport

# A look is repeated after this long: many requests ask.
FRESH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    report: SpoolReport


_last: dict[Path, _Look] = {}


def report() -> SpoolReport:
    """At most two seconds old."""
    folder = Path(settings.DATA_DIR) / "spool"
    found = _last.get(folder)
    if found is None or time.monotonic() - found.at > FRESH_SECONDS:
        found = _last[folder] = _Look(time.monotonic(), look(folder, now=time.time()))
    return found.report


def look(folder: Path, *, now: float) -> SpoolReport:
    """Sizes and ages of segments. A file's age is the time since its last write: what waits longer was closed then."""
    sizes, oldest = [], now
    for path in folder.glob("*.jsonl"):
        try:
            found = path.stat()
        except FileNotFoundError:  # drained while we looked
            continue
        if found.st_size:
            sizes.append(found.st_size)
            oldest = min(oldest, found.st_mtime)
    return SpoolReport(
        host=host_of(folder),
        at=now,
        bytes=sum(sizes),
        files=len(sizes),
        oldest_seconds=max(now - oldest, 0.0),
        refused_files=sum(1 for path in (folder / "refused").glob("*.jsonl") if path.stat().st_size),
    )


def host_of(folder: Path) -> str:
    """Names a spool among those of other machines, and of other data folders on this one."""
    return f"{socket.gethostname()}/{hashlib.sha256(str(folder).encode()).hexdigest()[:6]}"
