"""The reads behind a weekly report: each figure is one that a page of costs shows too."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from costs import anomaly_queries, economics, margin_queries, report, rollup_queries
from costs.anomaly_queries import Anomalies, Anomaly
from costs.day_range import DayRange
from costs.days import day_of
from costs.economics import Customer, Filter
from costs.models import Payer, Plan, Report, RollUp
from costs.report import Compared, Loser, Margins, Spike, UnpricedModel, Used, Week, WeeklyReport
from costs.rollup_queries import Dimension, Overall, Total
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web import time_range


def weekly_report(project: Project, week: Week, *, now: datetime) -> WeeklyReport:
    """The week against the one before; of a week that goes on, its days until now against as much of the one before.

    Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    zone = time_range.zone_of(project.time_zone)
    scope = Scope(project.pk, time_zone=project.time_zone)
    is_over = week.end(zone) <= now
    until = min(week.end(zone), now)
    this, before = _windows(scope, week, until)
    days = DayRange(week.first, min(week.last, day_of(now, zone)), "", "")
    total, total_before = rollup_queries.overall(this), rollup_queries.overall(before)
    features = report.compare(_by(this, Dimension.FEATURE), _by(before, Dimension.FEATURE))
    grown = report.grown(features)
    users = report.compare(_by(this, Dimension.USER), _by(before, Dimension.USER))
    found = anomaly_queries.anomalies(scope, days.first, days.last)
    return WeeklyReport(
        project=project.name,
        slug=project.slug,
        time_zone=project.time_zone,
        first_day=week.first,
        last_day=week.last,
        until=until,
        made_at=now,
        is_over=is_over,
        total=Compared("", _used(total), _used(total_before)),
        users=total.users,
        users_before=total_before.users,
        growth=report.all_growth(features),
        spenders=report.spenders(users),
        features=tuple(grown[: report.TOP]),
        features_grown=len(grown),
        spikes=tuple(_spikes(found))[: report.TOP],
        spike_count=len(found.spikes),
        too_new=len(found.newcomers),
        margins=_margins(scope, days, now),
        unpriced_models=_unpriced(this),
        rolled_up_until=rolled_up_until(project.pk),
        told_before=_told(scope, week.before, total_before) if is_over else None,
    )


def cost_now(project: Project, week: Week) -> Decimal:
    """What the week comes to with everything that came since. Raises `QueryTooLarge`, `QueryUnavailable`."""
    scope = Scope(project.pk, time_zone=project.time_zone)
    return rollup_queries.overall(rollup_queries.during(scope, week.first, week.last)).cost_usd


def rolled_up_until(project_id: int) -> datetime | None:
    """What was written to the store after this moment is not rolled up yet; None before the first roll-up."""
    return RollUp.objects.filter(project=project_id).values_list("watermark", flat=True).first()


def _windows(scope: Scope, week: Week, until: datetime) -> tuple[Scope, Scope]:
    """The week until then, and as much of the one before."""
    zone = time_range.zone_of(scope.time_zone)
    return (
        scope.during(Window(week.start(zone), until)),
        scope.during(Window(week.before.start(zone), report.week_before(until, zone))),
    )


def _used(total: Total | Overall) -> Used:
    return Used(total.cost_usd, total.invocations, total.unpriced_calls)


def _by(scope: Scope, dimension: Dimension) -> dict[str, Used]:
    return {
        one.key: _used(one) for one in rollup_queries.by_key(scope, dimension, limit=rollup_queries.MAX_ROWS)
    }


def _spikes(found: Anomalies) -> Iterator[Spike]:
    for one in found.spikes:
        yield _spike(one)


def _spike(one: Anomaly) -> Spike:
    judged = one.judgement
    return Spike(
        series=one.series.value,
        key=one.key,
        day=judged.day,
        spent=judged.spent,
        mean=judged.mean or Decimal(0),
        sigmas=(judged.sigmas or Decimal(0)).quantize(Decimal("0.1")),
    )


def _margins(scope: Scope, days: DayRange, now: datetime) -> Margins:
    """By users and by organizations, whichever have plans."""
    with_plans = Plan.objects.filter(project=scope.project_id).values_list("subject", flat=True).distinct()
    losers: list[Loser] = []
    plans = 0
    for payer in (one for one in Payer if one in set(with_plans)):
        found = margin_queries.unit_economics(scope, payer, days, now=now).customers
        plans += sum(one.revenue is not None for one in found)
        losers += [_loser(payer, one) for one in economics.chosen(found, Filter.UNDER_WATER)]
    return report.margins(losers, plans)


def _loser(payer: Payer, one: Customer) -> Loser:
    return Loser(payer.value, one.key, one.plan, one.own_cost, one.revenue or Decimal(0), one.unpriced_calls)


def _unpriced(scope: Scope) -> tuple[UnpricedModel, ...]:
    """Models with most unpriced calls first."""
    rows = rollup_queries.by_key(scope, Dimension.MODEL, limit=rollup_queries.MAX_ROWS)
    found = [UnpricedModel(row.key, row.unpriced_calls) for row in rows if row.unpriced_calls]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.model))[: report.TOP])


def _told(scope: Scope, week: Week, now: Overall) -> Decimal | None:
    """What the newest report of that week said, where it is not what the week comes to now."""
    last = Report.objects.filter(project=scope.project_id, first_day=week.first).order_by("-version").first()
    told = report.from_data(last.content).total.now.cost if last else now.cost_usd
    return None if told == now.cost_usd else told
