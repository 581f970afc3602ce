"""What the tests of unit economics, budgets and anomalies are made of: invocations that cost something, and plans."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from costs.models import Payer, Plan
from tests import cast
from tracehouse.tenancy.models import Project
from traces.span import Cost, CostState, Kind, Span, Status

_numbers = itertools.count(1)
UNPRICED = Cost(state=CostState.UNPRICED)


def spend(project: Project, user: str, dollars: str, *, on: date, **fields: Any) -> list[str]:
    """Stores what `invocations` makes; gives the ids of the traces."""
    made = invocations(project, user, dollars, on=on, **fields)
    cast.store_spans(made)
    return [span.trace_id for span in made]


def invocations(
    project: Project,
    user: str,
    dollars: str,
    *,
    on: date,
    hour: int = 12,
    count: int = 1,
    failed: int = 0,
    unpriced: int = 0,
    **fields: Any,
) -> list[Span]:
    """Invocations of a user, of which the first costs so much; the last ones failed, the last ones have no price."""
    began = datetime.combine(on, time(hour), UTC)
    return [
        _span(
            project,
            began + timedelta(seconds=place),
            user_id=user,
            status=Status.ERROR if place >= count - failed else Status.OK,
            cost=UNPRICED if 0 < count - place <= unpriced else _cost(dollars if place == 0 else "0"),
            **fields,
        )
        for place in range(count)
    ]


def plan(project: Project, key: str, dollars: str, *, since: date, **fields: Any) -> Plan:
    defaults: dict[str, Any] = {"subject": Payer.USER, "name": "Pro"}
    return Plan.objects.create(
        project=project, key=key, monthly_usd=Decimal(dollars), first_day=since, **{**defaults, **fields}
    )


def _cost(dollars: str) -> Cost:
    return Cost(state=CostState.REPORTED, total=Decimal(dollars))


def _span(project: Project, began: datetime, **fields: Any) -> Span:
    number = next(_numbers)
    start_ns = int(began.timestamp()) * 10**9
    return Span(
        project_id=project.pk,
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_id="",
        start_ns=start_ns,
        end_ns=start_ns + 10**9,
        kind=Kind.LLM,
        **fields,
    )
