"""Somebody is away: Dovecot's sieve answers a mail of ours, and its answer is known as a machine's (RFC 3834)."""

import asyncio
import smtplib
from pathlib import Path

import pytest

from services.embedded.process import free_port
from services.settings import Settings
from tests.services.ingress.edge import running_edge
from tests.services.ingress.imap.dovecot import running
from tests.services.ingress.mail.seen import PENDING, RECEIVED, facts

HELP, SARA = "help@shop.example", "sara@customer.example"

# Whoever the mail is for has the one mailbox of this server.
_MORE = """
protocols = imap lmtp
auth_username_format = help
hostname = mx.customer.example
postmaster_address = postmaster@customer.example
submission_host = {smtp}
sendmail_path = /nowhere
service lmtp {{{{
  inet_listener lmtp {{{{
    address = 127.0.0.1
    port = {port}
  }}}}
}}}}
protocol lmtp {{{{
  mail_plugins = sieve
}}}}
plugin {{{{
  sieve = file:{{folder}}/away.sieve
}}}}
"""
_SIEVE = f"""require ["vacation"];
vacation :days 1 :addresses ["{SARA}"] :subject "تعطیلات" "تا شنبه نیستم.";
"""
_MAIL = f"""From: Help desk <{HELP}>\r
To: Sara <{SARA}>\r
Subject: Your order 12\r
Message-ID: <our-12@shop.example>\r
Date: Fri, 20 Nov 2026 13:00:00 +0330\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
It is on its way.\r
""".encode()


def _deliver(port: int, mail: bytes) -> None:
    with smtplib.LMTP("127.0.0.1", port) as client:
        assert client.sendmail(HELP, [SARA], mail) == {}


@pytest.fixture
def installed() -> None:
    for package, part in (("dovecot-lmtpd", "/usr/lib/dovecot/lmtp"), ("dovecot-sieve", "/usr/bin/sievec")):
        if not Path(part).exists():
            pytest.skip(f"needs {package} (apt-get install {package})")


@pytest.mark.usefixtures("installed")
async def test_an_answer_of_sieve_vacation_is_an_auto_reply_to_our_mail(settings: Settings) -> None:
    port = free_port()
    async with running_edge(settings) as edge:
        with running(more=_MORE.format(smtp=edge.smtp, port=port)) as dovecot:
            (dovecot.folder / "away.sieve").write_text(_SIEVE)
            await asyncio.to_thread(_deliver, port, _MAIL)
            try:
                await edge.until(RECEIVED, 1)
            except AssertionError:
                raise AssertionError((dovecot.folder / "dovecot.log").read_text()) from None
            # One answer a day: an answer to each mail could begin a loop.
            await asyncio.to_thread(_deliver, port, _MAIL.replace(b"our-12", b"our-13"))
            with dovecot.client("INBOX") as client:
                assert len(client.search("ALL")) == 2
        await edge.until(PENDING, 0)
        assert edge.count(RECEIVED) == 1
    (fact,) = await facts(settings)
    assert fact["automatic"] == "auto_reply"
    personal = fact["personal"]
    assert (personal["address"], personal["recipient"]) == (f"mailto:{SARA}", f"mailto:{HELP}")
    assert (personal["subject"], personal["text"]) == ("تعطیلات", "تا شنبه نیستم.")
    assert personal["in_reply_to"] == ["our-12@shop.example"]
