"""Addresses of the REST API; no trailing slashes."""

from django.urls import path

from traces import api

urlpatterns = [
    path("api/v1/traces", api.TraceList.as_view(), name="api-traces"),
    path("api/v1/traces/<str:trace_id>", api.TraceDetail.as_view(), name="api-trace"),
    path("api/v1/usage", api.Usage.as_view(), name="api-usage"),
]
