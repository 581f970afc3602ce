"""Tables of costs: prices and re-pricing runs (`prices`), what was used and what it cost (`usage`), what customers pay
(`plans`), how much they may cost (`budgets`), and weekly reports (`reports`).
"""

from costs.models.budgets import Budget, BudgetPeriod, Limited
from costs.models.plans import Payer, Plan
from costs.models.prices import (
    OVERLAP,
    PROJECT,
    RATE_FIELDS,
    VALID,
    DatedPrice,
    Match,
    ModelPrice,
    PriceTier,
    RepricingRun,
    RunState,
    Subject,
    ToolPrice,
    money,
)
from costs.models.reports import DeliveryState, Report, ReportDelivery, ReportSettings, Weekday
from costs.models.usage import RolledHour, RollUp, UserCost

__all__ = [
    "OVERLAP",
    "PROJECT",
    "RATE_FIELDS",
    "VALID",
    "Budget",
    "BudgetPeriod",
    "DatedPrice",
    "DeliveryState",
    "Limited",
    "Match",
    "ModelPrice",
    "Payer",
    "Plan",
    "PriceTier",
    "Report",
    "ReportDelivery",
    "ReportSettings",
    "RepricingRun",
    "RollUp",
    "RolledHour",
    "RunState",
    "Subject",
    "ToolPrice",
    "UserCost",
    "Weekday",
    "money",
]
