"""Applies each app's `schema/NNNN_*.sql` once, in layer order, remembering a checksum.

The files are written once for both shapes of installation and rendered before they run:

- `${on_cluster}`, `${suffix}`, `${replicated}` and `${replica_path}` are empty on a single node; with
  `CLICKHOUSE_CLUSTER` set they make `name_local` a replicated table on every node. `${replica_then}` is the path for an
  engine that takes more arguments after it.
- A line `-- distributed: name BY expression` adds, on a cluster, the distributed table `name` over `name_local`.
"""

import hashlib
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import Template

from django.conf import settings

from tracehouse.clickhouse.client import Client, client, connect, database_name

# Layer order: an app's tables may build on those of the apps before it.
APPS = ("traces", "costs", "evals")
_DISTRIBUTED = re.compile(r"^-- distributed: (?P<table>\w+) BY (?P<key>.+)$", re.M)
_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations${suffix} ${on_cluster}
(
    name String,
    checksum String,
    applied_at DateTime DEFAULT now()
)
ENGINE = ${replicated}ReplacingMergeTree${replica_path}
ORDER BY name;
"""


class ChangedMigration(Exception):
    """A file that was applied has changed since: history is frozen, write a new file instead."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    source: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()


def migrations() -> list[Migration]:
    return [
        Migration(f"{app}/{file.stem}", file.read_text())
        for app in APPS
        for file in sorted((Path(settings.BASE_DIR) / app / "schema").glob("[0-9]*.sql"))
    ]


def apply_all(*, cluster: str = "") -> list[str]:
    """Applies what is missing and returns the names. Raises `ChangedMigration`."""
    _create_database(cluster)
    target = client()
    for statement in render(_HISTORY, cluster):
        target.command(statement)
    table = "schema_migrations_local" if cluster else "schema_migrations"
    rows = target.query(f"SELECT name, checksum FROM {table} FINAL").result_rows  # noqa: S608
    applied: dict[str, str] = {row[0]: row[1] for row in rows}
    done = []
    for migration in migrations():
        if migration.name in applied:
            _check(migration, applied[migration.name])
            continue
        _apply(target, migration, table, cluster)
        done.append(migration.name)
    return done


def render(source: str, cluster: str) -> list[str]:
    """The statements of a file for a single node (`cluster` empty) or for a cluster."""
    replica = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'" if cluster else ""
    body = Template(source).substitute(
        on_cluster=f"ON CLUSTER '{cluster}'" if cluster else "",
        suffix="_local" if cluster else "",
        replicated="Replicated" if cluster else "",
        replica_path=f"({replica})" if cluster else "",
        replica_then=f"{replica}, " if cluster else "",
    )
    statements = [part.strip() for part in _DISTRIBUTED.sub("", body).split(";\n") if part.strip()]
    if cluster:
        statements += [_distributed(found, cluster) for found in _DISTRIBUTED.finditer(source)]
    return statements


def dump() -> str:
    """The tables as the engine describes them, by name: what `schema/current.sql` keeps for reading and for review."""
    target = client()
    names = [row[0] for row in target.query("SHOW TABLES").result_rows if row[0] != "schema_migrations"]
    database = re.compile(rf"\b{re.escape(database_name())}\.")
    tables = [target.query(f"SHOW CREATE TABLE {name}").result_rows[0][0] for name in sorted(names)]
    return "\n\n".join(f"{database.sub('', table)};" for table in tables) + "\n"


def _distributed(found: re.Match[str], cluster: str) -> str:
    table, key = found["table"], found["key"]
    return (
        f"CREATE TABLE IF NOT EXISTS {table} ON CLUSTER '{cluster}' AS {table}_local\n"
        f"ENGINE = Distributed('{cluster}', currentDatabase(), '{table}_local', {key})"
    )


def _create_database(cluster: str) -> None:
    on_cluster = f" ON CLUSTER '{cluster}'" if cluster else ""
    with closing(connect("default")) as server:
        server.command(f"CREATE DATABASE IF NOT EXISTS `{database_name()}`{on_cluster}")


def _check(migration: Migration, applied: str) -> None:
    if migration.checksum != applied:
        raise ChangedMigration(
            f"{migration.name} has changed since it was applied; restore it and write a new migration."
        )


def _apply(target: Client, migration: Migration, table: str, cluster: str) -> None:
    for statement in render(migration.source, cluster):
        target.command(statement)
    target.insert(table, [[migration.name, migration.checksum]], column_names=["name", "checksum"])
