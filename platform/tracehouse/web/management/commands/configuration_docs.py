"""`manage.py configuration_docs`: writes docs/configuration.md from the settings table."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tracehouse import env

HEAD = """# Configuration

Every setting is an environment variable, and every one is optional with `make up`. `X_FILE` may name a file that holds
the value of `X`, for secrets. This page is written by `make docs` from the table in `platform/tracehouse/env.py`.

"""


def page() -> str:
    return HEAD + env.as_markdown()


class Command(BaseCommand):
    help = "Write docs/configuration.md from the settings table."

    def handle(self, *args: Any, **options: Any) -> None:
        (Path(settings.BASE_DIR) / "docs" / "configuration.md").write_text(page())
