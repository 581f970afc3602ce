"""RFC 3339 text to nanoseconds since the epoch, without loss. Pure."""

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(
    r"(?P<second>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>[Zz]|[+-]\d\d:\d\d)",
    re.A,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(text: str) -> int | None:
    """None for anything but a date and time with a zone, or before 1970."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(
            found["second"].upper() + found["zone"].upper().replace("Z", "+00:00")
        )
        since = moment - _EPOCH
    except (ValueError, OverflowError):
        return None
    seconds = since.days * 86_400 + since.seconds
    return seconds * 1_000_000_000 + int((found["fraction"] or "").ljust(9, "0")) if seconds >= 0 else None
