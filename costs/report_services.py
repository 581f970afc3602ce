"""Everything that changes weekly reports: their settings, making one, and bringing it to its readers.

Exactly one report a project and week comes by itself, however often and late this is asked for: which weeks are due
follows from the clock and from what is stored, and a second one is refused by the database. Deliveries stand in rows
made with the report. Whoever takes one up moves its next try on first, so that no two send it at once; one whose
process died comes up again then, under the same Message-ID.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from costs import report, report_mail, report_queries
from costs.locks import Work, only_one
from costs.models import DeliveryState, Report, ReportDelivery, ReportSettings
from costs.report import Week, WeeklyReport
from tracehouse import mail
from tracehouse.mail import MailFailed
from tracehouse.tenancy import services as tenancy
from tracehouse.tenancy.models import Project
from tracehouse.web import time_range

# Weeks that were missed are made up for; of a longer stop only the last ones.
MOST_WEEKS = 4
# A delivery that was taken up and never told of comes up again after this long.
LEASE = timedelta(minutes=5)
# Between attempts while the mail server is away: given up after about a day.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480, 480))
MOST_AT_ONCE = 200

log = structlog.get_logger()


def save_settings(settings: ReportSettings, *, actor: str, now: datetime) -> None:
    """Stores settings that were checked. Switched on, the week that goes on is the first that is reported."""
    before = ReportSettings.objects.filter(project=settings.project).first()
    if settings.is_on and not (before and before.is_on):
        zone = time_range.zone_of(settings.project.time_zone)
        settings.first_week = report.week_of(now, zone).first
    settings.changed_by = actor
    with transaction.atomic():
        settings.save()
        tenancy.record(
            actor=actor,
            action="report.settings_changed",
            target="weekly report",
            project=settings.project,
            is_on=settings.is_on,
            when=f"{settings.get_weekday_display()} {settings.hour:02d}:00",
            recipients=", ".join(settings.recipients),
        )


def due_projects(now: datetime) -> list[int]:
    """Projects with a week whose report is not made yet."""
    switched_on = ReportSettings.objects.filter(is_on=True).select_related("project")
    return [one.project_id for one in switched_on if due_weeks(one, now)]


def due_weeks(settings: ReportSettings, now: datetime) -> list[Week]:
    """Weeks that are over, past their hour, rolled up to their end, and not reported by itself yet; oldest first."""
    zone = time_range.zone_of(settings.project.time_zone)
    rolled_up = report_queries.rolled_up_until(settings.project_id)
    if settings.first_week is None or rolled_up is None:
        return []
    this = report.week_of(now, zone)
    weeks = [Week(this.first - timedelta(days=report.DAYS * ago)) for ago in range(MOST_WEEKS, 0, -1)]
    by_itself = Report.objects.filter(project=settings.project_id, made_by="")
    made = set(by_itself.filter(first_day__gte=weeks[0].first).values_list("first_day", flat=True))
    return [
        week
        for week in weeks
        if week.first >= settings.first_week
        and week.first not in made
        and week.due(settings.weekday, settings.hour, zone) <= now
        and week.end(zone) <= rolled_up
    ]


def make_due_reports(project_id: int, *, now: datetime) -> list[int]:
    """Makes the reports that are due; gives the deliveries that wait because of it.

    Raises `QueryTooLarge`, `QueryUnavailable`: the next time makes what is missing.
    """
    with only_one(Work.REPORT, project_id) as mine:
        settings = (
            ReportSettings.objects.filter(project=project_id, is_on=True).select_related("project").first()
        )
        if not mine or settings is None:
            return []
        return [
            delivery.pk
            for week in due_weeks(settings, now)
            for delivery in _make_by_itself(settings, week, now)
            if delivery.state == DeliveryState.WAITING
        ]


def make_again(project: Project, week: Week, *, actor: str, now: datetime) -> Report:
    """A further version of the week with what is known now; sent to nobody by itself. The older ones stay.

    Raises `QueryTooLarge`, `QueryUnavailable`.
    """
    content = report_queries.weekly_report(project, week, now=now)
    with transaction.atomic():
        made = _store(project, content, made_by=actor)
        tenancy.record(actor=actor, action="report.made", target=str(made), project=project)
    return made


def ask_for_deliveries(
    made: Report, addresses: Sequence[str], *, actor: str, now: datetime
) -> list[ReportDelivery]:
    """Puts the report on its way to these addresses, once more where it was sent there before."""
    with transaction.atomic():
        tenancy.record(
            actor=actor,
            action="report.sent",
            target=str(made),
            project=made.project,
            recipients=", ".join(addresses),
        )
        return _put_on_its_way(made, addresses, asked_by=actor, now=now)


def send_preview(content: WeeklyReport, address: str, *, project: Project, actor: str) -> None:
    """Sends what a report would say now, and keeps none. Raises `MailFailed`."""
    mail.send(report_mail.message(content, address))
    tenancy.record(
        actor=actor,
        action="report.preview_sent",
        target=f"week of {content.first_day}",
        project=project,
        recipients=address,
    )


def due_deliveries(now: datetime) -> list[int]:
    """Deliveries to try now, the longest due first. Those that an error of ours ended time and again are given up."""
    given_up = ReportDelivery.objects.filter(
        state=DeliveryState.WAITING, next_try_at__lte=now, attempts__gt=len(WAITS)
    )
    given_up.update(
        state=DeliveryState.FAILED, reason="It could not be written; the log of the worker says why."
    )
    waiting = ReportDelivery.objects.filter(state=DeliveryState.WAITING, next_try_at__lte=now)
    return list(waiting.order_by("next_try_at").values_list("pk", flat=True)[:MOST_AT_ONCE])


def deliver(delivery_id: int, *, now: datetime) -> DeliveryState | None:
    """Tries once; what came of it, or None where it is not due or another process is at it."""
    waiting = ReportDelivery.objects.filter(pk=delivery_id, state=DeliveryState.WAITING, next_try_at__lte=now)
    if not waiting.update(next_try_at=now + LEASE, attempts=F("attempts") + 1, reason=""):
        return None
    delivery = ReportDelivery.objects.select_related("report").get(pk=delivery_id)
    try:
        mail.send(report_mail.message(report.from_data(delivery.report.content), delivery.address, delivery))
    except MailFailed as error:
        _failed(delivery, error, now)
    else:
        delivery.state, delivery.reason, delivery.sent_at = DeliveryState.SENT, "", now
    delivery.save(update_fields=["state", "reason", "sent_at", "next_try_at"])
    log.info("report_delivery", delivery=delivery.pk, state=delivery.state, attempts=delivery.attempts)
    return DeliveryState(delivery.state)


def try_again(delivery: ReportDelivery, *, actor: str, now: datetime) -> bool:
    """Makes it due now, under the same Message-ID; not where it was sent or is being sent, which has no reason."""
    unsent = (
        ReportDelivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.SENT).exclude(reason="")
    )
    with transaction.atomic():
        if not unsent.update(state=DeliveryState.WAITING, attempts=0, next_try_at=now):
            return False
        tenancy.record(
            actor=actor,
            action="report.tried_again",
            target=str(delivery.report),
            project=delivery.report.project,
            recipients=delivery.address,
        )
    return True


def _failed(delivery: ReportDelivery, error: MailFailed, now: datetime) -> None:
    """Tried again later, unless that will not help or was done often enough."""
    delivery.reason = error.reason
    if error.is_final or delivery.attempts > len(WAITS):
        delivery.state = DeliveryState.FAILED
    else:
        delivery.next_try_at = now + WAITS[delivery.attempts - 1]


def _make_by_itself(settings: ReportSettings, week: Week, now: datetime) -> list[ReportDelivery]:
    content = report_queries.weekly_report(settings.project, week, now=now)
    try:
        with transaction.atomic():
            made = _store(settings.project, content, made_by="")
            return _put_on_its_way(made, settings.recipients, asked_by="", now=now)
    except IntegrityError:  # another process made it in between
        return []


def _store(project: Project, content: WeeklyReport, *, made_by: str) -> Report:
    """The next version of its week. Belongs into a transaction."""
    Project.objects.select_for_update().only("pk").get(pk=project.pk)
    last = Report.objects.filter(project=project, first_day=content.first_day).order_by("-version").first()
    return Report.objects.create(
        project=project,
        first_day=content.first_day,
        version=last.version + 1 if last else 1,
        content=report.as_data(content),
        made_by=made_by,
        made_at=content.made_at,
    )


def _put_on_its_way(
    made: Report, addresses: Iterable[str], *, asked_by: str, now: datetime
) -> list[ReportDelivery]:
    """Without a mail server a delivery has failed at once: a report of long ago must not come when one is set."""
    away = not mail.is_configured()
    return [
        ReportDelivery.objects.create(
            report=made,
            address=address,
            asked_by=asked_by,
            next_try_at=now,
            state=DeliveryState.FAILED if away else DeliveryState.WAITING,
            reason=mail.NOT_SET if away else "",
        )
        for address in addresses
    ]
