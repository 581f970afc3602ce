"""How numbers read on a page: pure functions from a value to text. Absent is `-`, zero is `0`."""

import math
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal

ABSENT = "-"
CENT = Decimal("0.01")
# Smaller amounts would only be a row of zeros; the exact one is in the hover text.
LEAST = Decimal("0.00001")
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def duration(milliseconds: float | None) -> str:
    """412 ms, 6.8 s, 2 m 14 s, 1 h 3 m, 2 d 4 h."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return ABSENT
    if milliseconds < 0:
        return f"-{duration(-milliseconds)}"
    if milliseconds < 9.95:
        return f"{_trim(f'{milliseconds:.1f}')} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    return _long_duration(round(milliseconds / 1000))


def _long_duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours} h"
    if hours:
        return f"{hours} h {minutes} m"
    return f"{minutes} m {seconds} s"


def step(length: timedelta) -> str:
    """A whole number of the largest unit that it is one of: 15 min, 6 h, 1 d."""
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def money(dollars: Decimal | None) -> str:
    """$0.0042 (two significant digits below a cent), $1.27, $1,204; `<$0.00001` for what is less."""
    if dollars is None:
        return ABSENT
    if dollars < 0:
        return f"-{money(-dollars)}"
    if 0 < dollars < LEAST:
        return f"<${LEAST:f}"
    return f"${_rounded(dollars):,f}" if dollars else "$0"


def _rounded(dollars: Decimal) -> Decimal:
    if dollars < CENT:
        rounded = dollars.quantize(Decimal(1).scaleb(dollars.adjusted() - 1), ROUND_HALF_UP)
        return rounded if rounded < CENT else CENT
    return dollars.quantize(CENT if dollars < Decimal("999.995") else Decimal(1), ROUND_HALF_UP)


def exact_money(dollars: Decimal | None) -> str:
    """Every digit that is stored, for the hover text."""
    if dollars is None:
        return ABSENT
    text = f"{dollars:,f}"
    return f"${_trim(text)}"


def plain_decimal(value: Decimal) -> str:
    """Money for programs, without exponent and trailing zeros: 0.00126, not 1.26E-3."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def count(number: int | None) -> str:
    """6,842."""
    return ABSENT if number is None else f"{number:,}"


def compact(number: int | None) -> str:
    """6,842 as 6.8k, for tight places."""
    if number is None:
        return ABSENT
    if abs(number) < 1000:
        return str(number)
    for size, unit in ((1e3, "k"), (1e6, "M"), (1e9, "G")):
        scaled = number / size
        if abs(scaled) < 99.95:
            return f"{_trim(f'{scaled:.1f}')}{unit}"
        if abs(scaled) < 999.5:
            return f"{scaled:.0f}{unit}"
    return f"{number / 1e12:,.1f}T"


def rate(number: float | None) -> str:
    """How many in a unit of time: 0.2, 3.4, 1,204."""
    if number is None or not math.isfinite(number):
        return ABSENT
    if 0 < number < 0.05:
        return "<0.1"
    return f"{number:,.0f}" if number >= 9.95 else _trim(f"{number:.1f}")


def percent(share: float | None) -> str:
    """0.0423 as 4.2 %."""
    return ABSENT if share is None or not math.isfinite(share) else f"{share * 100:.1f} %"


def size(number: int | None) -> str:
    """412 B, 1.2 kB, 3.4 MB (decimal units)."""
    if number is None:
        return ABSENT
    scaled = float(number)
    for unit in _BYTE_UNITS[:-1]:
        if abs(scaled) < 999.5:
            return f"{scaled:.0f} B" if unit == "B" else f"{_trim(f'{scaled:.1f}')} {unit}"
        scaled /= 1000
    return f"{scaled:,.1f} {_BYTE_UNITS[-1]}"


def moment(at: datetime, *, now: datetime, zone: tzinfo) -> str:
    """Relative within a day (`12 min ago`), else the day and time in `zone`."""
    passed = now - at
    if timedelta(seconds=-5) <= passed < timedelta(days=1):
        return _ago(int(passed.total_seconds()))
    local = at.astimezone(zone)
    same_year = local.year == now.astimezone(zone).year
    return f"{local.day} {local:%b %H:%M}" if same_year else f"{local.day} {local:%b %Y %H:%M}"


def exact_moment(at: datetime, *, zone: tzinfo) -> str:
    """2026-11-24 02:23:00.412 UTC."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%Z}"


def exact_in_utc(at: datetime, *, zone: tzinfo) -> str:
    """2026-11-24 02:23:00.412 UTC, and after a comma the same in `zone` where its clock shows another time."""
    exact = exact_moment(at, zone=UTC)
    if not at.astimezone(zone).utcoffset():
        return exact
    return f"{exact}, {exact_moment(at, zone=zone)}"


def _ago(seconds: int) -> str:
    if seconds < 10:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    return f"{seconds // 3600} h {seconds % 3600 // 60} m ago"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
