"""A report as a message: HTML and plain text of the same words, with the headers that mail programs sort by."""

from email.utils import make_msgid
from hashlib import sha256

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from costs import report_words
from costs.models import ReportDelivery
from costs.report import WeeklyReport
from tracehouse import mail


def message(
    found: WeeklyReport, address: str, delivery: ReportDelivery | None = None
) -> EmailMultiAlternatives:
    """For one recipient; a delivery has the same Message-ID however often it is tried."""
    page = delivery.report_id if delivery else None
    subject = " ".join(report_words.write(found).subject.split())
    built = EmailMultiAlternatives(
        subject=subject,
        body=as_text(found, page),
        from_email=mail.sender(),
        to=[address],
        headers={
            "Message-ID": _message_id(delivery),
            "List-Id": f"Weekly costs of {_word(found.slug)} <{_word(found.slug)}.costs.{mail.domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    built.attach_alternative(as_html(found, page), "text/html")
    return built


def as_html(found: WeeklyReport, page: int | None) -> str:
    return render_to_string("costs/report_mail.html", _context(found, page))


def as_text(found: WeeklyReport, page: int | None) -> str:
    """Not marked as safe, as what templates render is: on a page it is escaped like any other text."""
    return "".join(render_to_string("costs/report_mail.txt", _context(found, page)))


def _context(found: WeeklyReport, page: int | None) -> dict[str, object]:
    """`page` is the number of the kept report; a preview has none."""
    name, arguments = ("report", [page]) if page else ("report-preview", [])
    return {
        "written": report_words.write(found),
        "base": settings.PUBLIC_URL,
        "page": reverse(f"economics:{name}", args=[found.slug, *arguments]),
        "settings_page": reverse("economics:report-settings", args=[found.slug]),
        "is_preview": page is None,
    }


def _message_id(delivery: ReportDelivery | None) -> str:
    if delivery is None:
        return make_msgid("preview", domain=mail.domain())
    asked = f"{delivery.pk} {delivery.asked_at.isoformat()} {settings.PUBLIC_URL}"
    return f"<report.{delivery.report_id}.{sha256(asked.encode()).hexdigest()[:24]}@{mail.domain()}>"


def _word(slug: str) -> str:
    return "".join(letter for letter in slug if letter.isascii() and (letter.isalnum() or letter == "-"))
