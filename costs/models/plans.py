"""What customers pay: a monthly price of a user or an organization, from a day on."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from costs.models.usage import MAX_KEY


class Payer(models.TextChoices):
    """Who pays, or is limited. The values are those of `costs.plan_csv.Subject`."""

    USER = "user", "User"
    ORGANIZATION = "organization", "Organization"


class Plan(models.Model):
    """One price of one customer. It holds until the next of the same customer begins, or its own last day passes.

    Days are those of the project's time zone. `key` is the id as spans are stored: never an e-mail address where the
    project hashes those.
    """

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField("who", max_length=12, choices=Payer.choices, default=Payer.USER)
    key = models.CharField("id", max_length=MAX_KEY, help_text="As agents send it.")
    name = models.CharField("plan", max_length=100, blank=True, help_text="Such as Pro. May stay empty.")
    monthly_usd = models.DecimalField(
        "US dollars a month",
        max_digits=24,
        decimal_places=12,
        validators=[MinValueValidator(Decimal(0), "A price cannot be negative.")],
        help_text="0 is a free plan.",
    )
    first_day = models.DateField("from", help_text="The first day on which it holds.")
    last_day = models.DateField(
        "to",
        null=True,
        blank=True,
        help_text="The last day. Empty: until the customer's next price begins.",
    )
    changed_by = models.CharField(max_length=254, editable=False, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["subject", "key", "-first_day"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "subject", "key", "first_day"],
                name="plan_one_a_day",
                violation_error_message="This customer has a price from that day on already. Change that one.",
            ),
            models.CheckConstraint(
                condition=Q(monthly_usd__gte=0),
                name="plan_not_negative",
                violation_error_message="A price cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(last_day__isnull=True) | Q(last_day__gte=F("first_day")),
                name="plan_ends_after_it_begins",
                violation_error_message="The price ends before it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_subject_display()} {self.key} from {self.first_day}"

    @property
    def who(self) -> str:
        """Who pays it, in words."""
        return self.key
