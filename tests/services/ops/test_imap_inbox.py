"""`tamas inbox check`, `deliver` and `parse` for a mailbox at a real IMAP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.settings import Settings
from tests.services.ingress.imap.dovecot import PASSWORD, USER, Dovecot, running
from tests.services.ingress.imap.hub import letter
from tests.services.ops.cli import Tamas


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with running() as made:
        yield made


@pytest.fixture
def tamas(settings: Settings) -> Tamas:
    made = Tamas(settings)
    made("tenant", "add", "acme", "--name", "Acme")
    return made


def add(tamas: Tamas, server: Dovecot, password: str, *more: str) -> str:
    given = ("--set", "host=127.0.0.1", "--set", f"port={server.port}", "--set", f"user={USER}", "--set", "tls=none")
    words = ("email/imap", "Help", "--address", "help@acme.example", *given, "--secret", f"password={password}")
    done = tamas("inbox", "add", *words, *more, "--json")
    assert done.code == 0, done.err
    assert done.row()["natural_name"] == f"imap:127.0.0.1/{USER}"
    return done.row()["inbox_id"]


def test_a_check_logs_in_and_says_what_it_sees(tamas: Tamas, server: Dovecot) -> None:
    server.append(letter(1), letter(2))
    done = tamas("inbox", "check", add(tamas, server, PASSWORD, "--set", "mailbox=INBOX,Gone"), "--json")
    found = {row["check"]: (row["ok"], row["detail"]) for row in done.rows()}
    assert done.code == 1
    assert found["login"] == (True, f"127.0.0.1:{server.port} lets {USER} in")
    assert found["secrecy"] == (True, "no TLS, on this machine")
    assert "(IDLE); the other mailboxes are looked at every 60 s" in found["news"][1]
    assert found["mailbox INBOX"] == (True, "2 mails, not read yet: does the role imap run?")
    assert not found["mailbox Gone"][0]
    assert "Mailbox doesn't exist: Gone" in found["mailbox Gone"][1]


def test_a_wrong_password_is_named(tamas: Tamas, server: Dovecot) -> None:
    done = tamas("inbox", "check", add(tamas, server, "wrong"), "--json")
    (login,) = [row for row in done.rows() if row["check"] == "login"]
    assert (done.code, login["ok"]) == (1, False)
    assert "refuses the user and password of this inbox" in login["detail"]


def test_a_server_that_is_away_is_named(tamas: Tamas, server: Dovecot) -> None:
    inbox = add(tamas, server, PASSWORD)
    server.stop()
    done = tamas("inbox", "check", inbox, "--json")
    (login,) = [row for row in done.rows() if row["check"] == "login"]
    assert (done.code, login["ok"]) == (1, False)
    assert login["detail"].startswith(f"127.0.0.1:{server.port} is not reached: ")


def test_a_mail_is_delivered_into_the_mailbox(tamas: Tamas, server: Dovecot, tmp_path: Path) -> None:
    file = tmp_path / "letter.eml"
    file.write_bytes(letter(1).replace(b"\r\n", b"\n"))
    done = tamas("deliver", file, "--inbox", add(tamas, server, PASSWORD), "--times", 2, "--json")
    assert (done.code, [row["status"] for row in done.rows()]) == (0, ["OK", "OK"])
    with server.client("INBOX") as client:
        found = client.fetch(client.search("ALL"), ["BODY[]"])
    assert [held[b"BODY[]"] for held in found.values()] == [letter(1), letter(1)]


def test_a_mailbox_that_takes_nothing_is_told(tamas: Tamas, server: Dovecot, tmp_path: Path) -> None:
    file = tmp_path / "letter.eml"
    file.write_bytes(letter(1))
    done = tamas("deliver", file, "--inbox", add(tamas, server, PASSWORD, "--set", "mailbox=Gone"))
    assert (done.code, done.out) == (1, "")
    assert "Mailbox doesn't exist: Gone" in done.err


def test_a_mail_is_parsed_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "letter.eml"
    file.write_bytes(letter(1))
    row = Tamas(None)("parse", "email/imap", file, "--json").row()
    assert (row["type"], row["fact"]["channel"]) == ("interaction.received", "email/imap")
    smtp = Tamas(None)("parse", "email/smtp", file, "--json").row()
    assert row["source_key"] == smtp["source_key"]


def test_where_marked_mail_goes_must_be_elsewhere(tamas: Tamas) -> None:
    given = ("--set", "host=h", "--set", "user=u", "--set", "after=move", "--set", "folder=INBOX")
    done = tamas("inbox", "add", "email/imap", "Help", "--address", "a@b.example", *given, "--secret", "password=x")
    assert done.code == 1
    assert "folder: Value error, mails would be moved to where they are read from" in done.err
