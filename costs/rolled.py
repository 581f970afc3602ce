"""Reads of what traces cost: which versions of hours count, and whether spans have to be looked at besides."""

from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from costs import rollup_filters as f
from costs import rollup_store as store
from costs.models import RolledHour, RollUp
from costs.rollup_filters import Live
from tracehouse.clickhouse.query import Parameter, Query, Row, Table, run_in_blocks, run_together
from tracehouse.tenancy.scope import ALL_TIME, Scope, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
_HOUR_US = HOUR // timedelta(microseconds=1)
# Of how many changed traces, and how much of them, goes along with each statement. A month has a thousand an hour.
MAX_SENT = 20_000
MAX_SENT_BYTES = 6 * 1024**2


@dataclass(frozen=True, slots=True)
class CostsRead:
    """A statement on the traces of a window: `sql` selects from `costs`, of which it names `columns`.

    Or, where `sums_by` says a dimension, from `sums` by it, which tell apart no moments but those asked for.
    """

    name: str
    columns: tuple[str, ...]
    sql: str
    sums_by: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns of single traces that it reads."""
        return f.columns_of(self.sums_by) if self.sums_by else self.columns


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
    state = _state(scope, asked)
    reads = [_bound(one, state, scope.time_zone) for one in asked]
    return run_together(scope.during(ALL_TIME), *reads, table=state.changed)


def read_in_blocks(
    asked: CostsRead, scope: Scope, parameters: Mapping[str, Parameter] | None = None
) -> Iterator[Sequence[Sequence[Any]]]:
    """The same block by block, each as its columns."""
    one = Asked(asked, scope.window, parameters or {})
    state = _state(scope, [one])
    query, bound = _bound(one, state, scope.time_zone)
    yield from run_in_blocks(query, scope.during(ALL_TIME), bound, table=state.changed)


def rolled_up_until(scope: Scope) -> datetime | None:
    """What was written to the store after this moment is read from the spans; None before the first roll-up."""
    return RollUp.objects.filter(project=scope.project_id).values_list("watermark", flat=True).first()


@dataclass(frozen=True, slots=True)
class _Rolled:
    version: int
    has_sums: bool


_NOT_ROLLED = _Rolled(0, False)


@dataclass(frozen=True, slots=True)
class _State:
    """Of the roll-up, and what it has not taken yet: that a page goes by in all that it reads."""

    since: datetime
    hours: Mapping[datetime, _Rolled]
    how: Live
    changed: Table | None = None
    touched: frozenset[datetime] = frozenset()  # hours under which traces that have changed are rolled up


def _state(scope: Scope, asked: Sequence[Asked]) -> _State:
    """The watermark is read before the versions, and both before what was written since: what a run changes in between
    is looked at in both ways, and counted as its spans say. A trace that is looked at is looked at whole, however far
    its spans lie from the window.
    """
    since = rolled_up_until(scope) or EPOCH
    hours = _hours(scope, _hull(asked))
    always = scope.during(ALL_TIME)
    written = store.written_since(always, since, at_most=MAX_SENT)
    if written is None:
        return _State(since, hours, Live.SOUGHT)
    if not written.rows:
        return _State(since, hours, Live.NONE)
    versions = _versions(hours, _hull(asked))
    with ThreadPoolExecutor(1, thread_name_prefix="clickhouse-read") as thread:
        touched = thread.submit(store.hours_touched, always, written, versions)
        changed = store.changed(always, written, [column for one in asked for column in one.read.needed])
    if len(changed.rows) > MAX_SENT_BYTES:
        return _State(since, hours, Live.SOUGHT)
    return _State(since, hours, Live.SENT, changed, frozenset(touched.result()))


def _bound(asked: Asked, state: _State, time_zone: str) -> tuple[Query, Mapping[str, Parameter]]:
    touched = sorted(int(hour.timestamp()) for hour in state.touched)
    return _query(asked.read, state.how), {
        **asked.parameters,
        **store.stretch_of(state.since, ALL_TIME.end),
        **_versions(state.hours, asked.window),
        "touched": touched,
        "untouched": _versions(state.hours, asked.window, without=state.touched)["versions"],
        "from_ns": store.microseconds(asked.window.start) * 1000,
        "to_ns": store.microseconds(asked.window.end) * 1000,
        "split": sorted({*_split(asked, state.hours), *touched}),
        "time_zone": time_zone,
    }


def _hull(asked: Sequence[Asked]) -> Window:
    windows = [one.window for one in asked]
    return Window(min(one.start for one in windows), max(one.end for one in windows))


def _versions(
    hours: Mapping[datetime, _Rolled], window: Window, *, without: Container[datetime] = ()
) -> dict[str, Parameter]:
    """Which version counts of each hour from the first of the window to its last; 0 is none."""
    within = [hour for hour in hours if _hour_of(window.start) <= hour < window.end]
    if not within:
        return {"first_hour": 0, "last_hour": 0, "versions": [0]}
    first, last = min(within), max(within)
    count = (last - first) // HOUR + 1
    return {
        "first_hour": int(first.timestamp()),
        "last_hour": int(last.timestamp()),
        "versions": [
            0 if hour in without else hours.get(hour, _NOT_ROLLED).version
            for hour in (first + place * HOUR for place in range(count))
        ],
    }


def _split(asked: Asked, hours: Mapping[datetime, _Rolled]) -> set[int]:
    """The hours within which one of the moments lies that sums are told apart by, and those that have no sums."""
    ends = (store.microseconds(end) for end in (asked.window.start, asked.window.end))
    moments = [*(moment * 1_000_000 for moment in asked.moments), *ends]
    without = (int(hour.timestamp()) for hour, rolled in hours.items() if not rolled.has_sums)
    return {*(moment // _HOUR_US * 3600 for moment in moments if moment % _HOUR_US), *without}


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
def _query(asked: CostsRead, how: Live) -> Query:
    source = f.sums(asked.sums_by, how) if asked.sums_by else f.costs(asked.columns, how)
    return Query(asked.name, f"WITH {source}\n{asked.sql}\n{_IN_DAYS}")


# Only where changes are sought does a statement ask for days of spans.
_IN_DAYS = "-- {first_day:Date} {last_day:Date}"
