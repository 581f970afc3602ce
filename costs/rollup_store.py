"""What the roll-up writes: rows of traces in ClickHouse, and from them the sums of users in PostgreSQL."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

import msgspec
from django.conf import settings
from django.db import connection

from costs import rollup_filters as f
from costs.models.usage import MAX_KEY
from tracehouse.clickhouse.query import Parameter, Query, Row, Table, aware, derive, run, run_packed
from tracehouse.tenancy.scope import ALL_TIME, Scope
from traces.filters import TOKENS

Bound: TypeAlias = dict[str, Parameter]

MAX_ROWS = 10_000_000
GREATEST = 2**63 - 1  # that PostgreSQL counts to


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was written up to `until`, by the store's clock, which says `now`; `parts` of spans, or about so many."""

    parts: int
    until: datetime
    now: datetime


def next_stretch(scope: Scope, *, since: datetime, parts: int) -> Stretch:
    """From `since` until now, or until about so many parts of spans were written."""
    (row,) = run(_STRETCH, scope, {"since_us": microseconds(since), "parts": parts})
    now = aware(row["now_"])
    return Stretch(row["parts_"], aware(row["last"]) if row["parts_"] == parts else now, now)


def hours_before(scope: Scope, stretch: Bound) -> list[datetime]:
    """Hours under which traces of which parts were written are rolled up, or once were."""
    return [aware(row["hour"]) for row in run(_HOURS_BEFORE, scope, stretch)]


def write_changed(scope: Scope, stretch: Bound, *, version: int) -> None:
    """A row for each trace of which a part was written, as its spans are now."""
    derive(_WRITE_CHANGED, scope, {**stretch, "version": version})


def write_every(scope: Scope, hours: Sequence[datetime], *, version: int) -> None:
    """A row for each trace that begins in these hours, as its spans are now."""
    derive(_WRITE_EVERY, scope, {**_of(hours), "version": version})


def keep_others(
    scope: Scope, stretch: Bound, rolled: Sequence[tuple[datetime, int]], *, version: int
) -> None:
    """The rows of traces of which no part was written, from the versions that count so far."""
    if rolled:
        derive(_KEEP_OTHERS, scope, {**stretch, **current(rolled), "version": version})


def traces_an_hour(scope: Scope, *, version: int) -> dict[datetime, int]:
    """How many rows of traces this version has for each hour."""
    return {aware(row["hour"]): row["traces"] for row in run(_HOURS_WRITTEN, scope, {"version": version})}


def replace_user_costs(scope: Scope, hours: Sequence[datetime], *, version: int) -> int:
    """Puts the sums of these hours in place of those that stand; gives their number. Belongs in a transaction."""
    rows = run(_USER_COSTS, scope, {**_of(hours), "version": version})
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [scope.project_id, [hour.replace(tzinfo=None) for hour in hours]])
        with cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(_user_cost(scope.project_id, row))
    return len(rows)


def delete_superseded(scope: Scope, current_: Iterable[tuple[datetime, int]]) -> int:
    """Deletes rows of versions that do not count, once no read can still be at them; gives how many versions."""
    count = set(current_)
    rows = run(_OLD_VERSIONS, scope)
    old = [
        (hour, row["version"]) for row in rows if ((hour := aware(row["hour"])), row["version"]) not in count
    ]
    for first in range(0, len(old), 1_000):
        few = old[first : first + 1_000]
        for table in ("cost_sums", "trace_costs"):  # which are old is read of the second, so it goes last
            derive(_delete_versions(table), scope, current(few))
    return len(old)


def written_since(scope: Scope, since: datetime, *, at_most: int) -> Table | None:
    """The traces of which some part was written, and on which days; None where these are more, or about so many."""
    most = at_most * _PAIR_BYTES
    rows = run_packed(_WRITTEN, scope, {**stretch_of(since, ALL_TIME.end), "at_most": at_most + 1})
    return Table("written", f.WRITTEN_STRUCTURE, rows) if len(rows) <= most else None


def changed(scope: Scope, written: Table, columns: Iterable[str]) -> Table:
    """These traces with these columns, as their spans are now: what a read of `costs.rolled` takes along."""
    wanted = tuple(columns)
    rows = run_packed(_changed(frozenset(wanted)), scope, table=written)
    return Table("changed", f.structure(wanted), rows)


