"""Where pages export from."""

from django.urls import include, path

from exports import views

pages = [
    path("traces/export", views.export_traces, name="traces"),
    path("costs/users/export", views.export_user_costs, name="user-costs"),
]

urlpatterns = [path("p/<slug:slug>/", include((pages, "exports")))]
