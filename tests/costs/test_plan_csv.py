"""Files of plans: read whole or not at all, and every mistake has a line and a column."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import plan_csv
from costs.plan_csv import MAX_ID, Parsed, PlanRow, Problem, Subject

HEADER = "user_id,organization_id,plan,monthly_usd,from,to\n"
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
rows = st.builds(
    PlanRow,
    subject=st.sampled_from(Subject),
    key=KEYS,
    monthly_usd=st.decimals(min_value=0, max_value=10**6, places=4),
    first_day=st.dates(date(2020, 1, 1), date(2026, 1, 1)),
    last_day=st.none() | st.dates(date(2026, 1, 2), date(2030, 1, 1)),
    name=st.just("") | KEYS,
)


def parse(text: str) -> Parsed:
    return plan_csv.parse(text, lambda given: given.replace("mara@example.com", "[email:1f9a]"))


def problem(text: str) -> Problem:
    """The only thing that is wrong with it."""
    found = parse(text)
    assert found.rows == ()
    assert len(found.problems) == 1
    return found.problems[0]


def test_a_file_of_users_and_organizations_is_read() -> None:
    found = parse(HEADER + "u-1,,Pro,49.90,2026-01-01,\n\n,acme,,$1200,2026-02-01,2026-12-31\n")
    assert found.problems == ()
    assert found.rows == (
        PlanRow(Subject.USER, "u-1", Decimal("49.90"), date(2026, 1, 1), None, "Pro"),
        PlanRow(Subject.ORGANIZATION, "acme", Decimal(1200), date(2026, 2, 1), date(2026, 12, 31)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffuser_id;monthly_usd;from\r\nu-1;49;2026-01-01\r\n",
        "From\tMonthly USD\tUser ID\n2026-01-01\t49\tu-1\n",
        "user_id,monthly_usd,from\nu-1,49,2026-01-01",
        '\nuser_id,monthly_usd,from,to\n"u-1","49", 2026-01-01\n',
    ],
)
def test_files_of_spreadsheets_are_read_as_they_write_them(text: str) -> None:
    assert parse(text).rows == (PlanRow(Subject.USER, "u-1", Decimal(49), date(2026, 1, 1)),)


def test_an_id_is_the_one_that_spans_are_stored_under() -> None:
    assert parse(HEADER + "mara@example.com,,,49,2026-01-01,").rows[0].key == "[email:1f9a]"


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (",,,49,2026-01-01,", "user_id", "Say which user or organization."),
        ("u-1,acme,,49,2026-01-01,", "user_id", "not both"),
        ("u-1,,,,2026-01-01,", "monthly_usd", "empty"),
        ('u-1,,,"1,200",2026-01-01,', "monthly_usd", "with a point"),
        ("u-1,,,-5,2026-01-01,", "monthly_usd", "Write US dollars"),
        ("u-1,,,NaN,2026-01-01,", "monthly_usd", "Write US dollars"),
        ("u-1,,,1e9,2026-01-01,", "monthly_usd", "Write US dollars"),
        ("u-1,,,49 EUR,2026-01-01,", "monthly_usd", "Write US dollars"),
        ("u-1,,,9999999999,2026-01-01,", "monthly_usd", "More than"),
        ("u-1,,,49,01/02/2026,", "from", "2026-01-31"),
        ("u-1,,,49,,", "from", "empty"),
        ("u-1,,,49,1026-01-01,", "from", "between 2000 and 2099"),
        ("u-1,,,49,2026-02-01,2026-01-31", "to", "ends before it begins"),
        ("u-1,,,49,2026-02-30,", "from", "2026-01-31"),
        (f"{'x' * (MAX_ID + 1)},,,49,2026-01-01,", "user_id", "at most 500"),
        ("u-1,,,49,2026-01-01,,,x", "", "8 values under 6 columns"),
    ],
)
def test_a_mistake_is_named_by_line_and_column_and_nothing_is_taken(
    line: str, column: str, said: str
) -> None:
    found = problem(f"{HEADER}u-0,,,1,2026-01-01,\n{line}\n")
    assert (found.line, found.column) == (3, column)
    assert said in found.message


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    assert problem(HEADER + '\n"u-\n1",,,1,2026-01-01,\nu-2,,,x,2026-01-01,\n').line == 5


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("user,monthly_usd,from", "user"),
        ("user_id,from", "monthly_usd"),
        ("user_id,monthly_usd", "from"),
        ("monthly_usd,from", "user_id"),
        ("user_id,user_id,monthly_usd,from", "user_id"),
    ],
)
def test_a_header_that_misses_or_invents_a_column_is_said(header: str, column: str) -> None:
    found = problem(header + "\nu-1,1,2026-01-01\n")
    assert (found.line, found.column) == (1, column)


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, 'user_id,monthly_usd,from\n"u-1,49,2026-01-01'])
def test_a_file_without_rows_or_with_an_open_quote_is_refused(text: str) -> None:
    assert problem(text).line == 1


def test_two_prices_of_one_customer_from_the_same_day_are_refused_by_their_stored_id() -> None:
    found = problem(HEADER + "mara@example.com,,,1,2026-01-01,\n[email:1f9a],,,2,2026-01-01,\n")
    assert "Line 2" in found.message


def test_all_mistakes_are_counted_and_the_first_ones_told() -> None:
    found = parse(HEADER + "u,,,x,2026-01-01,\n" * 60)
    assert (len(found.problems), found.more_problems) == (50, 10)


@given(st.lists(rows, min_size=1, max_size=10, unique_by=lambda row: row.identity))
def test_what_is_written_is_read_again(given_rows: list[PlanRow]) -> None:
    assert plan_csv.parse(plan_csv.written(given_rows), lambda key: key).rows == tuple(given_rows)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert bool(parse(text).rows) != bool(parse(text).problems)
