"""How numbers read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tracehouse.web import figures
from tracehouse.web.templatetags.figures import cost

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "-"),
        (0, "0 ms"),
        (0.333, "0.3 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (412, "412 ms"),
        (999.6, "1.0 s"),
        (6_800, "6.8 s"),
        (59_949, "59.9 s"),
        (59_960, "1 m 0 s"),
        (134_000, "2 m 14 s"),
        (3_780_000, "1 h 3 m"),
        (187_200_000, "2 d 4 h"),
        (-1_500, "-1.5 s"),
        (float("nan"), "-"),
    ],
)
def test_duration(milliseconds: float | None, text: str) -> None:
    assert figures.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (None, "-"),
        ("0", "$0"),
        ("0.0042", "$0.0042"),
        ("0.00423", "$0.0042"),
        ("0.000020", "$0.000020"),
        ("0.00000048", "<$0.00001"),
        ("0.00996", "$0.01"),
        ("0.00994", "$0.0099"),
        ("0.0182", "$0.02"),
        ("1.274", "$1.27"),
        ("999.994", "$999.99"),
        ("999.995", "$1,000"),
        ("1204.4", "$1,204"),
        ("-1.27", "-$1.27"),
    ],
)
def test_money(dollars: str | None, text: str) -> None:
    assert figures.money(None if dollars is None else Decimal(dollars)) == text


def test_exact_money_keeps_every_digit() -> None:
    assert figures.exact_money(Decimal("1234.000000480000")) == "$1,234.00000048"
    assert figures.exact_money(Decimal("5")) == "$5"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (6_842, "6.8k"),
        (99_960, "100k"),
        (999_499, "999k"),
        (999_600, "1M"),
        (8_500_000, "8.5M"),
        (3_000_000_000, "3G"),
    ],
)
def test_compact(number: int | None, text: str) -> None:
    assert figures.compact(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (412, "412 B"),
        (1_200, "1.2 kB"),
        (3_400_000, "3.4 MB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_size(number: int | None, text: str) -> None:
    assert figures.size(number) == text


def test_count_and_percent() -> None:
    assert figures.count(6842) == "6,842"
    assert figures.count(None) == "-"
    assert figures.percent(0.0423) == "4.2 %"
    assert figures.percent(None) == "-"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=3, minutes=5), "3 h 5 m ago"),
        (timedelta(days=1), "23 Nov 13:00"),
        (timedelta(days=400), "20 Oct 2025 14:00"),
        (timedelta(hours=-2), "24 Nov 15:00"),
    ],
)
def test_moment_is_relative_within_a_day_and_local_after(ago: timedelta, text: str) -> None:
    assert figures.moment(NOW - ago, now=NOW, zone=ZoneInfo("Europe/Berlin")) == text


def test_exact_moment_names_the_zone() -> None:
    assert figures.exact_moment(NOW, zone=ZoneInfo("Europe/Berlin")) == "2026-11-24 13:00:00.000 CET"


def test_the_hover_text_is_of_utc_first() -> None:
    berlin = "2026-11-24 12:00:00.000 UTC, 2026-11-24 13:00:00.000 CET"
    assert figures.exact_in_utc(NOW, zone=ZoneInfo("Europe/Berlin")) == berlin
    assert figures.exact_in_utc(NOW, zone=ZoneInfo("Africa/Abidjan")) == "2026-11-24 12:00:00.000 UTC"


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(seconds=30), "30 s"),
        (timedelta(seconds=90), "90 s"),
        (timedelta(minutes=15), "15 min"),
        (timedelta(hours=6), "6 h"),
        (timedelta(days=1), "1 d"),
    ],
)
def test_steps_of_a_chart_are_whole(length: timedelta, shown: str) -> None:
    assert figures.step(length) == shown


@pytest.mark.parametrize(
    ("dollars", "unpriced_calls", "used", "text"),
    [
        (Decimal("1.27"), 0, 900, '<span title="$1.27">$1.27</span>'),
        (Decimal(0), 0, 900, '<span title="$0">$0</span>'),  # a model whose price is nothing
        (Decimal(0), 0, 0, '<span class="faint">-</span>'),  # its calls do not report what they used
        (Decimal("0.02"), 0, 0, '<span title="$0.02">$0.02</span>'),  # a tool with a price
        (None, 3, 900, '<span class="warn">unpriced</span>'),
    ],
)
def test_what_a_trace_cost_is_said_only_of_what_it_is_known_to_have_used(
    dollars: Decimal | None, unpriced_calls: int, used: int, text: str
) -> None:
    assert cost(dollars, unpriced_calls, used) == text
