"""`tamas parse` needs no server."""

from pathlib import Path

import pytest

from channels.signing import sign_twilio
from tests.services.ops.cli import Tamas

SID = "SM0123456789abcdef0123456789abcdef"
BODY = f"MessageSid={SID}&From=%2B989121234567&To=%2B982191000000&Body=%D8%B3%D9%84%D8%A7%D9%85"
URL = "https://hub.example.com/hooks/sms/twilio/k3y"
MAIL = "From: Ali <ali@example.org>\nTo: help@shop.example\nMessage-ID: <1@example.org>\nSubject: hi\n\nhello\n"
SIGNATURE = sign_twilio(
    "twilio-secret",
    URL,
    (
        ("MessageSid", SID),
        ("From", "+989121234567"),
        ("To", "+982191000000"),
        ("Body", "سلام"),
    ),
)


@pytest.fixture
def tamas() -> Tamas:
    return Tamas(None)


@pytest.fixture
def sms(tmp_path: Path) -> Path:
    path = tmp_path / "sms.http"
    path.write_text(
        "POST /hooks/sms/twilio/k3y HTTP/1.1\nHost: hub.example.com\n"
        f"Content-Type: application/x-www-form-urlencoded\nX-Twilio-Signature: {SIGNATURE}\n\n{BODY}\n"
    )
    return path


def test_a_message_without_any_secret(tamas: Tamas, sms: Path) -> None:
    done = tamas("parse", "sms/twilio", sms, "--now", "2026-11-20T09:30:00Z", "--json")
    assert done.code == 0, done.err
    row = done.row()
    assert (row["type"], row["address"]) == ("interaction.received", "tel:+989121234567")
    assert row["fact"]["personal"]["text"] == "سلام"
    assert row["occurred_at"] == "2026-11-20T09:30:00Z"
    assert (
        tamas("parse", "sms/twilio", sms, "--now", "2026-11-21T00:00:00Z", "--json").row()["event_id"]
        == row["event_id"]
    )


def test_a_call_without_any_setting(tamas: Tamas, tmp_path: Path) -> None:
    path = tmp_path / "call.http"
    body = "CallSid=CA1&CallStatus=ringing&Direction=inbound&From=%2B989121234567&To=%2B982191000000"
    path.write_text(f"POST /hooks/voice/twilio/k3y HTTP/1.1\nHost: hub.example.com\n\n{body}\n")
    rows = tamas("parse", "voice/twilio", path, "--json").rows()
    assert [row["type"] for row in rows] == ["interaction.received", "call.progressed"]
    assert {row["address"] for row in rows} == {"tel:+989121234567"}
    assert rows[0]["fact"]["kind"] == "call"


def test_with_a_secret_the_signature_is_checked(tamas: Tamas, sms: Path) -> None:
    assert tamas("parse", "sms/twilio", sms, "--secret", "auth_token=twilio-secret").code == 0
    assert tamas("parse", "sms/twilio", sms, "--secret", "auth_token=another").code == 77
    done = tamas("parse", "sms/twilio", sms, "--secret", "auth_token=twilio-secret", "--url", "https://other.example/")
    assert (done.code, done.out) == (77, "")
    assert done.err.splitlines()[-1].startswith(f"{sms}: X-Twilio-Signature fits neither")


def test_a_mail(tamas: Tamas, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_text(MAIL)
    row = tamas("parse", "email/smtp", path, "--json").rows()[0]
    assert row["address"] == "mailto:ali@example.org"
    assert row["fact"]["personal"]["subject"] == "hi"


def test_of_several_files_the_highest_code(tamas: Tamas, sms: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    done = tamas("parse", "sms/twilio", broken, sms, "--json")
    assert done.code == 65
    assert len(done.rows()) == 1
    assert f"{broken}: This cannot be read" in done.err
    assert tamas("parse", "sms/twilio", broken, sms, "--secret", "auth_token=another").code == 77


def test_people_read_it_without_commands_to_their_terminal(tamas: Tamas, tmp_path: Path) -> None:
    path = tmp_path / "evil.http"
    path.write_text("POST / HTTP/1.1\n\nMessageSid=SM1&From=%2B989121234567&Body=%1B%5B2J")
    done = tamas("parse", "sms/twilio", path)
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "interaction.received" in done.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("sms/pigeon",), 1, "There is no channel"),
        (("sms/twilio", "--set", "colour=blue"), 1, "colour: Extra inputs"),
        (("sms/twilio", "--now", "yesterday"), 2, "no time"),
        (("sms/twilio", "--now", "2026-11-20T09:30:00"), 2, "no zone"),
    ],
)
def test_misuse(tamas: Tamas, sms: Path, words: tuple[str, ...], code: int, told: str) -> None:
    done = tamas("parse", words[0], sms, *words[1:])
    assert (done.code, done.out) == (code, "")
    assert told in done.err
