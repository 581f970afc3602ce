"""Looking up the project behind a key: what is taken, what is refused, and what happens while PostgreSQL is away."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import cast
from tracehouse.read_cache import LookupUnavailable
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
    monkeypatch.setattr(keys.cache, "fresh_seconds", 0.0)
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
    monkeypatch.setattr(keys.cache, "fresh_seconds", 0.0)
    assert keys.identify(f"Bearer {api_key}") is KeyProblem.UNKNOWN


def test_a_key_seen_lately_is_taken_while_postgresql_is_away(
    api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.identify(f"Bearer {api_key}")
    monkeypatch.setattr(keys.cache, "fresh_seconds", 0.0)
    with cast.postgresql_away():
        assert isinstance(keys.identify(f"Bearer {api_key}"), KeyHolder)
        with pytest.raises(LookupUnavailable):
            keys.identify("Bearer sk-th-not-seen")


def test_that_a_key_was_unknown_is_not_said_while_postgresql_is_away(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been made since: a sender that is told 401 gives up, one that is told 503 comes back."""
    assert keys.identify("Bearer sk-th-nobody") is KeyProblem.UNKNOWN
    monkeypatch.setattr(keys.cache, "fresh_seconds", 0.0)
    with cast.postgresql_away(), pytest.raises(LookupUnavailable):
        keys.identify("Bearer sk-th-nobody")
