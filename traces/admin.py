"""Saved views in the admin: to look through, rename and delete. Changes are recorded as those on the page are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from traces import saved_views
from traces.models import SavedView


@admin.register(SavedView)
class SavedViewAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ["name", "project", "shared", "created_by", "changed_at"]
    list_filter = ["shared", "project"]
    search_fields = ["name"]
    autocomplete_fields = ["project", "created_by"]
    readonly_fields = ["parameters", "created_at", "changed_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # made from a list, which has the filters

    def save_model(self, request: HttpRequest, obj: SavedView, form: "ModelForm[Any]", change: bool) -> None:
        saved_views.save_view(view=obj, actor=request.user.get_username())

    def delete_model(self, request: HttpRequest, obj: SavedView) -> None:
        saved_views.delete_view(view=obj, actor=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[SavedView]") -> None:
        for view in queryset:
            saved_views.delete_view(view=view, actor=request.user.get_username())
