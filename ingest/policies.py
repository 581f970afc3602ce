"""Which policy holds for a project: cached in the process like its keys, still known while PostgreSQL is away."""

from collections.abc import Callable

from ingest import loose_text
from ingest.detectors import Detector
from ingest.models import OFF, AllowedValue, DetectorSetting, RedactionRule
from ingest.policy import DEFAULT_ACTIONS, Action, Allowed, Pattern, Policy, compact
from tracehouse.read_cache import ReadCache
from tracehouse.tenancy.keys import FRESH_SECONDS, MAX_CACHED, STALE_SECONDS, KeyHolder
from tracehouse.tenancy.models import IdentityPolicy, Project
from tracehouse.tenancy.secrets import decrypt


def policy_for(holder: KeyHolder) -> Policy:
    """The policy of the key's project; a change takes effect within `keys.FRESH_SECONDS`.

    Raises `LookupUnavailable`: without its rules nothing of a project may be stored.
    """
    return cache.get(holder)


def policy_of(project: Project) -> Policy:
    """The policy as it is stored now, for the project's pages."""
    return _read(
        project.pk,
        key=decrypt(project.redaction_key),
        regions=project.regions,
        keep_identity=project.identity_policy == IdentityPolicy.KEEP,
    )


def _read_for(holder: KeyHolder) -> Policy:
    return _read(
        holder.project_id,
        key=holder.redaction_key,
        regions=holder.phone_regions,
        keep_identity=holder.keep_identity,
    )


cache = ReadCache(_read_for, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS, most=MAX_CACHED)


def _read(project_id: int, *, key: bytes, regions: tuple[str, ...], keep_identity: bool) -> Policy:
    allowed = AllowedValue.objects.filter(project_id=project_id).values_list("value", "is_pattern")
    rules = RedactionRule.objects.filter(project_id=project_id, enabled=True)
    return Policy(
        key=key,
        regions=regions,
        keep_identity=keep_identity,
        actions=actions_of(project_id),
        patterns=tuple(Pattern(rule.name, rule.pattern, Action(rule.action)) for rule in rules),
        allow=Allowed(
            frozenset(compact(value) for value, is_pattern in allowed if not is_pattern),
            tuple(value for value, is_pattern in allowed if is_pattern),
        ),
    )


def actions_of(project_id: int) -> dict[Detector, Action]:
    """What is done with each detector's values; a detector that is off is not among them."""
    chosen = dict(DetectorSetting.objects.filter(project_id=project_id).values_list("detector", "action"))
    actions = {detector: chosen.get(detector, DEFAULT_ACTIONS[detector]) for detector in Detector}
    return {detector: Action(action) for detector, action in actions.items() if action != OFF}


def identity_rule(project: Project) -> Callable[[str], str]:
    """How the project stores who somebody is: see `tracehouse.tenancy.identity`."""
    policy = policy_of(project)
    return lambda value: loose_text.identity(value, policy)
