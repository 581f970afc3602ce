"""Signing in and out, and the settings of a project."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from tracehouse.tenancy import services, snippets
from tracehouse.tenancy.forms import ApiKeyForm, LimitsForm, RedactionForm, SignInForm
from tracehouse.tenancy.limits import FIELDS as LIMIT_FIELDS
from tracehouse.tenancy.models import ApiKey, AuditEntry, Membership, Project, Role, User
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web.htmx import part_asked_for

AUDIT_ENTRIES = 50

_sign_in = LoginView.as_view(
    template_name="tenancy/sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
)
sign_out = LogoutView.as_view()


def sign_in(request: HttpRequest) -> HttpResponse:
    if part_asked_for(request):
        # The session ended while a page was open: the whole page must sign in, not a part of it.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return cast(HttpResponse, _sign_in(request))


@require_safe
@project_page()
def project_settings(request: ProjectRequest) -> HttpResponse:
    made = snippets.take_new_key(request, request.project.pk)
    code = snippets.opentelemetry(made.secret) if made else ""
    return _settings_page(request, {"new_key": made, "snippet": code})


@require_POST
@project_page(Role.ADMIN)
def create_key(request: ProjectRequest) -> HttpResponse:
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, {"key_form": form}, status=400)
    made = services.create_api_key(
        project=request.project, name=form.cleaned_data["name"], actor=request.user
    )
    snippets.keep_new_key(request, made)
    if request.POST.get("then") == "setup":
        return redirect("traces:list", request.project.slug)
    return redirect("project-settings", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def revoke_key(request: ProjectRequest, key_id: int) -> HttpResponse:
    keys = ApiKey.objects.select_related("project__team").filter(project=request.project)
    key = get_object_or_404(keys, pk=key_id)
    services.revoke_api_key(key=key, actor=request.user)
    messages.success(request, f"“{key.name}” is revoked. Programs that use it are refused from now on.")
    return redirect("project-settings", request.project.slug)


@require_POST
@project_page(Role.ADMIN)
def change_redaction(request: ProjectRequest) -> HttpResponse:
    form = RedactionForm(request.POST, instance=Project.objects.get(pk=request.project.pk))
    if not form.is_valid():
        return _settings_page(request, {"redaction_form": form}, status=400)
    if form.has_changed():
        _save_redaction(form, request.user)
    messages.success(request, "Redaction is saved. It holds for spans that arrive from now on.")
    return redirect("project-settings", request.project.slug)


@transaction.atomic
def _save_redaction(form: RedactionForm, actor: User) -> None:
    project = form.save()
    services.record(
        actor=actor.email,
        action="redaction.changed",
        target=project.slug,
        project=project,
        identity_policy=project.identity_policy,
        phone_regions=project.phone_regions,
    )


@require_POST
@project_page(Role.ADMIN)
def change_limits(request: ProjectRequest) -> HttpResponse:
    form = LimitsForm(request.POST, instance=Project.objects.get(pk=request.project.pk))
    if not form.is_valid():
        return _settings_page(request, {"limits_form": form}, status=400)
    if form.has_changed():
        _save_limits(form, request.user)
    messages.success(request, "The limits are saved. They hold within a second or two.")
    return redirect("project-settings", request.project.slug)


@transaction.atomic
def _save_limits(form: LimitsForm, actor: User) -> None:
    project = form.save()
    values = {name: getattr(project, name) for name in LIMIT_FIELDS}
    services.record(
        actor=actor.email, action="limits.changed", target=project.slug, project=project, **values
    )


def _settings_page(request: ProjectRequest, changes: dict[str, object], *, status: int = 200) -> HttpResponse:
    project = request.project
    is_admin = may(request.role, Role.ADMIN)
    live_first = F("revoked_at").desc(nulls_first=True)
    members = Membership.objects.filter(team=project.team).select_related("user")
    context = {
        "project": project,
        "is_admin": is_admin,
        "keys": ApiKey.objects.filter(project=project).order_by(live_first, "-created_at"),
        "members": members.order_by("user__email"),
        "entries": AuditEntry.objects.filter(project=project)[:AUDIT_ENTRIES] if is_admin else [],
        "key_form": ApiKeyForm(),
        "redaction_form": RedactionForm(instance=project),
        "limits_form": LimitsForm(instance=project),
        **changes,
    }
    return render(request, "tenancy/settings.html", context, status=status)
