"""Addresses of the REST API about prices, usage, plans, budgets and reports; no trailing slashes."""

from django.urls import path

from costs import api, margin_api, report_api, usage_api

urlpatterns = [
    path("api/v1/prices", api.Prices.as_view(), name="api-prices"),
    path("api/v1/prices/unpriced", api.UnpricedModels.as_view(), name="api-unpriced"),
    path("api/v1/prices/repricing", api.RepricingRuns.as_view(), name="api-repricing"),
    path("api/v1/usage", usage_api.Usage.as_view(), name="api-usage"),
    path("api/v1/user-costs", usage_api.UserCosts.as_view(), name="api-user-costs"),
    path("api/v1/plans", margin_api.Plans.as_view(), name="api-plans"),
    path("api/v1/plans/<int:plan_id>", margin_api.OnePlan.as_view(), name="api-plan"),
    path("api/v1/unit-economics", margin_api.UnitEconomics.as_view(), name="api-unit-economics"),
    path("api/v1/top-users", margin_api.TopUsers.as_view(), name="api-top-users"),
    path("api/v1/budgets", margin_api.Budgets.as_view(), name="api-budgets"),
    path("api/v1/budgets/<int:budget_id>", margin_api.OneBudget.as_view(), name="api-budget"),
    path("api/v1/anomalies", margin_api.Anomalies.as_view(), name="api-anomalies"),
    path("api/v1/cost-reports", report_api.Reports.as_view(), name="api-cost-reports"),
    path("api/v1/cost-reports/<int:report_id>", report_api.OneReport.as_view(), name="api-cost-report"),
]
