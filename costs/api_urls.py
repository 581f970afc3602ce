"""Addresses of the REST API about prices; no trailing slashes."""

from django.urls import path

from costs import api

urlpatterns = [
    path("api/v1/prices", api.Prices.as_view(), name="api-prices"),
    path("api/v1/prices/unpriced", api.UnpricedModels.as_view(), name="api-unpriced"),
    path("api/v1/prices/repricing", api.RepricingRuns.as_view(), name="api-repricing"),
]
