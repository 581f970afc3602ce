"""A new key on its way to the one page that shows it, and the code to paste that uses it."""

from dataclasses import dataclass

import msgspec
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest

from tracehouse.tenancy.secrets import decrypt, encrypt
from tracehouse.tenancy.services import NewKey

_SESSION = "new_api_key"
PLACEHOLDER = "sk-th-..."


@dataclass(frozen=True, slots=True)
class ShownKey:
    project_id: int
    name: str
    public_key: str
    secret: str


def keep_new_key(request: HttpRequest, made: NewKey) -> None:
    """Carries the secret over the redirect, encrypted: sessions are stored."""
    shown = ShownKey(made.key.project_id, made.key.name, made.key.public_key, made.secret)
    request.session[_SESSION] = encrypt(msgspec.json.encode(shown))


def take_new_key(request: HttpRequest, project_id: int) -> ShownKey | None:
    """The key made just now for this project, once."""
    token = request.session.pop(_SESSION, None)
    if token is None:
        return None
    try:
        shown = msgspec.json.decode(decrypt(token), type=ShownKey)
    except (InvalidToken, msgspec.DecodeError):
        return None
    return shown if shown.project_id == project_id else None


def opentelemetry(secret: str) -> str:
    """A program that sends one trace with the OpenTelemetry SDK for Python."""
    return f'''# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

exporter = OTLPSpanExporter(
    endpoint="{settings.PUBLIC_URL}/v1/traces",
    headers={{"Authorization": "Bearer {secret or PLACEHOLDER}"}},
)
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)

tracer = trace.get_tracer("my-agent")
with tracer.start_as_current_span("agent.invocation", attributes={{"user.id": "u_1"}}):
    with tracer.start_as_current_span("chat", attributes={{"gen_ai.operation.name": "chat"}}):
        pass  # call your model here
provider.shutdown()
'''


def environment(secret: str) -> str:
    """The same for programs that are set up by OpenTelemetry's environment variables."""
    return (
        f"export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={settings.PUBLIC_URL}/v1/traces\n"
        "export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf\n"
        f'export OTEL_EXPORTER_OTLP_TRACES_HEADERS="Authorization=Bearer%20{secret or PLACEHOLDER}"\n'
    )
