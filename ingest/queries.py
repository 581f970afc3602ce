"""Every read of what ingest counted, and of how late spans became visible. Bound to a project by its scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import DateTimeField, Func, Max, Min, QuerySet, Sum, Value

from ingest.models import IngestMinute, RejectedPayload
from tracehouse.clickhouse.query import Query, run
from tracehouse.tenancy.scope import Scope, Window

MAX_SENDERS = 5
# Of how many minutes the lag is told, and of how many rows at the most.
LAG_MINUTES = 15
MAX_LAG_ROWS = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Bars of a chart are whole minutes that divide a day, and at most about a hundred.
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480, 1440))
MAX_BARS = 100


@dataclass(frozen=True, slots=True)
class Bar:
    start: datetime
    spans: int
    rejected_spans: int
    refused_requests: int


@dataclass(frozen=True, slots=True)
class Volume:
    """What a project sent in a window, in bars of `step`."""

    step: timedelta
    bars: list[Bar]
    requests: int
    refused_requests: int
    spans: int
    rejected_spans: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Sender:
    agent: str
    content_type: str
    requests: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was refused for one reason in a window, dearest first by requests."""

    reason: str
    status: int
    requests: int
    spans: int
    largest_bytes: int
    first_at: datetime
    last_at: datetime
    doors: list[str]
    senders: list[Sender]


@dataclass(frozen=True, slots=True)
class Lag:
    """Span end to visible, over spans that became visible lately; None without any."""

    rows: int
    p50_ms: float | None
    p95_ms: float | None


def volume(scope: Scope) -> Volume:
    """What the project sent in the scope's window, with empty bars where it sent nothing."""
    step = step_for(scope.window)
    rows = _minutes(scope).annotate(
        bar=Func(Value(step), "minute", Value(_EPOCH), function="date_bin", output_field=DateTimeField())
    )
    found = {
        row["bar"]: Bar(row["bar"], row["good"], row["bad"], row["refused"])
        for row in rows.values("bar").annotate(
            good=Sum("spans"), bad=Sum("rejected_spans"), refused=Sum("refused_requests")
        )
    }
    sums = _minutes(scope).aggregate(
        *(Sum(name) for name in ("requests", "refused_requests", "spans", "rejected_spans", "body_bytes"))
    )
    return Volume(
        step=step,
        bars=[found.get(start) or Bar(start, 0, 0, 0) for start in bar_starts(scope.window, step)],
        **{name.removesuffix("__sum"): value or 0 for name, value in sums.items()},
    )


def rejections(scope: Scope) -> list[Rejection]:
    """What was refused in the hours that the scope's window touches, by reason, most requests first."""
    rows = RejectedPayload.objects.filter(
        project_id=scope.project_id,
        hour__gte=_hour(scope.window.start),
        hour__lt=scope.window.end,
        last_at__gte=scope.window.start,
    )
    reasons = (
        rows.values("reason", "status")
        .annotate(
            total=Sum("requests"),
            refused_spans=Sum("spans"),
            largest=Max("largest_bytes"),
            first=Min("first_at"),
            last=Max("last_at"),
        )
        .order_by("-total", "reason")
    )
    return [
        Rejection(
            reason=row["reason"],
            status=row["status"],
            requests=row["total"],
            spans=row["refused_spans"],
            largest_bytes=row["largest"],
            first_at=row["first"],
            last_at=row["last"],
            doors=_doors(same := rows.filter(reason=row["reason"], status=row["status"])),
            senders=_senders(same),
        )
        for row in reasons
    ]


def has_sent(scope: Scope) -> bool:
    """Whether the project sent anything that is still counted."""
    return IngestMinute.objects.filter(project_id=scope.project_id).exists()


def lag(scope: Scope, *, now: datetime) -> Lag:
    """How long after their end the spans of the last minutes became visible. Raises as `query.run` does."""
    since = now - timedelta(minutes=LAG_MINUTES)
    recent = scope.during(Window(since - timedelta(days=1), now + timedelta(days=1)))
    (row,) = run(_LAG, recent, {"since": since.timestamp(), "max_rows": MAX_LAG_ROWS})
    if not row["found"]:
        return Lag(0, None, None)
    return Lag(row["found"], row["p50"], row["p95"])


# Without FINAL: a part of a span that was written later has no end of its own, and a retry is as late as it is.
_LAG = Query(
    "ingest.lag",
    """
    SELECT
        count() AS found,
        quantile(0.5)(late_ms) AS p50,
        quantile(0.95)(late_ms) AS p95
    FROM
    (
        SELECT greatest(dateDiff('millisecond', end_time, updated_at), 0) AS late_ms
        FROM spans
        WHERE project_id = {project_id:UInt64}
          AND day BETWEEN {first_day:Date} AND {last_day:Date}
          AND updated_at >= fromUnixTimestamp64Milli(toInt64({since:Float64} * 1000), 'UTC')
          AND isNotNull(end_time)
        LIMIT {max_rows:UInt64}
    )
    """,
)


def step_for(window: Window) -> timedelta:
    length = window.end - window.start
    return next((step for step in _STEPS if length / step <= MAX_BARS), _STEPS[-1])


def bar_starts(window: Window, step: timedelta) -> Sequence[datetime]:
    first = _EPOCH + (window.start - _EPOCH) // step * step
    return [first + number * step for number in range(-(-(window.end - first) // step))]


def _minutes(scope: Scope) -> QuerySet[IngestMinute]:
    return IngestMinute.objects.filter(
        project_id=scope.project_id, minute__gte=scope.window.start, minute__lt=scope.window.end
    )


def _doors(rows: QuerySet[RejectedPayload]) -> list[str]:
    return list(rows.order_by("door").values_list("door", flat=True).distinct())


def _senders(rows: QuerySet[RejectedPayload]) -> list[Sender]:
    found = rows.values("agent", "content_type").annotate(total=Sum("requests")).order_by("-total", "agent")
    return [Sender(row["agent"], row["content_type"], row["total"]) for row in found[:MAX_SENDERS]]


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
