"""Reads of what traces cost: which versions of hours count, and whether spans have to be looked at besides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from costs import rollup_filters as f
from costs import rollup_store as store
from costs.models import RolledHour, RollUp
from tracehouse.clickhouse.query import Parameter, Query, Row, run_in_blocks, run_together
from tracehouse.tenancy.scope import ALL_TIME, Scope, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
_HOUR_US = HOUR // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CostsRead:
    """A statement on the traces of a window: `sql` selects from `costs`, of which it names `columns`.

    Or, where `sums_by` says a dimension, from `sums` by it, which tell apart no moments but those asked for.
    """

    name: str
    columns: tuple[str, ...]
    sql: str
    sums_by: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement on the traces of a window. `moments`: seconds, besides its ends, between which sums are asked for."""

    read: CostsRead
    window: Window
    parameters: Mapping[str, Parameter]
    moments: Sequence[int] = ()


def read(asked: CostsRead, scope: Scope, parameters: Mapping[str, Parameter] | None = None) -> list[Row]:
    """The rows of the statement. Raises `QueryTooLarge`, `QueryUnavailable`."""
    (rows,) = read_together(scope, Asked(asked, scope.window, parameters or {}))
    return rows


def read_together(scope: Scope, *asked: Asked) -> list[list[Row]]:
    """The rows of each statement, all by the same state of the roll-up and at once. Raises what `read` raises."""
    return run_together(scope.during(ALL_TIME), *_bound(scope, asked))


def read_in_blocks(
    asked: CostsRead, scope: Scope, parameters: Mapping[str, Parameter] | None = None
) -> Iterator[Sequence[Sequence[Any]]]:
    """The same block by block, each as its columns."""
    ((query, bound),) = _bound(scope, [Asked(asked, scope.window, parameters or {})])
    yield from run_in_blocks(query, scope.during(ALL_TIME), bound)


def rolled_up_until(scope: Scope) -> datetime | None:
    """What was written to the store after this moment is read from the spans; None before the first roll-up."""
    return RollUp.objects.filter(project=scope.project_id).values_list("watermark", flat=True).first()


def _bound(scope: Scope, asked: Sequence[Asked]) -> list[tuple[Query, Mapping[str, Parameter]]]:
    """The watermark is read before the versions: what a run changes in between is looked at in both ways, and counted
    as its spans say. A trace that is looked at is looked at whole, however far its spans lie from the window.
    """
    since = rolled_up_until(scope) or EPOCH
    windows = [one.window for one in asked]
    hours = _hours(scope, Window(min(one.start for one in windows), max(one.end for one in windows)))
    with_changed = store.has_parts_since(scope.during(ALL_TIME), since)
    return [
        (
            _query(one.read, with_changed),
            {
                **one.parameters,
                **store.stretch_of(since, ALL_TIME.end),
                **_versions(hours, one.window),
                "from_ns": store.microseconds(one.window.start) * 1000,
                "to_ns": store.microseconds(one.window.end) * 1000,
                "split": _split(one, hours),
                "time_zone": scope.time_zone,
            },
        )
        for one in asked
    ]


@dataclass(frozen=True, slots=True)
class _Rolled:
    version: int
    has_sums: bool


_NOT_ROLLED = _Rolled(0, False)


def _versions(hours: Mapping[datetime, _Rolled], window: Window) -> dict[str, Parameter]:
    """Which version counts of each hour from the first of the window to its last; 0 is none."""
    within = [hour for hour in hours if _hour_of(window.start) <= hour < window.end]
    if not within:
        return {"first_hour": 0, "last_hour": 0, "versions": [0]}
    first, last = min(within), max(within)
    count = (last - first) // HOUR + 1
    return {
        "first_hour": int(first.timestamp()),
        "last_hour": int(last.timestamp()),
        "versions": [hours.get(first + place * HOUR, _NOT_ROLLED).version for place in range(count)],
    }


def _split(asked: Asked, hours: Mapping[datetime, _Rolled]) -> list[int]:
    """The hours within which one of the moments lies that sums are told apart by, and those that have no sums."""
    ends = (store.microseconds(end) for end in (asked.window.start, asked.window.end))
    moments = [*(moment * 1_000_000 for moment in asked.moments), *ends]
    without = (int(hour.timestamp()) for hour, rolled in hours.items() if not rolled.has_sums)
    return sorted({*(moment // _HOUR_US * 3600 for moment in moments if moment % _HOUR_US), *without})


def _hours(scope: Scope, window: Window) -> Mapping[datetime, _Rolled]:
    rows = RolledHour.objects.filter(
        project=scope.project_id, hour__gte=_hour_of(window.start), hour__lt=window.end
    )
    return {
        hour: _Rolled(version, has_sums)
        for hour, version, has_sums in rows.values_list("hour", "version", "has_sums")
    }


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@lru_cache(maxsize=64)
def _query(asked: CostsRead, with_changed: bool) -> Query:
    source = (
        f.sums(asked.sums_by, with_changed=with_changed)
        if asked.sums_by
        else f.costs(asked.columns, with_changed=with_changed)
    )
    return Query(asked.name, f"WITH {source}\n{asked.sql}\n{_IN_DAYS}")


# Without changes nothing of the statement asks for days of spans.
_IN_DAYS = "-- {first_day:Date} {last_day:Date}"
