"""`make doctor`: looks for what keeps an installation from starting, and prints the fix for each finding."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator

import psutil  # type: ignore[import-untyped]

from tracehouse.embedded import postgres, valkey
from tracehouse.embedded.folder import DataFolder, Refused, port_is_free
from tracehouse.embedded.settings import UpSettings

_GIB = 1024**3
_LEAST_MEMORY, _LEAST_DISK = 3 * _GIB, 2 * _GIB


def main() -> int:
    try:
        settings = UpSettings.read()
    except Refused as refused:
        print(f"✗ {refused}")
        return 1
    problems = [problem for check in CHECKS for problem in check(settings)]
    for problem in problems:
        print(f"✗ {problem}")
    if not problems:
        print(f"✓ nothing stands in the way of `make up` ({settings.url}, data in {settings.data.resolve()})")
    return 1 if problems else 0


def _memory(_settings: UpSettings) -> Iterator[str]:
    total = psutil.virtual_memory().total
    if total < _LEAST_MEMORY:
        yield f"This machine has {total / _GIB:.1f} GiB of memory; 3 GiB is the least everything fits into."


def _disk(settings: UpSettings) -> Iterator[str]:
    place = settings.data.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < _LEAST_DISK:
        yield f"Only {free / _GIB:.1f} GiB are free in {place}. Set TRACEHOUSE_DATA to a folder with 2 GiB."
    if not os.access(place, os.W_OK):
        yield f"{place} cannot be written. Set TRACEHOUSE_DATA to a folder of yours."


def _running(settings: UpSettings) -> Iterator[str]:
    if not settings.data.exists():
        yield from _port(settings)
        return
    try:
        with DataFolder.open(settings.data).locked():
            yield from _port(settings)
    except Refused as already_runs:
        yield str(already_runs)


def _port(settings: UpSettings) -> Iterator[str]:
    if not port_is_free(settings.host, settings.port):
        yield f"Port {settings.port} on {settings.host} is in use. Set TRACEHOUSE_PORT to another."


def _binaries(settings: UpSettings) -> Iterator[str]:
    for needed in (postgres.check_installed, valkey.check_installed):
        try:
            needed()
        except Refused as problem:
            yield str(problem)


CHECKS: tuple[Callable[[UpSettings], Iterator[str]], ...] = (_memory, _disk, _running, _binaries)

if __name__ == "__main__":
    sys.exit(main())
