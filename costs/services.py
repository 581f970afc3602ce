"""Everything that changes prices and stored costs. Each change of a price leaves an audit entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from time import monotonic
from typing import Any

from django.db import transaction
from django.utils import timezone

from costs import loading, queries, repricing
from costs.book import PriceBook
from costs.locks import Work, only_one
from costs.models import (
    RATE_FIELDS,
    DatedPrice,
    Match,
    ModelPrice,
    PriceTier,
    RepricingRun,
    RunState,
    Subject,
)
from costs.queries import Calls
from costs.repricing import Outcome, StoredCall
from tracehouse.tenancy import services as tenancy
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web.figures import plain_decimal
from traces.services import write_costs

# A run that has not been heard of for so long has lost its worker.
LOST_AFTER = timedelta(minutes=3)


class Progress(Enum):
    FINISHED = "finished"
    MORE = "more"
    BUSY = "busy"  # another run of the project is at work


@dataclass(frozen=True, slots=True)
class Repricing:
    """What to price again: the calls, and the window that they start in."""

    calls: Calls
    window: Window


def save_price(price: DatedPrice, *, actor: str, tiers: Iterable[PriceTier] = ()) -> None:
    """Stores a price that was checked by `full_clean`, with its tiers in place of those it had.

    Raises `django.db.IntegrityError` when another one came in between. Spans that are stored already keep their
    cost until they are re-priced.
    """
    action = "price.changed" if price.pk else "price.set"
    price.changed_by = actor
    with transaction.atomic():
        price.save()
        if isinstance(price, ModelPrice):
            price.tiers.all().delete()
            for tier in tiers:
                tier.pk, tier.price = None, price
                tier.save(force_insert=True)
        record_price(price, action, actor=actor)
    loading.cache.forget_all()


def delete_price(price: DatedPrice, *, actor: str) -> None:
    with transaction.atomic():
        record_price(price, "price.deleted", actor=actor)
        price.delete()
    loading.cache.forget_all()


def record_price(price: DatedPrice, action: str, *, actor: str) -> None:
    """An audit entry with everything the price says."""
    tenancy.record(
        actor=actor,
        action=action if isinstance(price, ModelPrice) else f"tool_{action}",
        target=str(price)[:200],
        project=price.project,
        **_said(price),
    )


def start_repricing(*, project: Project, asked: Repricing, dry: bool, actor: str) -> RepricingRun:
    """A run that waits for `advance`. A dry one writes nothing; a real one leaves an audit entry."""
    calls, window = asked.calls, asked.window
    with transaction.atomic():
        run = RepricingRun.objects.create(
            project=project,
            subject=Subject.TOOL if calls.is_tool else Subject.MODEL,
            provider=calls.provider,
            match=Match.PREFIX if calls.is_prefix else Match.EXACT,
            name=calls.name,
            window_start=window.start,
            window_end=window.end,
            done_until=window.start,
            dry=dry,
            asked_by=actor,
        )
        if not dry:
            tenancy.record(
                actor=actor,
                action="repricing.started",
                target=run.label[:200],
                project=project,
                run=run.pk,
                provider=run.provider,
                start=window.start.isoformat(),
                end=window.end.isoformat(),
            )
    return run


def asked_by(run: RepricingRun) -> Repricing:
    """What a run was asked to price again."""
    calls = Calls(
        is_tool=run.subject == Subject.TOOL,
        name=run.name,
        is_prefix=run.match == Match.PREFIX,
        provider=run.provider,
    )
    return Repricing(calls, Window(run.window_start, run.window_end))


def advance(run_id: int, *, seconds: float) -> Progress:
    """Goes on with a run for about that long, a day of spans at a time, each day page by page.

    1. One run of a project works at a time, so that the newest prices are written last and no change counts twice.
    2. A page is counted, then written, then left behind. A run that dies in between writes that page again,
       without counting it again.
    3. Prices are read anew each time, so a run always uses those that hold when it works.

    Raises `QueryTooLarge`, `QueryUnavailable`, `InsertUnavailable`; the run can go on from there.
    """
    project_id = RepricingRun.objects.values_list("project_id", flat=True).get(pk=run_id)
    with only_one(Work.REPRICING, project_id) as mine:
        if not mine:
            return Progress.BUSY
        run = RepricingRun.objects.get(pk=run_id)
        if run.finished:
            return Progress.FINISHED
        run.state = RunState.RUNNING
        book = loading.load(run.project_id)
        days = queries.days_with_spans(Scope(run.project_id, Window(run.done_until, run.window_end)))
        deadline = monotonic() + seconds
        while run.done_until < run.window_end:
            if run.done_until.astimezone(UTC).date() not in days:
                run.done_until = min(_next_day(run.done_until), run.window_end)
                continue
            _advance_page(run, book)
            if monotonic() > deadline and run.done_until < run.window_end:
                return Progress.MORE
        _finish(run, RunState.DONE)
        return Progress.FINISHED


def fail(run_id: int, problem: str) -> None:
    """Ends a run that cannot go on; what it changed so far stays changed and counted."""
    run = RepricingRun.objects.get(pk=run_id)
    if not run.finished:
        run.problem = problem[:200]
        _finish(run, RunState.FAILED)


def lost_runs(now: datetime) -> list[int]:
    """Runs that wait or work, but that nobody has heard of for a while."""
    waiting = RepricingRun.objects.filter(
        state__in=[RunState.QUEUED, RunState.RUNNING], alive_at__lt=now - LOST_AFTER
    )
    return list(waiting.values_list("pk", flat=True))


def _advance_page(run: RepricingRun, book: PriceBook) -> None:
    window = Window(run.done_until, min(_next_day(run.done_until), run.window_end))
    after = (run.last_trace, run.last_span) if run.last_trace else None
    calls = queries.calls_page(
        Scope(run.project_id, window), asked_by(run).calls, after=after, limit=queries.PAGE
    )
    again = bool(run.counted_trace)
    if again:
        calls = _up_to(calls, (run.counted_trace, run.counted_span))
    outcome = repricing.reprice(calls, book)
    if not again:
        _count(run, outcome)
    if outcome.changed and not run.dry:
        if not again:
            run.counted_trace, run.counted_span = _key(calls[-1])
            run.save()
        write_costs(outcome.changed)
    run.counted_trace = run.counted_span = ""
    if calls and (again or len(calls) == queries.PAGE):
        run.last_trace, run.last_span = _key(calls[-1])
    else:
        run.done_until, run.last_trace, run.last_span = window.end, "", ""
    run.save()


def _up_to(calls: list[StoredCall], last: tuple[str, str]) -> list[StoredCall]:
    """The calls up to the one with that key; all, where spans that came in meanwhile pushed it off the page."""
    keys = [_key(call) for call in calls]
    return calls[: keys.index(last) + 1] if last in keys else calls


def _key(call: StoredCall) -> tuple[str, str]:
    return call.span.trace_id, call.span.span_id


def _count(run: RepricingRun, outcome: Outcome) -> None:
    run.calls_looked_at += outcome.looked_at
    run.calls_changed += outcome.calls_changed
    run.calls_unpriced_before += outcome.unpriced_before
    run.calls_unpriced_after += outcome.unpriced_after
    run.cost_before += outcome.before
    run.cost_after += outcome.after


def _finish(run: RepricingRun, state: RunState) -> None:
    """The entry in the audit log says what a run did, also when it did not get to its end."""
    run.state, run.finished_at = state, timezone.now()
    with transaction.atomic():
        run.save()
        if not run.dry:
            tenancy.record(
                actor=run.asked_by,
                action=f"repricing.{run.state}",
                target=run.label[:200],
                project=run.project,
                run=run.pk,
                calls_looked_at=run.calls_looked_at,
                calls_changed=run.calls_changed,
                cost_before=plain_decimal(run.cost_before),
                cost_after=plain_decimal(run.cost_after),
            )


def _next_day(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def _said(price: DatedPrice) -> dict[str, Any]:
    """Every value of a price that is not the project or bookkeeping, as text."""
    left_out = {"id", "project", "changed_by", "changed_at"}
    said = {
        field.name: _text(getattr(price, field.name))
        for field in price._meta.concrete_fields
        if field.name not in left_out
    }
    if isinstance(price, ModelPrice):
        said |= {
            f"{name}_above_{tier.above_tokens}": _text(getattr(tier, name))
            for tier in price.tiers.all()
            for name in RATE_FIELDS
        }
    return {name: text for name, text in said.items() if text}


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return plain_decimal(value) if isinstance(value, Decimal) else str(value)
