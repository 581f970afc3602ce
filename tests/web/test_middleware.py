"""What a page may load and run."""

import pytest
from django.test import Client

from tracehouse.web.middleware import policy_for


@pytest.mark.parametrize("path", ["/", "/p/agents/traces", "/api/v1/traces", "/administrator"])
def test_pages_run_no_inline_script(path: str) -> None:
    policy = policy_for(path)
    assert "script-src 'self';" in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_only_pages_of_libraries_are_relaxed() -> None:
    assert "script-src 'self' 'unsafe-inline';" in policy_for("/api/docs/")
    assert "'unsafe-eval'" in policy_for("/admin/tenancy/team/")


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:No directory at")
def test_pages_carry_the_policy_and_are_not_cached(client: Client) -> None:
    response = client.get("/sign-in")
    assert response["Content-Security-Policy"] == policy_for("/sign-in")
    assert "no-store" in response["Cache-Control"]
