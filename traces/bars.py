"""What somebody did over time as bars, an hour or a day each: cost, and traces with the failed among them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import islice

from tracehouse.tenancy.scope import Window
from tracehouse.web import figures, time_range
from tracehouse.web.addresses import query
from tracehouse.web.plot import Place, Plot, Series
from traces.queries import UsageGroup, UsageRow

# Pixels.
HEIGHT = 56
# What is not nothing can be seen.
LEAST = 2.0
MAX_BARS = 400
GAP = 0.2  # of a bar


@dataclass(frozen=True, slots=True)
class Bar:
    label: str  # the hour or day, on the zone's clock
    since: str  # from when to when, as addresses have it
    until: str
    traces: int
    failed: int
    cost_usd: Decimal
    unpriced_calls: int
    cost_height: float
    traces_height: float  # of all of them
    failed_height: float

    @property
    def cost_y(self) -> float:
        return HEIGHT - self.cost_height

    @property
    def traces_y(self) -> float:
        return HEIGHT - self.traces_height

    @property
    def failed_y(self) -> float:
        return HEIGHT - self.failed_height


@dataclass(frozen=True, slots=True)
class Bars:
    bars: list[Bar]
    by_hour: bool
    dearest: Decimal
    most_traces: int
    height: int = HEIGHT

    @property
    def step(self) -> str:
        return "hour" if self.by_hour else "day"

    def placed(self, plot: Plot) -> Iterator[tuple[float, float, float, float, Bar, Place]]:
        """(left, width, left with its gap, width with its gap, bar, what it says and leads to), in percent."""
        share = 100 / max(len(self.bars), 1)
        for number, (bar, place) in enumerate(zip(self.bars, plot.places, strict=True)):
            left = number * share
            yield (
                round(left + share * GAP / 2, 3),
                round(share * (1 - GAP), 3),
                round(left, 3),
                round(share, 3),
                bar,
                place,
            )


def cost_plot(found: Bars, traces: str, only: Mapping[str, str], zoom: str) -> Plot:
    """`traces` is the address of the list of traces, `only` what narrows it, `zoom` the page without its range."""
    places = [
        Place(
            [f"{bar.label}: {figures.exact_money(bar.cost_usd)}", *_unpriced(bar)],
            traces + query(_within(bar, only), order="-cost"),
            bar.since,
            bar.until,
        )
        for bar in found.bars
    ]
    heights = [_percent(bar.cost_height) for bar in found.bars]
    return Plot(places, [Series("accent", heights)], GAP, zoom=zoom)


def traces_plot(found: Bars, traces: str, only: Mapping[str, str], zoom: str) -> Plot:
    """The failed stand below, as they are drawn over all."""
    places = [
        Place(
            [
                f"{bar.label}: {figures.count(bar.traces)} trace{'' if bar.traces == 1 else 's'}",
                f"{figures.count(bar.failed)} failed",
            ],
            traces + query(_within(bar, only)),
            bar.since,
            bar.until,
        )
        for bar in found.bars
    ]
    failed = [_percent(bar.failed_height) for bar in found.bars]
    passed = [_percent(bar.traces_height - bar.failed_height) for bar in found.bars]
    return Plot(places, [Series("error", failed), Series("passed", passed)], GAP, zoom=zoom)


def _within(bar: Bar, only: Mapping[str, str]) -> dict[str, str]:
    return {**only, "from": bar.since, "to": bar.until}


def _unpriced(bar: Bar) -> list[str]:
    return [f"and {figures.count(bar.unpriced_calls)} unpriced"] if bar.unpriced_calls else []


def _percent(height: float) -> float:
    return round(100 * height / HEIGHT, 2)


def bars(rows: Sequence[UsageRow], steps: UsageGroup, window: Window, zone: tzinfo) -> Bars:
    """A bar for each step of the window that has begun, empty ones too; the last `MAX_BARS` of a longer one.

    The window cuts the first and the last, so that a bar leads to the traces that it counts.
    """
    by_key = {row.key: row for row in rows}
    by_hour = steps is UsageGroup.HOUR
    moments = _hours(window) if by_hour else _days(window, zone, by_key)
    dearest = max((row.cost_usd for row in rows), default=Decimal(0))
    most = max((row.invocations for row in rows), default=0)
    found = [
        _bar(
            by_key.get(key),
            start,
            Window(max(start, window.start), min(end, window.end)),
            by_hour,
            zone,
            dearest,
            most,
        )
        for key, start, end in moments
    ]
    return Bars(found[-MAX_BARS:], by_hour, dearest, most)


def _bar(
    row: UsageRow | None,
    step: datetime,
    during: Window,
    by_hour: bool,
    zone: tzinfo,
    dearest: Decimal,
    most: int,
) -> Bar:
    local = step.astimezone(zone)
    cost = row.cost_usd if row else Decimal(0)
    traces, failed = (row.invocations, row.errors) if row else (0, 0)
    return Bar(
        label=time_range.day_and_clock(local) if by_hour else f"{local:%a} {local.day} {local:%b %Y}",
        since=time_range.as_address(during.start),
        until=time_range.as_address(during.end),
        traces=traces,
        failed=failed,
        cost_usd=cost,
        unpriced_calls=row.unpriced_calls if row else 0,
        cost_height=_height(float(cost), float(dearest)),
        traces_height=max(_height(traces, most), _height(failed, most)),
        failed_height=_height(failed, most),
    )


def _height(value: float, top: float) -> float:
    return round(max(HEIGHT * value / top, LEAST), 2) if value > 0 else 0.0


def _hours(window: Window) -> Iterator[tuple[str, datetime, datetime]]:
    """(key, start, end) of each hour by the clock of UTC, as the sums have it."""
    at = window.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at < window.end:
        until = at + timedelta(hours=1)
        yield f"{at:%Y-%m-%dT%H}:00:00Z", at, until
        at = until


def _days(
    window: Window, zone: tzinfo, by_key: Mapping[str, UsageRow]
) -> Iterator[tuple[str, datetime, datetime]]:
    """The same of each day of the zone; of a window of years, from the first day with a trace."""
    first, last = (moment.astimezone(zone).date() for moment in (window.start, window.end))
    known = min((date.fromisoformat(key) for key in by_key), default=first)
    if (last - first).days >= MAX_BARS:
        first = max(first, known)
    for number in islice(range((last - first).days + 1), 40_000):
        day = first + timedelta(days=number)
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        following = day + timedelta(days=1)
        end = datetime(following.year, following.month, following.day, tzinfo=zone)
        if start < window.end:
            yield f"{day:%Y-%m-%d}", start, end
