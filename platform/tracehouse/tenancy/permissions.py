"""Access of signed-in people to projects: one decorator for every page, one table of what a role may do."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from tracehouse.tenancy.models import Membership, Project, Role, User
from tracehouse.tenancy.scope import Scope

P = ParamSpec("P")
_RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


class ProjectRequest(HttpRequest):
    """A request that `project_page` let through."""

    user: User
    project: Project
    scope: Scope
    role: Role


def projects_of(user: User) -> list[Project]:
    """Every project that the user may open, by team and name."""
    return list(
        Project.objects.filter(team__memberships__user=user)
        .select_related("team")
        .order_by("team__name", "name")
    )


def project_page(
    at_least: Role = Role.VIEWER,
) -> Callable[[Callable[Concatenate[ProjectRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """For views under `/p/<slug>/`: signed in, a member, and of at least this role.

    A project of a team one is not in answers 404, as one that does not exist would; a role that is too low, 403.
    """

    def decorate(
        view: Callable[Concatenate[ProjectRequest, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def wrapped(
            request: ProjectRequest, slug: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            membership = (
                Membership.objects.filter(user=request.user, team__projects__slug=slug)
                .select_related("team")
                .first()
            )
            if membership is None:
                raise Http404("No such project, or it is not yours to see.")
            request.project = Project.objects.select_related("team").get(slug=slug)
            request.scope = Scope(request.project.pk)
            request.role = Role(membership.role)
            if not may(request.role, at_least):
                raise PermissionDenied(f"This needs the role {at_least.label.lower()}.")
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def may(role: Role, at_least: Role) -> bool:
    return _RANK[role] >= _RANK[at_least]
