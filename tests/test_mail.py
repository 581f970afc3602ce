"""Mail by a real SMTP server: what is encrypted, whom we trust, and what people read when it fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage

from tests.mail import ACCOUNT, Mailbox, self_signed, smtp_server, speaking_tls
from tracehouse import mail, smtp
from tracehouse.mail import MailFailed

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


@pytest.fixture(params=["smtp+starttls", "smtps"])
def mailbox(request: Any, certificate: Path) -> Iterator[Mailbox]:
    """A server that takes mail only by TLS and from one account."""
    with smtp_server(scheme=request.param, **speaking_tls(request.param, certificate)) as found:
        yield found


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def send(settings: Any, url: str) -> None:
    settings.SMTP = smtp.parse(url)
    mail.send(EmailMessage("Costs", "At least $65.00", "costs@example.com", ["cfo@example.com"]))


def with_account(mailbox: Mailbox, password: str = "p%40ss%2Fword") -> str:
    return mailbox.url.replace("://", f"://{ACCOUNT[0]}:{password}@")


def failure(settings: Any, url: str) -> MailFailed:
    with pytest.raises(MailFailed) as told:
        send(settings, url)
    return told.value


@pytest.mark.usefixtures("trusted")
def test_mail_goes_encrypted_to_a_server_whose_certificate_is_trusted(
    settings: Any, mailbox: Mailbox
) -> None:
    send(settings, with_account(mailbox))
    assert ([one["To"] for one in mailbox.messages], mailbox.encrypted) == (["cfo@example.com"], [True])


def test_a_certificate_that_nobody_vouches_for_gets_neither_mail_nor_password(
    settings: Any, mailbox: Mailbox
) -> None:
    told = failure(settings, with_account(mailbox))
    assert told.reason == (
        "The certificate of the mail server is not trusted: self-signed certificate. Write the name that it has in"
        " TRACEHOUSE_SMTP_URL, or name the file of its authority in SSL_CERT_FILE."
    )
    assert (told.is_final, mailbox.messages) == (False, [])


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_refused(settings: Any, mailbox: Mailbox) -> None:
    told = failure(settings, with_account(mailbox).replace("127.0.0.1", "localhost"))
    assert "Hostname mismatch" in told.reason
    assert mailbox.messages == []


@pytest.mark.usefixtures("trusted")
def test_an_account_that_is_refused_says_what_to_mend_and_is_tried_again(
    settings: Any, mailbox: Mailbox
) -> None:
    told = failure(settings, with_account(mailbox, "wrong"))
    assert told.reason == (
        "The mail server refused our account: 535 5.7.8 Authentication credentials invalid."
        " Mend TRACEHOUSE_SMTP_URL and start the platform again."
    )
    assert not told.is_final
    without = failure(settings, mailbox.url)
    assert without.reason.startswith(
        "The mail server refused our account: 530 5.7.0 Authentication required."
    )
    assert not without.is_final


def test_an_address_that_speaks_otherwise_than_the_server_says_so(settings: Any) -> None:
    with smtp_server() as plain:
        told = [
            failure(settings, plain.url.replace("smtp:", "smtp+starttls:")),
            failure(settings, plain.url.replace("smtp:", "smtps:")),
        ]
    assert told[0].reason.startswith("The mail server cannot do this: STARTTLS extension not supported")
    assert told[1].reason.startswith("TLS with the mail server failed (")
    assert all(one.reason.endswith("Mend TRACEHOUSE_SMTP_URL and start the platform again.") for one in told)
    assert not any(one.is_final for one in told)


def test_a_server_that_hangs_up_after_it_has_taken_a_message_has_taken_it(settings: Any) -> None:
    with smtp_server() as mailbox:
        mailbox.hangs_up = True
        send(settings, mailbox.url)
    assert len(mailbox.messages) == 1
