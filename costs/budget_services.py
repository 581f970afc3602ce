"""Everything that changes budgets. Each change leaves an audit entry."""

from django.db import transaction

from costs.models import Budget
from tracehouse.tenancy import services as tenancy
from tracehouse.web.figures import plain_decimal


def save_budget(budget: Budget, *, actor: str) -> None:
    """Stores a budget that was checked by `full_clean`. Raises `IntegrityError` when another one came in between."""
    action = "budget.changed" if budget.pk else "budget.set"
    budget.changed_by = actor
    with transaction.atomic():
        budget.save()
        record_budget(budget, action, actor=actor)


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
