"""A chat by commands: opened, checked, its frames parsed, signed and delivered to a running edge."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from channels.signing import visitor_proof
from services.embedded.process import free_port
from services.settings import Settings
from tests.channels.chat.recordings import ID, OTHER_ID, hello, message, seen, welcome
from tests.services.ingress import process
from tests.services.ops.cli import Tamas

KEY = "a proof key of the site"
PUBLIC = "https://hub.example.com"


@pytest.fixture
def tamas(settings: Settings) -> Tamas:
    made = Tamas(settings, TAMAS_PUBLIC_URL=PUBLIC)
    made("tenant", "add", "shop", "--name", "Shop")
    return made


@pytest.fixture
def inbox(tamas: Tamas) -> str:
    return tamas("inbox", "add", "chat/widget", "Site", "--secret", f"proof_key={KEY}", "--json").row()["inbox_id"]


@pytest.fixture
def served(settings: Settings) -> Generator[None]:
    listen = f"127.0.0.1:{free_port()}"
    edge = process.start(settings, listen)
    (settings.data / "endpoints.json").write_text(json.dumps({"http": f"http://{listen}"}))
    yield
    edge.kill()
    edge.communicate()


def frames(folder: Path, *said: object) -> Path:
    path = folder / "frames.json"
    path.write_text(json.dumps(said))
    return path


def test_people_get_the_line_for_their_pages(tamas: Tamas) -> None:
    done = tamas("inbox", "add", "chat/widget", "Shop site")
    lines = dict(line.split(": ", 1) for line in done.out.splitlines())
    assert list(lines) == ["inbox_id", "key", "url", "script"]
    assert lines["url"] == f"{PUBLIC}/chat/{lines['key']}"
    assert lines["script"] == f'<script async src="{lines["url"]}/widget.js"></script>'


def test_check_says_who_may_embed_it_and_who_is_proven(tamas: Tamas, inbox: str) -> None:
    found = {row["check"]: row["detail"] for row in tamas("inbox", "check", inbox, "--json").rows()}
    assert found["origins"] == "any site may embed it: origins is empty"
    assert found["proof"] == "visitors may be proven"
    tamas("inbox", "set", inbox, "origins=https://shop.example, https://www.shop.example:8443/")
    found = {row["check"]: row["detail"] for row in tamas("inbox", "check", inbox, "--json").rows()}
    assert found["origins"] == "only https://shop.example, https://www.shop.example:8443 may embed it"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "origins=shop.example"), "is no origin"),
        (("--secret", "proof_key=short"), "at least 16"),
        (("--set", "proof_key=0123456789abcdef"), "give it with --secret"),
    ],
)
def test_what_is_refused(tamas: Tamas, words: tuple[str, ...], told: str) -> None:
    done = tamas("inbox", "add", "chat/widget", "Site", *words)
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_recorded_frames_are_parsed(tamas: Tamas, tmp_path: Path) -> None:
    file = frames(tmp_path, hello(), welcome(), message("one"), message("two", OTHER_ID))
    rows = tamas("parse", "chat/widget", file, "--json").rows()
    assert [row["fact"]["personal"]["text"] for row in rows] == ["one", "two"]
    assert {row["address"] for row in rows} == {f"chat:v.{welcome()['visitor']}"}
    assert tamas("parse", "chat/widget", frames(tmp_path, hello(), message())).code == 65
    forged = frames(tmp_path, hello("42", visitor_proof("another key than this", "42")), message())
    assert tamas("parse", "chat/widget", forged, "--secret", f"proof_key={KEY}").code == 77


def test_sign_prints_the_proof(tamas: Tamas, inbox: str, tmp_path: Path) -> None:
    done = tamas("sign", "chat/widget", frames(tmp_path, hello("42")), "--inbox", inbox)
    assert done.out == f"proof: {visitor_proof(KEY, '42')}\n"
    assert tamas("sign", "chat/widget", frames(tmp_path, hello()), "--inbox", inbox).code == 1


def test_frames_are_delivered_as_the_script_sends_them(tamas: Tamas, inbox: str, served: None, tmp_path: Path) -> None:
    del served
    file = frames(tmp_path, hello("42"), welcome("42"), message("one"), seen(1), message("two", OTHER_ID))
    rows = tamas("deliver", file, "--inbox", inbox, "--times", 2, "--json").rows()
    assert [row["status"] for row in rows] == [202] * 4
    assert [row["event_ids"] for row in rows[:2]] == [row["event_ids"] for row in rows[2:]]
    assert [json.loads(row["answer"])["number"] for row in rows] == [1, 2, 1, 2]
    raw = tamas("event", rows[0]["event_ids"][0], "--raw")
    assert json.loads(raw.raw.partition(b"\r\n\r\n")[2])[2]["id"] == ID
    again = tmp_path / "raw.http"
    again.write_bytes(raw.raw)
    assert tamas("parse", "chat/widget", again, "--json").row()["fact"]["assurance"] == "verified"
    forged = tamas("deliver", file, "--inbox", inbox, "--forge")
    assert forged.code == 77, forged.err
    assert tamas("deliver", frames(tmp_path, hello(), message("x" * 4001)), "--inbox", inbox).code == 1
