"""Where the text of an INSERT ends and its data begins."""

import pytest

from tracehouse.embedded.clickhouse_errors import QueryError
from tracehouse.embedded.clickhouse_statement import Kind, read_statement


def read(in_url: str, *body: bytes) -> tuple[Kind, str, str, bytes]:
    statement = read_statement(in_url, iter(body))
    return statement.kind, statement.text.strip(), statement.format, b"".join(statement.data)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", Kind.READ),
        ("-- a comment\n/* and /* another */ WITH 1 AS x SELECT x", Kind.READ),
        ("((SELECT 1))", Kind.READ),
        ("SHOW TABLES", Kind.OTHER),
        ("INSERT INTO t SELECT 1", Kind.OTHER),
        ("INSERT INTO t WITH 1 AS x SELECT x", Kind.OTHER),
        ("INSERT INTO t (a) VALUES (1)", Kind.OTHER),
        ("INSERT INTO t FORMAT Native", Kind.INSERT),
    ],
)
def test_the_first_words_say_what_a_statement_is(text: str, kind: Kind) -> None:
    assert read("", text.encode())[0] is kind


def test_data_begins_on_the_line_after_the_format() -> None:
    found = read("", b"INSERT INTO t FORMAT JSONEachRow\n", b'{"a":1}')
    assert found == (Kind.INSERT, "INSERT INTO t", "JSONEachRow", b'{"a":1}')


def test_a_statement_in_the_url_leaves_the_whole_body_as_data() -> None:
    found = read("INSERT INTO t (`format`, `values`) FORMAT Native", b"\n SELECT ", b"x")
    assert found == (Kind.INSERT, "INSERT INTO t (`format`, `values`)", "Native", b"\n SELECT x")


def test_keywords_in_strings_names_comments_and_brackets_end_nothing() -> None:
    head = "INSERT INTO FUNCTION file('a FORMAT X', (values)) /* FORMAT Y */ -- VALUES\n FORMAT CSV\n1"
    assert read("", head.encode())[2:] == ("CSV", b"1")


def test_binary_data_that_holds_keywords_stays_data() -> None:
    data = b"\x00\xff FORMAT CSV ' VALUES ("
    assert read("", b"INSERT INTO t FORMAT Native\n" + data)[3] == data


def test_settings_may_stand_before_the_format() -> None:
    found = read("INSERT INTO t SETTINGS async_insert = 0 FORMAT TSV", b"1\n")
    assert found == (Kind.INSERT, "INSERT INTO t SETTINGS async_insert = 0", "TSV", b"1\n")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 FORMAT CSV",
        "SELECT 1 FORMAT CSV ;",
        "SELECT 1 FORMAT CSV SETTINGS max_threads = 1",
        "SELECT 1 format CSV -- x",
    ],
)
def test_a_querys_own_format_is_seen(text: str) -> None:
    assert read("", text.encode())[2] == "CSV"


def test_a_format_inside_a_query_is_not_its_own() -> None:
    assert read("", b"SELECT 'x FORMAT CSV', 1")[2] == ""


def test_an_empty_query_is_a_syntax_error() -> None:
    with pytest.raises(QueryError, match="Empty query"):
        read("", b"  ")


def test_a_statement_without_end_is_refused() -> None:
    with pytest.raises(QueryError, match="exceeded"):
        read("", *(b"SELECT 1 -- " + b"x" * 1_000_000 for _ in range(20)))
