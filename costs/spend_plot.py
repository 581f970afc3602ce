"""The charts of the cost overview as they answer to the pointer: what each bar says, and where it leads. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo

from costs import dashboard
from costs.rollup_queries import Dimension
from costs.spend_chart import COLUMN_GAP, GAP, SERIES, Bar, Chart, Column, Slice
from tracehouse.web import figures
from tracehouse.web.addresses import query
from tracehouse.web.plot import Place, Plot, Series, short

REST = "rest"


def spend(chart: Chart, by: Dimension, zone: tzinfo, *, traces: str, zoom: str) -> Plot:
    """`traces` is the address of the list of traces, `zoom` that of the page without its range."""
    return Plot(
        places=[_step(bar, by, zone, traces) for bar in chart.bars],
        series=[
            Series(f"series-{name}", [_height(bar, name) for bar in chart.bars])
            for name in (*map(str, range(SERIES)), REST)
            if any(_height(bar, name) for bar in chart.bars)
        ],
        gap=GAP,
        line=chart.before,
        grid=[100 - line.at for line in chart.lines],
        zoom=zoom,
    )


def users(columns: Sequence[Column], customers: str, around: Mapping[str, str]) -> Plot:
    """`customers` is the address of unit economics, `around` the range that both pages show."""
    return Plot(
        places=[_band(one, f"{customers}{query(around, **band(one))}") for one in columns],
        series=[Series("series-0", [one.height for one in columns])],
        gap=COLUMN_GAP,
    )


def band(column: Column) -> dict[str, str]:
    """What narrows the list of customers to those of a column."""
    low = "" if column.low is None else f"{column.low:f}"
    return {"cost_from": low, "cost_below": "" if column.high is None else f"{column.high:f}"}


def named(one: Slice, by: Dimension) -> str:
    return short("others" if one.key is None else dashboard.said(by, one.key))


def _step(bar: Bar, by: Dimension, zone: tzinfo, traces: str) -> Place:
    words = [f"{bar.label}: {figures.exact_money(bar.cost_usd)}, {_counted(bar.invocations, 'trace')}"]
    words += [f"{named(one, by)} {figures.exact_money(one.cost_usd)}" for one in reversed(bar.slices)]
    if bar.before_usd is not None:
        words.append(f"before: {figures.exact_money(bar.before_usd)}")
    last = bar.window.end - timedelta(microseconds=1)
    return Place(
        words,
        traces + query({"from": bar.since, "to": bar.until, "order": "-cost"}),
        start=bar.window.start.astimezone(zone).date().isoformat(),
        end=last.astimezone(zone).date().isoformat(),
    )


def _band(column: Column, href: str) -> Place:
    count = _counted(column.users, "user")
    return Place(
        [f"{count}: {column.said} each", f"{figures.exact_money(column.cost_usd)} in all"],
        href,
    )


def _height(bar: Bar, series: str) -> float:
    return next((one.height for one in bar.slices if one.series == series), 0.0)


def _counted(number: int, noun: str) -> str:
    return f"{figures.count(number)} {noun}{'' if number == 1 else 's'}"
