"""What the tests of unit economics, budgets and anomalies are made of: sums as the roll-up writes them, and plans."""

from datetime import date
from decimal import Decimal
from typing import Any

from costs.models import Payer, Plan, UserCost
from tracehouse.tenancy.models import Project


def spend(
    project: Project, user: str, dollars: str, *, on: date, hour: int = 12, feature: str = "", **fields: Any
) -> UserCost:
    """One hour of a user, with one invocation where nothing else is said."""
    count = fields.setdefault("invocation_count", 1)
    split = {
        "invocations": count,
        "failed": fields.get("failed_count", 0),
        "unpriced_calls": fields.get("unpriced_calls", 0),
        "cost_usd": dollars,
    }
    return UserCost.objects.create(
        project=project,
        user_id=user,
        date=on,
        hour=hour,
        total_cost_usd=Decimal(dollars),
        by_feature={feature: split},
        **fields,
    )


def plan(project: Project, key: str, dollars: str, *, since: date, **fields: Any) -> Plan:
    defaults: dict[str, Any] = {"subject": Payer.USER, "name": "Pro"}
    return Plan.objects.create(
        project=project, key=key, monthly_usd=Decimal(dollars), first_day=since, **{**defaults, **fields}
    )
