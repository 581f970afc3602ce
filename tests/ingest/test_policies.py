"""Which policy holds for the project behind a key."""

from collections.abc import Callable

import pytest

from ingest import pipeline, policies, services
from ingest.detectors import Detector
from ingest.models import OFF, AllowedValue, RedactionRule
from ingest.policies import policy_for, policy_of
from ingest.policy import DEFAULT_ACTIONS, Action
from tests import cast
from tests.ingest.test_redact import span
from tracehouse.read_cache import LookupUnavailable
from tracehouse.tenancy.keys import KeyHolder, identify
from tracehouse.tenancy.models import AuditEntry, Project, User

pytestmark = pytest.mark.django_db


def holder_of(api_key: str) -> KeyHolder:
    holder = identify(f"Bearer {api_key}")
    assert isinstance(holder, KeyHolder)
    return holder


def add_rule(project: Project, actor: User, name: str = "customer", **fields: object) -> RedactionRule:
    rule = RedactionRule(project=project, name=name, pattern="CUST-[0-9]{6}", **fields)
    services.add_rule(rule=rule, actor=actor)
    return rule


def test_a_new_project_looks_for_everything(api_key: str) -> None:
    policy = policy_for(holder_of(api_key))
    assert policy.actions == DEFAULT_ACTIONS
    assert policy.detectors == frozenset(Detector)
    assert policy.patterns == ()


def test_choices_rules_and_allowed_values_are_read(api_key: str, project: Project, owner: User) -> None:
    actions = {**DEFAULT_ACTIONS, Detector.IP: OFF, Detector.EMAIL: Action.DROP}
    services.set_detector_actions(project=project, actions=actions, actor=owner)
    add_rule(project, owner)
    add_rule(project, owner, name="unused", enabled=False)
    services.allow_value(allowed=AllowedValue(project=project, value="Support@Acme.com"), actor=owner)
    policy = policy_for(holder_of(api_key))
    assert Detector.IP not in policy.detectors
    assert policy.actions[Detector.EMAIL] is Action.DROP
    assert [pattern.name for pattern in policy.patterns] == ["customer"]
    assert policy.allow.allows("support@acme.com")


def test_another_projects_rules_do_not_count(api_key: str, stranger: User) -> None:
    add_rule(Project.objects.get(name="Elsewhere"), stranger)
    assert policy_for(holder_of(api_key)).patterns == ()


def test_a_policy_is_kept_for_a_moment_and_read_again_after_it(
    api_key: str, project: Project, owner: User, django_assert_num_queries: Callable[..., object]
) -> None:
    holder = holder_of(api_key)
    policy_for(holder)
    add_rule(project, owner)
    with django_assert_num_queries(0):
        assert policy_for(holder).patterns == ()
    policies.cache.forget_all()
    assert len(policy_for(holder).patterns) == 1


def test_the_page_and_the_door_go_by_the_same_policy(api_key: str, project: Project, owner: User) -> None:
    add_rule(project, owner)
    assert policy_of(project) == policy_for(holder_of(api_key))


def test_without_its_rules_nothing_of_a_project_is_taken(api_key: str) -> None:
    holder = holder_of(api_key)
    with cast.postgresql_away(), pytest.raises(LookupUnavailable):
        policy_for(holder)


def test_a_policy_seen_lately_holds_while_postgresql_is_away(
    api_key: str, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rule(project, owner)
    holder = holder_of(api_key)
    policy_for(holder)
    monkeypatch.setattr(policies.cache, "fresh_seconds", 0.0)
    with cast.postgresql_away():
        assert len(policy_for(holder).patterns) == 1


def test_a_batch_is_redacted_by_its_projects_rules(api_key: str, project: Project, owner: User) -> None:
    add_rule(project, owner)
    batch = pipeline.Batch(b"", "json", holder_of(api_key), now_ns=0)
    [line] = pipeline.redact(batch, pipeline.encode(batch, [span(output="for CUST-004711, jane@x.com")]))
    assert b"for [customer], [email:" in line
    assert b'"redactions":{"customer":1,"email":1}' in line


def test_each_change_leaves_an_audit_entry(project: Project, owner: User) -> None:
    rule = add_rule(project, owner)
    services.switch_rule(rule=rule, enabled=False, actor=owner)
    services.remove_rule(rule=rule, actor=owner)
    allowed = AllowedValue(project=project, value="support@acme.com")
    services.allow_value(allowed=allowed, actor=owner)
    services.disallow_value(allowed=allowed, actor=owner)
    services.set_detector_actions(project=project, actions={Detector.IP: OFF}, actor=owner)
    services.set_detector_actions(project=project, actions={Detector.IP: OFF}, actor=owner)
    recorded = AuditEntry.objects.filter(project=project, action__startswith="redaction.").order_by("id")
    assert [entry.action.removeprefix("redaction.") for entry in recorded] == [
        "rule_added",
        "rule_off",
        "rule_removed",
        "allowed",
        "disallowed",
        "detectors",
    ]
    assert {entry.actor for entry in recorded} == {owner.email}
