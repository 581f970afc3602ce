"""What a chart needs beside its drawing to answer to the pointer: heights, and what each place says and leads to. Pure.

The server draws the chart; `static/charts.js` draws it again from this with plotly. Heights are those of the drawing,
so both show the same; amounts are in the words, exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_NAME = 48


@dataclass(frozen=True, slots=True)
class Place:
    """One place on the axis, as a link."""

    words: Sequence[str]  # lines, of which the first says where this is
    href: str
    # With which the range of the page would begin and end; "" where the axis is not of time.
    start: str = ""
    end: str = ""

    @property
    def title(self) -> str:
        return "\n".join(self.words)


@dataclass(frozen=True, slots=True)
class Series:
    """Bars, each upon those of the series before; `heights` has one a place, in percent of the drawing."""

    color: str  # the name of a token of the stylesheet
    heights: Sequence[float]


@dataclass(frozen=True, slots=True)
class Plot:
    places: Sequence[Place]
    series: Sequence[Series]
    gap: float  # between bars, of a bar
    line: Sequence[float] = ()  # of the stretch before: a height a place, from the first on
    grid: Sequence[float] = ()
    zoom: str = ""  # the address of the page without its range

    @property
    def data(self) -> dict[str, Any]:
        """As JSON has it. A stretch of time is only chosen among several."""
        return {
            "words": [list(one.words) for one in self.places],
            "links": [one.href for one in self.places],
            "ranges": [[one.start, one.end] for one in self.places] if self._can_zoom else [],
            "series": [{"color": one.color, "heights": list(one.heights)} for one in self.series],
            "gap": self.gap,
            "line": list(self.line),
            "grid": list(self.grid),
            "zoom": self.zoom,
        }

    @property
    def _can_zoom(self) -> bool:
        return bool(self.zoom) and len({(one.start, one.end) for one in self.places}) > 1


def short(name: str) -> str:
    """A name that may be long, for a line of words."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
