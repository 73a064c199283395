from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from channels.contract import InboundRequest
from channels.email.imap import Imap, ImapConfig
from channels.email.smtp import Smtp, SmtpConfig
from schemas.interaction import InteractionReceived
from tests.channels.samples import BOUNCE, LETTER, SAMPLES, fetched

GIVEN = SAMPLES["email/imap"].settings
IMAP = Imap(ImapConfig.model_validate(GIVEN))
SMTP = Smtp(SmtpConfig(address="help@acme.example"))


@pytest.mark.parametrize("request_", [LETTER, BOUNCE])
def test_a_mail_says_the_same_by_whichever_way_it_came(request_: InboundRequest) -> None:
    ours = IMAP.parse(fetched(request_))
    theirs = SMTP.parse(replace(request_, origin=fetched(request_).origin))
    taken_at = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
    assert [replace(one, fact=one.fact.model_copy(update={"channel": "email/smtp"})) for one in ours] == [
        replace(one, occurred_at=one.occurred_at or taken_at) for one in theirs
    ]
    assert {getattr(one.fact, "channel", "") for one in ours} == {"email/imap"}


@pytest.mark.parametrize(
    ("internal_date", "occurred_at"),
    [
        ("2026-11-20T13:01:00+03:30", datetime(2026, 11, 20, 9, 31, tzinfo=UTC)),
        ("2026-11-20T13:01:00", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_mail_without_a_date_happened_when_the_server_took_it(
    internal_date: str | None, occurred_at: datetime | None
) -> None:
    body = b"\n".join(line for line in LETTER.body.split(b"\n") if not line.startswith(b"Date:"))
    headers = () if internal_date is None else (("internal-date", internal_date),)
    (one,) = IMAP.parse(replace(LETTER, body=body, headers=headers))
    assert one.occurred_at == occurred_at


def test_a_date_of_its_own_counts_first() -> None:
    (one,) = IMAP.parse(fetched(LETTER))
    assert one.occurred_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert isinstance(one.fact, InteractionReceived)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({}, "door", 993),
        ({"tls": "starttls"}, "door", 143),
        ({"tls": "none", "port": "1143"}, "door", 1143),
        ({}, "mailbox", ("INBOX",)),
        ({"mailbox": "INBOX, Support/فارسی ,,"}, "mailbox", ("INBOX", "Support/فارسی")),
        ({}, "after", "seen"),
        ({}, "idle_seconds", 540),
    ],
)
def test_settings_are_read(given: Mapping[str, str], field: str, value: object) -> None:
    assert getattr(ImapConfig.model_validate({**GIVEN, **given}), field) == value


@pytest.mark.parametrize(
    "given",
    [
        {"mailbox": " , "},
        {"mailbox": "INBOX\r\nLOGOUT"},
        {"after": "delete"},
        {"after": "move", "folder": "INBOX"},
        {"tls": "maybe"},
        {"port": "0"},
        {"host": "imap.example.com/help"},
        {"user": "help\n"},
        {"idle_seconds": "1741"},
        {"poll_seconds": "0"},
        {"unknown": "1"},
    ],
)
def test_other_settings_are_refused(given: Mapping[str, str]) -> None:
    with pytest.raises(ValidationError):
        ImapConfig.model_validate({**GIVEN, **given})


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(IMAP)
