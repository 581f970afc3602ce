"""`make demo`: sends traces that look like production through the real endpoint and prints where to look."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.demo import runner
from ingest.demo.platform import Platform, PlatformUnavailable, Refused
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.services import create_api_key, revoke_api_key

KEY_NAME = "demo"


class Command(BaseCommand):
    help = "Send the demo's traces to the running platform and print links to them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", default="", help="Slug of the project; the first one when left out.")

    def handle(self, *args: Any, **options: Any) -> None:
        url: str = settings.PUBLIC_URL
        _check_running(url)
        project = _find_project(options["project"])
        try:
            with _temporary_key(project) as secret, Platform(url, secret) as platform:
                sent = runner.send_all(platform, datetime.now(UTC), random.SystemRandom(), self.stdout.write)
        except (PlatformUnavailable, Refused, runner.NotVisible) as error:
            raise CommandError(str(error)) from error
        self._print_links(runner.links(url, project.slug, sent))

    def _print_links(self, links: list[runner.Link]) -> None:
        width = max(len(link.title) for link in links)
        self.stdout.write("")
        for link in links:
            self.stdout.write(f"  {link.title:<{width}}  {link.url}")


def _check_running(url: str) -> None:
    try:
        with Platform(url, "", timeout=10) as platform:
            status, _, _ = platform.request("GET", "/healthz")
    except PlatformUnavailable:
        status = 0
    if status != 200:
        raise CommandError(
            f"Tracehouse does not answer at {url}. Start it with `make up`, then run this again."
        )


def _find_project(slug: str) -> Project:
    projects = Project.objects.order_by("pk")
    project = projects.filter(slug=slug).first() if slug else projects.first()
    if project is None:
        raise CommandError(f"There is no project {slug!r}." if slug else "There is no project yet.")
    return project


@contextmanager
def _temporary_key(project: Project) -> Iterator[str]:
    """The secret of a key that lives as long as the block; stored keys are hashed and cannot be read back."""
    actor = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if actor is None:
        raise CommandError("There is no administrator in whose name a key could be made.")
    made = create_api_key(project=project, name=KEY_NAME, actor=actor)
    try:
        yield made.secret
    finally:
        revoke_api_key(key=made.key, actor=actor)
