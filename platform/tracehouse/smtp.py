"""What the address of an SMTP server says: `smtp://`, `smtp+starttls://` or `smtps://`, with account and port. Pure."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tracehouse.env import SettingError

VARIABLE = "TRACEHOUSE_SMTP_URL"
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


def parse(url: str) -> SmtpServer | None:
    """The server that mail goes through; None for an empty address. Raises `SettingError`, without the password."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise SettingError(f"{VARIABLE} is not an address: {_EXAMPLE}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SettingError(f"{VARIABLE} must begin with smtp://, smtp+starttls:// or smtps://: {_EXAMPLE}")
    return SmtpServer(
        host=parts.hostname,
        port=port,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+starttls",
        tls=parts.scheme == "smtps",
    )


_EXAMPLE = "write it as smtp+starttls://user:password@host:587"
