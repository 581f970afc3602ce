"""The pages of weekly reports: what was sent, what would be sent now, to whom, and sending it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError as BrokerError

from costs import report, report_mail, report_queries, report_services, report_words
from costs.models import DeliveryState, Report, ReportDelivery, ReportSettings
from costs.report import Week, WeeklyReport
from costs.report_forms import ReportSettingsForm, SendForm
from costs.tasks import deliver_report
from costs.views import form_page
from tracehouse import mail
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.mail import MailFailed
from tracehouse.smtp import VARIABLE
from tracehouse.tenancy.models import Project, Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web import time_range
from tracehouse.web.htmx import part_asked_for

PAGE = 26
SHOWN_DELIVERIES = 200
# What a mail program would allow: no scripts, nothing loaded, links open elsewhere.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
PARTS = {"mail": "HTML mail", "text": "Plain text"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReportRow:
    report: Report
    content: WeeklyReport
    sent: int
    waiting: int
    failed: int


@require_safe
@project_page()
def reports(request: ProjectRequest) -> HttpResponse:
    found = Report.objects.filter(project=request.project).prefetch_related("deliveries")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    settings = _settings(request.project)
    context = {
        **_around(request),
        "page": page,
        "rows": [_row(one) for one in page.object_list],
        "settings": settings,
        "next": _next(settings),
        "last_week": _this_week(request.project).before,
    }
    return render(request, "costs/reports.html", context)


@require_safe
@project_page()
def one_report(request: ProjectRequest, report_id: int) -> HttpResponse:
    kept = _kept(request, report_id)
    return _report_page(request, kept, SendForm())


@require_safe
@project_page()
def report_html(request: ProjectRequest, report_id: int) -> HttpResponse:
    """The mail itself, as a document of its own."""
    kept = _kept(request, report_id)
    return _as_mail(report_mail.as_html(report.from_data(kept.content), kept.pk))


@require_safe
@project_page()
def preview(request: ProjectRequest) -> HttpResponse:
    content, problem = _preview(request)
    context = {
        **_around(request),
        **_shown(request, content, None),
        "content": content,
        "problem": problem,
        "is_last": _asks_for_last(request),
        "week": _asked_week(request),
    }
    return render(request, "costs/report_preview.html", context, status=503 if problem else 200)


@require_safe
@project_page()
def preview_html(request: ProjectRequest) -> HttpResponse:
    content, problem = _preview(request)
    if content is None:
        return HttpResponse(problem, status=503, content_type="text/plain; charset=utf-8")
    return _as_mail(report_mail.as_html(content, None))


@require_POST
@project_page(Role.MEMBER)
def send_preview(request: ProjectRequest) -> HttpResponse:
    """To whoever asks, at once: what the mail server says is told on the page."""
    content, problem = _preview(request)
    email = request.user.email
    if content is None:
        messages.error(request, problem)
    else:
        try:
            report_services.send_preview(content, email, project=request.project, actor=email)
        except MailFailed as error:
            messages.error(request, f"Not sent to {email}. {error.reason}")
        else:
            messages.success(request, f"Sent to {email}.")
    address = redirect("economics:report-preview", request.project.slug)
    address["Location"] += "?week=last" if _asks_for_last(request) else ""
    return address


@require_POST
@project_page(Role.ADMIN)
def make_last_week(request: ProjectRequest) -> HttpResponse:
    return _make(request, _this_week(request.project).before)


@require_POST
@project_page(Role.ADMIN)
def make_again(request: ProjectRequest, report_id: int) -> HttpResponse:
    return _make(request, Week(_kept(request, report_id).first_day))


@require_POST
@project_page(Role.MEMBER)
def send_report(request: ProjectRequest, report_id: int) -> HttpResponse:
    """To oneself, as any member may; to all recipients or an address, as admins may."""
    kept = _kept(request, report_id)
    to = request.POST.get("to", "")
    if to == "me":
        return _send(request, kept, [request.user.email])
    if not may(request.role, Role.ADMIN):
        messages.error(request, "Reports are sent to others by admins and owners of the team.")
        return redirect("economics:report", request.project.slug, kept.pk)
    if to == "all":
        recipients = _settings(request.project).recipients
        if not recipients:
            messages.error(request, "There are no recipients yet. Give some in the settings of the report.")
            return redirect("economics:report", request.project.slug, kept.pk)
        return _send(request, kept, recipients)
    form = SendForm(request.POST)
    if not form.is_valid():
        return _report_page(request, kept, form, status=400)
    return _send(request, kept, [form.cleaned_data["address"]])


@require_POST
@project_page(Role.ADMIN)
def try_again(request: ProjectRequest, report_id: int, delivery_id: int) -> HttpResponse:
    """Once what was wrong is mended: the same mail, at once."""
    delivery = get_object_or_404(_kept(request, report_id).deliveries, pk=delivery_id)
    if report_services.try_again(delivery, actor=request.user.email, now=timezone.now()):
        _deliver_at_once(request, delivery.pk)
    else:
        messages.warning(request, f"The mail to {delivery.address} is sent, or on its way at this moment.")
    return redirect("economics:report", request.project.slug, report_id)


@form_page
@project_page()
def report_settings(request: ProjectRequest) -> HttpResponse:
    """Everybody sees who gets it; admins change it."""
    kept = _settings(request.project)
    is_admin = may(request.role, Role.ADMIN)
    form = ReportSettingsForm(request.POST if request.method == "POST" and is_admin else None, instance=kept)
    if request.method == "POST":
        if not is_admin:
            messages.error(
                request, "The settings of the report are changed by admins and owners of the team."
            )
            return render(request, "costs/report_settings.html", _settings_context(request, form), status=403)
        if form.is_valid():
            report_services.save_settings(form.instance, actor=request.user.email, now=timezone.now())
            said = "The report is on." if form.instance.is_on else "Saved. The report is off."
            messages.success(request, said)
            return redirect("economics:reports", request.project.slug)
    status = 400 if request.method == "POST" else 200
    return render(request, "costs/report_settings.html", _settings_context(request, form), status=status)


def _settings_context(request: ProjectRequest, form: ReportSettingsForm) -> dict[str, Any]:
    return {**_around(request), "form": form, "settings": _settings(request.project)}


def _around(request: ProjectRequest) -> dict[str, Any]:
    """What every page of reports needs."""
    return {
        "is_admin": may(request.role, Role.ADMIN),
        "may_send": may(request.role, Role.MEMBER),
        "smtp_set": mail.is_configured(),
        "smtp_variable": VARIABLE,
        "sender": mail.sender(),
        "nothing": {},  # for links that keep nothing of the address
    }


def _shown(request: ProjectRequest, content: WeeklyReport | None, kept: Report | None) -> dict[str, Any]:
    """The report in the form that the address asks for: a page, or one of the two of the mail."""
    asked = request.GET.get("as", "")
    part = asked if asked in PARTS else ""
    return {
        "part": part,
        "parts": list(PARTS.items()),
        "kept_pairs": {"week": "last"} if kept is None and _asks_for_last(request) else {},
        "written": report_words.write(content) if content else None,
        "text": report_mail.as_text(content, kept.pk if kept else None) if content and part == "text" else "",
    }


def _report_page(request: ProjectRequest, kept: Report, form: SendForm, *, status: int = 200) -> HttpResponse:
    content = report.from_data(kept.content)
    deliveries = list(kept.deliveries.all()[:SHOWN_DELIVERIES])
    newest = Report.objects.filter(project=request.project, first_day=kept.first_day).first()
    context = {
        **_around(request),
        "kept": kept,
        "newest": newest if newest != kept else None,
        "deliveries": deliveries,
        "on_their_way": any(one.state == DeliveryState.WAITING for one in deliveries),
        "recipients": _settings(request.project).recipients,
        "form": form,
    }
    if part_asked_for(request) == "deliveries":
        return render(request, "costs/report.html#deliveries", context)
    context |= {**_shown(request, content, kept), "content": content}
    context["cost_now"] = _cost_now(request, kept, content) if newest == kept else None
    return render(request, "costs/report.html", context, status=status)


def _cost_now(request: ProjectRequest, kept: Report, content: WeeklyReport) -> Any:
    """What the week comes to by now, where that is another sum than was told; a read that fails only costs the hint."""
    try:
        now = report_queries.cost_now(request.project, Week(kept.first_day))
    except (QueryUnavailable, QueryTooLarge) as error:
        log.warning("report_not_compared", report=kept.pk, error=type(error).__name__)
        return None
    return now if now != content.total.now.cost else None


def _make(request: ProjectRequest, week: Week) -> HttpResponse:
    try:
        made = report_services.make_again(request.project, week, actor=request.user.email, now=timezone.now())
    except (QueryUnavailable, QueryTooLarge) as error:
        messages.error(request, _unread(request, error))
        return redirect("economics:reports", request.project.slug)
    messages.success(request, "The report is made. It is sent to nobody by itself.")
    return redirect("economics:report", request.project.slug, made.pk)


def _send(request: ProjectRequest, kept: Report, addresses: Sequence[str]) -> HttpResponse:
    asked = report_services.ask_for_deliveries(kept, addresses, actor=request.user.email, now=timezone.now())
    waiting = [one.pk for one in asked if one.state == DeliveryState.WAITING]
    if not waiting:
        messages.error(request, mail.NOT_SET)
    elif len(waiting) == 1:
        _deliver_at_once(request, waiting[0])
    else:
        _queue(request, waiting)
    return redirect("economics:report", request.project.slug, kept.pk)


def _deliver_at_once(request: ProjectRequest, delivery_id: int) -> None:
    """One mail is no work to wait for: whoever sends it learns what the server says."""
    report_services.deliver(delivery_id, now=timezone.now())
    delivery = ReportDelivery.objects.get(pk=delivery_id)
    match delivery.state:
        case DeliveryState.SENT:
            messages.success(request, f"Sent to {delivery.address}.")
        case DeliveryState.FAILED:
            messages.error(request, f"Not sent to {delivery.address}. {delivery.reason}")
        case _:
            messages.warning(
                request, f"Not sent to {delivery.address} yet: it is tried again. {delivery.reason}"
            )


def _queue(request: ProjectRequest, deliveries: Sequence[int]) -> None:
    try:
        for delivery_id in deliveries:
            deliver_report.delay(delivery_id)
    except BrokerError as error:
        # They are rows; the timetable takes them up.
        log.warning("report_not_queued", project=request.project.slug, error=type(error).__name__)
        messages.warning(request, "The queue does not answer. The report goes out by itself once it does.")
    else:
        messages.success(request, f"On its way to {len(deliveries)} recipients.")


def _preview(request: ProjectRequest) -> tuple[WeeklyReport | None, str]:
    """What the report would say now, else why it cannot."""
    try:
        return report_queries.weekly_report(request.project, _asked_week(request), now=timezone.now()), ""
    except (QueryUnavailable, QueryTooLarge) as error:
        return None, _unread(request, error)


def _unread(request: ProjectRequest, error: Exception) -> str:
    log.warning("report_not_made", project=request.project.slug, error=type(error).__name__)
    if isinstance(error, QueryTooLarge):
        return "The week holds more than one read may take, so the report cannot be made."
    return "ClickHouse does not answer, so the report cannot be made now. Try again in a minute."


def _asks_for_last(request: ProjectRequest) -> bool:
    return (request.POST if request.method == "POST" else request.GET).get("week") == "last"


def _asked_week(request: ProjectRequest) -> Week:
    this = _this_week(request.project)
    return this.before if _asks_for_last(request) else this


def _this_week(project: Project) -> Week:
    return report.week_of(timezone.now(), time_range.zone_of(project.time_zone))


def _kept(request: ProjectRequest, report_id: int) -> Report:
    return get_object_or_404(Report, pk=report_id, project=request.project)


def _settings(project: Project) -> ReportSettings:
    return ReportSettings.objects.filter(project=project).first() or ReportSettings(project=project)


def _next(settings: ReportSettings) -> datetime | None:
    """When the next report by itself is due."""
    if not settings.is_on or settings.first_week is None:
        return None
    zone = time_range.zone_of(settings.project.time_zone)
    last = Report.objects.filter(project=settings.project, made_by="").first()
    this = report.week_of(timezone.now(), zone)
    week = this.before if not last or last.first_day < this.before.first else this
    return Week(max(week.first, settings.first_week)).due(settings.weekday, settings.hour, zone)


def _row(kept: Report) -> ReportRow:
    states = [one.state for one in kept.deliveries.all()]
    return ReportRow(
        kept,
        report.from_data(kept.content),
        states.count(DeliveryState.SENT),
        states.count(DeliveryState.WAITING),
        states.count(DeliveryState.FAILED),
    )


def _as_mail(html: str) -> HttpResponse:
    return HttpResponse(
        html, headers={"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    )
