"""A rule made while the platform runs holds for what arrives a moment later."""

import json
import time
import uuid
from typing import TYPE_CHECKING

from tests.otlp import as_protobuf, wire_span
from tracehouse.tenancy.keys import FRESH_SECONDS

if TYPE_CHECKING:
    from tests.conftest import Platform

NUMBER = "CUST-004711"
MAKE_RULE = (
    "from ingest.models import RedactionRule; from tracehouse.tenancy.models import Project;"
    "RedactionRule.objects.create(project=Project.objects.get(slug={slug!r}), name='customer', pattern='CUST-[0-9]+')"
)
REMOVE_RULE = "from ingest.models import RedactionRule; RedactionRule.objects.all().delete()"


def test_a_rule_takes_effect_while_the_platform_runs(platform: "Platform") -> None:
    platform.run(MAKE_RULE.format(slug=platform.project_slug))
    try:
        time.sleep(FRESH_SECONDS)
        trace_id = uuid.uuid4().hex
        note = f"for {NUMBER} and jane@example.com"
        assert platform.send(as_protobuf(wire_span(1, trace=trace_id, attributes={"note": note}))).is_success
        found = json.dumps(platform.wait_for_trace(trace_id))
    finally:
        platform.run(REMOVE_RULE)
    assert "[customer]" in found
    assert NUMBER not in found
    assert "jane@" not in found
