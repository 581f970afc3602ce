"""Weekly reports of costs: who gets them and when, what each said when it was made, and how each delivery went."""

from django.db import models
from django.db.models import Q


class Weekday(models.IntegerChoices):
    """As `date.weekday` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class ReportSettings(models.Model):
    """When a project's report of the week before is made, and who gets it by mail. Without a row it is off."""

    project = models.OneToOneField(
        "tenancy.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    is_on = models.BooleanField("send it every week", default=False)
    weekday = models.PositiveSmallIntegerField("on", choices=Weekday.choices, default=Weekday.MONDAY)
    hour = models.PositiveSmallIntegerField(
        "from", choices=[(hour, f"{hour:02d}:00") for hour in range(24)], default=8
    )
    recipients = models.JSONField(default=list, blank=True)  # e-mail addresses
    # The first day of the first week that is reported: no mail about weeks from before it was switched on.
    first_week = models.DateField(null=True, editable=False)
    changed_by = models.CharField(max_length=254, editable=False, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "report settings"
        constraints = [
            models.CheckConstraint(
                condition=Q(is_on=False) | (~Q(recipients=[]) & Q(first_week__isnull=False)),
                name="report_on_with_recipients",
                violation_error_message="Give at least one recipient.",
            ),
        ]

    def __str__(self) -> str:
        return f"weekly report of {self.project}"


class Report(models.Model):
    """One week as it was known when the report was made; `content` is a `costs.report.WeeklyReport` and never changes.

    The timetable makes one a week. Made again by somebody, as after spans that came late, a week has a further version,
    and the older one stays.
    """

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    first_day = models.DateField()
    version = models.PositiveSmallIntegerField(default=1)
    content = models.JSONField()
    made_by = models.CharField(max_length=254, blank=True)  # "" is the timetable
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-first_day", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["project", "first_day", "version"], name="report_version_once"),
            models.UniqueConstraint(
                fields=["project", "first_day"], name="report_once_a_week_by_itself", condition=Q(made_by="")
            ),
        ]

    def __str__(self) -> str:
        return f"week of {self.first_day}" + (f", version {self.version}" if self.version > 1 else "")


class DeliveryState(models.TextChoices):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class ReportDelivery(models.Model):
    """One report on its way to one address. While it waits it is tried again at `next_try_at`."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="deliveries")
    address = models.EmailField()
    state = models.CharField(max_length=7, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)  # why the last attempt failed
    asked_by = models.CharField(max_length=254, blank=True)  # "" is the timetable
    asked_at = models.DateTimeField(auto_now_add=True)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "address"]
        verbose_name_plural = "report deliveries"
        indexes = [
            models.Index(fields=["next_try_at"], name="report_delivery_due", condition=Q(state="waiting")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "address"], name="report_once_by_itself", condition=Q(asked_by="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report} to {self.address}"
