"""The trace pages of a project."""

from django.urls import include, path

from traces import views

pages = [
    path("traces", views.trace_list, name="list"),
    path("traces/first-span", views.first_span, name="first-span"),
    path("traces/<str:trace_id>", views.trace_detail, name="detail"),
]

urlpatterns = [path("p/<slug:slug>/", include((pages, "traces")))]
