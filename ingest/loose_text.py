"""Redaction of single texts that come by another way than a span: the same rules, the same replacements. Pure."""

from ingest.own_patterns import redact_string
from ingest.policy import Policy
from ingest.redact import redact_identity, redact_text


def words(text: str, policy: Policy) -> str:
    """Text to read, such as a comment."""
    own, _ = redact_string(text, policy)
    return redact_text(own, policy)[0]


def identifier(value: str, policy: Policy) -> str:
    """An id: what is personal in it becomes a keyed hash, so that the same id stays the same and others differ."""
    own, _ = redact_string(value, policy, identity=True)
    return redact_identity(own, policy)[0]


def identity(value: str, policy: Policy) -> str:
    """Who somebody is, as spans carry it: as sent where the project keeps identities."""
    return value if policy.keep_identity else identifier(value, policy)
