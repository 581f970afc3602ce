"""The days that a page about money shows: whole days of the project's zone, both ends among them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from costs import days
from tracehouse.tenancy.scope import Window
from tracehouse.web import time_range

MAX_DAYS = 366


def _last(count: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - timedelta(days=count - 1), today)


def _last_month(today: date) -> tuple[date, date]:
    last = days.first_of_month(today) - days.ONE
    return days.first_of_month(last), last


def _week(today: date) -> tuple[date, date]:
    return today - timedelta(days=today.weekday()), today


PRESETS: Mapping[str, tuple[str, Callable[[date], tuple[date, date]]]] = {
    "today": ("Today", _last(1)),
    "week": ("This week", _week),
    "month": ("This month", lambda today: (days.first_of_month(today), today)),
    "last-month": ("Last month", _last_month),
    "7d": ("Last 7 days", _last(7)),
    "30d": ("Last 30 days", _last(30)),
    "90d": ("Last 90 days", _last(90)),
}
DEFAULT = "30d"


@dataclass(frozen=True, slots=True)
class DayRange:
    first: date
    last: date
    preset: str  # "" for days of one's own
    label: str
    problem: str = ""  # what was wrong with the days asked for, when the default stands in for them

    @property
    def parameters(self) -> dict[str, str]:
        """What an address needs to show these days again; nothing for the default."""
        if not self.preset:
            return {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {} if self.preset == DEFAULT else {"range": self.preset}

    @property
    def phrase(self) -> str:
        """The days inside a sentence: `in the last 30 days`, `this month`, `from ... to ...`."""
        if not self.preset:
            return f"from {self.label}"
        words = self.label.lower()
        return f"in the {words}" if self.preset.endswith("d") else words

    def window(self, now: datetime, zone: tzinfo) -> Window:
        """From the start of the first day to the end of the last, or until now."""
        whole = self.whole(zone)
        return Window(whole.start, max(min(whole.end, now), whole.start))

    def whole(self, zone: tzinfo) -> Window:
        """From the start of the first day to the end of the last, also where that is to come."""
        return Window(days.start_of(self.first, zone), days.start_of(self.last + days.ONE, zone))

    def of_traces(self, zone: tzinfo) -> dict[str, str]:
        """The same time as the addresses of pages of traces have it."""
        whole = self.whole(zone)
        return {
            "from": time_range.as_address(whole.start),
            "to": time_range.as_address(whole.end),
        }


def parse(parameters: Mapping[str, str], today: date) -> DayRange:
    """The days asked for; what cannot be read gives the default and says so."""
    first, last = parameters.get("from", "").strip(), parameters.get("to", "").strip()
    if first or last:
        return _custom(first, last, today)
    preset = parameters.get("range", "") or DEFAULT
    if preset not in PRESETS:
        return _preset(DEFAULT, today, f"There is no range called “{preset[:40]}”.")
    return _preset(preset, today)


def _preset(name: str, today: date, problem: str = "") -> DayRange:
    label, ends = PRESETS[name]
    return DayRange(*ends(today), name, label, problem)


def _custom(first: str, last: str, today: date) -> DayRange:
    try:
        until = date.fromisoformat(last[:10]) if last else today
        since = date.fromisoformat(first[:10]) if first else until - timedelta(days=29)
    except (ValueError, OverflowError):
        return _preset(DEFAULT, today, "The days could not be read: write them as 2026-01-31.")
    if since > until:
        return _preset(DEFAULT, today, "The first day is after the last.")
    if not 2000 <= since.year <= until.year < 2100:
        return _preset(DEFAULT, today, "Choose days between 2000 and 2099.")
    if (until - since).days >= MAX_DAYS:
        return _preset(DEFAULT, today, f"Choose at most {MAX_DAYS} days.")
    return DayRange(since, until, "", f"{_said(since)} to {_said(until)}")


def _said(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
