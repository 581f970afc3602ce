"""The chart above the list of traces: counts to bars, latencies to lines, times to ticks. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tracehouse.tenancy.scope import Window
from tracehouse.web import time_range
from traces.strip_queries import Counts, Steps, Strip

DAY = 86_400
WEEK = 7 * DAY
BELOW_AN_HOUR = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800)
STEPS = (*BELOW_AN_HOUR, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, DAY, 2 * DAY, WEEK)
MAX_BARS = 96
TICKS = (10, 30, 60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY, 2 * DAY, 5 * DAY, WEEK)
MAX_TICKS = 9
# Heights in pixels; widths are shares of the chart's.
VOLUME = 40
BETWEEN = 6
LATENCY = 30
# A failed trace among thousands is still a line that one can see.
LEAST = 2.0
GAP = 0.15  # of a bar


@dataclass(frozen=True, slots=True)
class Bar:
    label: str  # from when to when, on the zone's clock
    start_input: str
    end_input: str
    counts: Counts
    x: float  # percent
    width: float  # percent
    hit_x: float
    hit_width: float
    failed_height: float
    passed_y: float
    passed_height: float
    failed_y: float


@dataclass(frozen=True, slots=True)
class Tick:
    x: float  # percent
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    ticks: list[Tick]
    p50: str  # the path of a line, in a box of a unit a bar and `LATENCY` high
    p99: str
    total: Counts
    step: timedelta
    top_traces: int
    top_ms: float
    volume_height: int = VOLUME
    latency_top: int = VOLUME + BETWEEN
    latency_height: int = LATENCY
    height: int = VOLUME + BETWEEN + LATENCY


def steps_of(window: Window, zone: tzinfo) -> Steps:
    """At most `MAX_BARS` buckets that cover the window and begin on whole steps of the zone's clock."""
    length = (window.end - window.start).total_seconds()
    weeks = -(-length // (MAX_BARS * WEEK))
    seconds = next((step for step in STEPS if length <= step * MAX_BARS), int(weeks) * WEEK)
    offset = _offset(window.start, zone)
    start = int(window.start.timestamp()) + offset
    return Steps(first=start - start % seconds - offset, seconds=seconds)


def chart(strip: Strip, window: Window, steps: Steps, zone: tzinfo) -> Chart:
    number = max(-(-(int(window.end.timestamp()) - steps.first) // steps.seconds), 1)
    counts = [strip.buckets.get(place, Counts()) for place in range(number)]
    top = max((one.traces for one in counts), default=0)
    top_ms = max((one.p99_ms or 0.0 for one in counts), default=0.0)
    return Chart(
        bars=[_bar(place, one, number, top, steps, zone) for place, one in enumerate(counts)],
        ticks=_ticks(steps, number, zone),
        p50=_line([one.p50_ms for one in counts], top_ms),
        p99=_line([one.p99_ms for one in counts], top_ms),
        total=strip.total,
        step=timedelta(seconds=steps.seconds),
        top_traces=top,
        top_ms=top_ms,
    )


def _bar(place: int, counts: Counts, number: int, top: int, steps: Steps, zone: tzinfo) -> Bar:
    start = datetime.fromtimestamp(steps.first + place * steps.seconds, UTC)
    end = start + timedelta(seconds=steps.seconds)
    failed = _height(counts.failed, top)
    whole = max(_height(counts.traces, top), failed)
    share = 100 / number
    return Bar(
        label=_span(start.astimezone(zone), end.astimezone(zone)),
        start_input=time_range.as_input(start, zone),
        end_input=time_range.as_input(end, zone),
        counts=counts,
        x=round((place + GAP / 2) * share, 3),
        width=round((1 - GAP) * share, 3),
        hit_x=round(place * share, 3),
        hit_width=round(share, 3),
        failed_height=failed,
        failed_y=round(VOLUME - failed, 2),
        passed_height=round(whole - failed, 2),
        passed_y=round(VOLUME - whole, 2),
    )


def _span(start: datetime, end: datetime) -> str:
    clock = "%H:%M:%S" if start.second or end.second else "%H:%M"
    until = f"{end:{clock}}" if end.date() == start.date() else f"{end.day} {end:%b} {end:{clock}}"
    return f"{start.day} {start:%b} {start:{clock}} to {until}"


def _height(count: int, top: int) -> float:
    return round(max(VOLUME * count / top, LEAST), 2) if count else 0.0


def _line(values: Sequence[float | None], top: float) -> str:
    """Steps as wide as the bars; where a bar is empty, the line has a gap."""
    path: list[str] = []
    drawing = False
    for place, value in enumerate(values):
        if value is not None:
            y = round(LATENCY - (LATENCY - 2) * value / top - 1, 2) if top else LATENCY - 1
            path.append(f"{'V' if drawing else f'M{place} '}{y}H{place + 1}")
        drawing = value is not None
    return "".join(path)


def _ticks(steps: Steps, number: int, zone: tzinfo) -> list[Tick]:
    length = number * steps.seconds
    weeks = -(-length // (MAX_TICKS * WEEK))
    every = next((tick for tick in TICKS if length <= tick * MAX_TICKS), weeks * WEEK)
    return [
        Tick(round(100 * (at - steps.first) / length, 3), _label(at, every, zone))
        for at in _whole(steps.first, length, every, zone)
    ]


def _whole(first: int, length: int, every: int, zone: tzinfo) -> Iterator[int]:
    """Whole multiples of `every` on the zone's clock, but for those whose label would not fit in at the ends."""
    offset = _offset(datetime.fromtimestamp(first, UTC), zone)
    at = -(-(first + offset) // every) * every - offset
    while at < first + length:
        if 0.03 <= (at - first) / length <= 0.97:
            yield at
        at += every


def _label(at: int, every: int, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    if every >= 300 * DAY:
        return f"{local:%b %Y}"
    if every >= DAY or (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local.day} {local:%b}"
    return f"{local:%H:%M:%S}" if every < 60 else f"{local:%H:%M}"


def _offset(at: datetime, zone: tzinfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
