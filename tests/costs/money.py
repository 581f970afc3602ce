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


def spend(
    project: Project,
    user: str,
    dollars: str,
    *,
    on: date,
    hour: int = 12,
    invocations: int = 1,
    failed: int = 0,
    unpriced: int = 0,
    **fields: Any,
) -> list[str]:
    """Invocations of a user that together cost so much; the last ones failed, the last ones have no price.

    Gives the ids of their traces.
    """
    began = datetime.combine(on, time(hour), UTC)
    spans = []
    for place in range(invocations):
        cost = Cost(state=CostState.REPORTED, total=Decimal(dollars if place == 0 else 0))
        spans.append(
            _span(
                project,
                began + timedelta(seconds=place),
                user_id=user,
                status=Status.ERROR if place >= invocations - failed else Status.OK,
                cost=UNPRICED if 0 < invocations - place <= unpriced else cost,
                **fields,
            )
        )
    cast.store_spans(spans)
    return [span.trace_id for span in spans]


def plan(project: Project, key: str, dollars: str, *, since: date, **fields: Any) -> Plan:
    defaults: dict[str, Any] = {"subject": Payer.USER, "name": "Pro"}
    return Plan.objects.create(
        project=project, key=key, monthly_usd=Decimal(dollars), first_day=since, **{**defaults, **fields}
    )


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
