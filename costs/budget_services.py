"""Everything that changes budgets. Each change leaves an audit entry."""

from decimal import Decimal

from django.db import transaction

from costs.models import Budget
from tracehouse.tenancy import services as tenancy
from tracehouse.tenancy.models import Project
from tracehouse.web.figures import plain_decimal


def save_budget(budget: Budget, *, actor: str) -> None:
    """Stores a budget that was checked by `full_clean`. Raises `IntegrityError` when another one came in between."""
    action = "budget.changed" if budget.pk else "budget.set"
    budget.changed_by = actor
    with transaction.atomic():
        budget.save()
        record_budget(budget, action, actor=actor)


def put_budget(  # a budget has so many parts
    *,
    project: Project,
    actor: str,
    subject: str,
    key: str,
    period: str,
    limit_usd: Decimal,
    warn_percent: int,
) -> Budget:
    """The budget of somebody for a period, in place of the one there was. The same again changes nothing."""
    with transaction.atomic():
        Project.objects.select_for_update().only("pk").get(pk=project.pk)
        named = {"project": project, "subject": subject, "key": key, "period": period}
        budget = Budget.objects.filter(**named).first() or Budget(**named, limit_usd=0)
        if (budget.limit_usd, budget.warn_percent) != (limit_usd, warn_percent):
            budget.limit_usd, budget.warn_percent = limit_usd, warn_percent
            save_budget(budget, actor=actor)
    return budget


def delete_budget(budget: Budget, *, actor: str) -> None:
    with transaction.atomic():
        record_budget(budget, "budget.deleted", actor=actor)
        budget.delete()


def record_budget(budget: Budget, action: str, *, actor: str) -> None:
    """An audit entry with everything the budget says."""
    tenancy.record(
        actor=actor,
        action=action,
        target=str(budget)[:200],
        project=budget.project,
        limit_usd=plain_decimal(budget.limit_usd),
        warn_percent=budget.warn_percent,
    )
