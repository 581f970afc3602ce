"""Where spans are sent. No trailing slashes: exporters append these paths as they stand."""

from django.urls import path

from ingest import views

urlpatterns = [
    path("v1/traces", views.receive_traces),
    path("api/public/otel/v1/traces", views.receive_traces),
]
