"""`tamas tenant`, `token`, `inbox`, `migrate` against a real PostgreSQL."""

from pathlib import Path

import psycopg
import pytest

from services.settings import Settings
from tests.services.ops.cli import Tamas


@pytest.fixture
def tamas(settings: Settings) -> Tamas:
    made = Tamas(settings, TWILIO="twilio-secret", TAMAS_PUBLIC_URL="https://hub.example.com")
    assert made("tenant", "add", "acme", "--name", "Acme").code == 0
    return made


def sms(tamas: Tamas, *more: str) -> dict[str, object]:
    secret = ("--secret", "auth_token=env:TWILIO")
    done = tamas("inbox", "add", "sms/twilio", "Sales", "--address", "+982191000000", *secret, *more, "--json")
    assert done.code == 0, done.err
    return done.row()


def test_tenants(tamas: Tamas) -> None:
    assert tamas("tenant", "list", "--json").row() == {
        "slug": "acme",
        "name": "Acme",
        "region": "IR",
        "time_zone": "Asia/Tehran",
        "language": "fa",
        "calendar": "persian",
    }
    assert "Asia/Tehran" in tamas("tenant", "list").out
    assert tamas("tenant", "show", "acme").out.splitlines()[0] == "slug: acme"
    again = tamas("tenant", "add", "acme", "--name", "Again")
    assert (again.code, again.out) == (1, "")
    assert "already" in again.err
    assert tamas("tenant", "show", "nobody").code == 1


def test_an_inbox_is_added_shown_changed_and_disabled(tamas: Tamas) -> None:
    added = sms(tamas)
    inbox_id, key = added["inbox_id"], added["key"]
    assert added["url"] == f"https://hub.example.com/hooks/sms/twilio/{key}"
    assert tamas("inbox", "show", inbox_id, "--json").row() == added
    assert tamas("inbox", "set", inbox_id, "region=DE").code == 0
    assert tamas("inbox", "show", inbox_id, "--json").row()["settings"] == {"region": "DE"}
    rotated = tamas("inbox", "rotate", inbox_id, "--grace", "1h", "--json").row()
    assert rotated["key"] != key
    assert tamas("inbox", "disable", inbox_id).code == 0
    assert tamas("inbox", "list", "--json").row()["disabled"] is True
    assert "twilio-secret" not in str(added)


def test_people_get_three_lines(tamas: Tamas) -> None:
    done = tamas("inbox", "add", "forms/web", "contact")
    assert [line.partition(":")[0] for line in done.out.splitlines()] == ["inbox_id", "key", "url"]
    assert "url: https://hub.example.com/forms/" in done.out
    mail = tamas("inbox", "add", "email/smtp", "Help", "--address", "help@shop.example")
    assert mail.out.splitlines()[-1] == "url: mailto:help@shop.example"


@pytest.mark.parametrize(
    ("source", "stdin", "code"),
    [
        ("@{file}", None, 0),
        ("-", "twilio-secret\n", 0),
        ("env:TWILIO", None, 0),
        ("plain", None, 0),
        ("@/nowhere", None, 2),
        ("env:NOWHERE", None, 2),
        ("-", "", 2),
    ],
)
def test_where_a_secret_may_come_from(tamas: Tamas, tmp_path: Path, source: str, stdin: str | None, code: int) -> None:
    file = tmp_path / "token"
    file.write_text("twilio-secret\n")
    secret = f"auth_token={source.format(file=file)}"
    done = tamas("inbox", "add", "sms/twilio", "S", "--address", "+98219100", "--secret", secret, stdin=stdin)
    assert done.code == code, done.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("inbox", "show", "not-an-id"), 2, "no id"),
        (("inbox", "show", "0190b7a2-0000-7000-8000-000000000001"), 1, "There is no inbox"),
        (("inbox", "set", "0190b7a2-0000-7000-8000-000000000001"), 2, "name what is to change"),
        (("inbox", "rotate", "0190b7a2-0000-7000-8000-000000000001", "--grace", "soon"), 2, "length of time"),
        (("inbox", "add", "sms/twilio", "Sales", "--address", "+98219100"), 1, "auth_token: Field required"),
        (("inbox", "add", "sms/pigeon", "Sales"), 1, "There is no channel"),
        (("inbox", "add", "sms/twilio", "Sales", "--set", "novalue"), 2, "joined by '='"),
        (("token", "add", "desk", "--role", "king"), 1, "no role"),
        (("token", "revoke", "0190b7a2-0000-7000-8000-000000000001"), 1, "no token"),
        (("inbox", "paint"), 2, "No such command"),
        (("tenant", "add"), 2, "Missing argument"),
    ],
)
def test_refusals_and_misuse(tamas: Tamas, words: tuple[str, ...], code: int, told: str) -> None:
    done = tamas(*words)
    assert (done.code, done.out) == (code, "")
    assert told in " ".join(done.err.replace("│", " ").split())


