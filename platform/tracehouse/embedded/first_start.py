"""The first administrator's password and the first key: made before use, kept until they were shown.

`bootstrap` could make them itself, but a run killed between that and the printing would lose them for good,
since only hashes are stored.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tracehouse.embedded.folder import DataFolder, read_json, write_private

_VARIABLES = {
    "password": "TRACEHOUSE_INIT_ADMIN_PASSWORD",
    "public_key": "TRACEHOUSE_INIT_PUBLIC_KEY",
    "secret_key": "TRACEHOUSE_INIT_SECRET_KEY",
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """What `bootstrap` reports, completed; a secret is None when it was shown at an earlier start."""

    url: str
    email: str
    password: str | None
    public_key: str
    secret_key: str | None
    project: str


class FirstStart:
    def __init__(self, folder: DataFolder, environment: Mapping[str, str]) -> None:
        self._pending = folder.secrets / "not-shown-yet.json"
        self._done = folder.secrets / "shown"
        # A database that was there before has its own first administrator and key.
        ours = not environment.get("DATABASE_URL") and not self._done.exists()
        self._made = self._make(environment) if ours else {}

    @property
    def environment(self) -> dict[str, str]:
        return {_VARIABLES[name]: value for name, value in self._made.items()}

    def complete(self, reported: str) -> SignIn:
        """What `bootstrap` printed, with the secrets that an interrupted start made but did not show."""
        found = json.loads(reported)
        same_key = found["public_key"] == self._made.get("public_key")
        return SignIn(
            url=found["url"],
            email=found["email"],
            password=found["password"] or self._made.get("password"),
            public_key=found["public_key"],
            secret_key=found["secret_key"] or (self._made.get("secret_key") if same_key else None),
            project=found["project"],
        )

    def shown(self) -> None:
        """From now on the secrets exist only where the user put them."""
        write_private(self._done, "")
        self._pending.unlink(missing_ok=True)

    def _make(self, environment: Mapping[str, str]) -> dict[str, str]:
        made = read_json(self._pending) or {
            "password": secrets.token_urlsafe(12),
            "public_key": f"pk-th-{secrets.token_hex(16)}",
            "secret_key": f"sk-th-{secrets.token_urlsafe(32)}",
        }
        given = {
            name: environment[variable] for name, variable in _VARIABLES.items() if environment.get(variable)
        }
        made = {**made, **given}
        write_private(self._pending, json.dumps(made))
        return made


def greeting(sign_in: SignIn, *, data: Path) -> str:
    """What a user reads once everything runs: where, who, and a snippet to paste."""
    secret = sign_in.secret_key or "<your secret key>"
    password = sign_in.password or "(as you set it, or as shown at the first start)"
    return _GREETING.format(
        url=sign_in.url,
        email=sign_in.email,
        password=password,
        project=sign_in.project,
        public_key=sign_in.public_key,
        secret=sign_in.secret_key or "(shown once, at the first start; make a new key in the settings)",
        snippet_secret=secret,
        data=data,
    )


_GREETING = """
  Tracehouse runs at {url}

    sign in     {email}
    password    {password}
    project     {project}
    public key  {public_key}
    secret key  {secret}
    data        {data}

  Send spans from any program with an OpenTelemetry SDK:

    export OTEL_EXPORTER_OTLP_ENDPOINT="{url}"
    export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20{snippet_secret}"

  or try it now (pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http):

    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(
        endpoint="{url}/v1/traces",
        headers={{"Authorization": "Bearer {snippet_secret}"}},
    )))
    trace.set_tracer_provider(provider)
    with trace.get_tracer("hello").start_as_current_span("hello") as span:
        span.set_attribute("user.id", "ada")
    provider.shutdown()

  Ctrl-C stops everything; the data stays.
"""
