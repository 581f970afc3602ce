"""A real SMTP server that keeps what it takes: plain, by STARTTLS or by TLS from the start."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cast import free_port

ACCOUNT = ("costs", "p@ss/word")


@dataclass
class Mailbox:
    """What arrived, which addresses are refused with what, and whether it hangs up once it has taken a message."""

    port: int
    scheme: str = "smtp"
    messages: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 Taken"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hangs_up:
            server.transport.abort()
        return "221 Bye"


@contextmanager
def smtp_server(port: int | None = None, *, scheme: str = "smtp", **how: Any) -> Iterator[Mailbox]:
    """Listens for as long as the block runs; `how` is what aiosmtpd is told besides."""
    mailbox = Mailbox(port or free_port(), scheme)
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **how)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def parts_of(message: EmailMessage) -> tuple[str, str]:
    """The plain text and the HTML."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def self_signed(folder: Path) -> Path:
    """A file with the key of 127.0.0.1 and a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def speaking_tls(scheme: str, file: Path) -> dict[str, Any]:
    """How aiosmtpd speaks TLS as the scheme of an address says, and lets only our account in."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    signing_in = {"authenticator": _knows_us, "auth_required": True}
    if scheme == "smtps":
        return {"ssl_context": context, "auth_require_tls": False, **signing_in}
    return {"tls_context": context, "require_starttls": True, **signing_in}


def _knows_us(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    given = (data.login.decode(), data.password.decode())
    return AuthResult(success=given == ACCOUNT, handled=False)
