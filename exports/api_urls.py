"""The addresses of the REST API that exports; no trailing slashes."""

from django.urls import path

from exports import api, user_cost_api

urlpatterns = [
    path("api/v1/traces/export", api.TraceExport.as_view(), name="api-export"),
    path("api/v1/user-costs/export", user_cost_api.UserCostExport.as_view(), name="api-export-user-costs"),
]
