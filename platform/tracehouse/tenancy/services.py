"""Everything that changes teams, projects, members and keys. Each change leaves an audit entry."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from tracehouse.tenancy.models import ApiKey, AuditEntry, Membership, Project, Role, Team, User
from tracehouse.tenancy.secrets import hash_secret, new_public_key, new_secret_key


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` exists nowhere else and is shown once."""

    key: ApiKey
    secret: str


def record(
    *,
    actor: str,
    action: str,
    target: str = "",
    project: Project | None = None,
    team: Team | None = None,
    **details: str | int | bool | None,
) -> AuditEntry:
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        target=target,
        project=project,
        team=team or (project.team if project else None),
        details=details,
    )


@transaction.atomic
def create_team(*, name: str, owner: User) -> Team:
    team = Team.objects.create(name=name)
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    record(actor=owner.email, action="team.created", target=name, team=team)
    return team


@transaction.atomic
def create_project(*, team: Team, name: str, actor: str) -> Project:
    project = Project.objects.create(team=team, name=name, slug=_free_slug(name))
    record(actor=actor, action="project.created", target=project.slug, project=project)
    return project


@transaction.atomic
def create_api_key(
    *, project: Project, name: str, actor: User | None, public_key: str = "", secret: str = ""
) -> NewKey:
    """A new key pair. Raises `django.db.IntegrityError` when a given half is already in use."""
    secret = secret or new_secret_key()
    key = ApiKey.objects.create(
        project=project,
        name=name,
        public_key=public_key or new_public_key(),
        secret_hash=hash_secret(secret),
        secret_hint=secret[-4:],
        created_by=actor,
    )
    record(
        actor=actor.email if actor else "bootstrap",
        action="key.created",
        target=key.public_key,
        project=project,
    )
    return NewKey(key, secret)


@transaction.atomic
def revoke_api_key(*, key: ApiKey, actor: User) -> None:
    """Ends a key. Processes that have it cached stop taking it within `keys.FRESH_SECONDS`."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record(actor=actor.email, action="key.revoked", target=key.public_key, project=key.project)


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "project"
    taken = set(Project.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken
    )
