"""Signing in, and the settings of a project."""

from django.urls import path

from tracehouse.tenancy import views

urlpatterns = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
    path("p/<slug:slug>/settings", views.project_settings, name="project-settings"),
    path("p/<slug:slug>/settings/keys", views.create_key, name="create-key"),
    path("p/<slug:slug>/settings/keys/<int:key_id>/revoke", views.revoke_key, name="revoke-key"),
    path("p/<slug:slug>/settings/redaction", views.change_redaction, name="change-redaction"),
    path("p/<slug:slug>/settings/limits", views.change_limits, name="change-limits"),
]
