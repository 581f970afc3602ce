"""What is acknowledged is on the disk, and reaches ClickHouse once, whatever dies in between."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from ingest.spool import Spool, SpoolFailed, SpoolFull
from tracehouse.clickhouse.insert import InsertRefused, InsertUnavailable

ROOT = Path(__file__).resolve().parents[2]


class Table:
    """Stands where ClickHouse does: skips a token it has seen, may be away, may refuse a line."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.tokens: list[str] = []
        self.distinct: list[bool] = []
        self.away = False
        self.poison = b""
        self.filled = threading.Condition()

    def insert(self, lines: IO[bytes], token: str, /, *, is_distinct: bool) -> None:
        taken = lines.readlines()
        with self.filled:
            if self.away:
                self.filled.notify_all()
                raise InsertUnavailable("away")
            if self.poison and any(self.poison in line for line in taken):
                raise InsertRefused(117)
            if token not in self.tokens:
                self.tokens.append(token)
                self.lines += taken
                self.distinct.append(is_distinct)
            self.filled.notify_all()

    def wait_for(self, count: int) -> list[bytes]:
        with self.filled:
            assert self.filled.wait_for(lambda: len(self.lines) >= count, timeout=20), self.lines
            return sorted(self.lines)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def open_spool(tmp_path: Path, table: Table) -> Iterator[Callable[..., Spool]]:
    opened: list[Spool] = []

    def make(max_bytes: int = 10**9) -> Spool:
        opened.append(Spool(tmp_path / "spool", table.insert, max_bytes=max_bytes))
        return opened[-1]

    yield make
    for spool in opened:
        spool.close()


def test_appended_lines_arrive_and_their_segment_is_gone(
    open_spool: Callable[..., Spool], table: Table, tmp_path: Path
) -> None:
    spool = open_spool()
    spool.append(b"1\n2\n", ())
    assert table.wait_for(2) == [b"1\n", b"2\n"]
    spool.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_lines_from_many_threads_all_arrive_once(open_spool: Callable[..., Spool], table: Table) -> None:
    spool = open_spool()
    threads = [
        threading.Thread(
            target=lambda start=start: [spool.append(b"%d\n" % n, (n,)) for n in range(start, start + 50)]
        )
        for start in range(0, 400, 50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.wait_for(400) == sorted(b"%d\n" % n for n in range(400))


def test_lines_wait_on_disk_while_clickhouse_is_away(
    open_spool: Callable[..., Spool], table: Table, tmp_path: Path
) -> None:
    table.away = True
    spool = open_spool()
    spool.append(b"1\n", ())
    with table.filled:
        table.filled.wait(timeout=10)
    spool.append(b"2\n", ())
    on_disk = b"".join(path.read_bytes() for path in (tmp_path / "spool").glob("*.jsonl"))
    assert sorted(on_disk.splitlines()) == [b"1", b"2"]
    table.away = False
    assert table.wait_for(2) == [b"1\n", b"2\n"]


def test_an_insert_is_told_whether_a_row_comes_in_two_parts(
    open_spool: Callable[..., Spool], table: Table
) -> None:
    spool = open_spool()
    spool.append(b"1\n2\n2 again\n", (1, 2, 2))
    table.wait_for(3)
    spool.append(b"2 for the third time\n", (2,))
    table.wait_for(4)
    assert table.distinct == [False, True]


def test_a_full_spool_refuses_and_takes_nothing(open_spool: Callable[..., Spool], table: Table) -> None:
    table.away = True
    spool = open_spool(max_bytes=10)
    spool.append(b"x" * 20 + b"\n", ())
    spool._usage = (0.0, 0)
    with pytest.raises(SpoolFull):
        spool.append(b"more\n", ())


def test_what_a_killed_process_left_is_adopted_without_its_torn_line(
    open_spool: Callable[..., Spool], table: Table, tmp_path: Path
) -> None:
    script = f"""
import os, sys
from pathlib import Path
from ingest.spool import Spool
from tracehouse.clickhouse.insert import InsertUnavailable
def away(lines, token, *, is_distinct): raise InsertUnavailable("away")
spool = Spool(Path({str(tmp_path / "spool")!r}), away, max_bytes=10**9)
spool.append(b"kept 1\\n", ())
spool.append(b"kept 2\\n", ())
with spool._lock:
    spool._segment().write(b"torn, never acknowledged")
os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == -9
    open_spool().append(b"own\n", ())
    assert table.wait_for(3) == [b"kept 1\n", b"kept 2\n", b"own\n"]


def test_a_living_processs_segments_are_left_alone(
    open_spool: Callable[..., Spool], table: Table, tmp_path: Path
) -> None:
    table.away = True
    first = open_spool()
    first.append(b"first\n", ())
    second = open_spool()
    table.away = False
    second._drain_orphans()
    assert table.wait_for(1) == [b"first\n"]
    assert len(table.tokens) == 1


def test_a_segment_drained_again_after_a_crash_changes_nothing(
    open_spool: Callable[..., Spool], table: Table, tmp_path: Path
) -> None:
    spool = open_spool()
    spool.append(b"1\n", ())
    table.wait_for(1)
    [token] = table.tokens
    again = tmp_path / "spool" / f"{token}.jsonl"
    again.write_bytes(b"1\n")
    spool._drain(again, is_distinct=False)
    assert table.lines == [b"1\n"]
    assert not again.exists()


def test_one_refused_line_is_set_aside_and_the_others_go_in(
    open_spool: Callable[..., Spool], table: Table, tmp_path: Path
) -> None:
    table.poison = b"bad"
    spool = open_spool()
    spool.append(b"good 1\nbad\ngood 2\n", ())
    assert table.wait_for(2) == [b"good 1\n", b"good 2\n"]
    spool.close()
    [refused] = (tmp_path / "spool" / "refused").iterdir()
    assert refused.read_bytes() == b"bad\n"


def test_a_disk_that_takes_nothing_is_told_to_the_sender(
    open_spool: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(SpoolFailed, match="No space left"):
        spool.append(b"1\n", ())
    monkeypatch.undo()
