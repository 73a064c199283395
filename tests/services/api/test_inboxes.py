"""Inboxes over the API: opened once, changed on sight, and nobody else's."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from services.tenancy.store import Tenancy
from tests.services.api.house import House

NEW = {"channel": "sms/twilio", "name": "Support", "address": "+98 21 9100 0001", "secrets": {"auth_token": "s3cret"}}


async def add(house: House, body: Any = None, key: str | None = None, tenant: str = "shop") -> httpx.Response:
    headers = house.as_role("integrator", tenant) | ({} if key is None else {"Idempotency-Key": key})
    return await house.http.post("/api/v1/inboxes", headers=headers, json=NEW if body is None else body)


async def test_an_inbox_is_opened_and_found(house: House) -> None:
    answer = await add(house)
    made = answer.json()
    assert (answer.status_code, made["address"], made["disabled"]) == (201, "+982191000001", False)
    assert made["url"].endswith(f"/hooks/sms/twilio/{made['key']}")
    assert "s3cret" not in answer.text
    found = await house.get(answer.headers["location"], "operator")
    assert (found.json(), found.headers["etag"]) == (made, answer.headers["etag"])
    listed = (await house.get("/api/v1/inboxes")).json()["items"]
    assert [one["name"] for one in listed] == ["Sales", "Support"]


async def test_the_key_is_for_those_who_may_change_it(house: House) -> None:
    path = (await add(house)).headers["location"]
    assert (await house.get(path, "supervisor")).json()["key"] is None
    assert (await house.get(path, "supervisor")).json()["url"] is None
    assert all(one["key"] is None for one in (await house.get("/api/v1/inboxes")).json()["items"])


async def test_the_same_key_opens_it_once(house: House) -> None:
    answers = await asyncio.gather(*(add(house, key="k-1") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["inbox_id"] for answer in answers}) == 1
    with Tenancy(house.settings) as tenancy:
        assert len(list(tenancy.register().of("shop"))) == 2


async def test_the_same_key_with_another_body(house: House) -> None:
    await add(house, key="k-1")
    other = await add(house, {**NEW, "name": "Other", "address": "+982191000002"}, key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert (await add(house, {**NEW, "name": "Other"}, key="k-1", tenant="rival")).status_code == 201


async def test_what_is_taken_already(house: House) -> None:
    await add(house)
    answer = await add(house)
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert "Support" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"channel":"fax/machine","name":"x"}', "application/json", 422),
        (b'{"channel":"sms/twilio","name":"x","colour":"red"}', "application/json", 422),
        (b'{"channel":"sms/twilio","name":"\\u0000"}', "application/json", 422),
        (b'{"channel":"sms/twilio","name":"x","address":"1"}', "application/json", 409),
        (b" " * 300_000, "application/json", 413),
    ],
)
async def test_bodies_that_are_not_right(house: House, content: bytes, media_type: str, status: int) -> None:
    headers = {**house.as_role("operator"), "Content-Type": media_type}
    answer = await house.http.post("/api/v1/inboxes", headers=headers, content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


async def test_a_secret_is_not_repeated_in_an_error(house: House) -> None:
    answer = await add(house, {**NEW, "name": 7, "secrets": {"auth_token": ["s3cret"]}})
    assert answer.status_code == 422
    assert "s3cret" not in answer.text
    assert {error["field"] for error in answer.json()["errors"]} == {"name", "secrets.auth_token"}


async def change(house: House, path: str, body: Any, **headers: str) -> httpx.Response:
    return await house.http.patch(path, headers={**house.as_role("operator"), **headers}, json=body)


async def test_a_change_needs_what_was_seen(house: House) -> None:
    made = await add(house)
    path, etag = made.headers["location"], made.headers["etag"]
    first = await change(house, path, {"settings": {"region": "DE"}}, **{"If-Match": etag})
    assert (first.status_code, first.json()["settings"]) == (200, {"region": "DE"})
    second = await change(house, path, {"settings": {"region": "FR"}}, **{"If-Match": etag})
    assert (second.status_code, second.json()["code"]) == (412, "changed_meanwhile")
    assert (await change(house, path, {"settings": {"region": "FR"}})).status_code == 200


async def test_closed_for_good(house: House) -> None:
    path = (await add(house)).headers["location"]
    assert (await change(house, path, {"disabled": True})).json()["disabled"] is True
    assert (await change(house, path, {"disabled": True})).status_code == 200
    assert (await change(house, path, {"disabled": False})).status_code == 409
    assert (await change(house, path, {"settings": {"region": "DE"}})).status_code == 409


async def test_a_secret_setting_is_no_clear_one(house: House) -> None:
    path = (await add(house)).headers["location"]
    answer = await change(house, path, {"settings": {"auth_token": "clear"}})
    assert answer.status_code == 409
    assert "secret" in answer.json()["detail"]


async def test_requests_of_an_inbox(house: House) -> None:
    note = """
        INSERT INTO service.requests (request_id, tenant, inbox_id, received_at, result, reason)
        VALUES (%s, 'shop', %s, now(), %s, 'why')"""
    with psycopg.connect(house.settings.record_url, autocommit=True) as connection:
        for number, result in enumerate(("bad_signature", "duplicate")):
            connection.execute(note, (f"0190b7a2-0000-7000-8000-00000000000{number}", house.inboxes["shop"], result))
    path = f"/api/v1/inboxes/{house.inboxes['shop']}/requests"
    assert [one["result"] for one in (await house.get(path)).json()["items"]] == ["duplicate", "bad_signature"]
    (found,) = (await house.get(path, result="bad_signature")).json()["items"]
    assert set(found) == {"request_id", "received_at", "result", "reason", "raw_id", "event_ids"}
    assert (await house.get(path, limit=1)).json()["items"][0]["result"] == "duplicate"