def hours_touched(scope: Scope, written: Table, versions: Bound) -> list[datetime]:
    """The hours under which such traces are rolled up, by the versions that count."""
    return [aware(row["hour"]) for row in run(_HOURS_TOUCHED, scope, versions, table=written)]


def current(rolled: Sequence[tuple[datetime, int]]) -> Bound:
    """The parameters of `rollup_filters.CURRENT`: which version of which hour counts."""
    return {**_of([hour for hour, _ in rolled]), "versions": [version for _, version in rolled]}


def _of(hours: Sequence[datetime]) -> Bound:
    seconds = [int(hour.timestamp()) for hour in hours]
    return {"hours": seconds, "first_hour": min(seconds, default=0), "last_hour": max(seconds, default=0)}


def microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def stretch_of(since: datetime, until: datetime) -> Bound:
    """The parameters of what was written after one moment up to another."""
    return {"since_us": microseconds(since), "until_us": microseconds(until)}


_STRETCH = Query(
    "rollup.stretch",
    """
SELECT
    count() AS parts_,
    max(updated_at) AS last,
    now64(6, 'UTC') AS now_
FROM
(
    SELECT updated_at
    FROM spans
    WHERE project_id = {project_id:UInt64}
      AND day BETWEEN {first_day:Date} AND {last_day:Date}
      AND updated_at > fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
    ORDER BY updated_at
    LIMIT {parts:UInt64}
)""",
)

_WRITTEN = Query("rollup.written", f"{f.WRITTEN}\nLIMIT {{at_most:UInt64}}")
_PAIR_BYTES = 18  # of an id and a day


@cache
def _changed(columns: frozenset[str]) -> Query:
    return Query("rollup.changed", f"{f.changed(columns)}\nLIMIT {MAX_ROWS}")


_HOURS_TOUCHED = Query("rollup.hours_touched", f"{f.HOURS_TOUCHED}\nLIMIT {MAX_ROWS}")

_HOURS_BEFORE = Query(
    "rollup.hours_before",
    f"""
SELECT DISTINCT hour
FROM trace_costs
WHERE project_id = {{project_id:UInt64}}
  AND toDate(hour) IN
  (
      {f.DAYS_OF_CHANGED}
  )
  AND trace_id IN ({f.CHANGED})
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
)

_LISTED = ",\n    ".join(f.COLUMNS)


def _write(name: str, source: str) -> Query:
    return Query(
        name,
        f"""
INSERT INTO trace_costs
(
    project_id,
    version,
    {_LISTED}
)
SELECT
    {{project_id:UInt64}},
    {{version:UInt64}},
    {_LISTED}
FROM
{source}
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
    )


_WRITE_CHANGED = _write("rollup.write_changed", f"({f.CHANGED_NOW})")
_WRITE_EVERY = _write("rollup.write_every", f"({f.STARTING_NOW})\nWHERE {f.IN_HOURS}")
# Days are bound by what was written; hours by which are current.
_KEEP_OTHERS = _write(
    "rollup.keep_others", f"trace_costs\nWHERE {f.CURRENT}\n  AND trace_id NOT IN ({f.CHANGED})"
)

