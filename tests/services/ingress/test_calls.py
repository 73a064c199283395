"""Callers at the front door: what they meet, and that they meet it whether or not anything can be stored."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from channels.signing import sign_twilio
from services.blobs import BlobStore
from services.database import pool
from services.embedded.process import free_port
from services.ingress.hooks import Hooks
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.ingress.tally import Tally
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.settings import Settings
from services.tenancy.directory import Directory
from services.tenancy.store import NewInbox, Tenancy
from tests.channels.voice.requests import ANSWER, TOKEN, dialled, form, missed_call, taken_call
from tests.services.ingress.edge import Edge, running_edge

DIAL = {"answer": "dial:sip:desk@pbx.example"}


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings, with_parser=False) as made:
        yield made


def _added(settings: Settings, given: dict[str, str]) -> str:
    with Tenancy(settings) as tenancy:
        view = tenancy.add_inbox(
            "shop", NewInbox("voice/twilio", "calls", "+982191001234", given, {"auth_token": TOKEN})
        )
    return f"/hooks/voice/twilio/{view.key}"


async def _post(edge: Edge, path: str, body: bytes) -> httpx.Response:
    pairs = httpx.QueryParams(body.decode()).multi_items()
    headers = {
        "X-Twilio-Signature": sign_twilio(TOKEN, edge.http + path, pairs),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with httpx.AsyncClient(base_url=edge.http) as web:
        return await web.post(path, content=body, headers=headers)


async def test_a_caller_is_connected_and_the_call_is_on_the_record_whole(edge: Edge) -> None:
    path = await asyncio.to_thread(_added, edge.settings, DIAL)
    answers = [await _post(edge, f"{path}/status" if one.purpose else path, one.body) for one in taken_call()]
    assert {answer.status_code for answer in answers} == {200}
    assert f'action="{edge.http}{path}/status"' in answers[0].text
    assert {answer.text for answer in answers[1:]} == {"<Response/>"}
    assert {answer.headers["tamas-result"] for answer in answers} == {"accepted"}
    again = await _post(edge, path, taken_call()[0].body)
    assert (again.headers["tamas-result"], again.text) == ("duplicate", answers[0].text)
    kinds = "SELECT count(*) FROM record.facts WHERE topic = 'interactions' AND type = "
    assert edge.count(kinds + "'interaction.received'") == 1
    assert edge.count(kinds + "'call.ended'") == 3
    assert edge.count(kinds + "'call.missed'") == 0


async def test_a_missed_call_is_one_fact(edge: Edge) -> None:
    path = await asyncio.to_thread(_added, edge.settings, DIAL)
    for one in (*missed_call(), dialled("no-answer", 40), missed_call()[-2]):
        await _post(edge, f"{path}/status" if one.purpose else path, one.body)
    assert edge.count("SELECT count(*) FROM record.facts WHERE type = 'call.missed'") == 1


async def test_who_only_observes_is_no_system_that_answers(edge: Edge) -> None:
    path = await asyncio.to_thread(_added, edge.settings, {"answer": "observe"})
    asked = await _post(edge, path, form(ANSWER).body)
    assert (asked.status_code, asked.headers["tamas-result"]) == (501, "accepted")
    assert (await _post(edge, f"{path}/status", missed_call()[-1].body)).status_code == 200


async def test_a_forger_is_told_nothing(edge: Edge) -> None:
    path = await asyncio.to_thread(_added, edge.settings, DIAL)
    async with httpx.AsyncClient(base_url=edge.http) as web:
        answer = await web.post(path, data=ANSWER, headers={"X-Twilio-Signature": "Zm9yZ2Vk"})
    assert answer.status_code == 403
    assert "pbx.example" not in answer.text


async def test_a_caller_is_connected_while_the_record_is_away(edge: Edge) -> None:
    path = await asyncio.to_thread(_added, edge.settings, DIAL)
    settings = edge.settings
    async with pool(settings.record_url) as record, pool(settings.keys_url) as keys:
        vault = Vault(settings.secrets())
        directory = Directory(record, keys, vault)
        await directory.refresh()
        nowhere = f"postgresql://127.0.0.1:{free_port()}/none"
        intake = Intake(nowhere, Ring(keys, vault), BlobStore(settings.blob_url))
        intake.start()
        hooks = Hooks(directory, intake, RequestLog(record, Tally()), "https://hub.example.com")

        async def told(suffix: str, body: bytes) -> tuple[int, bytes]:
            pairs = httpx.QueryParams(body.decode()).multi_items()
            signature = sign_twilio(TOKEN, f"https://hub.example.com{path}{suffix}", pairs)
            headers = (
                (b"content-type", b"application/x-www-form-urlencoded"),
                (b"x-twilio-signature", signature.encode()),
            )
            given = (await hooks.reply("POST", (path + suffix).encode(), headers, body)).answer
            return given.status, given.body

        (status, body), (report, _) = await asyncio.gather(
            told("", form(ANSWER).body), told("/status", missed_call()[-1].body)
        )
        await intake.stop()
    assert (status, report) == (200, 503)
    assert b"<Sip " in body
