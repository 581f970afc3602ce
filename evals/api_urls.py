"""Addresses of the REST API about scores, and of one trace with its scores; no trailing slashes."""

from django.urls import path

from evals import api, trace_api

urlpatterns = [
    path("api/v1/traces/<str:trace_id>", trace_api.OneTrace.as_view(), name="api-trace"),
    path("api/v1/scores", api.Scores.as_view(), name="api-scores"),
    path("api/v1/scores/<str:score_id>", api.OneScore.as_view(), name="api-score"),
]
