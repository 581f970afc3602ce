"""What users cost, hour by hour, and how far the sums reach. Written by the roll-up alone."""

from decimal import Decimal
from typing import Any

from django.db import models

# The longest key that is kept as it is: PostgreSQL indexes no longer ones (`costs.rollup.stored_key`).
MAX_KEY = 500


def _count() -> "models.PositiveBigIntegerField[Any, Any]":
    return models.PositiveBigIntegerField(default=0)


class UserCost(models.Model):
    """Sums over the invocations of one user in one organization that began in one hour (UTC).

    An invocation counts in the hour in which its first span began, for the user and organization it belongs to; "" is
    none. `by_feature`, `by_model`, `by_tool` and `by_prompt` hold the same sums split by a key: `{key: {"invocations",
    "failed", "llm_calls", "tool_calls", "unpriced_calls", "input_tokens", "output_tokens", "cost_usd"}}`, money as a
    decimal text. By model, tool and prompt `failed` counts failed calls. A prompt's key is its name, and where it has
    a version a line break and the version.
    """

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    user_id = models.CharField(max_length=MAX_KEY, blank=True)
    organization_id = models.CharField(max_length=MAX_KEY, blank=True)
    date = models.DateField()
    hour = models.PositiveSmallIntegerField()
    invocation_count = _count()
    failed_count = _count()
    llm_calls = _count()
    tool_calls = _count()
    unpriced_calls = _count()
    total_input_tokens = _count()  # of all four kinds below
    input_uncached_tokens = _count()
    cache_read_tokens = _count()
    cache_write_5m_tokens = _count()
    cache_write_1h_tokens = _count()
    total_output_tokens = _count()
    total_cost_usd = models.DecimalField(max_digits=38, decimal_places=12, default=Decimal(0))
    by_model = models.JSONField(default=dict)
    by_feature = models.JSONField(default=dict)
    by_tool = models.JSONField(default=dict)
    by_prompt = models.JSONField(default=dict)

    class Meta:
        db_table = "user_costs"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user_id", "organization_id", "date", "hour"],
                name="user_cost_once_an_hour",
            ),
        ]
        indexes = [models.Index(fields=["project", "date", "hour"], name="user_cost_by_hour")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.date} {self.hour:02d}:00"


class RolledHour(models.Model):
    """An hour of a project that is rolled up, and which version of its rows is the one that counts.

    `has_sums`: whether `cost_sums` has them too; not those of hours that were rolled up before there was that table.
    """

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    version = models.BigIntegerField()
    has_sums = models.BooleanField(default=False)

    class Meta:
        db_table = "rolled_hours"
        constraints = [models.UniqueConstraint(fields=["project", "hour"], name="rolled_hour_once")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M}"


class RollUp(models.Model):
    """How far a project is rolled up: everything that was written to the store up to `watermark`, and when it was."""

    project = models.OneToOneField(
        "tenancy.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    watermark = models.DateTimeField()
    ran_at = models.DateTimeField()

    class Meta:
        db_table = "roll_ups"

    def __str__(self) -> str:
        return f"{self.project} until {self.watermark:%Y-%m-%d %H:%M}"
