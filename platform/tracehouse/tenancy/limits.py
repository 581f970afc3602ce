"""How much a project may send: its own limits, and the installation's defaults where it sets none."""

from dataclasses import dataclass

from django.conf import settings

from tracehouse.tenancy.models import Project

FIELDS = ("max_spans_per_second", "max_mb_per_minute", "max_spans_per_day", "max_spans_per_month")


@dataclass(frozen=True, slots=True)
class Limits:
    """0 is no limit. Days and months are those of `time_zone`."""

    max_spans_per_second: int = 0
    max_mb_per_minute: int = 0
    max_spans_per_day: int = 0
    max_spans_per_month: int = 0
    time_zone: str = "UTC"


def limits_of(project: Project) -> Limits | None:
    """What holds for the project, or None when nothing is limited."""
    values = {name: getattr(project, name) or settings.DEFAULT_LIMITS[name] for name in FIELDS}
    return Limits(**values, time_zone=project.time_zone) if any(values.values()) else None
