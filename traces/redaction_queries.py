"""What redaction replaced, by detector over time: counts only, the values are nowhere."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache

from tracehouse.clickhouse.query import Query, run
from tracehouse.tenancy.scope import Scope
from traces import filters as f

MAX_ROWS = 20_000


class Step(StrEnum):
    HOUR = "Hour"
    DAY = "Day"


@dataclass(frozen=True, slots=True)
class Replaced:
    """What one detector replaced in the spans that started within a step of time."""

    start: datetime  # of the step by the clock of the scope's time zone; an aware moment in UTC
    detector: str
    values: int
    spans: int


def replaced(scope: Scope, step: Step) -> list[Replaced]:
    """By step and detector, in the order of time."""
    rows = run(_replaced(step), scope, {"time_zone": scope.time_zone})
    return [Replaced(_utc(row["step"]), row["detector"], row["found"], row["in_spans"]) for row in rows]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


@cache
def _replaced(step: Step) -> Query:
    return Query(
        f"redactions.{step.lower()}",
        f"""
SELECT
    toStartOf{step}(toDateTime(start_time, {{time_zone:String}})) AS step,
    pair.1 AS detector,
    sum(pair.2) AS found,
    count() AS in_spans
FROM {f.spans(("start_time", "redactions"))}
ARRAY JOIN JSONExtractKeysAndValues(ifNull(redactions, '{{}}'), 'UInt64') AS pair
WHERE start_time >= fromUnixTimestamp64Nano({{start_ns:Int64}}, 'UTC')
  AND start_time < fromUnixTimestamp64Nano({{end_ns:Int64}}, 'UTC')
GROUP BY
    step,
    detector
ORDER BY
    step,
    detector
LIMIT {MAX_ROWS}""",  # noqa: S608  # closed parts only
    )
