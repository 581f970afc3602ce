"""The price pages of a project, and those of what its customers cost and pay."""

from django.urls import include, path

from costs import dashboard_views, margin_views, plan_views, report_views, tenth_views, views

pages = [
    path("prices", views.prices, name="list"),
    path("prices/models/new", views.new_model_price, name="new-model"),
    path("prices/models/<int:price_id>", views.change_model_price, name="change-model"),
    path("prices/models/<int:price_id>/delete", views.delete_model_price, name="delete-model"),
    path("prices/tools/new", views.new_tool_price, name="new-tool"),
    path("prices/tools/<int:price_id>", views.change_tool_price, name="change-tool"),
    path("prices/tools/<int:price_id>/delete", views.delete_tool_price, name="delete-tool"),
    path("prices/repricing", views.repricing, name="repricing"),
    path("prices/repricing/<int:run_id>", views.run, name="run"),
    path("prices/repricing/<int:run_id>/start", views.start, name="start"),
]

overview_pages = [
    path("costs", dashboard_views.overview, name="overview"),
    path("costs.csv", dashboard_views.breakdown_csv, name="csv"),
    path("costs/attention", dashboard_views.attention, name="attention"),
]

money_pages = [
    path("costs/economics", margin_views.economics_page, name="list"),
    path("costs/economics.csv", margin_views.economics_csv, name="csv"),
    path("costs/top-users", tenth_views.top_users, name="top-users"),
    path("costs/outcomes", margin_views.outcomes, name="outcomes"),
    path("costs/anomalies", margin_views.anomalies, name="anomalies"),
    path("costs/plans", plan_views.plans, name="plans"),
    path("costs/plans.csv", plan_views.plans_csv, name="plans-csv"),
    path("costs/plans/new", plan_views.new_plan, name="new-plan"),
    path("costs/plans/import", plan_views.import_plans, name="import"),
    path("costs/plans/<int:plan_id>", plan_views.change_plan, name="change-plan"),
    path("costs/plans/<int:plan_id>/delete", plan_views.delete_plan, name="delete-plan"),
    path("costs/budgets", plan_views.budgets, name="budgets"),
    path("costs/budgets/new", plan_views.new_budget, name="new-budget"),
    path("costs/budgets/<int:budget_id>", plan_views.change_budget, name="change-budget"),
    path("costs/budgets/<int:budget_id>/delete", plan_views.delete_budget, name="delete-budget"),
    path("costs/reports", report_views.reports, name="reports"),
    path("costs/reports/make", report_views.make_last_week, name="make-report"),
    path("costs/reports/settings", report_views.report_settings, name="report-settings"),
    path("costs/reports/preview", report_views.preview, name="report-preview"),
    path("costs/reports/preview.html", report_views.preview_html, name="report-preview-html"),
    path("costs/reports/preview/send", report_views.send_preview, name="send-preview"),
    path("costs/reports/<int:report_id>", report_views.one_report, name="report"),
    path("costs/reports/<int:report_id>.html", report_views.report_html, name="report-html"),
    path("costs/reports/<int:report_id>/send", report_views.send_report, name="send-report"),
    path(
        "costs/reports/<int:report_id>/deliveries/<int:delivery_id>/again",
        report_views.try_again,
        name="try-again",
    ),
    path("costs/reports/<int:report_id>/again", report_views.make_again, name="report-again"),
]

urlpatterns = [
    path("p/<slug:slug>/", include((pages, "prices"))),
    path("p/<slug:slug>/", include((overview_pages, "costs"))),
    path("p/<slug:slug>/", include((money_pages, "economics"))),
]
