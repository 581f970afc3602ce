"""Everything that changes plans. Each change leaves an audit entry; an import is one change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from costs.models import Payer, Plan
from costs.plan_csv import PlanRow, Subject
from tracehouse.tenancy import services as tenancy
from tracehouse.tenancy.models import Project
from tracehouse.web.figures import plain_decimal

BATCH = 2_000
CHANGEABLE = ("monthly_usd", "last_day", "name")


@dataclass(frozen=True, slots=True)
class Change:
    """What an import does to one price: `before` is None where it is new."""

    row: PlanRow
    before: PlanRow | None

    @property
    def is_new(self) -> bool:
        return self.before is None


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import would do, or did. Prices that the file leaves out stay."""

    new: list[Change]
    changed: list[Change]
    unchanged: int

    @property
    def all(self) -> list[Change]:
        return [*self.changed, *self.new]


def save_plan(plan: Plan, *, actor: str) -> None:
    """Stores a plan that was checked by `full_clean`. Raises `IntegrityError` when another one came in between."""
    action = "plan.changed" if plan.pk else "plan.set"
    plan.changed_by = actor
    with transaction.atomic():
        plan.save()
        record_plan(plan, action, actor=actor)


def delete_plan(plan: Plan, *, actor: str) -> None:
    with transaction.atomic():
        record_plan(plan, "plan.deleted", actor=actor)
        plan.delete()


def compare(project: Project, rows: Sequence[PlanRow]) -> Changes:
    """What importing these rows would do now."""
    kept = {row.identity: row for row in map(_row, Plan.objects.filter(project=project))}
    new = [Change(row, None) for row in rows if row.identity not in kept]
    changed = [
        Change(row, kept[row.identity]) for row in rows if row.identity in kept and kept[row.identity] != row
    ]
    return Changes(new, changed, len(rows) - len(new) - len(changed))


def import_plans(rows: Sequence[PlanRow], *, project: Project, actor: str) -> Changes:
    """Stores all of the rows, each in place of a price from the same day on. Doing it again changes nothing."""
    with transaction.atomic():
        _one_import_at_a_time(project)
        changes = compare(project, rows)
        made = [_plan(project, change.row, changed_by=actor) for change in changes.all]
        for plan in made:
            plan.changed_at = timezone.now()
        Plan.objects.bulk_create(
            made,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["project", "subject", "key", "first_day"],
            update_fields=[*CHANGEABLE, "changed_by", "changed_at"],
        )
        if made:
            tenancy.record(
                actor=actor,
                action="plans.imported",
                target=f"{len(made)} prices",
                project=project,
                new=len(changes.new),
                changed=len(changes.changed),
                unchanged=changes.unchanged,
            )
    return changes


def record_plan(plan: Plan, action: str, *, actor: str) -> None:
    """An audit entry with everything the plan says."""
    tenancy.record(
        actor=actor,
        action=action,
        target=f"{plan.subject} {plan.key}"[:200],
        project=plan.project,
        plan=plan.name,
        monthly_usd=plain_decimal(plan.monthly_usd),
        first_day=_iso(plan.first_day),
        last_day=_iso(plan.last_day),
    )


def _one_import_at_a_time(project: Project) -> None:
    """Held until the transaction ends, so that what is compared is what is changed."""
    Project.objects.select_for_update().only("pk").get(pk=project.pk)


def _plan(project: Project, row: PlanRow, *, changed_by: str = "") -> Plan:
    return Plan(
        project=project,
        subject=Payer(row.subject.value),
        key=row.key,
        name=row.name,
        monthly_usd=row.monthly_usd,
        first_day=row.first_day,
        last_day=row.last_day,
        changed_by=changed_by,
    )


def _row(plan: Plan) -> PlanRow:
    return PlanRow(
        Subject(plan.subject), plan.key, plan.monthly_usd, plan.first_day, plan.last_day, plan.name
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
