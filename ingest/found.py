"""What the page on redaction shows of what was found: a line a detector, and a strip of bars over time. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tracehouse.tenancy.scope import Window
from traces.redaction_queries import Replaced, Step

# Longer windows would have bars too thin to see; up to this many hours each hour has its own.
MAX_HOURS = 48
STRIP_HEIGHT = 28


@dataclass(frozen=True, slots=True)
class Bar:
    """One step's values. The numbers of the drawing are texts: a template would write them by its locale."""

    left: str
    top: str
    height: str
    values: int
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    title: str
    does: str  # what happens with its values; "" for a detector that is no more
    values: int
    spans: int
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Found:
    lines: Sequence[Line]
    total: int
    steps: int
    step: Step
    height: int = STRIP_HEIGHT


def step_for(window: Window) -> Step:
    return Step.HOUR if window.end - window.start <= timedelta(hours=MAX_HOURS) else Step.DAY


def summarize(
    rows: Sequence[Replaced],
    window: Window,
    *,
    titles: Mapping[str, str],
    does: Mapping[str, str],
    zone: tzinfo,
) -> Found:
    """Every detector that has a title, found or not, then rules that are gone; the most found first."""
    step = step_for(window)
    starts = _starts(window, step, zone)
    most = max((row.values for row in rows), default=0)
    names = dict.fromkeys([*titles, *(row.detector for row in rows)])
    lines = [
        _line(name, [row for row in rows if row.detector == name], starts, most, titles, does, zone)
        for name in names
    ]
    lines.sort(key=lambda line: -line.values)
    return Found(lines, sum(line.values for line in lines), len(starts), step)


def _starts(window: Window, step: Step, zone: tzinfo) -> dict[datetime, int]:
    """The beginnings of the steps that the window touches, by the clock of the zone, with their numbers."""
    at = window.start.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    at = at.replace(hour=0) if step is Step.DAY else at.astimezone(UTC)
    starts: dict[datetime, int] = {}
    while at < window.end:
        starts[at.astimezone(UTC)] = len(starts)
        at += timedelta(days=1) if step is Step.DAY else timedelta(hours=1)  # days by the clock of the zone
    return starts


def _line(
    name: str,
    rows: Sequence[Replaced],
    starts: Mapping[datetime, int],
    most: int,
    titles: Mapping[str, str],
    does: Mapping[str, str],
    zone: tzinfo,
) -> Line:
    bars = [_bar(row, starts[row.start], most, zone) for row in rows if row.start in starts]
    values, spans = sum(row.values for row in rows), sum(row.spans for row in rows)
    return Line(name, titles.get(name, name), does.get(name, ""), values, spans, bars)


def _bar(row: Replaced, place: int, most: int, zone: tzinfo) -> Bar:
    height = max(1.5, STRIP_HEIGHT * row.values / most)
    start = row.start.astimezone(zone)
    label = f"{start:%d %b %H:%M}" if start.hour or start.minute else f"{start:%d %b}"
    return Bar(f"{place + 0.1:.1f}", f"{STRIP_HEIGHT - height:.2f}", f"{height:.2f}", row.values, label)
