"""The disk in front of ClickHouse: rows are acknowledged once they are synced here, and drained in large inserts.

Every write takes this way, not only while ClickHouse is away (docs/decisions/0002): one path to trust, an
acknowledgement that does not wait for an insert, and few large parts instead of many small ones.

A process writes to segments of its own, named after an owner file that it holds locked. Segments whose owner's
lock is free belong to a process that ended; any living process adopts and drains them. A segment's name is its
insert token, so that draining one twice (a crash between insert and unlink) is a no-op in ClickHouse.
"""

import atexit
import fcntl
import io
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

import structlog

from tracehouse.clickhouse.insert import InsertRefused, InsertUnavailable

log = structlog.get_logger()

SEGMENT_BYTES = 32 * 1024 * 1024
# Inserts of a process are at least this far apart while spans keep coming, so that each makes a sizeable part: an
# insert of one row takes 35 ms of processor time, and every part is merged again. After a small one the next may
# follow sooner.
DRAIN_SECONDS, SMALL_DRAIN_SECONDS = 1.0, 0.5
SMALL_DRAIN_BYTES = 4 * 1024 * 1024
# Nothing for this long after a sizeable insert: the burst is over, and what is left of it need not wait for more.
BURST_OVER_SECONDS = 0.1
# After a pause the first rows wait only this long for company.
LINGER_SECONDS = 0.02
BACKOFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 5.0)
ADOPT_SECONDS = 10.0
USAGE_SECONDS = 1.0


class Insert(Protocol):
    def __call__(self, lines: IO[bytes], token: str, /, *, is_distinct: bool) -> None:
        """`is_distinct` says that no two of the lines are parts of one row."""


class SpoolFull(Exception):
    """More waits on disk than is allowed; the sender should try again later."""


class SpoolFailed(Exception):
    """The disk did not take the rows; nothing was acknowledged."""


