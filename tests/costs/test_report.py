"""What a weekly report says, and when it is due, as pure decisions."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs import report, report_mail, report_words
from costs.report import (
    Cause,
    Compared,
    Growth,
    Loser,
    Margins,
    Spike,
    UnpricedModel,
    Used,
    Week,
    WeeklyReport,
)

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
HOSTILE = '<img src=x onerror="alert(1)">\r\nBcc: all@example.com \u202egnp.exe'

used = st.builds(
    Used,
    cost=st.integers(0, 10**18).map(lambda units: Decimal(units).scaleb(-12)),
    invocations=st.integers(0, 10**6),
)


def weekly(**fields: object) -> WeeklyReport:
    """A week of everything; what a test is about is given."""
    draft = Compared("draft", Used(Decimal(90), 300), Used(Decimal(40), 200))
    plain = WeeklyReport(
        project="Agents",
        slug="agents",
        time_zone="Europe/Copenhagen",
        first_day=date(2026, 11, 16),
        last_day=date(2026, 11, 22),
        until=datetime(2026, 11, 22, 23, tzinfo=UTC),
        made_at=datetime(2026, 11, 23, 7, tzinfo=UTC),
        is_over=True,
        total=Compared("", Used(Decimal(110), 400), Used(Decimal(100), 380)),
        users=12,
        users_before=10,
        growth=Growth(Decimal(4), Decimal(6)),
        spenders=(Compared("ada", Used(Decimal(80), 100), Used(Decimal(60), 90)),),
        features=(report.grown([draft])[0],),
        features_grown=1,
        spikes=(Spike("feature", "draft", date(2026, 11, 18), Decimal(40), Decimal(9), Decimal("6.1")),),
        spike_count=1,
        too_new=2,
        margins=Margins(
            (Loser("user", "ada", "Pro", Decimal(80), Decimal("11.43")),), 1, Decimal("68.57"), 3
        ),
        unpriced_models=(),
        rolled_up_until=datetime(2026, 11, 23, 6, 50, tzinfo=UTC),
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(used, used)
def test_more_invocations_and_dearer_ones_add_up_to_the_change(now: Used, before: Used) -> None:
    growth = report.decompose(now, before)
    assert growth.change == now.cost - before.cost
    if not now.invocations or not before.invocations:
        assert growth.by_price == 0


def test_what_both_causes_did_together_is_shared_between_them() -> None:
    growth = report.decompose(Used(Decimal(90), 300), Used(Decimal(40), 200))
    # 100 more at 25 cents (the mean of 20 and 30), and 10 cents dearer for 250 (the mean of 200 and 300).
    assert (growth.by_invocations, growth.by_price) == (Decimal(25), Decimal(25))


@pytest.mark.parametrize(
    ("now", "before", "cause"),
    [
        (Used(Decimal(30), 300), Used(Decimal(20), 200), Cause.MORE),
        (Used(Decimal(30), 200), Used(Decimal(20), 200), Cause.DEARER),
        (Used(Decimal(90), 300), Used(Decimal(40), 200), Cause.BOTH),
        (Used(Decimal(30), 100), Used(Decimal(20), 200), Cause.DEARER),
        (Used(Decimal(30), 300), Used(), Cause.NEW),
    ],
)
def test_a_feature_that_grew_says_why(now: Used, before: Used, cause: Cause) -> None:
    (found,) = report.grown([Compared("draft", now, before)])
    assert found.cause is cause


def test_only_what_grew_is_listed_and_all_of_it_adds_up() -> None:
    features = report.compare(
        {"a": Used(Decimal(5), 5), "b": Used(Decimal(1), 1), "": Used(Decimal(2), 1)},
        {"a": Used(Decimal(1), 1), "b": Used(Decimal(9), 3)},
    )
    assert [one.feature.key for one in report.grown(features)] == ["a", ""]
    assert report.all_growth(features).change == Decimal(8) - Decimal(10)


def test_top_spenders_have_an_id_and_cost_something() -> None:
    users = report.compare(
        {"": Used(Decimal(50), 1), "ada": Used(Decimal(3), 1), "bob": Used(Decimal(0), 9)},
        {"eve": Used(Decimal(9), 1)},
    )
    assert [one.key for one in report.spenders(users)] == ["ada"]
    many = report.compare({f"u{number:02}": Used(Decimal(number + 1), 1) for number in range(30)}, {})
    assert [one.key for one in report.spenders(many)][:2] == ["u29", "u28"]
    assert len(report.spenders(many)) == report.TOP


def test_a_week_is_that_of_the_time_zone_and_due_by_its_clock() -> None:
    late_on_sunday = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert report.week_of(late_on_sunday, UTC).first == date(2026, 11, 16)
    week = Week(date(2026, 11, 16))
    assert report.week_of(late_on_sunday, COPENHAGEN) == week.after
    assert week.end(COPENHAGEN) == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert week.due(0, 8, COPENHAGEN) == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert week.due(2, 0, UTC) == datetime(2026, 11, 25, tzinfo=UTC)


def test_the_week_before_ends_at_the_same_time_by_the_clock_when_summer_time_ends() -> None:
    """25 October 2026 is a day of 25 hours in Copenhagen."""
    noon = datetime(2026, 10, 28, 12, tzinfo=COPENHAGEN)
    assert report.week_before(noon, COPENHAGEN) == datetime(2026, 10, 21, 10, tzinfo=UTC)


def test_a_report_is_the_same_after_it_was_stored() -> None:
    found = weekly(told_before=Decimal("98.000000000001"))
    assert report.from_data(report.as_data(found)) == found


def test_the_words_tell_the_sum_the_change_and_what_made_it() -> None:
    written = report_words.write(weekly())
    assert written.subject == "Agents: $110.00 in the week of 16 Nov, up 10.0 %"
    assert written.period == "Monday 16 Nov to Sunday 22 Nov 2026, days in Europe/Copenhagen"
    assert written.said == (
        "$10.00 more than the week before: +$4.00 from the number of invocations, +$6.00 from the price of one."
    )
    assert written.warning == ""
    assert [one.title for one in written.sections] == [
        "Top spenders",
        "Features that drove growth",
        "1 anomaly",
        "1 customer cost more than they pay, $68.57 in all",
    ]
    feature = written.sections[1].rows[0]
    assert [cell.text for cell in feature] == ["draft", "+$50.00", "+$25.00", "+$25.00"]
    assert feature[0].detail == "more and dearer invocations: 300 at $0.30 each (was 200 at $0.20)"
    assert "2 more days were too new to judge." in written.sections[2].said


def test_unpriced_calls_are_told_wherever_a_sum_leaves_them_out() -> None:
    total = Compared("", Used(Decimal(110), 400, unpriced_calls=7), Used(Decimal(100), 380))
    spender = Compared("ada", Used(Decimal(80), 100, unpriced_calls=7), Used())
    written = report_words.write(
        weekly(total=total, spenders=(spender,), unpriced_models=(UnpricedModel("acme-1", 7),))
    )
    assert written.title == "At least $110.00 in the week of 16 Nov, up 10.0 %"
    assert written.warning.startswith("7 calls have no known price and are in no sum")
    assert [cell.text for cell in written.sections[0].rows[0]] == [
        "ada",
        "$80.00 + unpriced",
        "72.7 %",
        "new",
    ]
    assert written.sections[-1].title == "7 unpriced calls"
    assert [cell.text for cell in written.sections[-1].rows[0]] == ["acme-1", "7"]


def test_nothing_is_said_of_margins_without_plans_and_of_change_without_a_week_before() -> None:
    written = report_words.write(
        weekly(
            total=Compared("", Used(Decimal(5), 1), Used()),
            margins=Margins((), 0, Decimal(0), 0),
            spikes=(),
            spike_count=0,
            too_new=0,
            features=(),
            spenders=(),
            rolled_up_until=None,
        )
    )
    assert written.title == "$5.00 in the week of 16 Nov"
    assert written.said == "Nothing was used in the week before."
    assert [one.title for one in written.sections] == [
        "Top spenders",
        "No feature cost more than the week before",
        "No anomalies",
        "Margins are not known",
    ]
    assert "The hourly roll-up had not run yet" in written.notes[1]
    without_losers = report_words.write(weekly(margins=Margins((), 0, Decimal(0), 3)))
    assert without_losers.sections[3].title == "Nobody cost more than they pay"


def test_late_spans_and_a_week_that_goes_on_are_said() -> None:
    told = report_words.write(weekly(told_before=Decimal(98)))
    assert told.notes[-1] == (
        "The report of the week before told $98.00; with what came or was priced since, that week is $100.00."
    )
    going_on = report_words.write(weekly(is_over=False, until=datetime(2026, 11, 18, 11, tzinfo=UTC)))
    assert going_on.title == "$110.00 so far in the week of 16 Nov, up 10.0 %"
    assert going_on.period.endswith("until 18 Nov 12:00")
    assert "the same part of the week before" in going_on.said


def test_ids_of_strangers_stand_in_one_line_of_seen_characters() -> None:
    assert report_words.clean(HOSTILE) == '<img src=x onerror="alert(1)"> Bcc: all@example.com \ufffdgnp.exe'
    assert len(report_words.clean("x" * 500)) == report_words.MAX_TEXT
    written = report_words.write(
        weekly(project=HOSTILE, spenders=(Compared(HOSTILE, Used(Decimal(1), 1), Used()),))
    )
    assert "\n" not in written.subject
    assert all("\n" not in line for section in written.sections for line in section.lines)


def test_the_table_of_the_plain_text_has_its_columns_under_each_other() -> None:
    lines = report_words.write(weekly()).sections[1].lines
    assert lines == [
        "Feature   Growth  Invocations    Price",
        "draft    +$50.00      +$25.00  +$25.00",
        "    more and dearer invocations: 300 at $0.30 each (was 200 at $0.20)",
    ]


def places_of(word: str, content: Any, path: str = "") -> list[tuple[str, Any]]:
    """Where a text stands, and in what."""
    found: list[tuple[str, Any]] = []
    for name, value in content.items() if isinstance(content, dict) else enumerate(content):
        at = f"{path}.{name}" if isinstance(content, dict) else f"{path}[]"
        if isinstance(value, (dict, list, tuple)):
            found += places_of(word, value, at)
        elif value == word or word in str(value):
            found.append((at.removeprefix("."), content))
    return found


def test_a_report_names_a_user_only_where_an_erasure_can_replace_it() -> None:
    """The places that `docs/weekly-report.md` lists: everything shown is written from them."""
    spike = Spike("user", "ada-1815", date(2026, 11, 18), Decimal(40), Decimal(9), Decimal("6.1"))
    loser = Loser("user", "ada-1815", "Pro", Decimal(80), Decimal("11.43"))
    spender = Compared("ada-1815", Used(Decimal(80), 100), Used(Decimal(60), 90))
    margins = Margins((loser,), 1, Decimal("68.57"), 3)
    content = msgspec.json.decode(
        msgspec.json.encode(
            report.as_data(weekly(spenders=(spender,), spikes=(spike,), spike_count=1, margins=margins))
        )
    )
    found = places_of("ada-1815", content)
    assert {path for path, _ in found} == {"spenders[].key", "spikes[].key", "margins.losers[].key"}
    for _, holder in found:
        holder["key"] = "erased"
    shown = report.from_data(content)
    assert (
        "ada-1815"
        not in f"{report_words.write(shown)}{report_mail.as_text(shown, 1)}{report_mail.as_html(shown, 1)}"
    )
    assert "erased" in report_mail.as_text(shown, 1)
