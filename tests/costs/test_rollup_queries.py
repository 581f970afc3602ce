"""What users cost, read from the sums of the roll-up."""

from datetime import date
from decimal import Decimal

import pytest

from costs import rollup_queries
from costs.models import UserCost
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Scope

pytestmark = pytest.mark.django_db


def test_days_begin_and_end_in_the_time_zone_of_the_project(project: Project) -> None:
    for hour, dollars in ((14, "1"), (15, "2"), (23, "4")):
        UserCost.objects.create(
            project=project,
            user_id="ada",
            date=date(2026, 11, 20),
            hour=hour,
            total_cost_usd=Decimal(dollars),
        )
    tokyo = Scope(project.pk, time_zone="Asia/Tokyo")
    (total,) = rollup_queries.user_totals(tokyo, date(2026, 11, 21), date(2026, 11, 21))
    assert (total.user_id, total.organization_id, total.cost_usd) == ("ada", "", Decimal(6))
