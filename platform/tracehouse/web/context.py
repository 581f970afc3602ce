"""The context processor behind `shell` in every template: projects, the current one, the theme."""

from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from tracehouse.tenancy.models import Project, Role, User
from tracehouse.tenancy.permissions import may, projects_of
from tracehouse.web import time_range, zones

THEMES = ("auto", "light", "dark")


class Shell:
    """Read lazily: pages outside the shell (admin, errors) cost no query."""

    themes = THEMES

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def projects(self) -> list[Project]:
        user = getattr(self._request, "user", None)
        return projects_of(user) if isinstance(user, User) else []

    @cached_property
    def project(self) -> Project | None:
        """The project of this page, else the user's first."""
        found = getattr(self._request, "project", None)
        if isinstance(found, Project):
            return found
        return self.projects[0] if self.projects else None

    @property
    def section(self) -> str:
        """Which entry of the rail is the current one."""
        match = self._request.resolver_match
        return (match.namespace or match.url_name or "") if match else ""

    @property
    def is_of_money(self) -> bool:
        return zones.is_of_money(self._request)

    @property
    def is_admin(self) -> bool:
        role = getattr(self._request, "role", None)
        return isinstance(role, Role) and may(role, Role.ADMIN)

    @property
    def theme(self) -> str:
        chosen = self._request.COOKIES.get("theme", "")
        return chosen if chosen in THEMES else "auto"

    @cached_property
    def viewers_zone(self) -> tzinfo | None:
        return zones.told(self._request)

    @cached_property
    def zone(self) -> tzinfo:
        """Of every time on the page."""
        return self.viewers_zone or time_range.zone_of(self.project.time_zone if self.project else "UTC")

    @cached_property
    def now(self) -> datetime:
        return timezone.now()


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell(request)}
