"""Registers the app under its own name."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "tracehouse.tenancy"
    label = "tenancy"

    def ready(self) -> None:
        from tracehouse.tenancy import openapi  # noqa: F401, PLC0415  # registers itself
