"""The data folder: private files, ports that stay the same, and one run at a time."""

import socket
import stat
from pathlib import Path

import pytest

from tracehouse.embedded.folder import DataFolder, Refused, port_is_free, read_json, write_private


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path / "data")


def test_a_secret_is_made_once_and_private(folder: DataFolder) -> None:
    first = folder.secret("postgres")
    assert folder.secret("postgres") == first
    assert folder.secret("valkey") != first
    assert stat.S_IMODE((folder.secrets / "postgres").stat().st_mode) == 0o600


def test_a_crash_while_writing_leaves_the_old_file(folder: DataFolder) -> None:
    path = folder.run / "env.json"
    write_private(path, '{"a": "1"}')
    (folder.run / "env.json.new").write_text('{"a": ')
    assert read_json(path) == {"a": "1"}
    write_private(path, '{"a": "2"}')
    assert read_json(path) == {"a": "2"}


def test_ports_stay_while_they_are_free(folder: DataFolder) -> None:
    first = folder.ports(["a", "b"])
    assert folder.ports(["a", "b"]) == first
    with socket.create_server(("127.0.0.1", first["a"])):
        second = folder.ports(["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not port_is_free("127.0.0.1", port)
    assert port_is_free("127.0.0.1", port)


def test_only_one_run_at_a_time_and_the_second_learns_where(folder: DataFolder) -> None:
    write_private(folder.environment_file, '{"TRACEHOUSE_URL": "http://127.0.0.1:8123"}')
    with (
        folder.locked(),
        pytest.raises(Refused, match=r"already runs from .* at http://127.0.0.1:8123"),
        folder.locked(),
    ):
        pass
    with folder.locked():
        pass
