"""The roll-up of an hour of spans, and reading a month of costs: in this process, on the stores of an installation."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import django
from clickhouse_connect.driver.client import Client

from bench import costs, stored
from bench.installation import ROOT, Installation
from bench.load import percentile
from bench.queries import Reading

SPANS = 100_000
REPEATS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUpRun:
    spans: int
    seconds: float  # of all of the hour's spans, for the first time
    late_seconds: float  # of one span more that comes late
    user_costs: int  # rows of the month in PostgreSQL
    readings: list[Reading]


def measure(installation: Installation, client: Client) -> RollUpRun:
    """Two projects: one with an hour of spans, one with a month of costs."""
    os.environ.update(installation.environment())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracehouse.settings.base")
    django.setup()
    from tracehouse.tenancy import services  # noqa: PLC0415  # needs Django
    from tracehouse.tenancy.models import Team  # noqa: PLC0415

    team = Team.objects.get()
    hour, month = (
        services.create_project(team=team, name=name, actor="bench").pk for name in ("Hour", "Month")
    )
    seconds, late_seconds = _roll_up(client, hour)
    rows = costs.fill(client, month)
    return RollUpRun(
        spans=SPANS,
        seconds=seconds,
        late_seconds=late_seconds,
        user_costs=rows,
        readings=[_timed(name, read) for name, read in _reads(month).items()],
    )


def roll_up(installation: Installation, project_id: int) -> None:
    """All that is stored by now, in a process of its own: another run may be on another installation."""
    imports = "from datetime import timedelta; from costs import rollup"
    code = f"{imports}; rollup.roll_up({project_id}, settle=timedelta(0))"
    subprocess.run(
        (sys.executable, "manage.py", "shell", "-c", code),
        cwd=ROOT,
        env={**os.environ, **installation.environment()},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _roll_up(client: Client, project_id: int) -> tuple[float, float]:
    from costs import rollup  # noqa: PLC0415

    batch = stored.Batch(prefix="", first=0, traces=SPANS // stored.SPANS_A_TRACE, spans=stored.SPANS_A_TRACE)
    stored.insert(client, project_id, batch, spread=timedelta(hours=1))
    began = time.perf_counter()
    rollup.roll_up(project_id, settle=timedelta(0))
    first = time.perf_counter() - began
    stored.insert(client, project_id, replace(batch, first=SPANS, traces=1), spread=timedelta(hours=1))
    began = time.perf_counter()
    rollup.roll_up(project_id, settle=timedelta(0))
    return first, time.perf_counter() - began


def _reads(project_id: int) -> dict[str, Callable[[], object]]:
    from costs import rollup_queries as read  # noqa: PLC0415
    from tracehouse.tenancy.scope import Scope, Window  # noqa: PLC0415

    now = datetime.now(UTC)
    month = Scope(project_id, Window(now - timedelta(days=costs.DAYS), now), "Europe/Berlin")
    day = month.during(Window(now - timedelta(days=1), now))
    return {
        "totals of the month": lambda: [read.overall(month)],
        "totals by day": lambda: read.by_step(month, read.Step.DAY),
        "the ten dearest users of the day": lambda: read.by_key(day, read.Dimension.USER, limit=10),
        "the ten dearest users of the month": lambda: read.by_key(month, read.Dimension.USER, limit=10),
        "the dearest tenth and the histogram": lambda: read.spread(month).histogram,
        **{
            f"by {dimension.value}": lambda dimension=dimension: read.by_key(month, dimension)  # type: ignore[misc]
            for dimension in read.Dimension
            if dimension is not read.Dimension.USER
        },
        "every user": lambda: list(read.users_in_order(month)),
    }


def _timed(name: str, read: Callable[[], object]) -> Reading:
    """The first answer is not counted: it compiles the statement and warms the page cache."""
    rows = len(read())  # type: ignore[arg-type]
    milliseconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        read()
        milliseconds.append((time.perf_counter() - began) * 1000)
    p50, p95, p99 = (percentile(milliseconds, share) for share in (50, 95, 99))
    return Reading(name=name, p50=p50, p95=p95, p99=p99, rows=rows)
