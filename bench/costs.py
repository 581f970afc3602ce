"""A month of what users cost, straight in the stores: as the roll-up would have left it, without the spans."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

INVOCATIONS, USERS, DAYS = 1_000_000, 50_000, 30
ORGANIZATIONS = 800
MODELS = ["claude-sonnet-4-5", "claude-haiku-4-5", "gpt-4.1-mini", "gemini-2.5-flash", "claude-opus-4-5"]
DOLLARS = [
    3.0,
    1.0,
    0.4,
    0.3,
    5.0,
]  # a million tokens in, of the model in the same place; five times that out
TOOLS = ["hubspot_query", "ga4_query", "web_search", "warehouse_query", "order_status"]
FEATURES = ["analyze", "draft", "query", "summarize", "report"]
PROMPTS = ["planner\n1", "planner\n2", "planner\n3", "writer\n7", "writer\n8", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How much there is, and when it ends."""

    end: datetime
    invocations: int = INVOCATIONS
    users: int = USERS
    days: int = DAYS
    user_costs: bool = True  # whether those are made too, of which pages read nothing


def fill(client: Client, project_id: int, month: Month | None = None) -> int:
    """Stores the month's traces as rolled up, in ClickHouse and PostgreSQL; gives how many rows `user_costs` has.

    Django has to be set up for the same installation.
    """
    from costs import rollup  # noqa: PLC0415  # needs Django
    from costs.models import RolledHour, RollUp, UserCost  # noqa: PLC0415
    from tracehouse.tenancy.scope import Scope  # noqa: PLC0415

    month = month or Month(end=datetime.now(UTC))
    start = (month.end - timedelta(days=month.days)).replace(minute=0, second=0, microsecond=0)
    version = int(month.end.timestamp() * 1000)
    client.command(
        _INSERT,
        parameters={
            "project_id": project_id,
            "version": version,
            "start": int(start.timestamp()),
            "seconds": int((month.end - start).total_seconds()),
            "rows": month.invocations,
            "users": month.users,
            "organizations": ORGANIZATIONS,
            "models": MODELS,
            "dollars": DOLLARS,
            "tools": TOOLS,
            "features": FEATURES,
            "prompts": PROMPTS,
        },
        settings={"max_execution_time": 600, "max_partitions_per_insert_block": 0},
    )
    hours = [start + timedelta(hours=hour) for hour in range(month.days * 24 + 1)]
    if month.user_costs:
        for first in range(0, len(hours), 24):
            rollup.make_current(Scope(project_id), hours[first : first + 24], version)
    else:
        RolledHour.objects.bulk_create(
            [RolledHour(project_id=project_id, hour=hour, version=version, has_sums=True) for hour in hours]
        )
    RollUp.objects.update_or_create(
        project_id=project_id, defaults={"watermark": month.end, "ran_at": month.end}
    )
    return UserCost.objects.filter(project=project_id).count()


# Few users cost most: a user's place among all is the third power of a chance.
_INSERT = """
INSERT INTO trace_costs
(
    project_id, version, hour, trace_id, start_time, user_id, organization_id, feature, failed, llm_calls, tool_calls,
    unpriced_calls, input_uncached_tokens, cache_read_tokens, output_tokens, cost_usd, models, tools, prompts
)
WITH
    cityHash64(number, 1) AS chance,
    toUInt64({users:UInt64} * pow((cityHash64(number, 2) % 1000003) / 1000003, 3)) AS user,
    1 + chance % 5 AS model,
    1 + intDiv(chance, 5) % 4 AS calls,
    arrayDistinct(arrayMap(
        n -> {tools:Array(String)}[1 + cityHash64(number, 5, n) % 5],
        range(intDiv(chance, 20) % 3))) AS called,
    intDiv(chance, 60) % 25 = 0 AS failed_,
    calls * (400 + intDiv(chance, 1000) % 4000) AS uncached,
    calls * (intDiv(chance, 7) % 3000) AS cached,
    calls * (50 + intDiv(chance, 11) % 700) AS output,
    toDecimal128(((uncached + cached * 0.1 + output * 5) * {dollars:Array(Float64)}[model]) / 1000000, 12) AS cost,
    {start:UInt32} + cityHash64(number, 3) % {seconds:UInt64} AS began
SELECT
    {project_id:UInt64},
    {version:UInt64},
    toStartOfHour(toDateTime(began, 'UTC')),
    toUUID(lower(leftPad(hex(cityHash64(number, 4)), 16, '0') || leftPad(hex(number), 16, '0'))),
    toDateTime64(began, 9, 'UTC'),
    'user-' || leftPad(toString(user), 6, '0'),
    'org-' || toString(user % {organizations:UInt64}),
    {features:Array(String)}[1 + intDiv(chance, 13) % 5],
    failed_,
    calls,
    length(called),
    0,
    uncached,
    cached,
    output,
    cost,
    [({models:Array(String)}[model], failed_, calls, 0, 0, uncached + cached, output, cost)],
    arrayMap(tool -> (tool, 0, 0, 1, 0, 0, 0, toDecimal128(0, 12)), called),
    [({prompts:Array(String)}[1 + intDiv(chance, 17) % 6], failed_, calls, 0, 0, uncached + cached, output, cost)]
FROM numbers({rows:UInt64})
"""
