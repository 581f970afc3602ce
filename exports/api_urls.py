"""The address of the REST API that exports; no trailing slash."""

from django.urls import path

from exports import api

urlpatterns = [path("api/v1/traces/export", api.TraceExport.as_view(), name="api-export")]
