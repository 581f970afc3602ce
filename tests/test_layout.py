"""House rules that no linter knows; each message says what to do instead."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("ingest", "traces", "costs", "evals", "exports", "platform/tracehouse")
SOURCES = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
SQL_LIVES_IN = ("queries.py", "filters.py", "store.py")  # ends of names: session_queries.py is one too
_SQL = re.compile(r"\b(SELECT\s+[\w*].*\bFROM|INSERT INTO|ALTER TABLE|GROUP BY)\b", re.DOTALL)


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_platform_is_a_folder_and_not_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists(), "a package named platform hides Python's own"


def test_sql_stands_in_queries_filters_and_store() -> None:
    elsewhere = [
        path
        for path in SOURCES
        if not path.name.endswith(SQL_LIVES_IN)
        and not {"clickhouse", "embedded", "schema", "demo"} & set(path.parts)
        and path.name != "health.py"
        and _SQL.search(_without_docstrings(path.read_text()))
    ]
    assert names(elsewhere) == [], "move the statement to the app's queries.py, filters.py or store.py"


def test_every_module_begins_with_a_sentence() -> None:
    silent = [path for path in SOURCES if path.read_text().strip() and not path.read_text().startswith('"""')]
    assert names(silent) == [], "say in a sentence what the module is for"


def test_no_task_is_left_in_a_comment() -> None:
    marked = [path for path in SOURCES if re.search(r"#.*\b(TODO|FIXME|XXX)\b", path.read_text())]
    assert names(marked) == [], "do it, or write it down as an issue"


@pytest.mark.parametrize("page", sorted((ROOT / "templates").rglob("*.html")), ids=lambda page: page.name)
def test_templates_load_nothing_from_elsewhere_and_trust_nothing(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"(src|href)=[\"']https?://", text), "serve every asset ourselves"
    assert "|safe" not in text, "content of spans is hostile: render it as text"
    assert "autoescape off" not in text, "content of spans is hostile: render it as text"


def _without_docstrings(text: str) -> str:
    return re.sub(r'^\s*"""(?:[^"]|"(?!""))*"""$', "", text, flags=re.M)
