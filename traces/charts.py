"""The chart above the list of traces: counts to bars, latencies to lines, times to ticks. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

from tracehouse.tenancy.scope import Window
from tracehouse.web import time_range
from traces.strip_queries import Counts, Strip

HOUR = 3600
DAY = 86_400
WEEK = 7 * DAY
BELOW_AN_HOUR = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800)
STEPS = (*BELOW_AN_HOUR, HOUR, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, DAY, 2 * DAY, WEEK)
MAX_BARS = 96
TICKS = (10, 30, 60, 300, 600, 1800, HOUR, 7200, 10_800, 21_600, 43_200, DAY, 2 * DAY, 5 * DAY, WEEK)
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
    begins: str  # the same apart, for the ends of several
    ends: str
    since: str  # as addresses have it
    until: str
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
    top_traces: int
    top_ms: float
    volume_height: int = VOLUME
    latency_top: int = VOLUME + BETWEEN
    latency_height: int = LATENCY
    height: int = VOLUME + BETWEEN + LATENCY


def edges_of(window: Window, zone: tzinfo) -> tuple[int, ...]:
    """Where about `MAX_BARS` buckets at most begin, and the last ends: they cover the window, on whole steps of the
    zone's clock. In seconds since the epoch."""
    length = (window.end - window.start).total_seconds()
    weeks = -(-length // (MAX_BARS * WEEK))
    seconds = next((step for step in STEPS if length <= step * MAX_BARS), int(weeks) * WEEK)
    start, end = int(window.start.timestamp()), -int(-window.end.timestamp() // 1)
    return tuple(_whole_steps(start, end, seconds, zone))


def chart(strip: Strip, window: Window, edges: Sequence[int], zone: tzinfo) -> Chart:
    counts = [strip.buckets.get(edge, Counts()) for edge in edges[:-1]]
    top = max((one.traces for one in counts), default=0)
    top_ms = max((one.p99_ms or 0.0 for one in counts), default=0.0)
    return Chart(
        bars=[
            _bar(place, one, len(counts), top, during, zone)
            for place, (one, during) in enumerate(zip(counts, _within(window, edges), strict=True))
        ],
        ticks=_ticks(edges, zone),
        p50=_line([one.p50_ms for one in counts], top_ms),
        p99=_line([one.p99_ms for one in counts], top_ms),
        total=strip.total,
        top_traces=top,
        top_ms=top_ms,
    )


def _within(window: Window, edges: Sequence[int]) -> Iterator[Window]:
    """From when to when each bucket counts: the first and the last are cut by the window."""
    for start, end in pairwise(datetime.fromtimestamp(edge, UTC) for edge in edges):
        yield Window(max(start, window.start), min(end, window.end))


def _bar(place: int, counts: Counts, number: int, top: int, during: Window, zone: tzinfo) -> Bar:
    failed = _height(counts.failed, top)
    whole = max(_height(counts.traces, top), failed)
    share = 100 / number
    begins, ends = during.start.astimezone(zone), during.end.astimezone(zone)
    return Bar(
        label=_span(begins, ends),
        begins=time_range.day_and_clock(begins),
        ends=time_range.day_and_clock(ends),
        since=time_range.as_address(during.start),
        until=time_range.as_address(during.end),
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
    since, until = (time_range.clock(at, seconds=bool(start.second or end.second)) for at in (start, end))
    day = "" if end.date() == start.date() else f"{end.day} {end:%b} "
    return f"{start.day} {start:%b} {since} to {day}{until}"


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


def _ticks(edges: Sequence[int], zone: tzinfo) -> list[Tick]:
    """On whole steps of the zone's clock, but for those whose label would not fit in at the ends."""
    length = edges[-1] - edges[0]
    weeks = -(-length // (MAX_TICKS * WEEK))
    every = next((tick for tick in TICKS if length <= tick * MAX_TICKS), weeks * WEEK)
    found = (
        (at, _place(at, edges))
        for at in _whole_steps(edges[0], edges[-1], every, zone)
        if at in range(edges[0], edges[-1])
    )
    return [Tick(round(100 * x, 3), _label(at, every, zone)) for at, x in found if 0.03 <= x <= 0.97]


def _place(at: int, edges: Sequence[int]) -> float:
    """Where the moment lies along the bars, which are all drawn as wide, whatever the clock did."""
    bar = bisect_right(edges, at) - 1
    return (bar + (at - edges[bar]) / (edges[bar + 1] - edges[bar])) / (len(edges) - 1)


def _whole_steps(start: int, end: int, seconds: int, zone: tzinfo) -> Iterator[int]:
    """Moments on whole steps of the zone's clock, from the last one until `start` to the first one from `end` on.

    Beyond an hour they are told by the clock, so that where it is put forward or back a step is shorter or longer. Up
    to an hour they are of one length: an hour that clocks show twice is two.
    """
    shown = start + _offset(start, zone)
    shown -= shown % seconds
    first = at = _moment(shown, zone) if seconds > HOUR else shown - _offset(start, zone)
    yield first
    while at < end:
        shown += seconds
        following = _moment(shown, zone) if seconds > HOUR else at + seconds
        if following > at:  # else a zone has left out a whole day
            at = following
            yield at


def _moment(shown: int, zone: tzinfo) -> int:
    """When the clock shows what that of UTC shows at `shown`: the first time, or once it is put forward past it."""
    return int(datetime.fromtimestamp(shown, UTC).replace(tzinfo=zone).timestamp())


def _label(at: int, every: int, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    if every >= 300 * DAY:
        return f"{local:%b %Y}"
    if every >= DAY or (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local.day} {local:%b}"
    return f"{local:%H:%M:%S}" if every < 60 else f"{local:%H:%M}"


def _offset(at: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
