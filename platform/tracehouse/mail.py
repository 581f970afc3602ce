"""The one way that mail leaves: by the SMTP server of the settings, and what came of it in words that may be shown."""

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from tracehouse.smtp import VARIABLE

TIMEOUT_SECONDS = 15
MAX_REASON = 300
NOT_SET = f"No mail server is set. Set {VARIABLE} and start the platform again."


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
    message.connection = EmailBackend(
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.starttls,
        use_ssl=server.tls,
        timeout=TIMEOUT_SECONDS,
        fail_silently=False,
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refused(code, text) from None
    except smtplib.SMTPAuthenticationError as error:
        # The account may be mended: the message is as good as before.
        reason = _said("The mail server refused our account", error.smtp_code, error.smtp_error)
        raise MailFailed(reason, is_final=False) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPException as error:
        reason = f"Talking to the mail server failed ({type(error).__name__})."
        raise MailFailed(reason, is_final=False) from None
    except OSError as error:
        reason = f"The mail server does not answer ({type(error).__name__})."
        raise MailFailed(reason, is_final=False) from None


def _refused(code: int, text: bytes | str) -> MailFailed:
    """Codes from 500 on are for good, those from 400 on for now."""
    return MailFailed(_said("The mail server refused it", code, text), is_final=code >= 500)


def _said(what: str, code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{what}: {code} {' '.join(words.split())}"[:MAX_REASON]