_HOURS_WRITTEN = Query(
    "rollup.hours_written",
    f"""
SELECT
    hour,
    count() AS traces
FROM trace_costs
WHERE project_id = {{project_id:UInt64}}
  AND toDate(hour) BETWEEN {{first_day:Date}} AND {{last_day:Date}}
  AND version = {{version:UInt64}}
GROUP BY hour
ORDER BY hour
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
)


def _stored(key: str) -> str:
    """A key as PostgreSQL can keep and index it: no zero bytes, and of a very long one the start and a hash."""
    kept = f"replaceAll(toValidUTF8({key}), '\\0', '\ufffd')"
    return f"""if(
            length({key}) <= {MAX_KEY},
            {kept},
            concat(leftUTF8({kept}, 100), '… ', lower(hex(sipHash128({key})))))"""


def _split(name: str) -> str:
    """Sums by key: the keys, how many traces have each, and the sums in the order of `SPLIT`."""
    fields = ",\n        ".join(f"{name}.{field}" for field in f.SPLIT)
    return f"""sumMap(
        arrayMap(key -> {_stored("key")}, {name}.key),
        arrayWithConstant(length({name}), toUInt64(1)),
        {fields}) AS by_{name}"""


_SUMMED = ("failed", "llm_calls", "tool_calls", "unpriced_calls", *TOKENS, "cost_usd")
_SUMS = ",\n    ".join(f"sum({name}) AS {name}_" for name in _SUMMED)
_USER_COSTS = Query(
    "rollup.user_costs",
    f"""
SELECT
    {_stored("user_id")} AS user_id_,
    {_stored("organization_id")} AS organization_id_,
    hour,
    count() AS invocations,
    {_SUMS},
    {_split("models")},
    sumMap(
        [{_stored("feature")}],
        [toUInt64(1)],
        [failed],
        [llm_calls],
        [tool_calls],
        [unpriced_calls],
        [{f.INPUT_TOKENS}],
        [output_tokens],
        [cost_usd]) AS by_features,
    {_split("tools")},
    {_split("prompts")}
FROM trace_costs
WHERE project_id = {{project_id:UInt64}}
  AND toDate(hour) BETWEEN {{first_day:Date}} AND {{last_day:Date}}
  AND hour >= toDateTime({{first_hour:UInt32}}, 'UTC')
  AND hour <= toDateTime({{last_hour:UInt32}}, 'UTC')
  AND {f.IN_HOURS}
  AND version = {{version:UInt64}}
GROUP BY
    user_id_,
    organization_id_,
    hour
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
)

_OLD_VERSIONS = Query(
    "rollup.old_versions",
    f"""
SELECT
    hour,
    version
FROM trace_costs
WHERE project_id = {{project_id:UInt64}}
  AND toDate(hour) BETWEEN {{first_day:Date}} AND {{last_day:Date}}
GROUP BY
    hour,
    version
HAVING max(written_at) < now() - toIntervalHour(1)
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
)


def _delete_versions(name: str) -> Query:
    cluster = settings.CLICKHOUSE_CLUSTER
    table = f"{name}_local ON CLUSTER '{cluster}'" if cluster else name
    return Query(
        "rollup.delete_versions",
        f"""
DELETE FROM {table}
WHERE {f.CURRENT}
  AND toDate(hour) BETWEEN {{first_day:Date}} AND {{last_day:Date}} -- LIMIT: the versions that are named""",  # noqa: S608
    )


_DELETE = "DELETE FROM user_costs WHERE project_id = %s AND date + hour * interval '1 hour' = ANY(%s)"
_COPIED = (
    "project_id",
    "user_id",
    "organization_id",
    "date",
    "hour",
    "invocation_count",
    "failed_count",
    "llm_calls",
    "tool_calls",
    "unpriced_calls",
    "total_input_tokens",
    *TOKENS[:-1],
    "total_output_tokens",
    "total_cost_usd",
    "by_model",
    "by_feature",
    "by_tool",
    "by_prompt",
)
_COPY = f"COPY user_costs ({', '.join(_COPIED)}) FROM STDIN"


def _user_cost(project_id: int, row: Row) -> Iterator[object]:
    """The values of a row of `user_costs`, in the order of `_COPIED`."""
    hour: datetime = row["hour"]
    yield from (project_id, row["user_id_"], row["organization_id_"], hour.date(), hour.hour)
    yield row["invocations"]
    yield from (_counted(row[f"{name}_"]) for name in ("failed", "llm_calls", "tool_calls", "unpriced_calls"))
    kinds = [row[f"{name}_"] for name in TOKENS[:-1]]
    yield _counted(sum(kinds))
    yield from map(_counted, kinds)
    yield _counted(row["output_tokens_"])
    yield row["cost_usd_"]
    yield from (_by_key(row[f"by_{name}"]) for name in ("models", "features", "tools", "prompts"))


def _by_key(sums: tuple[list[Any], ...]) -> str:
    *counts, costs = sums
    split = zip(*counts, map(_money, costs), strict=True)
    return _encode({key: dict(zip(_SPLIT_NAMES, values, strict=True)) for key, *values in split}).decode()


def _money(amount: Decimal) -> str:
    return f"{amount:f}"


def _counted(count: int) -> int:
    return min(count, GREATEST)


_SPLIT_NAMES = ("invocations", *f.SPLIT)
_encode = msgspec.json.Encoder().encode
