"""The charts of the cost overview: pieces to stacked bars, bins of users to columns. Pure; the page stretches them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from costs import days
from costs.dashboard_queries import Breakdown, Timeline, added, total
from costs.day_range import DayRange
from costs.periods import Compared
from costs.rollup_queries import Bin, Step
from tracehouse.tenancy.scope import Window
from tracehouse.web import figures, time_range

# Percent of the drawing's height. What is not nothing can be seen.
LEAST = 0.8
GAP = 0.24  # of a bar
COLUMN_GAP = 0.12
HOURLY_DAYS = 2
DAILY_DAYS = 92
MAX_TICKS = 8
# Keys that are told apart; the others are one.
SERIES = 6
NICE = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))
# So few series are named beside their bars, at places this far apart.
FEW = 4
APART = 8.0


@dataclass(frozen=True, slots=True)
class Slice:
    """What one series is of a bar. `key` is None for all that have no series of their own."""

    series: str
    key: str | None
    cost_usd: Decimal
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    window: Window
    since: str  # the window, as addresses have it
    until: str
    cost_usd: Decimal
    before_usd: Decimal | None  # in the same step of the stretch before; None where that is shorter
    invocations: int
    slices: list[Slice]
    x: float
    width: float
    hit_x: float
    hit_width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A line or a word at a place of an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    ticks: list[Mark]
    lines: list[Mark]  # of money, from the bottom up
    before: list[float]  # how high the line of what each step cost before is; nothing where that is nothing
    step: Step
    top: Decimal

    @property
    def before_path(self) -> str:
        """The line in a box of a unit a bar and 100 high: steps as wide as the bars."""
        ys = [round(100 - height, 2) for height in self.before]
        return f"M0 {ys[0]}" + "".join(f"V{y}H{place + 1}" for place, y in enumerate(ys)) if ys else ""


@dataclass(frozen=True, slots=True)
class Column:
    """How many users cost so much."""

    low: Decimal | None
    high: Decimal | None
    users: int
    cost_usd: Decimal
    height: float
    x: float
    width: float
    hit_x: float
    hit_width: float
    label: str  # of its low end, where there is room for one

    @property
    def y(self) -> float:
        return round(100 - self.height, 2)

    @property
    def said(self) -> str:
        """What each of them cost."""
        if self.low is None:
            return f"less than {figures.money(self.high)}"
        low = figures.money(self.low)
        return f"{low} or more" if self.high is None else f"{low} to {figures.money(self.high)}"


def step_of(chosen: DayRange) -> Step:
    length = (chosen.last - chosen.first).days + 1
    if length <= HOURLY_DAYS:
        return Step.HOUR
    return Step.DAY if length <= DAILY_DAYS else Step.WEEK


def steps(chosen: DayRange, step: Step, zone: tzinfo) -> list[Window]:
    """Every step of the days, whole but for weeks that the range cuts."""
    whole = chosen.whole(zone)
    starts = (
        list(_hours(whole))
        if step is Step.HOUR
        else [days.start_of(day, zone) for day in _days(chosen, step)]
    )
    return [Window(start, end) for start, end in zip(starts, [*starts[1:], whole.end], strict=True)]


def chart(compared: Compared, found: Breakdown, everything: Timeline, step: Step, zone: tzinfo) -> Chart:
    """Bars stacked of the first series, and the line of what the steps of the stretch before cost, all of it."""
    windows = steps(compared.days, step, zone)
    before = [total(everything, window).cost_usd for window in steps(compared.before_days, step, zone)]
    first, rest = found.parts[:SERIES], [one.timeline for one in found.parts[SERIES:]]
    series: list[tuple[str, str | None, Timeline]] = [
        *((str(place), one.key, one.timeline) for place, one in enumerate(first)),
        ("rest", None, added([*rest, found.others])),
    ]
    costs = [
        [(name, key, total(timeline, window).cost_usd) for name, key, timeline in series]
        for window in windows
    ]
    top = nice(max([*(_sum(one) for one in costs), *before], default=Decimal(0)))
    counts = [total(everything, window).invocations for window in windows]
    share = 100 / max(len(windows), 1)
    bars = [
        _bar(window, pieces, (count, earlier), (place * share, share), top, (step, zone))
        for place, (window, pieces, count, earlier) in enumerate(
            zip(windows, costs, counts, _as_long(before, windows), strict=True)
        )
    ]
    line = [round(100 * float(one / top), 2) for one in before[: len(windows)]] if any(before) else []
    return Chart(bars, _ticks(windows, step, zone), _lines(top), line, step, top)


def _as_long(before: Sequence[Decimal], windows: Sequence[Window]) -> list[Decimal | None]:
    return [*before[: len(windows)], *[None] * (len(windows) - len(before))]


def _sum(pieces: Sequence[tuple[str, str | None, Decimal]]) -> Decimal:
    return sum((cost for _, _, cost in pieces), Decimal(0))


def nice(amount: Decimal) -> Decimal:
    """The least of 1, 2 and 5 with zeros that is not less."""
    if amount <= 0:
        return Decimal(0)
    unit = Decimal(1).scaleb(amount.adjusted())
    return next(one * unit for one in NICE if one * unit >= amount)


def columns(bins: Sequence[Bin]) -> list[Column]:
    most = max((one.users for one in bins), default=0)
    share = 100 / max(len(bins), 1)
    every = -(-len(bins) // MAX_TICKS)
    return [
        Column(
            one.low,
            one.high,
            one.users,
            one.cost_usd,
            _height(one.users, most),
            x=round((place + COLUMN_GAP / 2) * share, 3),
            width=round((1 - COLUMN_GAP) * share, 3),
            hit_x=round(place * share, 3),
            hit_width=round(share, 3),
            label=figures.money(one.low or Decimal(0)) if place % every == 0 and place * share < 92 else "",
        )
        for place, one in enumerate(bins)
    ]


def median_below(bins: Sequence[Bin]) -> Decimal | None:
    """The end of the bin up to which half of the users are; None where that has no end, or there is nobody."""
    half, seen = sum(one.users for one in bins) / 2, 0
    for one in bins:
        seen += one.users
        if seen >= half > 0:
            return one.high
    return None


def names(found: Chart) -> list[tuple[float, Slice]]:
    """Where the few series stand at the right end, by the last bar that has any; none where there are many."""
    drawn = {one.series: one for bar in found.bars for one in bar.slices}
    last = next((bar for bar in reversed(found.bars) if bar.slices), None)
    if last is None or len(drawn) > FEW:
        return []
    middles = {one.series: one.y + one.height / 2 for one in last.slices}
    placed: list[tuple[float, Slice]] = []
    below = 100.0 + APART / 2
    for series in sorted(drawn):
        y = below = min(middles.get(series, below - APART), below - APART)
        placed.append((y, drawn[series]))
    # What was pushed out at the top moves the others down.
    above = APART / 2 - APART
    for place, (y, one) in reversed(list(enumerate(placed))):
        above = max(y, above + APART)
        placed[place] = (round(above, 2), one)
    return placed


def _bar(
    window: Window,
    pieces: Sequence[tuple[str, str | None, Decimal]],
    sums: tuple[int, Decimal | None],
    at: tuple[float, float],
    top: Decimal,
    said_in: tuple[Step, tzinfo],
) -> Bar:
    left, share = at
    step, zone = said_in
    slices, y = [], 100.0
    for name, key, cost in pieces:
        height = _height(cost, top)
        y -= height
        if height:
            slices.append(Slice(name, key, cost, round(y, 2), height))
    return Bar(
        label=_label(window, step, zone),
        window=window,
        since=time_range.as_address(window.start),
        until=time_range.as_address(window.end),
        cost_usd=_sum(pieces),
        before_usd=sums[1],
        invocations=sums[0],
        slices=slices,
        x=round(left + share * GAP / 2, 3),
        width=round(share * (1 - GAP), 3),
        hit_x=round(left, 3),
        hit_width=round(share, 3),
    )


def _height(value: Decimal | int, top: Decimal | int) -> float:
    return round(max(100 * float(value) / float(top), LEAST), 2) if value > 0 and top else 0.0


def _lines(top: Decimal) -> list[Mark]:
    return [Mark(50.0, figures.money(top / 2)), Mark(0.0, figures.money(top))] if top else []


def _ticks(windows: Sequence[Window], step: Step, zone: tzinfo) -> list[Mark]:
    every = -(-len(windows) // MAX_TICKS)
    share = 100 / max(len(windows), 1)
    return [
        Mark(round((place + 0.5) * share, 3), _tick(window.start.astimezone(zone), step))
        for place, window in enumerate(windows)
        if place % every == 0
    ]


def _tick(local: datetime, step: Step) -> str:
    return f"{local:%H:%M}" if step is Step.HOUR and local.hour else f"{local.day} {local:%b}"


def _label(window: Window, step: Step, zone: tzinfo) -> str:
    local, end = window.start.astimezone(zone), window.end.astimezone(zone)
    if step is Step.HOUR:
        return f"{local.day} {local:%b} {time_range.clock(local)} to {time_range.clock(end)}"
    last = (window.end - timedelta(seconds=1)).astimezone(zone)
    first = f"{local:%a} {local.day} {local:%b}"
    return first if last.date() == local.date() else f"{first} to {last:%a} {last.day} {last:%b}"


def _hours(whole: Window) -> Iterator[datetime]:
    """Hours by the clock of the zone; where its offset is half an hour, the first and the last are cut."""
    at = whole.start
    while at < whole.end:
        yield at.astimezone(UTC)
        at += timedelta(hours=1)


def _days(chosen: DayRange, step: Step) -> Iterator[date]:
    for day in days.days_between(chosen.first, chosen.last):
        if step is Step.DAY or day == chosen.first or day.weekday() == 0:
            yield day
