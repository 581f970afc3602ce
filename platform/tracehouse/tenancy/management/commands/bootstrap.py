"""Makes the first team, project, administrator and API key where they are missing, and prints them as JSON."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from tracehouse import env
from tracehouse.tenancy import services
from tracehouse.tenancy.models import ApiKey, Project, Team, User

# Any number; held so that two installations starting on one database do not both make a first project.
ADVISORY_LOCK = 7_267_001


class Command(BaseCommand):
    help = "Create the first team, project, administrator and API key. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
            email = env.text("TRACEHOUSE_INIT_ADMIN_EMAIL").strip().lower()
            admin, password = _ensure_admin(email)
            project = _ensure_project(admin)
            key, secret = _ensure_key(project, admin)
        print(
            json.dumps(
                {
                    "url": settings.PUBLIC_URL,
                    "email": admin.email,
                    "password": password,
                    "public_key": key.public_key,
                    "secret_key": secret,
                    "project": project.slug,
                }
            )
        )


def _ensure_admin(email: str) -> tuple[User, str | None]:
    """The first administrator; a password only when it was made just now."""
    existing = User.objects.filter(is_superuser=True).order_by("pk").first()
    if existing:
        return existing, None
    password = env.text("TRACEHOUSE_INIT_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
    return User.objects.create_superuser(email, password), password


def _ensure_project(admin: User) -> Project:
    existing = Project.objects.order_by("pk").first()
    if existing:
        return existing
    team = Team.objects.order_by("pk").first() or services.create_team(name="First team", owner=admin)
    return services.create_project(team=team, name="First project", actor=admin.email)


def _ensure_key(project: Project, admin: User) -> tuple[ApiKey, str | None]:
    """The first project's key. A pair from the environment that is not there yet is added beside existing ones."""
    public, secret = env.text("TRACEHOUSE_INIT_PUBLIC_KEY"), env.text("TRACEHOUSE_INIT_SECRET_KEY")
    live = ApiKey.objects.filter(project=project, revoked_at__isnull=True).order_by("pk")
    existing = live.filter(public_key=public).first() if public else live.first()
    if existing:
        return existing, None
    made = services.create_api_key(
        project=project, name="First key", actor=admin, public_key=public, secret=secret
    )
    return made.key, made.secret
