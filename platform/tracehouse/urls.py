"""Every address of the platform; apps are named by string."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from tracehouse.web.unknown_address import UnknownAddress

urlpatterns = [
    path("", include("tracehouse.web.urls")),
    path("", include("tracehouse.tenancy.urls")),
    path("", include("ingest.urls")),
    path("", include("ingest.page_urls")),
    # Before the traces: "export" is no id of one.
    path("", include("exports.api_urls")),
    path("", include("exports.urls")),
    path("", include("traces.api_urls")),
    path("", include("traces.urls")),
    path("", include("costs.api_urls")),
    path("", include("costs.urls")),
    path("", include("evals.api_urls")),
    path("", include("evals.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
    path("admin/", admin.site.urls),
    # Last; and pages of the API's own, which a browser is sent to with a slash at the end, stay pages.
    re_path("^(?:api/(?!docs$|schema$)|v1/)", UnknownAddress.as_view()),
]
