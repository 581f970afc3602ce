"""Everything that changes how a project redacts, each with an audit entry; and the deletion of old counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from ingest.detectors import Detector
from ingest.models import AllowedValue, DetectorSetting, IngestMinute, RedactionRule, RejectedPayload
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.services import record

MAX_RULES = 50
MAX_ALLOWED = 200


@transaction.atomic
def set_detector_actions(*, project: Project, actions: Mapping[Detector, str], actor: User) -> None:
    """What happens with each detector's values; `actions` may be `models.OFF`."""
    before = dict(DetectorSetting.objects.filter(project=project).values_list("detector", "action"))
    for detector, action in actions.items():
        if before.get(detector) != action:
            DetectorSetting.objects.update_or_create(
                project=project, detector=str(detector), defaults={"action": str(action)}
            )
    changed: dict[str, Any] = {
        str(key): str(action) for key, action in actions.items() if before.get(key) != action
    }
    if changed:
        record(
            actor=actor.email, action="redaction.detectors", target=project.slug, project=project, **changed
        )


@transaction.atomic
def add_rule(*, rule: RedactionRule, actor: User) -> None:
    """Stores a rule whose pattern has been checked."""
    rule.created_by = actor
    rule.save()
    record_rule(rule, "redaction.rule_added", actor=actor.email)


@transaction.atomic
def switch_rule(*, rule: RedactionRule, enabled: bool, actor: User) -> None:
    if rule.enabled != enabled:
        rule.enabled = enabled
        rule.save(update_fields=["enabled"])
        record_rule(rule, "redaction.rule_on" if enabled else "redaction.rule_off", actor=actor.email)


@transaction.atomic
def remove_rule(*, rule: RedactionRule, actor: User) -> None:
    record_rule(rule, "redaction.rule_removed", actor=actor.email)
    rule.delete()


@transaction.atomic
def allow_value(*, allowed: AllowedValue, actor: User) -> None:
    allowed.created_by = actor
    allowed.save()
    record_allowed(allowed, "redaction.allowed", actor=actor.email)


@transaction.atomic
def disallow_value(*, allowed: AllowedValue, actor: User) -> None:
    record_allowed(allowed, "redaction.disallowed", actor=actor.email)
    allowed.delete()


def record_rule(rule: RedactionRule, action: str, *, actor: str) -> None:
    record(
        actor=actor,
        action=action,
        target=rule.name,
        project=rule.project,
        pattern=rule.pattern,
        does=rule.action,
        enabled=rule.enabled,
    )


def record_allowed(allowed: AllowedValue, action: str, *, actor: str) -> None:
    record(
        actor=actor,
        action=action,
        target=allowed.value[:200],
        project=allowed.project,
        is_pattern=allowed.is_pattern,
    )


def delete_counts_before(moment: datetime) -> int:
    """Deletes counts of earlier minutes and hours; gives the number of rows. Safe to run twice, or two at once."""
    minutes, _ = IngestMinute.objects.filter(minute__lt=moment).delete()
    rejections, _ = RejectedPayload.objects.filter(hour__lt=moment).delete()
    return minutes + rejections
