"""Addresses of the REST API; no trailing slashes."""

from django.urls import path

from traces import api, compare_api, group_api, otlp_api, saved_view_api

urlpatterns = [
    path("api/v1/traces", api.TraceList.as_view(), name="api-traces"),
    path("api/v1/traces/compare", compare_api.Compare.as_view(), name="api-compare"),
    path("api/v1/views", saved_view_api.Views.as_view(), name="api-views"),
    path("api/v1/views/<int:view_id>", saved_view_api.OneView.as_view(), name="api-view"),
    path("api/v1/attributes", api.Attributes.as_view(), name="api-attributes"),
    path("api/v1/traces/<str:trace_id>/otlp", otlp_api.TraceOtlp.as_view(), name="api-trace-otlp"),
    path("api/v1/sessions", group_api.SessionList.as_view(), name="api-sessions"),
    path("api/v1/sessions/<path:session_id>", group_api.SessionDetail.as_view(), name="api-session"),
    path("api/v1/session", group_api.AnySession.as_view(), name="api-any-session"),
    path("api/v1/users", group_api.UserList.as_view(), name="api-users"),
    path("api/v1/users/<path:user_id>", group_api.UserDetail.as_view(), name="api-user"),
    path("api/v1/user", group_api.AnyUser.as_view(), name="api-any-user"),
    path("api/v1/organizations", group_api.OrganizationList.as_view(), name="api-organizations"),
    path(
        "api/v1/organizations/<path:organization_id>",
        group_api.OrganizationDetail.as_view(),
        name="api-organization",
    ),
    path("api/v1/organization", group_api.AnyOrganization.as_view(), name="api-any-organization"),
]
