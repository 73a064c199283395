"""`tamas inbox check` of an inbox that sends: its login at a real relay, its account at the stand-in for Twilio."""

import asyncio
from pathlib import Path

import pytest

from services.embedded.process import free_port
from services.settings import Settings
from tests.certificates import self_signed
from tests.providers import twilio
from tests.services.ops.cli import Tamas
from tests.services.wires.relay import PASSWORD, USER, relay


@pytest.fixture
def tamas(settings: Settings, tmp_path: Path) -> Tamas:
    certificate = self_signed(tmp_path)
    made = Tamas(
        settings, TOKEN=twilio.TOKEN, WRONG="wrong", PASSWORD=PASSWORD, SSL_CERT_FILE=str(certificate), NO_PROXY="*"
    )
    assert made("tenant", "add", "acme", "--name", "Acme").code == 0
    return made


def _sending(tamas: Tamas, channel: str, address: str, *more: str) -> tuple[bool, str]:
    added = tamas("inbox", "add", channel, address, "--address", address, *more, "--json")
    assert added.code == 0, added.err
    rows = tamas("inbox", "check", added.row()["inbox_id"], "--json").rows()
    (found,) = [row for row in rows if row["check"] == "sending"]
    return bool(found["ok"]), str(found["detail"])


def _mailbox(port: int, variable: str = "PASSWORD") -> tuple[str, ...]:
    settings = ("--set", "smtp_host=127.0.0.1", "--set", f"smtp_port={port}", "--set", f"smtp_user={USER}")
    return *settings, "--secret", f"smtp_password=env:{variable}"


async def test_a_relay_is_logged_in_to(tamas: Tamas, tmp_path: Path) -> None:
    def checked() -> list[tuple[bool, str]]:
        port = server.port
        return [
            _sending(tamas, "email/smtp", "help@acme.example", *_mailbox(port)),
            _sending(tamas, "email/smtp", "two@acme.example", *_mailbox(port, "WRONG")),
            _sending(tamas, "email/smtp", "three@acme.example", *_mailbox(free_port())),
            _sending(tamas, "email/smtp", "four@acme.example"),
        ]

    async with relay(tmp_path / "own.pem", "starttls") as server:
        good, wrong, gone, bare = await asyncio.to_thread(checked)
    assert good == (True, f"127.0.0.1:{server.port} lets {USER} in")
    assert not wrong[0]
    assert "does not let it in: 535" in wrong[1]
    assert not gone[0]
    assert "is not reached" in gone[1]
    assert bare == (True, "it only receives: smtp_host is not set")


async def test_the_account_at_twilio_is_looked_at(tamas: Tamas) -> None:
    def checked() -> list[tuple[bool, str]]:
        account = ("--set", f"account_sid={twilio.ACCOUNT}", "--set", f"api_base={standing.base}")
        return [
            _sending(tamas, "sms/twilio", "+982191000001", *account, "--secret", "auth_token=env:TOKEN"),
            _sending(tamas, "sms/twilio", "+982191000002", *account, "--secret", "auth_token=env:WRONG"),
            _sending(
                tamas, "voice/twilio", "+982191000003", *account, "--set", "answer=observe",
                "--secret", "auth_token=env:TOKEN",
            ),
            _sending(tamas, "sms/twilio", "+982191000004", "--secret", "auth_token=env:TOKEN"),
        ]  # fmt: skip

    async with twilio.running() as standing:
        good, wrong, voice, bare = await asyncio.to_thread(checked)
    assert good == voice == (True, "the account at Twilio is active")
    assert not wrong[0]
    assert "does not let it in" in wrong[1]
    assert bare == (True, "it only takes in: account_sid is not set")
