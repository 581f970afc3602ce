"""Reads of what traces cost: which versions of hours count, and whether spans have to be looked at besides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from costs import rollup_filters as f
from costs import rollup_store as store
from costs.models import RolledHour, RollUp
from tracehouse.clickhouse.query import Parameter, Query, Row, run, run_in_blocks
from tracehouse.tenancy.scope import ALL_TIME, Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CostsRead:
    """A statement on the traces of the scope's window: `sql` selects from `costs`, of which it names `columns`."""

    name: str
    columns: tuple[str, ...]
    sql: str


def read(asked: CostsRead, scope: Scope, parameters: Mapping[str, Parameter] | None = None) -> list[Row]:
    """The rows of the statement. Raises `QueryTooLarge`, `QueryUnavailable`."""
    return run(*_bound(asked, scope, parameters))


def read_in_blocks(
    asked: CostsRead, scope: Scope, parameters: Mapping[str, Parameter] | None = None
) -> Iterator[Sequence[Sequence[Any]]]:
    """The same block by block, each as its columns."""
    yield from run_in_blocks(*_bound(asked, scope, parameters))


def _bound(
    asked: CostsRead, scope: Scope, parameters: Mapping[str, Parameter] | None
) -> tuple[Query, Scope, dict[str, Parameter]]:
    """The watermark is read before the versions: what a run changes in between is looked at in both ways, and counted
    as its spans say. A trace that is looked at is looked at whole, however far its spans lie from the window.
    """
    state = RollUp.objects.filter(project=scope.project_id).first()
    since = state.watermark if state else EPOCH
    window = scope.window
    bound: dict[str, Parameter] = {
        **(parameters or {}),
        **store.stretch_of(since, ALL_TIME.end),
        **store.current(_hours(scope)),
        "from_ns": store.microseconds(window.start) * 1000,
        "to_ns": store.microseconds(window.end) * 1000,
        "time_zone": scope.time_zone,
    }
    everything = scope.during(ALL_TIME)
    return _query(asked, store.has_parts_since(everything, since)), everything, bound


def _hours(scope: Scope) -> Sequence[tuple[datetime, int]]:
    first = scope.window.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows = RolledHour.objects.filter(project=scope.project_id, hour__gte=first, hour__lt=scope.window.end)
    return list(rows.values_list("hour", "version"))


@lru_cache(maxsize=64)
def _query(asked: CostsRead, with_changed: bool) -> Query:
    return Query(
        asked.name, f"WITH {f.costs(asked.columns, with_changed=with_changed)}\n{asked.sql}\n{_IN_DAYS}"
    )


# Without changes nothing of the statement asks for days of spans.
_IN_DAYS = "-- {first_day:Date} {last_day:Date}"
