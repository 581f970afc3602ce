"""What the tests of unit economics, budgets and anomalies are made of: sums as the roll-up writes them, and plans."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from costs.models import Payer, Plan, RolledHour, UserCost
from tracehouse.clickhouse.client import client
from tracehouse.tenancy.models import Project


def spend(
    project: Project, user: str, dollars: str, *, on: date, hour: int = 12, feature: str = "", **fields: Any
) -> UserCost:
    """One hour of a user, with one invocation where nothing else is said; of several the first cost it all."""
    count = fields.setdefault("invocation_count", 1)
    split = {
        "invocations": count,
        "failed": fields.get("failed_count", 0),
        "unpriced_calls": fields.get("unpriced_calls", 0),
        "cost_usd": dollars,
    }
    began = datetime.combine(on, time(hour), UTC)
    RolledHour.objects.get_or_create(project=project, hour=began, version=1)
    client().command(
        _TRACES,
        parameters={
            "project_id": project.pk,
            "hour": int(began.timestamp()),
            "user_id": user,
            "organization_id": fields.get("organization_id", ""),
            "feature": feature,
            "dollars": dollars,
            "unpriced_calls": fields.get("unpriced_calls", 0),
            "failed": fields.get("failed_count", 0),
            "count": count,
        },
    )
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


_TRACES = """
INSERT INTO trace_costs
(
    project_id, hour, version, trace_id, start_time, user_id, organization_id, feature, failed, unpriced_calls, cost_usd
)
SELECT
    {project_id:UInt64},
    toDateTime({hour:UInt32}, 'UTC'),
    1,
    generateUUIDv4(number),
    toDateTime64({hour:UInt32}, 9, 'UTC'),
    {user_id:String},
    {organization_id:String},
    {feature:String},
    number < {failed:UInt32},
    if(number = 0, {unpriced_calls:UInt64}, 0),
    if(number = 0, toDecimal128({dollars:String}, 12), toDecimal128(0, 12))
FROM numbers({count:UInt32})
"""
