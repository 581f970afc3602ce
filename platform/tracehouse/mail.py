"""The one way that mail leaves: by the SMTP server of the settings, and what came of it in words that may be shown."""

import smtplib
import ssl
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from tracehouse.smtp import VARIABLE

TIMEOUT_SECONDS = 15
MAX_REASON = 300
NOT_SET = f"No mail server is set. Set {VARIABLE} and start the platform again."
MEND = f"Mend {VARIABLE} and start the platform again."
UNTRUSTED = "The certificate of the mail server is not trusted"
TRUST = f"Write the name that it has in {VARIABLE}, or name the file of its authority in SSL_CERT_FILE."
# Answers about who we are and how we came in, not about the message (RFC 4954).
ABOUT_US = frozenset({530, 534, 535, 538})


class MailFailed(Exception):
    """Mail was not taken. `is_final`: trying again will not help."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


def is_configured() -> bool:
    return settings.SMTP is not None


def sender() -> str:
    """The From of our mail: as set, else made of the platform's host name."""
    return settings.MAIL_FROM or f"Tracehouse <tracehouse@{domain()}>"


def domain() -> str:
    """The host name that stands in ids of messages; an address of numbers is none."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return host if host.rpartition(".")[2].isalpha() else "localhost"


def send(message: EmailMessage) -> None:
    """Hands one message for one recipient to the server. Raises `MailFailed`."""
    server = settings.SMTP
    if server is None:
        raise MailFailed(NOT_SET, is_final=True)
    backend = EmailBackend(
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.starttls,
        use_ssl=server.tls,
        timeout=TIMEOUT_SECONDS,
        fail_silently=False,
    )
    message.connection = backend
    try:
        _send(message, backend)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refused(code, text) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPNotSupportedError as error:
        raise MailFailed(f"The mail server cannot do this: {error} {MEND}", is_final=False) from None
    except ssl.SSLCertVerificationError as error:
        raise MailFailed(f"{UNTRUSTED}: {error.verify_message}. {TRUST}", is_final=False) from None
    except ssl.SSLError as error:
        said = f"TLS with the mail server failed ({error.reason}). {MEND}"
        raise MailFailed(said, is_final=False) from None
    except smtplib.SMTPException as error:
        reason = f"Talking to the mail server failed ({type(error).__name__})."
        raise MailFailed(reason, is_final=False) from None
    except OSError as error:
        reason = f"The mail server does not answer ({type(error).__name__})."
        raise MailFailed(reason, is_final=False) from None


def _send(message: EmailMessage, backend: EmailBackend) -> None:
    """A connection on which TLS or signing in failed is not left open."""
    try:
        message.send()
    finally:
        backend.close()


def _refused(code: int, text: bytes | str) -> MailFailed:
    """Codes from 500 on are for good and those from 400 on for now; an account may be mended."""
    if code in ABOUT_US:
        return MailFailed(_said("The mail server refused our account", code, text, MEND), is_final=False)
    return MailFailed(_said("The mail server refused it", code, text), is_final=code >= 500)


def _said(what: str, code: int, text: bytes | str, then: str = "") -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    said = f"{what}: {code} {' '.join(words.split())}"
    return f"{said[: MAX_REASON - len(then) - 2].removesuffix('.')}. {then}" if then else said[:MAX_REASON]
