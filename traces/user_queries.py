"""What one user or organization did in a window: sums over time, what they were spent on, and the newest of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from tracehouse.tenancy.scope import Scope
from traces import group_queries, queries
from traces.group_queries import Group, Grouping, GroupOrder
from traces.queries import Trace, UsageGroup, UsageRow

# In a window that is no longer, sums over time are by hour.
HOURLY = timedelta(hours=50)
MAX_STEPS = 1_000
MOST_USED = 8
NEWEST = 10
SPENT_ON = (UsageGroup.FEATURE, UsageGroup.MODEL, UsageGroup.TOOL)


@dataclass(frozen=True, slots=True)
class Profile:
    sums: Group
    steps: UsageGroup  # what `over_time` is by: the hour, or the day in the scope's time zone
    over_time: list[UsageRow]  # in the order of time; steps without a trace are not in it
    spent_on: Mapping[UsageGroup, list[UsageRow]]  # the dearest of each


@dataclass(frozen=True, slots=True)
class Newest:
    traces: list[Trace]
    failed: list[Trace]
    groups: list[Group]  # sessions of a user, users of an organization


def get_profile(scope: Scope, grouping: Grouping, key: str, *, limit: int = MOST_USED) -> Profile | None:
    """None when no trace of it is in the window. Raises `QueryTooLarge`, `QueryUnavailable`."""
    sums = group_queries.get_group(scope, grouping, key)
    if sums is None:
        return None
    window, filters = scope.window, grouping.only(key)
    steps = UsageGroup.HOUR if window.end - window.start <= HOURLY else UsageGroup.DAY
    over_time = queries.usage(scope, steps, filters=filters, limit=MAX_STEPS)
    return Profile(
        sums=sums,
        steps=steps,
        over_time=sorted(over_time, key=lambda row: row.key),
        spent_on={group: queries.usage(scope, group, filters=filters, limit=limit) for group in SPENT_ON},
    )


def get_newest(scope: Scope, grouping: Grouping, key: str) -> Newest:
    """The newest traces, failed traces, and sessions; for an organization the dearest users instead of sessions."""
    filters = grouping.only(key)
    of_user = grouping is Grouping.USER
    return Newest(
        traces=queries.list_traces(scope, filters, limit=NEWEST).traces,
        failed=queries.list_traces(scope, replace(filters, status="error"), limit=NEWEST).traces,
        groups=group_queries.list_groups(
            scope,
            Grouping.SESSION if of_user else Grouping.USER,
            filters=filters,
            order=GroupOrder.LATEST if of_user else GroupOrder.DEAREST,
            limit=NEWEST,
        ).groups,
    )
