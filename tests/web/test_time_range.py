"""The time range of a page."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracehouse.web import time_range

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def parse(**parameters: str) -> time_range.TimeRange:
    return time_range.parse(parameters, now=NOW, zone=BERLIN)


def test_the_default_is_a_day_and_needs_no_parameter() -> None:
    found = parse()
    assert found.window.start == NOW - timedelta(hours=24)
    assert found.parameters == {}
    assert found.label == "Last 24 hours"


@pytest.mark.parametrize("name", [name for name in time_range.PRESETS if name != time_range.DEFAULT])
def test_presets_stay_in_the_address(name: str) -> None:
    found = parse(range=name)
    assert found.window.start == NOW - time_range.PRESETS[name][0]
    assert found.parameters == {"range": name}


def test_clocks_that_run_ahead_are_in_the_window() -> None:
    assert parse(range="15m").window.end > NOW


def test_a_custom_range_is_read_in_the_zone_of_the_project() -> None:
    found = parse(**{"from": "2026-11-20T10:00", "to": "2026-11-21T10:00"})
    assert found.window.start == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("named", "hour"),
    [({"zone": "Asia/Tokyo"}, 1), ({}, 9), ({"zone": "Mars/Olympus"}, 9), ({"zone": "../etc/passwd"}, 9)],
)
def test_a_time_is_of_the_zone_that_is_named_beside_it_else_of_the_project(
    named: dict[str, str], hour: int
) -> None:
    asked = {"from": "2026-11-20T10:00", "to": "2026-11-21T10:00", **named}
    found = time_range.parse(asked, now=NOW, zone=ZoneInfo("America/New_York"), home=BERLIN)
    assert found.window.start == datetime(2026, 11, 20, hour, 0, tzinfo=UTC)


def test_an_address_means_the_same_in_every_zone() -> None:
    asked = {"from": "2026-10-25T02:30", "to": "2026-10-25T06:00", "zone": "Europe/Berlin"}
    found = time_range.parse(asked, now=NOW, zone=BERLIN)
    assert found.parameters == {"from": "2026-10-25T00:30Z", "to": "2026-10-25T05:00Z"}
    elsewhere = time_range.parse(found.parameters, now=NOW, zone=ZoneInfo("Asia/Tokyo"), home=BERLIN)
    assert elsewhere.window == found.window
    assert (elsewhere.start_input, str(elsewhere.zone)) == ("2026-10-25T09:30", "Asia/Tokyo")
    assert elsewhere.label == "25 Oct 2026 09:30 to 14:00"


def test_the_hour_that_a_clock_has_twice_is_one_in_an_address() -> None:
    moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC).astimezone(BERLIN) for hour in (0, 1)]
    assert {f"{moment:%H:%M}" for moment in moments} == {"02:30"}
    assert [time_range.as_address(moment) for moment in moments] == ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]


@pytest.mark.parametrize("name", ["", "localtime", "UTC+3", "Europe/Berlin; path=/", "../etc/passwd", "/"])
def test_what_names_no_zone_is_none(name: str) -> None:
    assert time_range.known_zone(name) is None


@pytest.mark.parametrize(
    "text", ["2026-11-20T10:00:00+00:00", "2026-11-20T10:00:00 00:00", "2026-11-20T10:00:00Z"]
)
def test_times_with_an_offset_mean_it(text: str) -> None:
    assert parse(**{"from": text}).window.start == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@given(st.integers(0, 5 * 3600 * 10**6))
@example(90 * 60 * 10**6)
def test_an_address_keeps_its_moment_when_clocks_are_put_back(microseconds: int) -> None:
    moment = datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(microseconds=microseconds)
    found = parse(**{"from": moment.isoformat(), "to": (moment + timedelta(minutes=5)).isoformat()})
    assert found.window.start == moment
    again = parse(**found.parameters)
    assert (again.window, again.problem) == (found.window, "")


def test_a_range_typed_backwards_across_the_change_is_understood() -> None:
    found = parse(**{"from": "2026-10-25T02:50", "to": "2026-10-25T02:10"})
    assert found.window.end - found.window.start == timedelta(minutes=20)
    assert found.label == "25 Oct 2026 02:50 CEST to 02:10 CET"


@pytest.mark.parametrize(
    "parameters",
    [
        {"range": "2 weeks"},
        {"from": "yesterday"},
        {"from": "9999-12-31T00:00"},
        {"from": "0001-01-01T00:00"},
        {"from": "2026-11-21T10:00", "to": "2026-11-20T10:00"},
    ],
)
def test_what_cannot_be_read_gives_the_default_and_says_so(parameters: dict[str, str]) -> None:
    found = parse(**parameters)
    assert found.problem
    assert found.preset == time_range.DEFAULT


@given(st.dictionaries(st.sampled_from(["from", "to", "range"]), st.text(max_size=30)))
def test_no_text_breaks_it(parameters: dict[str, str]) -> None:
    assert parse(**parameters).window.start < parse(**parameters).window.end


def test_wider_is_the_next_preset() -> None:
    assert parse(range="24h").wider == ("7d", "last 7 days")
    assert parse(range="30d").wider is None


@given(st.integers(min_value=0, max_value=400 * 24 * 60))
def test_the_covering_range_shows_the_moment(minutes_ago: int) -> None:
    moment = NOW - timedelta(minutes=minutes_ago)
    parameters = time_range.covering(moment, now=NOW)
    window = time_range.parse(parameters, now=NOW, zone=BERLIN).window
    assert window.start <= moment < window.end


def test_a_range_reads_inside_a_sentence() -> None:
    assert parse(range="1h").phrase == "in the last hour"
    custom = parse(**{"from": "2026-11-20T10:00", "to": "2026-11-21T10:00"})
    assert custom.phrase == "from 20 Nov 2026 10:00 to 21 Nov 2026 10:00"


def test_an_unknown_zone_is_utc() -> None:
    assert time_range.zone_of("Mars/Olympus") is UTC
    assert time_range.zone_of("../etc/passwd") is UTC
