"""Limits of what a user, an organization or the project may cost in a day or a month."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from costs.models.usage import MAX_KEY


class Limited(models.TextChoices):
    """What a budget limits. Of the `each` kinds one is the default for whoever has none of their own."""

    PROJECT = "project", "The whole project"
    EACH_USER = "each_user", "Each user"
    EACH_ORGANIZATION = "each_organization", "Each organization"
    USER = "user", "One user"
    ORGANIZATION = "organization", "One organization"

    @property
    def needs_key(self) -> bool:
        return self in {Limited.USER, Limited.ORGANIZATION}


class BudgetPeriod(models.TextChoices):
    """The values are those of `costs.budgeting.Period`."""

    DAY = "day", "Day"
    MONTH = "month", "Month"


class Budget(models.Model):
    """A limit. Days and months are those of the project's time zone; `key` is the id as spans are stored."""

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField("limits", max_length=17, choices=Limited.choices, default=Limited.EACH_USER)
    key = models.CharField(
        "id", max_length=MAX_KEY, blank=True, help_text="Of one user or organization, as agents send it."
    )
    period = models.CharField("a", max_length=5, choices=BudgetPeriod.choices, default=BudgetPeriod.DAY)
    limit_usd = models.DecimalField(
        "US dollars",
        max_digits=24,
        decimal_places=12,
        validators=[MinValueValidator(Decimal("0.000001"), "A limit is more than 0.")],
    )
    warn_percent = models.PositiveSmallIntegerField(
        "near from, %",
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Of the limit. From here on the budget counts as near.",
    )
    changed_by = models.CharField(max_length=254, editable=False, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["period", "subject", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "subject", "key", "period"],
                name="budget_once_a_period",
                violation_error_message="There is a budget for this and the same period already. Change that one.",
            ),
            models.CheckConstraint(
                condition=Q(limit_usd__gt=0),
                name="budget_more_than_nothing",
                violation_error_message="A limit is more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(warn_percent__gte=1, warn_percent__lte=100),
                name="budget_warns_below_its_limit",
                violation_error_message="Choose 1 to 100 %.",
            ),
            models.CheckConstraint(
                condition=Q(subject__in=[Limited.USER, Limited.ORGANIZATION]) ^ Q(key=""),
                name="budget_key_where_one_is_limited",
                violation_error_message="Give the id of one user or organization, and of nothing else.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.who} a {self.period}"

    def clean(self) -> None:
        if Limited(self.subject).needs_key and not self.key:
            raise ValidationError({"key": "Say which one."})
        if not Limited(self.subject).needs_key:
            self.key = ""

    @property
    def own_subject(self) -> str:
        """What limits one of those whom a default limits."""
        return self.subject.removeprefix("each_")

    @property
    def who(self) -> str:
        """Whom it limits, in words."""
        subject = Limited(self.subject)
        return f"{subject.value} {self.key}" if subject.needs_key else str(subject.label)
