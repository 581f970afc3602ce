"""Plans, budgets, margins and anomalies as programs write and read them."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from costs.anomaly_queries import Anomaly
from costs.budget_queries import BudgetState, KeyStanding
from costs.budgeting import State
from costs.day_range import MAX_DAYS
from costs.economics import Customer, Filter, Order, Totals, share_of
from costs.models import Budget, BudgetPeriod, Limited, Payer, Plan
from costs.models.usage import MAX_KEY
from costs.plan_csv import MAX_NAME, MAX_USD
from costs.spend_queries import Series
from costs.tenth_queries import STEPS, StepTenth
from tracehouse.web.api import plain_decimal, rfc3339

MAX_ROWS = 1_000
# Shares are told to six places: a division has no last one.
_SHARE = Decimal("1e-6")
_COST = Decimal("1e-12")
_COUNTS = (
    "customers",
    "with_plan",
    "by_organization",
    "without_plan",
    "under_water",
    "invocations",
    "failed",
    "unpriced_calls",
)


class DayParameters(serializers.Serializer[Any]):
    """`from` is a Python keyword, hence the fields are added by name."""

    def get_fields(self) -> dict[str, Any]:
        asked = {
            "from": serializers.DateField(
                required=False,
                help_text="The first day, in the project's time zone; 29 days before `to` when absent.",
            ),
            "to": serializers.DateField(
                required=False, help_text=f"The last day; today when absent. At most {MAX_DAYS} days in all."
            ),
        }
        return {**asked, **super().get_fields()}


class PageParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=100, min_value=1, max_value=MAX_ROWS)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=10**7)


class EconomicsParameters(DayParameters, PageParameters):
    by = serializers.ChoiceField(choices=Payer.values, default=Payer.USER)
    only = serializers.ChoiceField(
        choices=[one.value for one in Filter],
        default=Filter.ALL.value,
        help_text="`top`: the dearest tenth of those who used anything.",
    )
    order = serializers.ChoiceField(
        choices=[f"{sign}{one.value}" for one in Order for sign in ("", "-")],
        default=f"-{Order.COST.value}",
        help_text="With `-`: the largest first.",
    )


class TopUsersParameters(DayParameters):
    by = serializers.ChoiceField(choices=[one.value for one in STEPS], default=STEPS[0].value)


class PlanParameters(PageParameters):
    user_id = serializers.CharField(default="", help_text="As sent, or as stored.")
    organization_id = serializers.CharField(default="", help_text="As sent, or as stored.")


class PlanInput(serializers.Serializer[Any]):
    """One monthly price of a user or an organization, from a day on."""

    user_id = serializers.CharField(default="", max_length=MAX_KEY, help_text="This or `organization_id`.")
    organization_id = serializers.CharField(default="", max_length=MAX_KEY)
    plan = serializers.CharField(default="", allow_blank=True, max_length=MAX_NAME)
    monthly_usd = serializers.DecimalField(
        max_digits=24, decimal_places=12, min_value=Decimal(0), max_value=MAX_USD
    )

    def get_fields(self) -> dict[str, Any]:
        days = {
            "from": serializers.DateField(help_text="The first day on which it holds."),
            "to": serializers.DateField(
                required=False,
                allow_null=True,
                default=None,
                help_text="The last day; null: until the customer's next price begins.",
            ),
        }
        return {**super().get_fields(), **days}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["user_id"]) == bool(attrs["organization_id"]):
            raise serializers.ValidationError({"user_id": "Give user_id or organization_id, one of the two."})
        if attrs["to"] is not None and attrs["to"] < attrs["from"]:
            raise serializers.ValidationError({"to": "The price ends before it begins."})
        if not 2000 <= attrs["from"].year < 2100:
            raise serializers.ValidationError({"from": "Give a day between 2000 and 2099."})
        return attrs


class PlanSchema(PlanInput):
    id = serializers.IntegerField()
    user_id = serializers.CharField(allow_null=True)
    organization_id = serializers.CharField(allow_null=True)
    monthly_usd = serializers.CharField()  # type: ignore[assignment]  # answered as a text


class PlansSchema(serializers.Serializer[Any]):
    data = PlanSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    total = serializers.IntegerField()


class PlanChangesSchema(serializers.Serializer[Any]):
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class BudgetInput(serializers.Serializer[Any]):
    """A limit of what somebody may cost in a day or a month."""

    subject = serializers.ChoiceField(
        choices=Limited.values, help_text="`each_user`: a default for whoever has none of their own."
    )
    key = serializers.CharField(
        default="", allow_blank=True, max_length=MAX_KEY, help_text="The id of one user or organization."
    )
    period = serializers.ChoiceField(choices=BudgetPeriod.values)
    limit_usd = serializers.DecimalField(
        max_digits=24, decimal_places=12, min_value=Decimal("0.000001"), max_value=MAX_USD
    )
    warn_percent = serializers.IntegerField(default=80, min_value=1, max_value=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if Limited(attrs["subject"]).needs_key != bool(attrs["key"]):
            raise serializers.ValidationError(
                {"key": "Give the id of one user or organization, and of nothing else."}
            )
        return attrs


class StandingSchema(serializers.Serializer[Any]):
    """`forecast_usd` is null while it is too early to say; `exhausted_at` where the limit holds until the end."""

    key = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=[one.value for one in State])
    spent_usd = serializers.CharField()
    forecast_usd = serializers.CharField(allow_null=True)
    exhausted_at = serializers.DateTimeField(allow_null=True)


class BudgetSchema(BudgetInput):
    """Of a default the standings are those near or over, and `fine` how many others are below."""

    id = serializers.IntegerField()
    limit_usd = serializers.CharField()  # type: ignore[assignment]  # answered as a text
    state = serializers.ChoiceField(choices=[one.value for one in State])
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    standings = StandingSchema(many=True)
    fine = serializers.IntegerField()


class BudgetsSchema(serializers.Serializer[Any]):
    data = BudgetSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class CustomerSchema(serializers.Serializer[Any]):
    """Revenue and margin are null without a plan. Shares are of one: 0.7 is 70 %.

    Of a user, the cost inside `organizations` that have a plan is set against theirs, not against the user's own.
    """

    key = serializers.CharField()
    plan = serializers.CharField(allow_null=True)
    invocations = serializers.IntegerField()
    failed = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    cost_usd = serializers.CharField()
    revenue_usd = serializers.CharField(allow_null=True)
    margin_usd = serializers.CharField(allow_null=True)
    margin_share = serializers.CharField(allow_null=True)
    under_water = serializers.BooleanField()
    top = serializers.BooleanField(help_text="Among the dearest tenth of those who used anything.")
    cost_per_success_usd = serializers.CharField(allow_null=True)
    organizations = serializers.ListField(
        child=serializers.CharField(), help_text="Those whose plan pays for some of it."
    )
    paid_by_organizations_usd = serializers.CharField(help_text="The part of the cost that they pay for.")


class TotalsSchema(serializers.Serializer[Any]):
    """Revenue and margin are of those who have a plan of their own."""

    customers = serializers.IntegerField()
    with_plan = serializers.IntegerField()
    by_organization = serializers.IntegerField(help_text="Users for whom an organization's plan pays.")
    without_plan = serializers.IntegerField(help_text="For whom nobody pays, or not for all of it.")
    under_water = serializers.IntegerField()
    invocations = serializers.IntegerField()
    failed = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    cost_usd = serializers.CharField()
    cost_share = serializers.CharField(allow_null=True, help_text="Of the cost of all customers.")
    revenue_usd = serializers.CharField()
    margin_usd = serializers.CharField(allow_null=True)
    margin_share = serializers.CharField(allow_null=True)
    lost_usd = serializers.CharField(help_text="What those under water cost beyond what they pay.")
    paid_by_organizations_usd = serializers.CharField()


class EconomicsSchema(serializers.Serializer[Any]):
    """Customers of the page; totals over everybody whom the filter leaves, the dearest tenth, and everybody."""

    data = CustomerSchema(many=True)  # type: ignore[assignment]  # the answer names it so
    total = serializers.IntegerField()
    totals = TotalsSchema()
    top = TotalsSchema()
    everybody = TotalsSchema()
    top_organizations = TotalsSchema(
        help_text="The organizations whose plans pay for the dearest tenth of the users, with all that they cost."
    )
    nobody_usd = serializers.CharField(help_text="The cost of invocations that name no such customer.")


class StepTenthSchema(serializers.Serializer[Any]):
    """One step, as far as it lies in the days asked for; `top_users` is a tenth of `users`, rounded up."""

    def get_fields(self) -> dict[str, Any]:
        days = {"from": serializers.DateField(), "to": serializers.DateField()}
        return {**days, **super().get_fields()}

    users = serializers.IntegerField()
    cost_usd = serializers.CharField()
    top_users = serializers.IntegerField()
    top_cost_usd = serializers.CharField()
    top_share = serializers.CharField(allow_null=True, help_text="Of what all users cost: 0.34 is 34 %.")


class TopUsersSchema(serializers.Serializer[Any]):
    data = StepTenthSchema(many=True)  # type: ignore[assignment]  # the answer names it so


class AnomalySchema(serializers.Serializer[Any]):
    """One day of the project, a feature or a user that cost more than its own week before lets expect."""

    of = serializers.ChoiceField(choices=[one.value for one in Series])
    key = serializers.CharField(allow_null=True)
    day = serializers.DateField()
    spent_usd = serializers.CharField()
    mean_usd = serializers.CharField(allow_null=True)
    deviation_usd = serializers.CharField(allow_null=True)
    threshold_usd = serializers.CharField(allow_null=True)
    sample_usd = serializers.ListField(child=serializers.CharField())


class AnomaliesSchema(serializers.Serializer[Any]):
    """`too_new`: days that cost something, with too few days before them to judge by."""

    data = AnomalySchema(many=True)  # type: ignore[assignment]  # the answer names it so
    too_new = AnomalySchema(many=True)


def plan(row: Plan) -> dict[str, Any]:
    is_user = row.subject == Payer.USER
    return {
        "id": row.pk,
        "user_id": row.key if is_user else None,
        "organization_id": None if is_user else row.key,
        "plan": row.name,
        "monthly_usd": plain_decimal(row.monthly_usd),
        "from": row.first_day.isoformat(),
        "to": row.last_day.isoformat() if row.last_day else None,
    }


def budget(row: Budget) -> dict[str, Any]:
    return {
        "id": row.pk,
        "subject": row.subject,
        "key": row.key,
        "period": row.period,
        "limit_usd": plain_decimal(row.limit_usd),
        "warn_percent": row.warn_percent,
    }


def budget_state(found: BudgetState) -> dict[str, Any]:
    return {
        **budget(found.budget),
        "state": found.state,
        "period_start": rfc3339(found.span.start),
        "period_end": rfc3339(found.span.end),
        "standings": [_standing(one) for one in found.standings],
        "fine": found.fine,
    }


def customer(one: Customer) -> dict[str, Any]:
    return {
        "key": one.key,
        "plan": one.plan or None,
        "invocations": one.invocations,
        "failed": one.failed,
        "unpriced_calls": one.unpriced_calls,
        "cost_usd": plain_decimal(one.cost),
        "revenue_usd": money(one.revenue),
        "margin_usd": money(one.margin),
        "margin_share": share(one.margin_share),
        "under_water": one.is_under_water,
        "top": one.is_top,
        "cost_per_success_usd": money(one.cost_per_success),
        "organizations": list(one.organizations),
        "paid_by_organizations_usd": plain_decimal(one.paid_by_them),
    }


def totals(found: Totals, everybody: Totals) -> dict[str, Any]:
    plain = asdict(found)
    return {
        **{name: plain[name] for name in _COUNTS},
        "cost_usd": plain_decimal(found.cost),
        "cost_share": share(share_of(found.cost, everybody.cost)),
        "revenue_usd": plain_decimal(found.revenue),
        "margin_usd": money(found.margin),
        "margin_share": share(found.margin_share),
        "lost_usd": plain_decimal(found.lost),
        "paid_by_organizations_usd": plain_decimal(found.cost_by_organization),
    }


def step_tenth(one: StepTenth) -> dict[str, Any]:
    found = one.tenth
    return {
        "from": _iso(one.days.first),
        "to": _iso(one.days.last),
        "users": found.users,
        "cost_usd": plain_decimal(found.cost_usd),
        "top_users": found.top_users,
        "top_cost_usd": plain_decimal(found.top_cost_usd),
        "top_share": share(share_of(found.top_cost_usd, found.cost_usd)),
    }


def anomaly(one: Anomaly) -> dict[str, Any]:
    found = one.judgement
    return {
        "of": one.series.value,
        "key": one.key or None,
        "day": _iso(found.day),
        "spent_usd": plain_decimal(found.spent),
        "mean_usd": money(found.mean),
        "deviation_usd": money(found.deviation),
        "threshold_usd": money(found.threshold),
        "sample_usd": [plain_decimal(value) for value in found.sample],
    }


def money(value: Decimal | None) -> str | None:
    return None if value is None else plain_decimal(value.quantize(_COST))


def share(value: Decimal | None) -> str | None:
    return None if value is None else plain_decimal(value.quantize(_SHARE))


def _standing(one: KeyStanding) -> dict[str, Any]:
    forecast = one.standing.forecast
    return {
        "key": one.key or None,
        "state": one.standing.state,
        "spent_usd": plain_decimal(one.standing.spent),
        "forecast_usd": money(forecast.spent_at_end) if forecast else None,
        "exhausted_at": rfc3339(forecast.exhausted_at) if forecast and forecast.exhausted_at else None,
    }


def _iso(day: date) -> str:
    return day.isoformat()
