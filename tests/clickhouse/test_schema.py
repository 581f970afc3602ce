"""The ClickHouse schema: what the migrations make, on one node and on a cluster."""

import re
from pathlib import Path

import pytest
import sqlglot

from tracehouse.clickhouse import migrate

ROOT = Path(__file__).resolve().parents[2]
CURRENT = ROOT / "traces" / "schema" / "current.sql"


@pytest.mark.clickhouse
def test_current_sql_is_what_the_migrations_make(clickhouse: None) -> None:
    made = migrate.dump()
    assert CURRENT.read_text() == made, "run `manage.py migrate_clickhouse --dump`"


@pytest.mark.clickhouse
def test_applying_again_changes_nothing(clickhouse: None) -> None:
    assert migrate.apply_all() == []


@pytest.mark.clickhouse
def test_an_applied_file_that_changed_is_refused(clickhouse: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = migrate.migrations()[0]
    changed = migrate.Migration(first.name, first.source + "-- changed\n")
    monkeypatch.setattr(migrate, "migrations", lambda: [changed])
    with pytest.raises(migrate.ChangedMigration, match="0001_spans"):
        migrate.apply_all()


@pytest.mark.parametrize("migration", migrate.migrations(), ids=lambda migration: migration.name)
def test_a_cluster_gets_replicated_tables_with_a_distributed_one_over_each(
    migration: migrate.Migration,
) -> None:
    statements = migrate.render(migration.source, "main")
    for statement in statements:
        assert sqlglot.parse_one(statement, dialect="clickhouse")
        assert "ON CLUSTER 'main'" in statement
        assert "${" not in statement
    created = [
        found[1] for text in statements if (found := re.search(r"CREATE TABLE IF NOT EXISTS (\w+)", text))
    ]
    local = {name for name in created if name.endswith("_local")}
    assert {name.removesuffix("_local") for name in local} == set(created) - local
    for statement in statements:
        if re.search(r"CREATE TABLE IF NOT EXISTS \w+_local", statement):
            assert "ENGINE = Replicated" in statement
            assert "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'" in statement
        elif "CREATE TABLE" in statement:
            assert "ENGINE = Distributed('main'" in statement


@pytest.mark.parametrize("migration", migrate.migrations(), ids=lambda migration: migration.name)
def test_one_node_gets_plain_tables(migration: migrate.Migration) -> None:
    text = "\n".join(migrate.render(migration.source, ""))
    assert not re.search(r"ON CLUSTER|Replicated|Distributed|_local|\$\{", text)
