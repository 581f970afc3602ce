"""The chart of what a project sent: numbers to bars of an SVG. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.queries import Volume

# The viewBox; the page stretches it to its width.
BAR_WIDTH = 10
GAP = 2
HEIGHT = 100


@dataclass(frozen=True, slots=True)
class DrawnBar:
    start: datetime
    x: int
    accepted_y: float
    accepted_height: float
    rejected_y: float
    rejected_height: float
    accepted_a_minute: float
    spans: int
    rejected_spans: int
    refused_requests: int


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[DrawnBar]
    width: int
    top_a_minute: float  # what a bar of full height stands for
    step: timedelta

    @property
    def is_empty(self) -> bool:
        return not self.top_a_minute


def volume_chart(volume: Volume) -> Chart:
    """Accepted spans with rejected ones on top, both a minute."""
    minutes = volume.step.total_seconds() / 60
    top = max((bar.spans + bar.rejected_spans for bar in volume.bars), default=0)
    drawn: list[DrawnBar] = []
    for number, bar in enumerate(volume.bars):
        accepted = HEIGHT * bar.spans / top if top else 0.0
        rejected = HEIGHT * bar.rejected_spans / top if top else 0.0
        drawn.append(
            DrawnBar(
                start=bar.start,
                x=number * BAR_WIDTH,
                accepted_y=round(HEIGHT - accepted, 2),
                accepted_height=round(accepted, 2),
                rejected_y=round(HEIGHT - accepted - rejected, 2),
                rejected_height=round(rejected, 2),
                accepted_a_minute=bar.spans / minutes,
                spans=bar.spans,
                rejected_spans=bar.rejected_spans,
                refused_requests=bar.refused_requests,
            )
        )
    return Chart(drawn, max(len(drawn) * BAR_WIDTH - GAP, 1), top / minutes, volume.step)
