"""Brings ClickHouse's schema up to date."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from tracehouse.clickhouse.migrate import apply_all, dump


class Command(BaseCommand):
    help = "Apply the numbered SQL files of every app that ClickHouse has not seen yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dump", action="store_true", help="also write traces/schema/current.sql, for developers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        applied = apply_all(cluster=settings.CLICKHOUSE_CLUSTER)
        self.stdout.write(f"applied {', '.join(applied)}" if applied else "nothing to apply")
        if options["dump"]:
            (Path(settings.BASE_DIR) / "traces" / "schema" / "current.sql").write_text(dump())
