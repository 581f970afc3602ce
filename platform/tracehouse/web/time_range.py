"""The time range of a page: `range` (a preset) or `from`/`to` in the address, and the window it means.

Links carry moments in UTC, so that an address means the same for everybody. A time without an offset is one of the zone
that the address names by `zone`, as the range forms do, else of the project's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tracehouse.tenancy.scope import Window

PRESETS: Mapping[str, tuple[timedelta, str]] = {
    "15m": (timedelta(minutes=15), "Last 15 minutes"),
    "1h": (timedelta(hours=1), "Last hour"),
    "6h": (timedelta(hours=6), "Last 6 hours"),
    "24h": (timedelta(hours=24), "Last 24 hours"),
    "7d": (timedelta(days=7), "Last 7 days"),
    "30d": (timedelta(days=30), "Last 30 days"),
}
DEFAULT = "24h"
# Emitters' clocks run ahead a little; their newest traces should not be missing from "the last hour".
CLOCK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TimeRange:
    window: Window
    preset: str  # "" for a custom range
    label: str
    zone: tzinfo  # of whoever looks
    start_input: str  # the window as `datetime-local` inputs take it, in that zone
    end_input: str
    problem: str = ""  # what was wrong with the range asked for, when the default stands in for it

    @property
    def parameters(self) -> dict[str, str]:
        """What an address needs to show this range again; nothing for the default."""
        if not self.preset:
            return {"from": as_address(self.window.start), "to": as_address(self.window.end)}
        return {} if self.preset == DEFAULT else {"range": self.preset}

    @property
    def phrase(self) -> str:
        """The range inside a sentence: `in the last hour`, `from ... to ...`."""
        return f"in the {self.label.lower()}" if self.preset else f"from {self.label}"

    @property
    def wider(self) -> tuple[str, str] | None:
        """The next preset that shows more, as (name, label)."""
        length = self.window.end - self.window.start - CLOCK_SLACK
        return next(((name, label.lower()) for name, (span, label) in PRESETS.items() if span > length), None)


def parse(
    parameters: Mapping[str, str], *, now: datetime, zone: tzinfo, home: tzinfo | None = None
) -> TimeRange:
    """The range asked for, as `zone` shows it; a range that cannot be read gives the default and says so.

    `home` is the zone of times that name none, when it is another one.
    """
    now = now.replace(microsecond=0)  # so that addresses of parts of the window are short
    start, end = parameters.get("from", "").strip(), parameters.get("to", "").strip()
    if start or end:
        written_in = known_zone(parameters.get("zone", "")) or home or zone
        return _custom((start, end), written_in, now=now, zone=zone)
    preset = parameters.get("range", "") or DEFAULT
    if preset not in PRESETS:
        return _preset(DEFAULT, now=now, zone=zone, problem=f"There is no time range called “{preset[:40]}”.")
    return _preset(preset, now=now, zone=zone)


def covering(moment: datetime, *, now: datetime, until: datetime | None = None) -> dict[str, str]:
    """Parameters of the shortest range that shows `moment` and all up to `until`: a preset, or a day more around."""
    last = until or moment
    for name, (span, _) in PRESETS.items():
        if timedelta(hours=24) <= span and now - span < moment and last <= now + CLOCK_SLACK:
            return {} if name == DEFAULT else {"range": name}
    return {
        "from": as_address(moment - timedelta(days=1)),
        "to": as_address(last + timedelta(days=1)),
    }


def zone_of(name: str) -> tzinfo:
    """The zone of that name, or UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def known_zone(name: str) -> tzinfo | None:
    """The zone of a name that anybody may have sent; None for any other text."""
    return ZoneInfo(name) if name in _zone_names() else None


@cache
def _zone_names() -> frozenset[str]:
    # "localtime" is whatever this machine has, and no name that ClickHouse knows.
    return frozenset(available_timezones() - {"localtime"})


def _preset(name: str, *, now: datetime, zone: tzinfo, problem: str = "") -> TimeRange:
    span, label = PRESETS[name]
    window = Window(now - span, now + CLOCK_SLACK)
    # The inputs only offer a start for a range of one's own: seconds would be in the way.
    minute = now.replace(second=0, microsecond=0)
    return TimeRange(
        window, name, label, zone, as_input(minute - span, zone), as_input(minute, zone), problem
    )


def _custom(asked: tuple[str, str], written_in: tzinfo, *, now: datetime, zone: tzinfo) -> TimeRange:
    start, end = asked
    try:
        until = _moment(end, written_in) if end else now
        since = _moment(start, written_in) if start else until - PRESETS[DEFAULT][0]
        if end and since >= until:
            until = _moment(end, written_in, fold=1)  # 02:50 to 02:10 in the night when clocks are put back
    except (ValueError, OverflowError):
        return _preset(DEFAULT, now=now, zone=zone, problem="The dates of the time range could not be read.")
    if since >= until:
        return _preset(DEFAULT, now=now, zone=zone, problem="The time range ends before it starts.")
    label = f"{_label(since, zone)} to {_label(until, zone, since)}"
    return TimeRange(Window(since, until), "", label, zone, as_input(since, zone), as_input(until, zone))


def _moment(text: str, zone: tzinfo, *, fold: int = 0) -> datetime:
    """Without an offset in the zone; `fold` is 1 for the second of two hours that clocks show alike."""
    # A `+` in an address that was not encoded arrives as a space.
    found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    aware = found.replace(tzinfo=zone, fold=fold) if found.tzinfo is None else found
    moment = aware.astimezone(UTC)
    if not 1970 <= moment.year < 2200:
        raise ValueError("outside the years that spans may have")
    return moment


def as_input(moment: datetime, zone: tzinfo) -> str:
    """The moment as `datetime-local` inputs have it, in the zone; seconds where there are any."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}" if local.second else f"{local:%Y-%m-%dT%H:%M}"


def as_address(moment: datetime) -> str:
    """The moment as addresses have it, whoever opens them: in UTC, to the microsecond."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    rounded = "microseconds" if utc.microsecond else "seconds" if utc.second else "minutes"
    return f"{utc.isoformat(timespec=rounded)}Z"


def shown_twice(local: datetime) -> bool:
    """Whether clocks of its zone are put back to this time, so that they show it a second time."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def clock(local: datetime, *, seconds: bool = False) -> str:
    """The time of day; seconds where there are any, and which of two where clocks show it twice: 02:30 CEST."""
    time = f"{local:%H:%M:%S}" if seconds or local.second else f"{local:%H:%M}"
    return f"{time} {local.tzname()}" if shown_twice(local) else time


def day_and_clock(local: datetime) -> str:
    """Without the year, for charts: 26 Nov 09:05."""
    return f"{local.day} {local:%b} {clock(local)}"


def _label(moment: datetime, zone: tzinfo, after: datetime | None = None) -> str:
    """The day and time; the time alone on the day of `after`."""
    local = moment.astimezone(zone)
    time = clock(local)
    if after and after.astimezone(zone).date() == local.date():
        return time
    return f"{local.day} {local:%b %Y} {time}"
