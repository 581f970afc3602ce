"""What a program added of its own under a vocabulary's prefix: whom a span is for is often told only there."""

from collections.abc import Mapping

import msgspec

from ingest.values import any_json, first_text, first_texts
from traces.span import Attributes, JSONValue

# Field -> keys that programs use for it, whichever vocabulary carries them.
USER = ("user_id", "userId", "user.id")
SESSION = ("session_id", "sessionId", "session.id")
ORGANIZATION = (
    "organization_id",
    "organizationId",
    "organization.id",
    "org_id",
    "orgId",
    "tenant_id",
    "tenantId",
    "tenant.id",
    "customer_id",
    "customerId",
)
FEATURE = ("feature",)
INPUT_TYPE = ("input_type", "inputType", "input.type")


class Told(msgspec.Struct, frozen=True):
    """The free metadata of a span by key."""

    values: Mapping[str, JSONValue]

    def text(self, keys: tuple[str, ...]) -> str | None:
        return first_text(self.values, keys) if self.values else None

    def texts(self, keys: tuple[str, ...]) -> tuple[str, ...] | None:
        return first_texts(self.values, keys) if self.values else None


NOTHING = Told({})


def told(attributes: Attributes, prefixes: tuple[str, ...]) -> Told:
    """The values under each prefix by what follows it; where a key is told twice, the prefix named first wins."""
    first: dict[str, tuple[int, JSONValue]] = {}
    for name, value in attributes.items():
        if value is None or not name.startswith(prefixes):
            continue
        rank = next(rank for rank, prefix in enumerate(prefixes) if name.startswith(prefix))
        key = name[len(prefixes[rank]) :]
        if key not in first or rank < first[key][0]:
            first[key] = (rank, value)
    return Told({key: _plain(value) for key, (_, value) in first.items()}) if first else NOTHING


def _plain(value: JSONValue) -> JSONValue:
    """Some SDKs write every value as JSON text, so that a string arrives with quotes inside."""
    return any_json(value) if isinstance(value, str) and value[:1] == '"' else value
