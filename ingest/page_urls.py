"""The pages about ingest, and what Prometheus reads."""

from django.urls import include, path

from ingest import pages

project_pages = [
    path("ingest", pages.project_status, name="status"),
    path("ingest/rejected", pages.rejected, name="rejected"),
]

urlpatterns = [
    path("metrics", pages.metrics, name="metrics"),
    path("status", pages.installation_status, name="installation-status"),
    path("p/<slug:slug>/", include((project_pages, "ingest"))),
]
