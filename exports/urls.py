"""Where the trace list exports from."""

from django.urls import include, path

from exports import views

pages = [path("traces/export", views.export_traces, name="traces")]

urlpatterns = [path("p/<slug:slug>/", include((pages, "exports")))]
