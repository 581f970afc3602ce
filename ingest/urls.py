"""Where spans are sent (no trailing slashes: exporters append these paths as they stand), and redaction's pages."""

from django.urls import path

from ingest import api, views
from ingest import redaction_views as pages

RULES = "p/<slug:slug>/redaction/rules"

urlpatterns = [
    path("v1/traces", views.receive_traces),
    path("v1/logs", views.receive_logs),
    path("v1/metrics", views.receive_metrics),
    path("api/public/otel/v1/traces", views.receive_traces),
    path("api/v1/spans", api.Spans.as_view(), name="send-spans"),
    path("p/<slug:slug>/redaction", pages.redaction, name="redaction"),
    path(RULES, pages.redaction_rules, name="redaction-rules"),
    path(f"{RULES}/detectors", pages.change_detectors, name="redaction-change-detectors"),
    path(f"{RULES}/add", pages.add_rule, name="redaction-add-rule"),
    path(f"{RULES}/<int:rule_id>/switch", pages.switch_rule, name="redaction-switch-rule"),
    path(f"{RULES}/<int:rule_id>/remove", pages.remove_rule, name="redaction-remove-rule"),
    path(f"{RULES}/allow", pages.allow_value, name="redaction-allow"),
    path(f"{RULES}/allow/<int:allowed_id>/remove", pages.disallow_value, name="redaction-disallow"),
    path(f"{RULES}/try", pages.try_redaction, name="redaction-try"),
]
