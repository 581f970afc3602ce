"""Prices in the admin: the only place to set one for the whole installation. Runs are there to be read.

Plans, budgets and settings of weekly reports too, as on the pages of their project.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline

from costs import budget_services, loading, plan_services, report_services, services
from costs.models import (
    Budget,
    DatedPrice,
    ModelPrice,
    Plan,
    PriceTier,
    Report,
    ReportDelivery,
    ReportSettings,
    RepricingRun,
    ToolPrice,
)
from costs.plan_forms import BudgetForm, PlanForm
from costs.report_forms import ReportSettingsForm


class _TierInline(TabularInline):  # type: ignore[misc]
    model = PriceTier
    extra = 0


class _PriceAdmin(ModelAdmin):  # type: ignore[misc]
    """Each change is recorded as one on the project's page is. Related rows are there when it is recorded."""

    autocomplete_fields = ["project"]
    list_filter = ["project"]
    readonly_fields = ["changed_by", "changed_at"]

    def save_model(self, request: HttpRequest, obj: DatedPrice, form: "ModelForm[Any]", change: bool) -> None:
        obj.changed_by = str(request.user)
        super().save_model(request, obj, form, change)

    def save_related(
        self,
        request: HttpRequest,
        form: "ModelForm[Any]",
        formsets: list["BaseModelFormSet[Any, Any]"],
        change: bool,
    ) -> None:
        super().save_related(request, form, formsets, change)
        action = "price.changed" if change else "price.set"
        services.record_price(form.instance, action, actor=str(request.user))
        loading.cache.forget_all()

    def delete_model(self, request: HttpRequest, obj: DatedPrice) -> None:
        services.delete_price(obj, actor=str(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        for price in queryset:
            services.delete_price(price, actor=str(request.user))


@admin.register(ModelPrice)
class ModelPriceAdmin(_PriceAdmin):
    list_display = ["__str__", "provider", "project", "input", "output", "valid_from", "valid_until"]
    search_fields = ["model", "provider"]
    inlines = [_TierInline]


@admin.register(ToolPrice)
class ToolPriceAdmin(_PriceAdmin):
    list_display = ["tool", "project", "per_call", "per_second", "valid_from", "valid_until"]
    search_fields = ["tool"]


class _ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that are there to be read."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(RepricingRun)
class RepricingRunAdmin(_ReadOnlyAdmin):
    list_display = [
        "__str__",
        "project",
        "asked_by",
        "asked_at",
        "dry",
        "state",
        "calls_looked_at",
        "calls_changed",
        "cost_before",
        "cost_after",
    ]
    list_filter = ["state", "dry", "project"]


class _KeyedAdmin(ModelAdmin):  # type: ignore[misc]
    """Plans and budgets; each change is recorded as one on the project's page is."""

    autocomplete_fields = ["project"]
    list_filter = ["project", "subject"]
    search_fields = ["key"]
    readonly_fields = ["changed_by", "changed_at"]


@admin.register(Plan)
class PlanAdmin(_KeyedAdmin):
    form = PlanForm
    fields = ["project", *PlanForm.Meta.fields, "changed_by", "changed_at"]
    list_display = ["key", "subject", "project", "name", "monthly_usd", "first_day", "last_day"]

    def save_model(self, request: HttpRequest, obj: Plan, form: "ModelForm[Any]", change: bool) -> None:
        plan_services.save_plan(obj, actor=str(request.user))

    def delete_model(self, request: HttpRequest, obj: Plan) -> None:
        plan_services.delete_plan(obj, actor=str(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        for plan in queryset:
            plan_services.delete_plan(plan, actor=str(request.user))


@admin.register(Budget)
class BudgetAdmin(_KeyedAdmin):
    form = BudgetForm
    fields = ["project", *BudgetForm.Meta.fields, "changed_by", "changed_at"]
    list_display = ["who", "project", "period", "limit_usd", "warn_percent"]

    def save_model(self, request: HttpRequest, obj: Budget, form: "ModelForm[Any]", change: bool) -> None:
        budget_services.save_budget(obj, actor=str(request.user))

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        budget_services.delete_budget(obj, actor=str(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        for budget in queryset:
            budget_services.delete_budget(budget, actor=str(request.user))


@admin.register(ReportSettings)
class ReportSettingsAdmin(ModelAdmin):  # type: ignore[misc]
    form = ReportSettingsForm
    fields = ["project", *ReportSettingsForm.Meta.fields, "changed_by", "changed_at"]
    list_display = ["project", "is_on", "weekday", "hour", "changed_by"]
    autocomplete_fields = ["project"]
    readonly_fields = ["changed_by", "changed_at"]

    def save_model(
        self, request: HttpRequest, obj: ReportSettings, form: "ModelForm[Any]", change: bool
    ) -> None:
        report_services.save_settings(obj, actor=str(request.user), now=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class _DeliveryInline(TabularInline):  # type: ignore[misc]
    model = ReportDelivery
    extra = 0
    fields = readonly_fields = ["address", "state", "attempts", "reason", "asked_by", "asked_at", "sent_at"]
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Report)
class ReportAdmin(_ReadOnlyAdmin):
    list_display = ["__str__", "project", "made_at", "made_by"]
    list_filter = ["project"]
    inlines = [_DeliveryInline]
