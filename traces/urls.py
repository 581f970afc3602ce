"""The trace pages of a project."""

from django.urls import include, path

from traces import list_views, views

pages = [
    path("traces", list_views.trace_list, name="list"),
    path("traces/first-span", list_views.first_span, name="first-span"),
    path("traces/chart", list_views.chart, name="chart"),
    path("traces/<str:trace_id>", views.trace_detail, name="detail"),
]

urlpatterns = [path("p/<slug:slug>/", include((pages, "traces")))]
