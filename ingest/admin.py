"""How projects redact, in the admin. Patterns are checked as on the project's own page."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ingest import services
from ingest.forms import AllowForm, RuleForm
from ingest.models import AllowedValue, DetectorSetting, RedactionRule
from tracehouse.tenancy.services import record


class _RecordedAdmin(ModelAdmin):  # type: ignore[misc]
    """Entries that are deleted together are recorded one by one."""

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Model]") -> None:
        for entry in queryset:
            self.delete_model(request, entry)


@admin.register(RedactionRule)
class RedactionRuleAdmin(_RecordedAdmin):
    form = RuleForm
    fields = ["project", "name", "pattern", "action", "enabled"]
    list_display = ["name", "project", "pattern", "action", "enabled", "created_by", "created_at"]
    list_filter = ["project", "action", "enabled"]
    search_fields = ["name", "pattern"]
    autocomplete_fields = ["project"]

    def save_model(
        self, request: HttpRequest, obj: RedactionRule, form: "ModelForm[RedactionRule]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        action = "redaction.rule_changed" if change else "redaction.rule_added"
        services.record_rule(obj, action, actor=str(request.user))

    def delete_model(self, request: HttpRequest, obj: RedactionRule) -> None:
        services.record_rule(obj, "redaction.rule_removed", actor=str(request.user))
        super().delete_model(request, obj)


@admin.register(AllowedValue)
class AllowedValueAdmin(_RecordedAdmin):
    form = AllowForm
    fields = ["project", "value", "is_pattern"]
    list_display = ["value", "is_pattern", "project", "created_by", "created_at"]
    list_filter = ["project", "is_pattern"]
    search_fields = ["value"]
    autocomplete_fields = ["project"]

    def save_model(
        self, request: HttpRequest, obj: AllowedValue, form: "ModelForm[AllowedValue]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        services.record_allowed(obj, "redaction.allowed", actor=str(request.user))

    def delete_model(self, request: HttpRequest, obj: AllowedValue) -> None:
        services.record_allowed(obj, "redaction.disallowed", actor=str(request.user))
        super().delete_model(request, obj)


@admin.register(DetectorSetting)
class DetectorSettingAdmin(_RecordedAdmin):
    list_display = ["project", "detector", "action"]
    list_filter = ["project", "detector", "action"]
    autocomplete_fields = ["project"]

    def save_model(
        self, request: HttpRequest, obj: DetectorSetting, form: "ModelForm[DetectorSetting]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        self._record(request, obj, obj.action)

    def delete_model(self, request: HttpRequest, obj: DetectorSetting) -> None:
        self._record(request, obj, "default")
        super().delete_model(request, obj)

    def _record(self, request: HttpRequest, obj: DetectorSetting, action: str) -> None:
        details: dict[str, Any] = {obj.detector: action}
        record(
            actor=str(request.user),
            action="redaction.detectors",
            target=obj.project.slug,
            project=obj.project,
            **details,
        )
