"""The roll-up of what traces cost, by when their spans were written. It may run at any time, twice, or late.

One stretch of writing is one step (`_roll`):

1. Every trace of which a part was written in it is summed anew from all of its spans, into rows of a new version.
2. The hours that those traces were in, and are in now, are completed by the rows of their other traces.
3. In one transaction `user_costs` of these hours is replaced, the version becomes the one that counts, and the
   watermark moves on. A run that dies before that has changed nothing that is read.

The store stamps a part as its insert begins and shows it when the insert ends. So the watermark stays `SETTLE` behind
the store's clock, and what was written since is taken again the next time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from costs import rollup_store as store
from costs.locks import Work, only_one
from costs.models import RolledHour, RollUp
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SETTLE = timedelta(minutes=10)
# Parts of spans that one step takes: what it holds in memory grows with their traces.
PARTS_A_STEP = 300_000
# Traces whose sums go to PostgreSQL at once.
TRACES_AT_ONCE = 50_000


def roll_up(project_id: int, *, seconds: float = 300, settle: timedelta = SETTLE) -> bool:
    """Rolls up what was written until now, in about that time; whether it got there, or another process is at it.

    Raises `QueryTooLarge`, `QueryUnavailable`; the next run goes on from the last step that was finished.
    """
    with only_one(Work.ROLL_UP, project_id) as mine:
        if not mine:
            return True
        scope, deadline = Scope(project_id), monotonic() + seconds
        state = RollUp.objects.filter(project=project_id).first()
        since = watermark = state.watermark if state else EPOCH
        while monotonic() < deadline:
            stretch = store.next_stretch(scope, since=since, parts=PARTS_A_STEP)
            watermark = max(watermark, min(stretch.until, stretch.now - settle))
            if stretch.parts:
                _roll(scope, since, stretch.until, watermark)
            else:
                _move_on(scope, watermark)
            if stretch.parts < PARTS_A_STEP:
                return True
            since = stretch.until
        return False


def roll_again(project_id: int, hours: Iterable[datetime]) -> None:
    """Sums these hours anew from the spans there are, as after an erasure: traces that are gone no longer count.

    Not for hours whose spans have gone with their retention. Raises `QueryTooLarge`, `QueryUnavailable`, and `Busy`
    while another process is at it.
    """
    wanted = sorted(set(hours))
    with only_one(Work.ROLL_UP, project_id) as mine:
        if not mine:
            raise Busy
        scope, version = Scope(project_id), _next_version(project_id)
        store.write_every(scope, wanted, version=version)
        with transaction.atomic():
            make_current(scope, wanted, version)


class Busy(Exception):
    """Another process rolls the project up; try again later."""


def delete_superseded(project_id: int) -> int:
    """Deletes rows of versions that no longer count; gives how many versions of hours."""
    count = RolledHour.objects.filter(project=project_id).values_list("hour", "version")
    return store.delete_superseded(Scope(project_id), count)


def _roll(scope: Scope, since: datetime, until: datetime, watermark: datetime) -> None:
    stretch, version = store.stretch_of(since, until), _next_version(scope.project_id)
    before = store.hours_before(scope, stretch)
    store.write_changed(scope, stretch, version=version)
    hours = sorted({*before, *store.traces_an_hour(scope, version=version)})
    rolled = RolledHour.objects.filter(project=scope.project_id, hour__in=hours)
    store.keep_others(scope, stretch, list(rolled.values_list("hour", "version")), version=version)
    with transaction.atomic():
        make_current(scope, hours, version)
        _move_on(scope, watermark)


def make_current(scope: Scope, hours: list[datetime], version: int) -> None:
    """Makes this version of these hours the one that counts, in `user_costs` too."""
    traces = store.traces_an_hour(scope, version=version)
    for few in _batches(hours, traces):
        store.replace_user_costs(scope, few, version=version)
    RolledHour.objects.bulk_create(
        [
            RolledHour(project_id=scope.project_id, hour=hour, version=version, has_sums=True)
            for hour in hours
        ],
        update_conflicts=True,
        unique_fields=["project", "hour"],
        update_fields=["version", "has_sums"],
        batch_size=1_000,
    )


def _move_on(scope: Scope, watermark: datetime) -> None:
    RollUp.objects.update_or_create(
        project_id=scope.project_id, defaults={"watermark": watermark, "ran_at": timezone.now()}
    )


def _next_version(project_id: int) -> int:
    """One that no run has used: rows of a run that died stay in the store for a while."""
    last = RolledHour.objects.filter(project=project_id).aggregate(last=Max("version"))["last"] or 0
    return max(last + 1, int(datetime.now(UTC).timestamp() * 1000))


def _batches(hours: list[datetime], traces: dict[datetime, int]) -> Iterator[list[datetime]]:
    """The hours in order, few enough at a time."""
    batch: list[datetime] = []
    size = 0
    for hour in hours:
        if batch and size + traces.get(hour, 0) > TRACES_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(hour)
        size += traces.get(hour, 0)
    if batch:
        yield batch


def projects() -> list[int]:
    return list(Project.objects.order_by("pk").values_list("pk", flat=True))
