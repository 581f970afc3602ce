"""Registers the app, whose only Django part is the `migrate_clickhouse` command."""

from django.apps import AppConfig


class ClickHouseConfig(AppConfig):
    name = "tracehouse.clickhouse"
    label = "clickhouse"
