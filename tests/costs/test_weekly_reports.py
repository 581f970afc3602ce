"""Weekly reports on real stores and by a real SMTP server: one a week, to each recipient, whatever is away."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costs import report, report_mail, report_queries, report_services, rollup, tasks
from costs.locks import Work, only_one
from costs.models import DeliveryState, Report, ReportDelivery, ReportSettings, RollUp
from costs.report import Cause, Week
from tests import cast
from tests.cast import free_port
from tests.costs.money import invocations, plan, spend
from tests.costs.test_report import HOSTILE
from tests.mail import Mailbox, parts_of, smtp_server
from tracehouse import smtp
from tracehouse.clickhouse.query import QueryUnavailable
from tracehouse.env import SettingError
from tracehouse.tenancy.models import AuditEntry, Project, Role, Team, User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.usefixtures("clickhouse"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

MONDAY = date(2020, 11, 16)
WEEK = Week(MONDAY)
# A Monday, an hour after reports are due.
DUE = datetime(2020, 11, 23, 9, tzinfo=UTC)
FORM = {"is_on": "on", "weekday": "0", "hour": "8", "recipients": "cfo@example.com, cto@example.com"}


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with smtp_server() as found:
        settings.SMTP = smtp.parse(found.url)
        settings.MAIL_FROM = "Costs <costs@example.com>"
        settings.PUBLIC_URL = "https://traces.example.com"
        yield found


@pytest.fixture
def switched_on(project: Project) -> ReportSettings:
    return ReportSettings.objects.create(
        project=project, is_on=True, recipients=["cfo@example.com", "cto@example.com"], first_week=MONDAY
    )


def rolled_up(project: Project, until: datetime = DUE) -> None:
    RollUp.objects.update_or_create(project=project, defaults={"watermark": until, "ran_at": until})


def spent(project: Project) -> None:
    """A week in which ada and the feature draft grew, with a spike, a loser and an unpriced call."""
    days = [WEEK.before.first + timedelta(days=day) for day in range(13)]
    spans = [span for day in days for span in invocations(project, "ada", "2", on=day, feature="draft")]
    spans += invocations(project, "ada", "50", on=WEEK.last, feature="draft", count=7)
    spans += invocations(project, "bob", "3", on=WEEK.last, feature="search", count=5, unpriced=4)
    cast.store_spans(spans)
    rollup.roll_up(project.pk, settle=timedelta(0))
    plan(project, "ada", "30", since=date(2020, 1, 1))


def deliveries(**fields: Any) -> list[ReportDelivery]:
    return list(ReportDelivery.objects.filter(**fields).order_by("pk"))


def make_and_deliver(project: Project, now: datetime = DUE) -> None:
    for delivery_id in report_services.make_due_reports(project.pk, now=now):
        report_services.deliver(delivery_id, now=now)


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_the_report_is_made_of_what_the_pages_of_costs_show(project: Project) -> None:
    spent(project)
    found = report_queries.weekly_report(project, WEEK, now=DUE)
    assert (found.total.now.cost, found.total.before.cost, found.users, found.users_before) == (65, 14, 2, 1)
    assert found.growth.change == found.total.change
    assert [(one.key, one.now.cost, one.before.cost) for one in found.spenders] == [
        ("ada", 62, 14),
        ("bob", 3, 0),
    ]
    assert [(one.feature.key, one.feature.change, one.cause) for one in found.features] == [
        ("draft", 48, Cause.BOTH),
        ("search", 3, Cause.NEW),
    ]
    assert {(one.series, one.key, one.day) for one in found.spikes} == {
        ("project", "", WEEK.last),
        ("user", "ada", WEEK.last),
        ("feature", "draft", WEEK.last),
    }
    assert [(one.key, one.revenue, one.lost) for one in found.margins.losers] == [("ada", 7, 55)]
    assert (found.unpriced_calls, found.is_over) == (4, True)
    assert found.rolled_up_until == RollUp.objects.get().watermark


def test_a_week_that_goes_on_is_set_against_as_much_of_the_one_before(project: Project) -> None:
    spent(project)
    wednesday = datetime(2020, 11, 18, 12, 30, tzinfo=UTC)
    found = report_queries.weekly_report(project, WEEK, now=wednesday)
    assert (found.total.now.cost, found.total.before.cost, found.is_over) == (6, 6, False)
    assert (found.until, found.last_day) == (wednesday, WEEK.last)


def test_each_recipient_gets_one_mail_however_often_the_task_runs(
    project: Project, switched_on: ReportSettings, mailbox: Mailbox
) -> None:
    spent(project)
    for _ in range(3):
        make_and_deliver(project)
    assert [one["To"] for one in mailbox.messages] == ["cfo@example.com", "cto@example.com"]
    assert Report.objects.get().first_day == MONDAY
    assert {(one.state, one.attempts, one.sent_at) for one in deliveries()} == {(DeliveryState.SENT, 1, DUE)}
    first, second = mailbox.messages
    assert first["Subject"] == "Agents: at least $65.00 in the week of 16 Nov, up 364.3 %"
    assert first["From"] == "Costs <costs@example.com>"
    assert first["List-Id"] == "Weekly costs of agents <agents.costs.traces.example.com>"
    assert first["Message-ID"].endswith("@traces.example.com>")
    assert first["Message-ID"] != second["Message-ID"]
    assert parsedate_to_datetime(first["Date"]).year > 2020
    for part in parts_of(first):
        for said in ("ada", "$62.00", "draft", "more and dearer invocations", "4 calls have no known price"):
            assert said in part
        assert f"https://traces.example.com/p/agents/costs/reports/{Report.objects.get().pk}" in part
    plain, html = parts_of(first)
    assert "user_id=ada" in html
    assert not re.search(r"<(img|script|link)\b|url\(", html)
    assert "AGENTS" not in plain


def test_the_tick_has_made_what_is_due_and_tries_what_waits(
    project: Project, switched_on: ReportSettings, mailbox: Mailbox, tasks_run_at_once: None
) -> None:
    last = report.week_of(timezone.now(), UTC).before
    switched_on.weekday, switched_on.hour, switched_on.first_week = 0, 0, last.first
    switched_on.save()
    spend(project, "ada", "2", on=last.first)
    rolled_up(project, timezone.now())
    tasks.weekly_reports()
    tasks.weekly_reports()
    assert [one["To"] for one in mailbox.messages] == ["cfo@example.com", "cto@example.com"]


@pytest.mark.parametrize(
    ("now", "watermark", "made"),
    [
        (DUE, DUE, [MONDAY]),
        (datetime(2020, 11, 23, 7, 59, tzinfo=UTC), DUE, []),  # before its hour
        (DUE, datetime(2020, 11, 22, 23, 59, tzinfo=UTC), []),  # not rolled up yet
        (
            DUE + timedelta(days=15),
            DUE + timedelta(days=15),
            [MONDAY, WEEK.after.first, WEEK.after.after.first],
        ),
        (DUE - timedelta(days=7), DUE, []),  # a week from before it was switched on
    ],
)
def test_a_week_is_reported_once_it_is_over_due_and_rolled_up(
    project: Project, switched_on: ReportSettings, now: datetime, watermark: datetime, made: list[date]
) -> None:
    rolled_up(project, watermark)
    assert [week.first for week in report_services.due_weeks(switched_on, now)] == made
    assert report_services.due_projects(now) == ([project.pk] if made else [])
    report_services.make_due_reports(project.pk, now=now)
    assert sorted(Report.objects.values_list("first_day", flat=True)) == made


def test_nothing_is_made_while_it_is_off_or_the_roll_up_never_ran(
    project: Project, switched_on: ReportSettings
) -> None:
    assert report_services.make_due_reports(project.pk, now=DUE) == []
    rolled_up(project)
    ReportSettings.objects.update(is_on=False)
    assert report_services.due_projects(DUE) == []
    assert report_services.make_due_reports(project.pk, now=DUE) == []
    assert not Report.objects.exists()


def test_while_another_worker_makes_the_report_this_one_makes_none(
    project: Project, switched_on: ReportSettings
) -> None:
    rolled_up(project)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with only_one(Work.REPORT, project.pk):
            held.set()
            done.wait(60)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(60)
    try:
        report_services.make_due_reports(project.pk, now=DUE)
        assert not Report.objects.exists()
    finally:
        done.set()
        other.join()
    report_services.make_due_reports(project.pk, now=DUE)
    assert Report.objects.count() == 1


def test_a_delivery_that_one_worker_has_taken_up_is_left_alone_by_the_next(
    project: Project, switched_on: ReportSettings, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes while the first is speaking to the mail server."""
    rolled_up(project)
    first, _ = report_services.make_due_reports(project.pk, now=DUE)
    send, seen = report_services.mail.send, []

    def meanwhile(message: Any) -> None:
        seen.append(report_services.deliver(first, now=DUE))
        send(message)

    monkeypatch.setattr(report_services.mail, "send", meanwhile)
    assert report_services.deliver(first, now=DUE) is DeliveryState.SENT
    assert (seen, len(mailbox.messages)) == ([None], 1)


