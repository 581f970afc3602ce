"""Every address of the platform; apps are named by string."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("tracehouse.web.urls")),
    path("", include("tracehouse.tenancy.urls")),
    path("", include("ingest.urls")),
    path("", include("traces.urls")),
    path("admin/", admin.site.urls),
]
