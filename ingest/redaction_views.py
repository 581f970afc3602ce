"""The pages on redaction of a project: what was found, and what is looked for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from ingest import found, services
from ingest.detectors import Detector
from ingest.forms import AllowForm, DetectorsForm, RuleForm, TryForm
from ingest.models import ACTIONS, DETECTORS, AllowedValue, RedactionRule
from ingest.own_patterns import redact_string
from ingest.policies import actions_of, policy_of
from ingest.policy import Policy
from ingest.redact import redact_text
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web import time_range, zones
from traces.redaction_queries import replaced
from traces.redactions import added
from traces.views import explains_failed_reads

TAKES_EFFECT = "It holds for spans that arrive from now on."


@require_safe
@project_page()
@explains_failed_reads
def redaction(request: ProjectRequest) -> HttpResponse:
    zone, chosen = zones.shown(request), zones.asked_range(request)
    scope = replace(request.scope.during(chosen.window), time_zone=str(zone))
    rules = list(RedactionRule.objects.filter(project=request.project))
    summary = found.summarize(
        replaced(scope, found.step_for(chosen.window)),
        chosen.window,
        titles=_titles(rules),
        does=_does(request.project.pk, rules),
        zone=zone,
    )
    context = {
        "found": summary,
        "range": chosen,
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
        "is_admin": may(request.role, Role.ADMIN),
    }
    return render(request, "ingest/redaction.html", context)


@require_safe
@project_page()
def redaction_rules(request: ProjectRequest) -> HttpResponse:
    return _rules_page(request, {})


@require_POST
@project_page(Role.ADMIN)
def change_detectors(request: ProjectRequest) -> HttpResponse:
    form = DetectorsForm(request.POST, actions=actions_of(request.project.pk))
    if not form.is_valid():
        return _rules_page(request, {"detectors_form": form}, status=400)
    services.set_detector_actions(project=request.project, actions=form.actions, actor=request.user)
    messages.success(request, f"The detectors are saved. {TAKES_EFFECT}")
    return redirect("redaction-rules", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def add_rule(request: ProjectRequest) -> HttpResponse:
    form = RuleForm(request.POST, project=request.project, instance=RedactionRule(project=request.project))
    if not form.is_valid():
        return _rules_page(request, {"rule_form": form}, status=400)
    services.add_rule(rule=form.save(commit=False), actor=request.user)
    messages.success(request, f"The rule “{form.instance.name}” is added. {TAKES_EFFECT}")
    return redirect("redaction-rules", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def switch_rule(request: ProjectRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(RedactionRule, project=request.project, pk=rule_id)
    enabled = request.POST.get("enabled") == "on"
    services.switch_rule(rule=rule, enabled=enabled, actor=request.user)
    messages.success(request, f"The rule “{rule.name}” is {'on' if enabled else 'off'}. {TAKES_EFFECT}")
    return redirect("redaction-rules", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def remove_rule(request: ProjectRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(RedactionRule, project=request.project, pk=rule_id)
    services.remove_rule(rule=rule, actor=request.user)
    messages.success(request, f"The rule “{rule.name}” is removed.")
    return redirect("redaction-rules", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def allow_value(request: ProjectRequest) -> HttpResponse:
    form = AllowForm(request.POST, project=request.project, instance=AllowedValue(project=request.project))
    if not form.is_valid():
        return _rules_page(request, {"allow_form": form}, status=400)
    services.allow_value(allowed=form.save(commit=False), actor=request.user)
    messages.success(request, f"“{form.instance.value}” is no longer replaced. {TAKES_EFFECT}")
    return redirect("redaction-rules", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def disallow_value(request: ProjectRequest, allowed_id: int) -> HttpResponse:
    allowed = get_object_or_404(AllowedValue, project=request.project, pk=allowed_id)
    services.disallow_value(allowed=allowed, actor=request.user)
    messages.success(request, f"“{allowed.value}” is replaced again. {TAKES_EFFECT}")
    return redirect("redaction-rules", request.project.slug)


@require_POST
@project_page()
def try_redaction(request: ProjectRequest) -> HttpResponse:
    """Shows what would be stored of a text. The text itself is neither stored nor logged."""
    form = TryForm(request.POST)
    if not form.is_valid():
        return _rules_page(request, {"try_form": form}, status=400)
    policy = policy_of(request.project)
    text, own = redact_string(form.cleaned_data["text"], policy)
    text, counts = redact_text(text, policy)
    names = [*DETECTORS, *(pattern.name for pattern in policy.patterns)]
    tried = {"parts": list(_parts(text, names)), "counts": sorted(_named(added(own, counts), policy).items())}
    return _rules_page(request, {"try_form": form, "tried": tried})


def _parts(text: str, names: list[str]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it stands for something that was replaced."""
    stand_in = re.compile(rf"(\[(?:{'|'.join(map(re.escape, names))})(?::[0-9a-f]{{16}})?\])")
    for number, piece in enumerate(stand_in.split(text)):
        if piece:
            yield piece, number % 2 == 1


def _named(counts: Mapping[str, int], policy: Policy) -> dict[str, int]:
    return {
        DETECTORS.get(Detector(name), name) if name in set(Detector) else name: n
        for name, n in counts.items()
    }


def _titles(rules: list[RedactionRule]) -> dict[str, str]:
    return {
        **{str(key): words for key, words in DETECTORS.items()},
        **{rule.name: rule.name for rule in rules},
    }


def _does(project_id: int, rules: list[RedactionRule]) -> dict[str, str]:
    actions = actions_of(project_id)
    built_in = {str(key): ACTIONS[actions[key]] if key in actions else "Off" for key in DETECTORS}
    own = {rule.name: rule.get_action_display() if rule.enabled else "Off" for rule in rules}
    return {**built_in, **own}


def _rules_page(request: ProjectRequest, changes: dict[str, Any], *, status: int = 200) -> HttpResponse:
    project = request.project
    actions = actions_of(project.pk)
    context = {
        "is_admin": may(request.role, Role.ADMIN),
        "detectors": [
            (words, ACTIONS[actions[key]] if key in actions else "Off") for key, words in DETECTORS.items()
        ],
        "rules": RedactionRule.objects.filter(project=project).select_related("created_by"),
        "allowed": AllowedValue.objects.filter(project=project).select_related("created_by"),
        "detectors_form": DetectorsForm(actions=actions),
        "rule_form": RuleForm(),
        "allow_form": AllowForm(),
        "try_form": TryForm(),
        **changes,
    }
    return render(request, "ingest/redaction_rules.html", context, status=status)