def test_a_report_that_another_process_made_in_between_is_not_made_twice(
    project: Project, switched_on: ReportSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is gone with a connection that breaks; the database refuses the second one all the same."""
    rolled_up(project)
    report_services.make_due_reports(project.pk, now=DUE)
    monkeypatch.setattr(report_services, "due_weeks", lambda *_: [WEEK])
    assert report_services.make_due_reports(project.pk, now=DUE) == []
    assert (Report.objects.count(), ReportDelivery.objects.count()) == (1, 2)


def test_while_the_mail_server_is_away_each_try_waits_longer_and_the_last_says_why(
    project: Project, switched_on: ReportSettings, settings: Any
) -> None:
    settings.SMTP = smtp.parse(f"smtp://127.0.0.1:{free_port()}")
    rolled_up(project)
    now = DUE
    report_services.make_due_reports(project.pk, now=now)
    first, _ = deliveries()
    waits = []
    while report_services.deliver(first.pk, now=now) is DeliveryState.WAITING:
        assert report_services.deliver(first.pk, now=now) is None  # not due again yet
        first.refresh_from_db()
        waits.append(first.next_try_at - now)
        now = first.next_try_at
    first.refresh_from_db()
    assert waits == list(report_services.WAITS)
    assert sum(waits, timedelta()) > timedelta(hours=20)
    assert (first.state, first.attempts) == (DeliveryState.FAILED, len(waits) + 1)
    assert first.reason == "The mail server does not answer (ConnectionRefusedError)."


def test_a_mail_server_that_comes_back_gets_the_mail_under_the_same_id(
    project: Project, switched_on: ReportSettings, mailbox: Mailbox
) -> None:
    rolled_up(project)
    mailbox.refused = {
        "cfo@example.com": "451 4.7.1 Try again later",
        "cto@example.com": "550 5.1.1 No such user",
    }
    make_and_deliver(project)
    later, never = deliveries()
    assert (later.state, later.reason) == (
        DeliveryState.WAITING,
        "The mail server refused it: 451 4.7.1 Try again later",
    )
    assert (never.state, never.reason) == (
        DeliveryState.FAILED,
        "The mail server refused it: 550 5.1.1 No such user",
    )
    mailbox.refused = {}
    again = later.next_try_at
    assert report_services.due_deliveries(again - timedelta(seconds=1)) == []
    assert report_services.due_deliveries(again) == [later.pk]
    report_services.deliver(later.pk, now=again)
    later.refresh_from_db()
    assert (later.state, later.attempts, later.reason) == (DeliveryState.SENT, 2, "")
    (message,) = mailbox.messages
    content = report.from_data(later.report.content)
    assert (
        message["Message-ID"]
        == report_mail.message(content, later.address, later).extra_headers["Message-ID"]
    )


def test_once_the_account_is_mended_an_admin_has_the_same_mail_tried_again_and_not_a_second_one(
    project: Project,
    switched_on: ReportSettings,
    mailbox: Mailbox,
    client: Client,
    owner: User,
    teammate: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rolled_up(project)
    mailbox.refused = {
        "cfo@example.com": "535 5.7.8 Bad account",
        "cto@example.com": "550 5.1.1 No such user",
    }
    make_and_deliver(project)
    waiting, failed = deliveries()
    arguments = [project.slug, waiting.report_id]
    page = reverse("economics:report", args=arguments)
    again = [reverse("economics:try-again", args=[*arguments, one.pk]) for one in (waiting, failed)]
    client.force_login(teammate)
    assert client.post(again[0]).status_code == 403
    assert "Try again now" not in words(client.get(page))
    client.force_login(owner)
    said = words(client.get(page))
    assert (
        "535 5.7.8 Bad account. Mend TRACEHOUSE_SMTP_URL and start the platform again. Try again now" in said
    )
    assert "next try" in said
    mailbox.refused = {}
    send, seen = report_services.mail.send, []

    def meanwhile(message: Any) -> None:
        seen.append(words(client.post(again[0], follow=True)))
        send(message)

    with monkeypatch.context() as patched:
        patched.setattr(report_services.mail, "send", meanwhile)
        assert "Sent to cfo@example.com." in words(client.post(again[0], follow=True))
    assert ["is sent, or on its way at this moment" in one for one in seen] == [True]
    assert "Sent to cto@example.com." in words(client.post(again[1], follow=True))
    assert "is sent, or on its way" in words(client.post(again[1], follow=True))
    assert [one["To"] for one in mailbox.messages] == ["cfo@example.com", "cto@example.com"]
    assert AuditEntry.objects.filter(action="report.tried_again").count() == 2


def test_a_delivery_whose_process_died_comes_up_again_and_not_for_ever(
    project: Project, switched_on: ReportSettings, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_up(project)
    report_services.make_due_reports(project.pk, now=DUE)
    first, second = deliveries()

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(report_services.mail, "send", die)
        with pytest.raises(RuntimeError, match="killed"):
            report_services.deliver(first.pk, now=DUE)
    assert report_services.due_deliveries(DUE) == [second.pk]
    after = DUE + report_services.LEASE
    assert first.pk in report_services.due_deliveries(after)
    assert report_services.deliver(first.pk, now=after) is DeliveryState.SENT
    ReportDelivery.objects.filter(pk=second.pk).update(attempts=len(report_services.WAITS) + 1)
    assert report_services.due_deliveries(after) == []
    second.refresh_from_db()
    assert (second.state, second.reason[:23]) == (DeliveryState.FAILED, "It could not be written")


def test_without_a_mail_server_the_report_is_kept_and_its_deliveries_say_what_to_set(
    project: Project, switched_on: ReportSettings, client: Client, owner: User
) -> None:
    rolled_up(project)
    assert report_services.make_due_reports(project.pk, now=DUE) == []
    assert {one.state for one in deliveries()} == {DeliveryState.FAILED}
    client.force_login(owner)
    for name, arguments in (("reports", []), ("report", [Report.objects.get().pk]), ("report-settings", [])):
        said = words(client.get(reverse(f"economics:{name}", args=[project.slug, *arguments])))
        assert "No mail server is set" in said
        assert "TRACEHOUSE_SMTP_URL" in said


def test_made_again_after_late_spans_the_older_report_keeps_what_was_sent(
    project: Project, switched_on: ReportSettings, mailbox: Mailbox, client: Client, owner: User
) -> None:
    spent(project)
    make_and_deliver(project)
    spend(project, "eve", "100", on=WEEK.last, hour=3)
    rollup.roll_up(project.pk, settle=timedelta(0))
    client.force_login(owner)
    first = Report.objects.get()
    page = reverse("economics:report", args=[project.slug, first.pk])
    assert "this week comes to $165.00" in words(client.get(page))
    client.post(reverse("economics:report-again", args=[project.slug, first.pk]))
    second = Report.objects.get(version=2)
    assert [report.from_data(one.content).total.now.cost for one in (first, second)] == [65, 165]
    assert (second.made_by, second.deliveries.count(), first.deliveries.count()) == (
        "owner@example.com",
        0,
        2,
    )
    said = words(client.get(page))
    assert "The week was reported again" in said
    assert "At least $65.00 in the week of 16 Nov" in said
    assert "$165.00 in the week" in words(
        client.get(reverse("economics:report", args=[project.slug, second.pk]))
    )
    assert report_services.due_weeks(switched_on, DUE) == []
    after = report_queries.weekly_report(project, WEEK.after, now=DUE + timedelta(days=7))
    assert (after.total.before.cost, after.told_before) == (165, None)
    second.delete()
    assert report_queries.weekly_report(project, WEEK.after, now=DUE + timedelta(days=7)).told_before == 65


def test_what_strangers_sent_is_text_in_the_mail_and_on_the_page(
    project: Project, mailbox: Mailbox, client: Client, owner: User
) -> None:
    Project.objects.filter(pk=project.pk).update(name=HOSTILE[:100])
    project.refresh_from_db()
    spend(project, HOSTILE, "2", on=MONDAY, feature=HOSTILE, count=2, unpriced=1)
    made = report_services.make_again(project, WEEK, actor="owner@example.com", now=DUE)
    (asked,) = report_services.ask_for_deliveries(made, ["cfo@example.com"], actor="o", now=DUE)
    report_services.deliver(asked.pk, now=DUE)
    (message,) = mailbox.messages
    plain, html = parts_of(message)
    assert message["Bcc"] is None
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert "<img src=x" in plain  # plain text is not escaped: nothing reads it as HTML
    assert "\u202e" not in plain + html.replace("%E2%80%AE", "")
    client.force_login(owner)
    for query in ("", "?as=text", "?as=mail"):
        assert (
            b"<img src=x"
            not in client.get(reverse("economics:report", args=[project.slug, made.pk]) + query).content
        )


@pytest.fixture
def kept(project: Project) -> Report:
    spent(project)
    return report_services.make_again(project, WEEK, actor="owner@example.com", now=DUE)


def addresses(project: Project, kept: Report) -> dict[str, str]:
    plain = (
        "reports",
        "report-settings",
        "report-preview",
        "report-preview-html",
        "make-report",
        "send-preview",
    )
    return {
        **{name: reverse(f"economics:{name}", args=[project.slug]) for name in plain},
        **{
            name: reverse(f"economics:{name}", args=[project.slug, kept.pk])
            for name in ("report", "report-html", "send-report", "report-again")
        },
    }


def test_strangers_find_no_report_and_the_anonymous_are_sent_to_sign_in(
    client: Client, project: Project, kept: Report, stranger: User
) -> None:
    for status in (302, 404):
        for name, path in addresses(project, kept).items():
            ask = client.post if name.startswith(("make", "send")) or name == "report-again" else client.get
            assert ask(path).status_code == status, name
        client.force_login(stranger)
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    for name in ("report", "report-html"):
        assert client.get(reverse(f"economics:{name}", args=[elsewhere.slug, kept.pk])).status_code == 404


def test_viewers_read_members_send_to_themselves_and_admins_decide(
    client: Client, project: Project, kept: Report, viewer: User, teammate: User, mailbox: Mailbox
) -> None:
    at = addresses(project, kept)
    client.force_login(viewer)
    for name in (
        "reports",
        "report",
        "report-html",
        "report-preview",
        "report-preview-html",
        "report-settings",
    ):
        assert client.get(at[name]).status_code == 200, name
    for name in ("make-report", "send-preview", "report-again", "send-report", "report-settings"):
        assert client.post(at[name], {**FORM, "to": "me"}).status_code == 403, name
    client.force_login(teammate)
    for name in ("make-report", "report-again", "report-settings"):
        assert client.post(at[name], FORM).status_code == 403, name
    for to in ("all", "one"):
        client.post(at["send-report"], {"to": to, "address": "rival@example.com"})
    assert mailbox.messages == []
    assert "sent to others by admins" in words(client.get(at["report"]))
    client.post(at["send-report"], {"to": "me"})
    client.post(at["send-preview"])
    assert [one["To"] for one in mailbox.messages] == ["teammate@example.com"] * 2
    assert not ReportSettings.objects.exists()


def test_settings_are_checked_stored_and_recorded(client: Client, project: Project, team: Team) -> None:
    client.force_login(cast.member(team, "admin@example.com", Role.ADMIN))
    path = reverse("economics:report-settings", args=[project.slug])
    for wrong, said in (
        ({"recipients": ""}, "Give at least one recipient"),
        ({"recipients": "cfo@example.com nobody"}, "Not an e-mail address: nobody"),
        ({"recipients": "a@example.com\r\nBcc:b@example.com"}, "Not an e-mail address: Bcc:b@example.com"),
        ({"recipients": " ".join(f"u{number}@example.com" for number in range(51))}, "at most 50"),
        ({"weekday": "7"}, "not one of the available choices"),
    ):
        answer = client.post(path, {**FORM, **wrong})
        assert answer.status_code == 400
        assert said in words(answer)
    assert not ReportSettings.objects.exists()
    many = {**FORM, "recipients": "cfo@example.com; CFO@example.com\ncto@example.com"}
    assert client.post(path, many).status_code == 302
    kept = ReportSettings.objects.get()
    assert (kept.is_on, kept.recipients) == (True, ["CFO@example.com", "cto@example.com"])
    assert kept.first_week == report.week_of(timezone.now(), UTC).first
    entry = AuditEntry.objects.get(action="report.settings_changed")
    assert entry.details == {
        "is_on": True,
        "when": "Monday 08:00",
        "recipients": "CFO@example.com, cto@example.com",
    }
    assert client.post(path, {"weekday": "0", "hour": "8", "recipients": ""}).status_code == 302
    assert ReportSettings.objects.get().recipients == []


def test_a_report_is_sent_again_to_all_to_one_and_to_me_with_a_trace_of_who_asked(
    client: Client, project: Project, kept: Report, owner: User, mailbox: Mailbox, tasks_run_at_once: None
) -> None:
    client.force_login(owner)
    path = addresses(project, kept)["send-report"]
    assert "no recipients yet" in words(client.post(path, {"to": "all"}, follow=True))
    ReportSettings.objects.create(project=project, recipients=["cfo@example.com", "cto@example.com"])
    assert "On its way to 2 recipients" in words(client.post(path, {"to": "all"}, follow=True))
    assert "Sent to new@example.com" in words(
        client.post(path, {"to": "one", "address": "new@example.com"}, follow=True)
    )
    wrong = client.post(path, {"to": "one", "address": "new@example.com\nBcc: b@example.com"})
    assert (wrong.status_code, "valid email" in words(wrong)) == (400, True)
    mailbox.refused = {owner.email: "550 Full"}
    assert "Not sent to owner@example.com. The mail server refused it: 550 Full" in words(
        client.post(path, {"to": "me"}, follow=True)
    )
    assert [one["To"] for one in mailbox.messages] == [
        "cfo@example.com",
        "cto@example.com",
        "new@example.com",
    ]
    sent = (
        AuditEntry.objects.filter(action="report.sent")
        .order_by("pk")
        .values_list("details__recipients", flat=True)
    )
    assert list(sent) == ["cfo@example.com, cto@example.com", "new@example.com", "owner@example.com"]
    part = client.get(
        addresses(project, kept)["report"], headers={"HX-Request": "true", "HX-Target": "deliveries"}
    )
    assert "550 Full" in words(part)
    assert "<main" not in part.content.decode()


def test_the_mail_is_a_document_that_runs_and_loads_nothing(
    client: Client, kept: Report, owner: User
) -> None:
    client.force_login(owner)
    answer = client.get(addresses(kept.project, kept)["report-html"])
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "prefers-color-scheme: dark" in answer.content.decode()


def test_while_clickhouse_is_away_kept_reports_show_and_the_preview_says_so(
    client: Client, project: Project, kept: Report, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(owner)
    at = addresses(project, kept)

    def away(*_: object, **__: object) -> None:
        raise QueryUnavailable("away")

    monkeypatch.setattr(report_queries.rollup_queries, "overall", away)
    assert "At least $65.00" in words(client.get(at["report"]))
    answer = client.get(at["report-preview"])
    assert (answer.status_code, "ClickHouse does not answer" in words(answer)) == (503, True)
    assert client.get(at["report-preview-html"]).status_code == 503
    for name in ("make-report", "send-preview"):
        assert "ClickHouse does not answer" in words(client.post(at[name], follow=True))


def test_reports_are_told_by_api_and_shown_in_the_admin(
    client: Client, project: Project, kept: Report, api_key: str, owner: User
) -> None:
    asked = Client(headers={"Authorization": f"Bearer {api_key}"})
    listed = asked.get("/api/v1/cost-reports").json()
    assert (listed["total"], listed["data"][0]["cost_usd"], listed["data"][0]["unpriced_calls"]) == (
        1,
        "65",
        4,
    )
    whole = asked.get(f"/api/v1/cost-reports/{kept.pk}").json()
    assert whole["content"]["spenders"][0]["key"] == "ada"
    assert Decimal(whole["content"]["total"]["now"]["cost"]) == 65
    assert asked.get(f"/api/v1/cost-reports/{kept.pk + 1}").status_code == 404
    owner.is_staff = owner.is_superuser = True
    owner.save()
    client.force_login(owner)
    assert client.get(reverse("admin:costs_report_change", args=[kept.pk])).status_code == 200
    add = {"project": project.pk, "weekday": "0", "hour": "8", "is_on": "on", "recipients": "cfo@example.com"}
    assert client.post(reverse("admin:costs_reportsettings_add"), add).status_code == 302
    assert ReportSettings.objects.get().changed_by == "owner@example.com"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("", None),
        ("smtp://mail", smtp.SmtpServer("mail", 25)),
        ("smtps://u:p%40ss@mail:4650", smtp.SmtpServer("mail", 4650, "u", "p@ss", tls=True)),
        ("smtp+starttls://u@mail", smtp.SmtpServer("mail", 587, "u", starttls=True)),
    ],
)
def test_the_address_of_a_mail_server_says_how_to_speak_to_it(url: str, read: smtp.SmtpServer | None) -> None:
    assert smtp.parse(url) == read


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://u:secret@mail", "smtp://:secret@", "smtp://u:secret@m:x"]
)
def test_an_address_of_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingError, match="TRACEHOUSE_SMTP_URL") as told:
        smtp.parse(url)
    assert "secret" not in str(told.value)
    assert "secret" not in repr(smtp.parse("smtp://u:secret@mail"))
