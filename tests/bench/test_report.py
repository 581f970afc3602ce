"""The page of results keeps what stands outside a section's markers."""

from pathlib import Path

from bench import report


def test_a_section_is_added_to_a_new_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    report.write("ingest", "## Ingest", page)
    assert page.read_text().startswith("# Benchmarks")
    assert page.read_text().endswith("<!-- ingest:start -->\n## Ingest\n<!-- ingest:end -->\n")


def test_writing_again_replaces_only_that_section(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    for section, text in (("ingest", "old"), ("queries", "stays as it is"), ("ingest", r"new \1")):
        report.write(section, text, page)
    content = page.read_text()
    assert "old" not in content
    assert content.count("<!-- ingest:start -->\nnew \\1\n<!-- ingest:end -->") == 1
    assert content.count("stays as it is") == 1
