"""Registers the app under its own name."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "tracehouse.tenancy"
    label = "tenancy"
