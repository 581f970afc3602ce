"""The pages of traces, sessions and users of a project. Ids of sessions and users may be any text: `?id=` has them."""

from django.urls import include, path

from traces import (
    compare_views,
    group_views,
    list_views,
    saved_view_pages,
    session_views,
    step_views,
    user_views,
    views,
)

pages = [
    path("traces", list_views.trace_list, name="list"),
    path("traces/first-span", list_views.first_span, name="first-span"),
    path("traces/attributes", list_views.attribute_offers, name="attribute-offers"),
    path("traces/newer", list_views.newer, name="newer"),
    path("traces/columns", list_views.choose_columns, name="columns"),
    path("traces/views", saved_view_pages.manage, name="views"),
    path("traces/views/save", saved_view_pages.save, name="save-view"),
    path("traces/views/<int:view_id>/update", saved_view_pages.update, name="update-view"),
    path("traces/views/<int:view_id>/rename", saved_view_pages.rename, name="rename-view"),
    path("traces/views/<int:view_id>/delete", saved_view_pages.delete, name="delete-view"),
    path("traces/chart", list_views.chart, name="chart"),
    path("compare", compare_views.compare_traces, name="compare"),
    path("traces/<str:trace_id>", views.trace_detail, name="detail"),
    path("traces/<str:trace_id>/find", views.find_in_trace, name="find"),
    path("traces/<str:trace_id>/text", step_views.whole_text, name="text"),
    path("traces/<str:trace_id>/otlp.json", step_views.download, name="download"),
]

session_pages = [
    path("sessions", group_views.sessions, name="list"),
    path("session", session_views.session, name="detail"),
]
user_pages = [
    path("users", group_views.users, name="list"),
    path("user", user_views.user, name="user"),
    path("organizations", group_views.organizations, name="organizations"),
    path("organization", user_views.organization, name="organization"),
]

urlpatterns = [
    path("p/<slug:slug>/", include((pages, "traces"))),
    path("p/<slug:slug>/", include((session_pages, "sessions"))),
    path("p/<slug:slug>/", include((user_pages, "users"))),
]
