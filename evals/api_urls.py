"""Addresses of the REST API about scores; no trailing slashes."""

from django.urls import path

from evals import api

urlpatterns = [
    path("api/v1/scores", api.Scores.as_view(), name="api-scores"),
    path("api/v1/scores/<str:score_id>", api.OneScore.as_view(), name="api-score"),
]
