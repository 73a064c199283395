"""`tamas sign` and `deliver` against doors that verify."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.contract import InboundRequest, Origin
from channels.forms.web import WebForm, WebFormConfig
from channels.sms.twilio import Twilio, TwilioConfig
from services.settings import Settings
from tests.channels.voice.requests import voice
from tests.services.ops.cli import Tamas
from tests.services.ops.doors import http_door, mail_door

PUBLIC = "https://hub.example.com"
TWILIO = Twilio(TwilioConfig.model_validate({"auth_token": "twilio-secret"}))
SMS = Origin("acme", "twilio:+982191000000")
FORM_SECRET = "a token secret of the form"
FORM = WebForm(WebFormConfig.model_validate({"token_secret": FORM_SECRET, "require_token": True}))
URLENCODED = "Content-Type: application/x-www-form-urlencoded\n"
PART = '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n--b--\r\n'
MULTIPART = f"Content-Type: multipart/form-data; boundary=b\n\n{PART}"


@pytest.fixture
def tamas(settings: Settings) -> Tamas:
    made = Tamas(settings, TAMAS_PUBLIC_URL=PUBLIC)
    made("tenant", "add", "acme", "--name", "Acme")
    return made


@pytest.fixture
def sms(tamas: Tamas) -> str:
    words = ("sms/twilio", "Sales", "--address", "+982191000000", "--secret", "auth_token=twilio-secret")
    return tamas("inbox", "add", *words, "--json").row()["inbox_id"]


def served(settings: Settings, **endpoints: str) -> None:
    (settings.data / "endpoints.json").write_text(json.dumps(endpoints))


@pytest.mark.parametrize(
    "content",
    [
        f"POST / HTTP/1.1\n{URLENCODED}\nMessageSid=SM1&From=%2B989120000000&Body=hello+you&Body=again",
        f"POST /hooks/sms/twilio/recorded-there/status?foo=%20b+c HTTP/1.1\n{URLENCODED}\nMessageSid=SM1",
        'POST / HTTP/1.1\nContent-Type: application/json\nX-Twilio-Signature: old\n\n{"MessageSid": "SM1"}',
        "POST / HTTP/1.1\nHost: elsewhere.example\nContent-Length: 3\nConnection: close\n\na=b",
    ],
)
def test_a_signed_request_passes_and_a_forged_one_does_not(
    tamas: Tamas, settings: Settings, sms: str, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "sms.http"
    file.write_text(content)
    with http_door(PUBLIC, TWILIO, SMS) as (url, passed):
        served(settings, http=url)
        done = tamas("deliver", file, "--inbox", sms, "--times", 2, "--json")
        forged = tamas("deliver", file, "--inbox", sms, "--forge")
    assert done.code == 0, done.err
    assert [(row["status"], row["result"]) for row in done.rows()] == [(200, "accepted"), (200, "duplicate")]
    assert (forged.code, forged.out) == (77, "403\n")
    assert len(passed) == 2
    assert passed[0].url.startswith(f"{PUBLIC}/hooks/sms/twilio/")


def test_a_call_is_signed_for_its_own_inbox(tamas: Tamas, settings: Settings, tmp_path: Path) -> None:
    given = ("--secret", "auth_token=twilio-secret", "--set", "answer=observe")
    words = ("voice/twilio", "Calls", "--address", "+982191000000", *given)
    inbox_id = tamas("inbox", "add", *words, "--json").row()["inbox_id"]
    file = tmp_path / "call.http"
    file.write_text(f"POST /hooks/voice/twilio/k/status HTTP/1.1\n{URLENCODED}\nCallSid=CA1&CallStatus=completed")
    with http_door(PUBLIC, voice(auth_token="twilio-secret"), SMS) as (url, passed):
        served(settings, http=url)
        assert tamas("deliver", file, "--inbox", inbox_id).code == 0
        assert tamas("deliver", file, "--inbox", inbox_id, "--forge").code == 77
    assert [one.url.rpartition("/")[2] for one in passed] == ["status"]


def test_sign_prints_what_deliver_sends(tamas: Tamas, sms: str, tmp_path: Path) -> None:
    file = tmp_path / "sms.http"
    file.write_text(f"POST /hooks/sms/twilio/k/status HTTP/1.1\n{URLENCODED}\nMessageSid=SM1")
    found = tamas("sign", "sms/twilio", file, "--inbox", sms, "--json").row()
    headers = (
        ("x-twilio-signature", found["X-Twilio-Signature"]),
        ("content-type", URLENCODED.partition(": ")[2].strip()),
    )
    now = datetime.now(UTC)
    TWILIO.verify(InboundRequest("POST", found["url"], headers, b"MessageSid=SM1", now, SMS))
    plain = tamas("sign", "sms/twilio", file, "--inbox", sms)
    assert plain.out == f"X-Twilio-Signature: {found['X-Twilio-Signature']}\n"
    assert tamas("sign", "forms/web", file, "--inbox", sms).code == 1


@pytest.mark.parametrize(
    "content",
    [
        f"POST / HTTP/1.1\n{URLENCODED}\ntext=hi",
        'POST / HTTP/1.1\nContent-Type: application/json\n\n{"text":"hi"}',
        f"POST / HTTP/1.1\n{MULTIPART}",
    ],
)
def test_a_form_gets_a_token(tamas: Tamas, settings: Settings, tmp_path: Path, content: str) -> None:
    file = tmp_path / "form.http"
    file.write_bytes(content.encode())
    secret = ("--secret", f"token_secret={FORM_SECRET}", "--set", "minimum_fill_seconds=3")
    inbox = tamas("inbox", "add", "forms/web", "contact", *secret, "--json").row()["inbox_id"]
    with http_door(PUBLIC, FORM, Origin("acme", "web:contact")) as (url, passed):
        served(settings, http=url)
        assert tamas("deliver", file, "--inbox", inbox).out == "200 accepted\n"
        assert tamas("deliver", file, "--inbox", inbox, "--forge").code == 77
    assert passed[0].url.startswith(f"{PUBLIC}/forms/")


def test_a_mail_goes_to_the_mail_door(tamas: Tamas, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes("From: علی <ali@example.org>\nTo: x@y.example\nSubject: hi\n\n.سلام\n".encode())
    words = ("email/smtp", "Help", "--address", "help@shop.example")
    inbox = tamas("inbox", "add", *words, "--json").row()["inbox_id"]
    with mail_door("help@shop.example") as (address, taken):
        served(settings, smtp=address)
        done = tamas("deliver", file, "--inbox", inbox, "--times", 2)
    assert done.out == "250 2.0.0 Kept\n" * 2
    assert taken[0].mail_from == "ali@example.org"
    assert taken[0].original_content == file.read_bytes().replace(b"\n", b"\r\n")
    with mail_door("other@shop.example") as (address, taken):
        served(settings, smtp=address)
        refused = tamas("deliver", file, "--inbox", inbox)
    assert (refused.code, refused.out, taken) == (1, "550 5.1.1 Unknown\n", [])


def test_a_door_that_is_not_there(tamas: Tamas, settings: Settings, sms: str, tmp_path: Path) -> None:
    file = tmp_path / "sms.http"
    file.write_text("POST / HTTP/1.1\n\na=b")
    served(settings, http="http://127.0.0.1:1", smtp="127.0.0.1:1")
    assert tamas("deliver", file, "--inbox", sms).code == 69
    mail = tmp_path / "mail.eml"
    mail.write_text("From: a@b.example\n\nhi")
    assert tamas("deliver", mail, "--inbox", sms).code == 69
