"""Brings ClickHouse's schema up to date."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tracehouse.clickhouse.migrate import apply_all


class Command(BaseCommand):
    help = "Apply the numbered SQL files of every app that ClickHouse has not seen yet."

    def handle(self, *args: Any, **options: Any) -> None:
        applied = apply_all(cluster=settings.CLICKHOUSE_CLUSTER)
        self.stdout.write(f"applied {', '.join(applied)}" if applied else "nothing to apply")
