"""The folder that the processes of one gunicorn share to count together (prometheus-client's multi-process mode).

Each gunicorn has a folder of its own below `metrics/`, so that containers on one volume, whose process ids repeat,
do not write into each other's files. Its master holds a lock on it; folders whose lock is free are left over from
one that ended, and are removed at the next start: counters begin at zero again, as Prometheus expects of a restart.
"""

import fcntl
import os
import shutil
import uuid
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus-client when it is first imported
LOCK = "owner.lock"


def take(parent: Path) -> Path:
    """Makes and locks a folder for this process and its children, and points prometheus-client at it."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in parent.iterdir():
        if _is_left_over(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / uuid.uuid4().hex
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # held until the last process of this gunicorn ends
    os.environ[VARIABLE] = str(folder)
    return folder


def _is_left_over(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False  # just being made, or not ours
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
