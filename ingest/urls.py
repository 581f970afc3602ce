"""Where spans are sent. No trailing slashes: exporters append these paths as they stand."""

from django.urls import path

from ingest import api, views

urlpatterns = [
    path("v1/traces", views.receive_traces),
    path("v1/logs", views.receive_logs),
    path("v1/metrics", views.receive_metrics),
    path("api/public/otel/v1/traces", views.receive_traces),
    path("api/v1/spans", api.Spans.as_view(), name="send-spans"),
]
