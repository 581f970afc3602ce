"""Looking up the project behind a key: what is taken, what is refused, and what happens while PostgreSQL is away."""

import base64
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from tracehouse.tenancy import keys
from tracehouse.tenancy.keys import Credentials, KeyHolder, KeyProblem
from tracehouse.tenancy.models import ApiKey, Project


def basic(public: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        ("Bearer sk", Credentials("", "sk")),
        ("bearer  sk ", Credentials("", "sk")),
        (basic("pk", "sk"), Credentials("pk", "sk")),
        (basic("pk", ""), None),
        (basic("", "sk"), None),
        ("Basic not-base-64!", None),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), None),
        ("Digest sk", None),
        ("Bearer", None),
    ],
)
def test_a_header_is_taken_apart(header: str, credentials: Credentials | None) -> None:
    assert keys.parse_authorization(header) == credentials


def test_a_key_leads_to_its_project(project: Project, api_key: str) -> None:
    found = keys.identify(f"Bearer {api_key}")
    assert isinstance(found, KeyHolder)
    assert found.project_id == project.pk


def test_halves_of_two_keys_are_told_apart(project: Project, api_key: str) -> None:
    assert keys.identify(basic("pk-th-another", api_key)) is KeyProblem.OTHER_PROJECT


def test_an_unknown_key_is_unknown(db: None) -> None:
    assert keys.identify("Bearer sk-th-nobody") is KeyProblem.UNKNOWN


def test_a_use_is_noted_once_a_minute(api_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)
    keys.identify(f"Bearer {api_key}")
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    keys.identify(f"Bearer {api_key}")
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    keys.identify(f"Bearer {api_key}")
    assert (ApiKey.objects.get().last_used_at or first) >= first


def test_a_revoked_key_is_refused_once_the_look_up_is_repeated(
    api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(keys.identify(f"Bearer {api_key}"), KeyHolder)
    ApiKey.objects.update(revoked_at=timezone.now())
    assert isinstance(keys.identify(f"Bearer {api_key}"), KeyHolder)
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)
    assert keys.identify(f"Bearer {api_key}") is KeyProblem.UNKNOWN


def test_a_key_seen_lately_is_taken_while_postgresql_is_away(
    api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.identify(f"Bearer {api_key}")
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(keys, "_query", _away)
    assert isinstance(keys.identify(f"Bearer {api_key}"), KeyHolder)
    with pytest.raises(keys.LookupUnavailable):
        keys.identify("Bearer sk-th-not-seen")


def _away(secret_hash: str) -> None:
    raise OperationalError("away")