class _Segment:
    """An append-only file whose writers share `fdatasync` calls (group commit)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        _sync_directory(path.parent)
        self._sync_lock = threading.Lock()
        self.written = 0
        self.is_distinct = True
        self._keys: set[int] = set()
        self._synced = 0
        self._closed = False

    def count_keys(self, keys: Iterable[int]) -> None:
        """Notes whose parts the segment holds. Callers hold the spool's lock."""
        for key in keys:
            self.is_distinct = self.is_distinct and key not in self._keys
            self._keys.add(key)

    def write(self, data: bytes) -> int:
        """Appends all of `data` or none; returns the size to wait for. Callers hold the spool's lock."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self.written)
            raise
        self.written += len(data)
        return self.written

    def sync(self, size: int) -> None:
        """Returns once the first `size` bytes are on the disk."""
        with self._sync_lock:
            if self._synced < size:
                if self._closed:
                    raise OSError("the segment was given up")
                target = self.written
                os.fdatasync(self._fd)
                self._synced = target

    def close(self) -> None:
        """Ends writing. Writers still waiting in `sync` find their bytes synced; what cannot be synced was not
        acknowledged, and is drained from the page cache all the same."""
        with self._sync_lock:
            try:
                if self._synced < self.written:
                    os.fdatasync(self._fd)
                    self._synced = self.written
            finally:
                self._closed = True
                os.close(self._fd)


class Spool:
    """One process's spool in `folder`; its drain runs in a thread until `close`."""

    def __init__(self, folder: Path, insert: Insert, *, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._insert = insert
        self._max_bytes = max_bytes
        self._owner = uuid.uuid4().hex
        self._owner_lock = _lock_owner(folder / f"{self._owner}.owner")
        self._lock = threading.Lock()
        self._current: _Segment | None = None
        self._closed: deque[_Segment] = deque()
        self._count = 0
        self._usage = (0.0, 0)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool-drain", daemon=True)
        self._thread.start()

    def append(self, lines: bytes, keys: Iterable[int]) -> None:
        """Returns once `lines` are on the disk. `keys` has one number a line, the same for parts of one row.

        Raises `SpoolFull` or `SpoolFailed`; then nothing was taken.
        """
        if self.bytes_waiting() > self._max_bytes:
            raise SpoolFull
        try:
            with self._lock:
                segment = self._segment()
                size = segment.write(lines)
                segment.count_keys(keys)
            segment.sync(size)
        except OSError as error:
            # After a failed sync the kernel may call the same pages clean: nothing more goes into this file.
            with self._lock, suppress(OSError):
                self._retire()
            raise SpoolFailed(error.strerror or type(error).__name__) from error
        self._wake.set()

    def bytes_waiting(self) -> int:
        """Bytes of all processes' segments in the folder, at most a second old."""
        now = time.monotonic()
        at, total = self._usage
        if now - at > USAGE_SECONDS:
            total = sum(_size(path) for path in self._folder.glob("*.jsonl"))
            self._usage = (now, total)
        return total

    def close(self) -> None:
        """Stops the drain after one last try; what is left is drained by the next process."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=20)

    def _segment(self) -> _Segment:
        if self._current and self._current.written >= SEGMENT_BYTES:
            self._retire()
        if self._current is None:
            self._count += 1
            self._current = _Segment(self._folder / f"{self._owner}-{self._count:08d}.jsonl")
        return self._current

    def _retire(self) -> None:
        """Closes the current segment for draining. Callers hold the lock."""
        segment, self._current = self._current, None
        if segment:
            self._closed.append(segment)
            segment.close()

    def _run(self) -> None:
        """The drain: 1. wait for rows, 2. let some more gather, 3. insert, 4. back off while ClickHouse is away."""
        failures, adopted_at, next_at, was_large = 0, 0.0, 0.0, False
        while not self._stopping.is_set():
            self._wake.wait(ADOPT_SECONDS)
            self._gather(next_at, is_burst=was_large)
            was_large = False
            try:
                was_large = self._drain_own() > SMALL_DRAIN_BYTES
                if time.monotonic() - adopted_at > ADOPT_SECONDS:
                    adopted_at = time.monotonic()
                    self._drain_orphans()
                failures = 0
            except Exception as error:  # a drain that ends would let the disk fill unseen
                back_off = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                failures += 1
                reason = str(error) if isinstance(error, InsertUnavailable) else type(error).__name__
                log.warning("spool.waiting", error=reason, failures=failures, pause=back_off)
                self._wake.set()
                self._stopping.wait(back_off)
            next_at = time.monotonic() + (DRAIN_SECONDS if was_large else SMALL_DRAIN_SECONDS)
        self._finish()

    def _gather(self, until: float, *, is_burst: bool) -> None:
        """Lets rows come until then; in a burst, no longer than rows keep coming."""
        self._wake.clear()
        self._stopping.wait(LINGER_SECONDS)
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            self._wake.clear()
            self._stopping.wait(min(BURST_OVER_SECONDS, left) if is_burst else left)
            if is_burst and not self._wake.is_set():
                return

    def _finish(self) -> None:
        try:
            self._drain_own()
            (self._folder / f"{self._owner}.owner").unlink(missing_ok=True)
        except InsertUnavailable:
            log.warning("spool.left_for_next_process", bytes=self.bytes_waiting())
        os.close(self._owner_lock)

    def _drain_own(self) -> int:
        """Inserts all that waits; gives its bytes."""
        with self._lock:
            self._retire()
        drained = 0
        while self._closed:
            segment = self._closed[0]
            drained += segment.written
            self._drain(segment.path, is_distinct=segment.is_distinct)
            self._closed.popleft()
        return drained

    def _drain_orphans(self) -> None:
        for owner, lock in _orphans(self._folder, self._owner):
            try:
                for path in sorted(self._folder.glob(f"{owner.stem}-*.jsonl")):
                    _trim_torn_line(path)
                    self._drain(path, is_distinct=False)
                owner.unlink(missing_ok=True)
            finally:
                os.close(lock)

    def _drain(self, path: Path, *, is_distinct: bool) -> None:
        if _size(path):
            try:
                with path.open("rb") as lines:
                    self._insert(lines, path.stem, is_distinct=is_distinct)
            except InsertRefused:
                self._drain_line_by_line(path)
        path.unlink(missing_ok=True)

    def _drain_line_by_line(self, path: Path) -> None:
        """A segment that ClickHouse refused as a whole: good lines go in, refused ones are set aside, not lost."""
        aside = self._folder / "refused"
        aside.mkdir(exist_ok=True, mode=0o700)
        with path.open("rb") as lines, (aside / path.name).open("wb") as refused:
            for number, line in enumerate(lines):
                try:
                    self._insert(io.BytesIO(line), f"{path.stem}-{number}", is_distinct=True)
                except InsertRefused as error:
                    log.error("spool.row_refused", segment=path.name, line=number, code=error.code)
                    refused.write(line)
            refused.flush()
            os.fsync(refused.fileno())


def _lock_owner(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _orphans(folder: Path, own: str) -> Iterator[tuple[Path, int]]:
    """Owner files of processes that ended, each locked for the caller, who closes the descriptor."""
    for owner in folder.glob("*.owner"):
        if owner.stem == own:
            continue
        try:
            descriptor = os.open(owner, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        yield owner, descriptor


def _trim_torn_line(path: Path) -> None:
    """Cuts what follows the last whole line: a write that a crash cut short was never acknowledged."""
    with path.open("r+b") as file:
        content_end = file.seek(0, os.SEEK_END)
        position = content_end
        while position > 0:
            step = min(64 * 1024, position)
            file.seek(position - step)
            newline = file.read(step).rfind(b"\n")
            if newline >= 0:
                position = position - step + newline + 1
                break
            position -= step
        if position != content_end:
            file.truncate(position)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_spools: dict[int, Spool] = {}
_spools_lock = threading.Lock()


def process_spool(make: Callable[[], Spool]) -> Spool:
    """This process's spool, made at first use; a fork makes its own."""
    pid = os.getpid()
    spool = _spools.get(pid)
    if spool is None:
        with _spools_lock:
            spool = _spools.get(pid)
            if spool is None:
                spool = _spools[pid] = make()
                atexit.register(spool.close)
    return spool
