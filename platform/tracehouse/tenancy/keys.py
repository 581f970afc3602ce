"""Looking up who a presented API key belongs to: cached in the process, still answered while PostgreSQL is away."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from django.utils import timezone
from prometheus_client import Counter

from tracehouse.read_cache import LookupUnavailable, ReadCache, Source
from tracehouse.tenancy.limits import Limits, limits_of
from tracehouse.tenancy.models import ApiKey, IdentityPolicy
from tracehouse.tenancy.secrets import decrypt, hash_secret

# A look-up is repeated after this long, so a revoked key is refused after at most this long.
FRESH_SECONDS = 1.0
# While PostgreSQL does not answer, a key seen this recently is still taken: spans are not lost to its restart.
STALE_SECONDS = 600.0
# How exact "last used" is: a key in constant use costs a write this often.
LAST_USED_SECONDS = 60
MAX_CACHED = 10_000


class KeyProblem(StrEnum):
    MISSING = "no API key"
    MALFORMED = "malformed Authorization header"
    UNKNOWN = "unknown or revoked API key"
    OTHER_PROJECT = "the key belongs to another project"


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """What requests need to know of the project behind a key."""

    project_id: int
    project_slug: str
    public_key: str
    redaction_key: bytes
    phone_regions: tuple[str, ...]
    keep_identity: bool
    limits: Limits | None = None  # None: what it sends is not limited


@dataclass(frozen=True, slots=True)
class Credentials:
    public_key: str  # "" when only the secret was sent
    secret: str


Answer: TypeAlias = KeyHolder | None
_lookups = Counter(
    "tracehouse_key_lookups", "Look-ups of API keys, by where the answer came from.", ["source"]
)
_counted = {source: _lookups.labels(source.value) for source in Source}


def identify(authorization: str) -> KeyHolder | KeyProblem:
    """The project behind an Authorization header (Basic public:secret, or Bearer secret), or what is wrong.

    Raises `LookupUnavailable`.
    """
    if not authorization:
        return KeyProblem.MISSING
    credentials = parse_authorization(authorization)
    if credentials is None:
        return KeyProblem.MALFORMED
    holder = _look_up(hash_secret(credentials.secret))
    if holder is None:
        return KeyProblem.UNKNOWN
    if credentials.public_key and credentials.public_key != holder.public_key:
        return KeyProblem.OTHER_PROJECT
    return holder


def parse_authorization(header: str) -> Credentials | None:
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return Credentials("", value)
    if scheme.lower() == "basic":
        try:
            public_key, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return Credentials(public_key, secret) if colon and public_key and secret else None
    return None


def _look_up(secret_hash: str) -> Answer:
    answer, source = cache.find(secret_hash)
    if answer is None and source is Source.STALE:
        raise LookupUnavailable  # the key may have been made since
    _counted[source].inc()
    return answer


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > timedelta(seconds=LAST_USED_SECONDS):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def _query(secret_hash: str) -> Answer:
    key = (
        ApiKey.objects.select_related("project")
        .filter(secret_hash=secret_hash, revoked_at__isnull=True)
        .first()
    )
    if key is None:
        return None
    _note_use(key)
    project = key.project
    return KeyHolder(
        project_id=project.pk,
        project_slug=project.slug,
        public_key=key.public_key,
        redaction_key=decrypt(project.redaction_key),
        phone_regions=project.regions,
        keep_identity=project.identity_policy == IdentityPolicy.KEEP,
        limits=limits_of(project),
    )


cache = ReadCache(_query, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS, most=MAX_CACHED)
