"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from tracehouse import env
from tracehouse.web.management.commands import configuration_docs

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*/schema/README.md"))]
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
_CODE_PATH = re.compile(
    r"`((?:platform/tracehouse|ingest|traces|costs|evals|exports|bench|tests|docs)/[\w./-]+\.\w+)`"
)


def test_configuration_md_is_the_settings_table() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text()
    assert written == configuration_docs.page(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [target for target in _LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    missing = [name for name in _CODE_PATH.findall(page.read_text()) if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_variable_that_a_page_names_is_a_setting(page: Path) -> None:
    known = {row.name for row in env.SETTINGS}
    named = set(re.findall(r"\bTRACEHOUSE_[A-Z_]+\b", page.read_text()))
    assert named <= known


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z][a-z-]*)", page.read_text())}
    assert named <= targets
