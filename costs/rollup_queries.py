"""What users cost, from the sums of the hourly roll-up. Days are days in the scope's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import DateTimeField, ExpressionWrapper, F, Sum, Value
from django.db.models.functions import Cast

from costs.models import UserCost
from tracehouse.tenancy.scope import Scope, Window
from tracehouse.web import time_range


@dataclass(frozen=True, slots=True)
class UserTotal:
    """What one user did and cost in one organization; "" is none."""

    user_id: str
    organization_id: str
    invocations: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced_calls: int


def days(scope: Scope, first_day: date, last_day: date) -> Window:
    """From the start of the first day to the end of the last, in the scope's time zone."""
    zone = time_range.zone_of(scope.time_zone)
    start = datetime.combine(first_day, time(), zone)
    end = datetime.combine(last_day + timedelta(days=1), time(), zone)
    return Window(start.astimezone(UTC), end.astimezone(UTC))


def user_totals(scope: Scope, first_day: date, last_day: date) -> list[UserTotal]:
    """Every user and organization with an invocation on these days, both included; dearest first."""
    window = days(scope, first_day, last_day)
    began = ExpressionWrapper(
        Cast("date", DateTimeField()) + F("hour") * Value(timedelta(hours=1)), output_field=DateTimeField()
    )
    rows = (
        UserCost.objects.filter(
            project=scope.project_id,
            date__range=(window.start.date(), window.end.date()),
        )
        .alias(began=began)
        .filter(began__gte=window.start, began__lt=window.end)
        .values_list("user_id", "organization_id")
        .annotate(*map(Sum, _SUMMED))
        .order_by("user_id", "organization_id")
    )
    return sorted((UserTotal(*row) for row in rows), key=lambda total: -total.cost_usd)


# In the order of the fields of `UserTotal`.
_SUMMED = (
    "invocation_count",
    "failed_count",
    "total_input_tokens",
    "total_output_tokens",
    "total_cost_usd",
    "unpriced_calls",
)
