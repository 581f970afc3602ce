"""Saved views of the list: who sees which, who may change them. Each change leaves an audit entry."""

from django.db import transaction
from django.db.models import Q

from tracehouse.tenancy.models import Project, Role, User
from tracehouse.tenancy.permissions import may
from tracehouse.tenancy.services import record
from traces.models import ColumnChoice, SavedView


def visible_to(user: User, project: Project) -> list[SavedView]:
    """The project's shared views by name, then the user's own."""
    theirs = SavedView.objects.filter(Q(shared=True) | Q(created_by=user), project=project)
    return sorted(theirs.select_related("created_by"), key=lambda view: (not view.shared, view.name.lower()))


def shared_in(project: Project) -> list[SavedView]:
    """The project's shared views by name."""
    shared = SavedView.objects.filter(project=project, shared=True).select_related(
        "created_by", "project__team"
    )
    return sorted(shared, key=lambda view: view.name.lower())


def may_share(role: Role) -> bool:
    return may(role, Role.MEMBER)


def may_change(view: SavedView, user: User, role: Role) -> bool:
    """Who made it, and admins of a shared one."""
    return view.created_by_id == user.pk or (view.shared and may(role, Role.ADMIN))


@transaction.atomic
def save_view(*, view: SavedView, actor: str) -> None:
    """Stores a new view or a changed one. Raises `ValidationError` when its name is empty, long or taken."""
    action = "view.changed" if view.pk else "view.saved"
    view.full_clean()
    view.save()
    record(actor=actor, action=action, target=view.name, project=view.project, shared=view.shared)


@transaction.atomic
def delete_view(*, view: SavedView, actor: str) -> None:
    record(actor=actor, action="view.deleted", target=view.name, project=view.project, shared=view.shared)
    view.delete()


def columns_of(user: User, project: Project) -> str:
    """The columns that the user chose last in this project, or ""."""
    return (
        ColumnChoice.objects.filter(user=user, project=project).values_list("columns", flat=True).first()
        or ""
    )


def choose_columns(*, user: User, project: Project, columns: str) -> None:
    ColumnChoice.objects.update_or_create(user=user, project=project, defaults={"columns": columns})
