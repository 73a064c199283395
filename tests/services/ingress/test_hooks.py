from collections.abc import AsyncGenerator

import httpx
import psycopg
import pytest

from channels.signing import sign_twilio
from services.settings import Settings
from tests.services.ingress.edge import AUTH_TOKEN, Edge, running_again, running_edge


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings, with_parser=False) as made:
        yield made


@pytest.fixture
async def web(edge: Edge) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=edge.http) as client:
        yield client


def _params(sid: str = "SM1", **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "From": "+989121234567", "To": "+982191001234", "Body": "سلام", "NumMedia": "0", **more}


async def _post(web: httpx.AsyncClient, edge: Edge, params: dict[str, str], path: str = "") -> httpx.Response:
    signature = sign_twilio(AUTH_TOKEN, edge.http + edge.sms_path + path, list(params.items()))
    return await web.post(edge.sms_path + path, data=params, headers={"X-Twilio-Signature": signature})


async def test_a_signed_post_is_on_the_record_and_its_repeat_is_told_the_same(
    edge: Edge, web: httpx.AsyncClient
) -> None:
    first, again = await _post(web, edge, _params()), await _post(web, edge, _params())
    assert (first.status_code, first.text) == (200, "<Response/>")
    assert first.headers["content-type"].startswith("text/xml")
    assert first.headers["tamas-result"] == "accepted"
    assert again.headers["tamas-result"] == "duplicate"
    assert first.headers["tamas-event-ids"] == again.headers["tamas-event-ids"]
    assert first.headers["tamas-request-id"] != again.headers["tamas-request-id"]
    assert edge.count("SELECT count(*) FROM record.facts WHERE topic = 'interactions'") == 1
    await edge.until("SELECT count(*) FROM service.requests WHERE result = 'duplicate'", 1)


async def test_a_forged_post_is_refused_noted_and_leaves_no_fact(edge: Edge, web: httpx.AsyncClient) -> None:
    answer = await web.post(edge.sms_path, data=_params(), headers={"X-Twilio-Signature": "Zm9yZ2Vk"})
    assert answer.status_code == 403
    assert "tamas-result" not in answer.headers
    assert edge.count("SELECT count(*) FROM record.raw") == 0
    await edge.until("SELECT count(*) FROM service.requests WHERE result = 'refused'", 1)


async def test_what_cannot_be_read_is_kept_parked_and_taken(edge: Edge, web: httpx.AsyncClient) -> None:
    answer = await _post(web, edge, {"Unheard": "of"})
    again = await _post(web, edge, {"Unheard": "of"})
    assert answer.status_code == again.status_code == 200
    assert answer.headers["tamas-result"] == "parked"
    assert edge.count("SELECT count(*) FROM record.raw WHERE state = 'parked'") == 1
    assert edge.count("SELECT count(*) FROM service.parked") == 1


async def test_a_receipt_comes_by_its_own_path(edge: Edge, web: httpx.AsyncClient) -> None:
    receipt = {"MessageSid": "SM2", "MessageStatus": "delivered", "From": "+982191001234", "To": "+989121234567"}
    answer = await _post(web, edge, receipt, "/status")
    assert answer.headers["tamas-result"] == "accepted"
    assert edge.count("SELECT count(*) FROM record.facts WHERE type = 'receipt.reported'") == 1


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/hooks/sms/twilio/nobody", {}, b"", 404),
        ("/hooks/short", {}, b"", 404),
        ("/nothing", {}, b"", 404),
        ("", {f"x-{n}": "1" for n in range(120)}, b"", 431),
        ("", {}, b"x" * ((4 << 20) + 1), 413),
    ],
)
async def test_what_no_channel_will_see_is_a_problem_in_words(
    edge: Edge, web: httpx.AsyncClient, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = await web.post(path or edge.sms_path, headers=headers, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["tamas-request-id"]


async def test_an_inbox_that_does_not_work_is_a_fault_of_ours(edge: Edge, settings: Settings) -> None:
    with psycopg.connect(settings.keys_url) as connection:
        connection.execute("DELETE FROM keys.secrets")
    async with running_again(edge) as after, httpx.AsyncClient(base_url=after.http) as web:
        answer = await _post(web, after, _params())
    assert answer.status_code == 503


async def test_readiness_names_what_it_stands_on(web: httpx.AsyncClient) -> None:
    answer = await web.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["postgres"]["ok"] is True
    assert answer.json()["checks"]["spool"] == {"ok": True, "waiting": 0, "detail": "ok"}
