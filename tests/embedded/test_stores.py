"""The stores of a data folder: they start, keep what they acknowledged, come back, and leave nothing."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
import psutil
import psycopg
import pytest
import redis
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tracehouse.embedded import postgres
from tracehouse.embedded.folder import DataFolder, Refused
from tracehouse.embedded.stores import StoreUrls, running_stores

Read = TypeVar("Read")
LONG_FOLDER = "a folder's name with 100% spaces; #signs & ünïcode " + "x" * 120


def connect(urls: StoreUrls) -> Client:
    return clickhouse_connect.get_client(dsn=urls.clickhouse_url, dedicated_pool=True)


def of_each(data: Path, read: Callable[[psutil.Process], Read]) -> dict[psutil.Process, Read]:
    """What is read of each process of the installation; one that ends meanwhile is left out."""
    found = {}
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if Path(child.cwd()).is_relative_to(data):
                found[child] = read(child)
    return found


def command_line(process: psutil.Process) -> str:
    return " ".join(process.cmdline())


def named(data: Path, word: str) -> list[psutil.Process]:
    return [process for process, line in of_each(data, command_line).items() if word in line]


def eventually(check: Callable[[], object]) -> None:
    """Repeats until the check passes, for at most 30 s: how long a restart takes is not what is tested."""
    for _ in range(300):
        try:
            check()
        except (AssertionError, ClickHouseError, psycopg.Error, redis.RedisError):
            time.sleep(0.1)
        else:
            return
    check()


def count_in_clickhouse(urls: StoreUrls) -> None:
    with connect(urls) as client:
        assert client.query("SELECT count() FROM kept").result_rows == [(1000,)]


def count_in_postgres(urls: StoreUrls) -> None:
    with psycopg.connect(urls.database_url, connect_timeout=5) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def count_in_valkey(urls: StoreUrls) -> None:
    with redis.Redis.from_url(urls.redis_url) as store:
        assert store.get("kept") == b"1"


def write_everywhere(urls: StoreUrls) -> None:
    with connect(urls) as client:
        client.command(
            "CREATE TABLE kept (id UInt64) ENGINE = MergeTree ORDER BY id"
            " SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        )
        client.insert("kept", [[number] for number in range(1000)])
    with psycopg.connect(urls.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    with redis.Redis.from_url(urls.redis_url) as store:
        store.set("kept", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores").resolve()


@pytest.fixture(scope="module")
def urls(data: Path) -> Iterator[StoreUrls]:
    """Running stores, shared by the tests that leave them running."""
    with running_stores(data) as found:
        yield found


def test_stores_come_back_after_kill_9_and_keep_what_they_acknowledged(urls: StoreUrls, data: Path) -> None:
    write_everywhere(urls)
    for word in ("clickhouse_server", "postgres -D", "valkey-server"):
        running = named(data, word)
        assert running
        for process in running:
            process.kill()
    eventually(lambda: count_in_clickhouse(urls))
    eventually(lambda: count_in_postgres(urls))
    eventually(lambda: count_in_valkey(urls))


def test_passwords_are_private_and_in_no_command_line(urls: StoreUrls, data: Path) -> None:
    for url in (urls.database_url, urls.clickhouse_url, urls.redis_url):
        password = urlsplit(url).password
        assert password is not None
        assert len(password) >= 32
        assert not [line for line in of_each(data, command_line).values() if password in line]
    private = [*(data / "secrets").iterdir(), *(data / "run").glob("*.conf"), *(data / "run").glob("*.sh")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_merges_are_bounded_in_what_they_hold_and_give_it_back_soon(urls: StoreUrls) -> None:
    """The engine and its allocator pass over settings that they do not know."""
    with connect(urls) as client:
        rows = client.query(
            "SELECT name, value FROM system.merge_tree_settings WHERE name IN"
            " ('max_parts_to_merge_at_once', 'min_columns_to_activate_adaptive_write_buffer',"
            " 'text_index_max_memory_usage_before_flush')"
        ).result_rows
        allocator = client.query("SELECT stats FROM system.jemalloc_stats").result_rows[0][0]
    assert "opt.dirty_decay_ms: 500 " in allocator
    assert dict(rows) == {
        "max_parts_to_merge_at_once": "20",
        "min_columns_to_activate_adaptive_write_buffer": "1",
        "text_index_max_memory_usage_before_flush": str(64 * 1024**2),
    }


def test_stores_listen_on_loopback_only(urls: StoreUrls, data: Path) -> None:
    sockets = [
        connection.laddr.ip
        for connections in of_each(data, lambda process: process.net_connections("inet")).values()
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(sockets) >= 4
    assert set(sockets) == {"127.0.0.1"}


def test_a_wrong_password_opens_no_store(urls: StoreUrls) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(with_password(urls.database_url))
    with (
        redis.Redis.from_url(with_password(urls.redis_url)) as store,
        pytest.raises(redis.AuthenticationError),
    ):
        store.ping()
    with pytest.raises(ClickHouseError, match="516"):
        clickhouse_connect.get_client(dsn=with_password(urls.clickhouse_url), dedicated_pool=True)


def test_a_second_start_on_the_same_folder_is_refused(urls: StoreUrls, data: Path) -> None:
    with pytest.raises(Refused, match="already runs from"), running_stores(data):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to drop")
def test_postgres_does_not_run_as_root(urls: StoreUrls, data: Path) -> None:
    users = of_each(data / "postgres", psutil.Process.username)
    assert set(users.values()) == {"nobody"}


def test_data_outlives_a_stop_and_no_process_does(tmp_path: Path) -> None:
    folder = tmp_path / LONG_FOLDER / "data"
    with running_stores(folder) as first:
        write_everywhere(first)
        ours = list(of_each(folder, command_line))
        assert len(ours) > 3
    assert [process for process in ours if process.is_running()] == []
    with running_stores(folder) as second:
        count_in_clickhouse(second)
        count_in_postgres(second)
        count_in_valkey(second)


def with_password(url: str) -> str:
    password = urlsplit(url).password
    assert password is not None
    return url.replace(password, "wrong")


def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    folder = DataFolder.open(tmp_path)
    postgres.prepare(folder)
    assert (postgres.cluster(folder) / "global" / "pg_control").exists()
    assert not half.exists()