def test_with_two_tenants_one_must_be_named(tamas: Tamas) -> None:
    tamas("tenant", "add", "other", "--name", "Other")
    assert tamas("inbox", "add", "forms/web", "contact").code == 2
    assert tamas("inbox", "add", "forms/web", "contact", "--tenant", "other").code == 0
    tamas.environment["TAMAS_TENANT"] = "acme"
    assert tamas("inbox", "add", "forms/web", "contact").code == 0
    assert len(tamas("inbox", "list", "--json").rows()) == 1


def test_a_token_is_shown_once(tamas: Tamas) -> None:
    made = tamas("token", "add", "desk", "--role", "agent", "--expires", "90d")
    assert made.out.startswith("tamas_")
    assert len(made.out.split()) == 1
    listed = tamas("token", "list", "--json").row()
    assert (listed["name"], listed["role"], listed["revoked_at"]) == ("desk", "agent", None)
    assert made.out.strip() not in str(listed)
    assert tamas("token", "revoke", listed["token_id"]).code == 0
    assert tamas("token", "list", "--json").row()["revoked_at"] is not None


def test_check_says_what_is_wrong(tamas: Tamas, settings: Settings) -> None:
    added = tamas("inbox", "add", "email/smtp", "Help", "--address", "help@shop.example", "--json").row()
    assert tamas("inbox", "check", added["inbox_id"]).code == 0
    number = sms(tamas)
    with psycopg.connect(settings.keys_url) as connection:
        connection.execute("DELETE FROM keys.secrets")
    found = tamas("inbox", "check", number["inbox_id"], "--json")
    assert found.code == 1
    wrong = {row["check"]: row["detail"] for row in found.rows() if not row["ok"]}
    assert "auth_token: Field required" in wrong["settings"]


def test_a_voice_inbox_says_what_happens_to_a_caller(tamas: Tamas) -> None:
    sms(tamas)  # of the same number
    words = ("inbox", "add", "voice/twilio", "Calls", "--address", "+982191000000", "--secret", "auth_token=env:TWILIO")
    refused = tamas(*words)
    assert (refused.code, refused.out) == (1, "")
    assert "say with --set answer=… what happens to a caller" in refused.err
    wrong = tamas(*words, "--set", "answer=dial:desk")
    assert wrong.code == 1
    assert "needs a number with its country code" in wrong.err
    added = tamas(*words, "--set", "answer=dial:+982112345678", "--json").row()
    assert added["url"] == f"https://hub.example.com/hooks/voice/twilio/{added['key']}"
    told = {row["check"]: row["detail"] for row in tamas("inbox", "check", added["inbox_id"], "--json").rows()}
    assert "connected to +982112345678" in told["callers"]
    assert tamas("inbox", "set", added["inbox_id"], "answer=observe").code == 0
    assert "answers 501" in tamas("inbox", "check", added["inbox_id"]).out.replace("\n", " ")


def test_requests_that_were_refused_are_shown(tamas: Tamas, settings: Settings) -> None:
    inbox_id = sms(tamas)["inbox_id"]
    assert "Nothing is noted" in tamas("inbox", "requests", inbox_id).err
    with psycopg.connect(settings.record_url) as connection:
        connection.execute(
            "INSERT INTO service.requests (request_id, tenant, inbox_id, received_at, result, reason) "
            "VALUES (gen_random_uuid(), 'acme', %s, now(), 'bad_signature', 'No header.')",
            (inbox_id,),
        )
    assert tamas("inbox", "requests", inbox_id, "--json").row()["reason"] == "No header."
    assert tamas("inbox", "requests", inbox_id, "--result", "parked", "--json").rows() == []
    assert "bad_signature" in tamas("inbox", "requests", inbox_id).out


def test_migrate_says_what_is_to_be_done(tamas: Tamas, settings: Settings) -> None:
    assert tamas("migrate", "--check").code == 0
    assert tamas("migrate").out == ""
    with psycopg.connect(settings.record_url) as connection:
        connection.execute("DELETE FROM migration.done WHERE name = 'views/0001_views'")
    missing = tamas("migrate", "--check")
    assert (missing.code, missing.out) == (1, "views/0001_views\n")


def test_a_database_of_another_version_is_a_matter_of_configuration(tamas: Tamas, settings: Settings) -> None:
    with psycopg.connect(settings.record_url) as connection:
        connection.execute("DROP TABLE service.parked")
    done = tamas("parked", "list")
    assert done.code == 78
    assert "tamas migrate" in done.err
