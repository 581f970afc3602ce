"""Remembers which processes a run has, and ends those that a killed run left behind."""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tracehouse.embedded.folder import DataFolder, write_private

RECORD_SECONDS = 0.5
GENTLE_SECONDS = 10.0
# The clock ticks of a start time, 10 ms on Linux.
SAME_START_SECONDS = 0.02
_OUR_WORDS = ("supervisord", "postgres", "valkey", "gunicorn", "celery", "django", "initdb")


class Recorder:
    """Keeps `run/processes.json` up to date: pid, start time and command of every process below this one.

    Start time and pid name a process for good, so a later run cannot end a stranger that got the same pid.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._path = folder.run / "processes.json"
        self._last: list[list[object]] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process-recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def record(self) -> None:
        with self._lock:
            found = sorted(_identity(child) for child in psutil.Process().children(recursive=True))
            present = [entry for entry in found if entry[2]]
            if present != self._last:
                write_private(self._path, json.dumps(present))
                self._last = present

    def _run(self) -> None:
        while not self._stop.wait(RECORD_SECONDS):
            self.record()


def _identity(process: psutil.Process) -> list[object]:
    try:
        return [process.pid, process.create_time(), " ".join(process.cmdline())]
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return [process.pid, 0.0, ""]


def end_leftovers(folder: DataFolder) -> int:
    """Ends what an earlier run that was killed still has running; gives how many there were.

    Called only with the lock held, so whatever is recorded belongs to nobody any more.
    """
    path = folder.run / "processes.json"
    left = [found for entry in _recorded(path) if (found := _still_running(entry))]
    for process in left:
        _terminate(process)
    _, stubborn = psutil.wait_procs(left, timeout=GENTLE_SECONDS)
    for process in stubborn:
        _kill(process)
    psutil.wait_procs(stubborn, timeout=GENTLE_SECONDS)
    path.unlink(missing_ok=True)
    return len(left)


def _recorded(path: Path) -> list[list[object]]:
    try:
        entries: list[list[object]] = json.loads(path.read_text())
    except FileNotFoundError:
        return []
    return entries


def _still_running(entry: list[object]) -> psutil.Process | None:
    """The recorded process, if it is the same one: same start, and not a program that we never run."""
    pid, started, command = int(str(entry[0])), float(str(entry[1])), str(entry[2])
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < SAME_START_SECONDS and pid != os.getpid()
        return process if same and _is_ours(process, command) else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _is_ours(process: psutil.Process, command: str) -> bool:
    """The recorded command or what it became: scripts exec their program, some programs rename themselves."""
    now = " ".join(process.cmdline())
    return now == command or any(word in now for word in _OUR_WORDS)


def _terminate(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process.terminate()


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process.kill()
