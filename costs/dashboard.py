"""What the cost overview says of its numbers: changes, run rates, and which traces are behind each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from costs import budgeting, day_range, days
from costs.budgeting import Span
from costs.dashboard_queries import Sums
from costs.day_range import DayRange
from costs.periods import Compared, compared
from costs.rollup_queries import Dimension

ALIKE = Decimal("0.0005")  # a change that rounds to 0.0 %
TILES = ("today", "week", "month")
# How long the calendar day, week or month of a tile is called.
LENGTHS = {"today": "day", "week": "week", "month": "month"}
DIMENSIONS: Mapping[Dimension, str] = {
    Dimension.FEATURE: "Feature",
    Dimension.MODEL: "Model",
    Dimension.TOOL: "Tool",
    Dimension.ORGANIZATION: "Organization",
    Dimension.PROMPT: "Prompt",
}


@dataclass(frozen=True, slots=True)
class Change:
    """From one amount to another."""

    now: Decimal
    before: Decimal

    @property
    def difference(self) -> Decimal:
        return self.now - self.before

    @property
    def share(self) -> Decimal | None:
        """0.31 is 31 % up; None where there was nothing before."""
        return self.difference / self.before if self.before else None

    @property
    def size(self) -> Decimal:
        return abs(self.difference)

    @property
    def percent(self) -> Decimal | None:
        return None if self.share is None else abs(self.share)

    @property
    def way(self) -> str:
        if not self.before:
            return "new" if self.now else "none"
        if abs(self.difference) < ALIKE * self.before:
            return "same"
        return "up" if self.difference > 0 else "down"


@dataclass(frozen=True, slots=True)
class Tile:
    """What today, this week or this month cost so far, and where it ends at that rate; None is too early to say."""

    compared: Compared
    length: str
    sums: Sums
    change: Change
    run_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class State:
    """What the address says."""

    days: DayRange
    by: Dimension

    @property
    def pairs(self) -> dict[str, str]:
        """Without what is the default."""
        by = {} if self.by is Dimension.FEATURE else {"by": self.by.value}
        return {**self.days.parameters, **by}


def read_state(parameters: Mapping[str, str], today: date) -> State:
    """A dimension that is not known is the default."""
    asked = parameters.get("by", "")
    by = next((one for one in DIMENSIONS if one.value == asked), Dimension.FEATURE)
    return State(day_range.parse(parameters, today), by)


def named(preset: str, now: datetime, zone: tzinfo) -> Compared:
    """A range of that name, now."""
    return compared(day_range.parse({"range": preset}, days.day_of(now, zone)), now, zone)


def tile(about: Compared, sums: Sums, before: Sums, now: datetime, zone: tzinfo) -> Tile:
    return Tile(
        about,
        LENGTHS[about.days.preset],
        sums,
        Change(sums.cost_usd, before.cost_usd),
        budgeting.spent_at_end(sums.cost_usd, span_of(about.days, zone), now),
    )


def span_of(chosen: DayRange, zone: tzinfo) -> Span:
    """The whole day, week or month that a range so far is of."""
    if chosen.preset == "week":
        end = chosen.first + timedelta(days=7)
    elif chosen.preset == "month":
        end = days.first_of_next_month(chosen.first)
    else:
        end = chosen.last + days.ONE
    return Span(days.start_of(chosen.first, zone), days.start_of(end, zone))


def behind(dimension: Dimension, key: str) -> dict[str, str]:
    """What narrows a list of traces to those of a key."""
    if not key:
        return {"without": "prompt_name" if dimension is Dimension.PROMPT else dimension.value}
    if dimension is Dimension.PROMPT:
        name, _, version = key.partition("\n")
        return {"prompt_name": name, "prompt_version": version}
    return {dimension.value: key}


def said(dimension: Dimension, key: str) -> str:
    if not key:
        return f"(no {DIMENSIONS[dimension].lower()})"
    return key.replace("\n", " ") if dimension is Dimension.PROMPT else key
