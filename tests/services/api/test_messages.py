"""Answers through the API: as documented, once, and only for those who may."""

import asyncio
from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from channels.contract import Heard
from services.tenancy.store import Tenancy
from tests.services.answering.shop import MAIL, SARA, form
from tests.services.api.house import ALI, House, message
from tests.services.conversations.deciding import caught_up, deciding, rows

_WAY = {
    "channel", "inbox_id", "address", "why", "code", "hold_until", "hold_why", "form", "encoding", "segments",
    "language", "rejected",
}  # fmt: skip


async def _asked(house: House, said: str | Heard = "SM1", tenant: str = "shop") -> str:
    """A conversation that waits; an SMS of this key began it, or what is given."""
    async with deciding(house.settings):
        await house.hear([message(tenant, said, "Where is it?") if isinstance(said, str) else said], tenant)
        await caught_up(house.settings)
    opened = "SELECT originator_id FROM record.decisions WHERE type = 'conversation.opened' ORDER BY position DESC"
    return str(rows(house.settings, opened)[0][0])


async def _post(
    house: House, path: str, body: Any = None, *, key: str | None = None, role: str = "agent", tenant: str = "shop"
) -> httpx.Response:
    headers = house.as_role(role, tenant) | ({} if key is None else {"Idempotency-Key": key})
    return await house.http.post(f"/api/v1/{path}", json=body, headers=headers)


async def _answer(house: House, of: str, text: str = "Soon!", **more: Any) -> httpx.Response:
    given = {name: more.pop(name) for name in ("key", "role", "tenant", "path") if name in more}
    path = given.pop("path", f"conversations/{of}/messages")
    return await _post(house, path, {"text": text, **more}, **given)


async def test_an_answer_is_accepted_with_the_way_that_it_takes(house: House) -> None:
    of = await _asked(house)
    answer = await _answer(house, of)
    body = answer.json()
    assert (answer.status_code, set(body)) == (202, {"message_id", "position", "resolution"})
    assert answer.headers["location"] == f"/api/v1/messages/{body['message_id']}"
    way = body["resolution"]
    assert set(way) == _WAY
    assert (way["channel"], way["address"], way["why"]) == ("sms/twilio", ALI, "The customer asked by SMS.")
    assert (way["form"], way["encoding"], way["segments"], way["rejected"]) == ("text", "gsm7", 1, [])
    assert rows(house.settings, "SELECT max(position) FROM record.decisions") == [(body["position"],)]


async def test_a_dry_run_only_tells(house: House) -> None:
    of = await _asked(house)
    before = rows(house.settings, "SELECT count(*) FROM record.decisions")
    told = await _answer(house, of, path=f"conversations/{of}/messages?dry_run=true")
    assert (told.status_code, set(told.json())) == (200, _WAY)
    none = await _answer(
        house, of, path=f"conversations/{of}/messages?dry_run=true", via="email", reason="they asked me to"
    )
    assert (none.status_code, none.json()["channel"]) == (200, None)
    assert none.json()["why"] == "There is no way to answer this customer."
    assert [one["channel"] for one in none.json()["rejected"]] == ["email", "sms/twilio"]
    assert rows(house.settings, "SELECT count(*) FROM record.decisions") == before


async def test_where_there_is_no_way_each_says_why_not(house: House) -> None:
    of = await _asked(house)
    answer = await _answer(house, of, via="email", reason="they asked me to")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "no_way")
    assert problem["detail"] == "There is no way to answer this customer."
    assert problem["errors"] == [
        {"field": "email", "detail": "We have no inbox for mail."},
        {"field": "sms/twilio", "detail": "The agent chose mail instead: they asked me to"},
    ]


async def test_what_became_of_it_is_told(house: House) -> None:
    of = await _asked(house)
    asked = (await _answer(house, of, via="sms", reason="they asked me to")).json()
    told = await house.get(f"/api/v1/messages/{asked['message_id']}", "agent")
    shown = told.json()
    assert told.status_code == 200
    assert shown["resolution"] == asked["resolution"]
    assert (shown["state"], shown["attempts"], shown["receipts"]) == ("queued", [], [])
    assert (shown["text"], shown["via"], shown["reason"]) == ("Soon!", "sms", "they asked me to")
    assert shown["conversation_id"] == of
    assert (await house.get(f"/api/v1/messages/{asked['message_id']}", tenant="rival")).status_code == 404


async def test_the_same_again_gets_the_first_answer_and_one_is_sent(house: House) -> None:
    of = await _asked(house)
    first, second = await asyncio.gather(*(_answer(house, of, key="k1", seen="waiting") for _ in range(2)))
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (202, second.json())
    assert (await _answer(house, of, key="k1", seen="waiting")).json() == first.json()
    other = await _answer(house, of, "Another!", key="k1", seen="waiting")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert rows(house.settings, "SELECT count(*) FROM record.decisions WHERE topic = 'outbound'") == [(2,)]


async def test_of_two_who_answer_at_once_one_is_told(house: House) -> None:
    of = await _asked(house)
    done = await asyncio.gather(*(_answer(house, of, f"n{n}", seen="waiting", key=f"k{n}") for n in range(8)))
    assert sorted(one.status_code for one in done) == [202] + [409] * 7
    told = {one.json()["detail"] for one in done if one.status_code == 409}
    assert told == {"It was answered while you wrote. Read that answer; send yours again if it is still needed."}


async def test_files_go_with_it(house: House) -> None:
    of = await _asked(house)
    content = bytes(range(256)) * 1200
    file = {"name": "فاکتور.pdf", "media_type": "application/pdf", "content": b64encode(content).decode()}
    refused = await _answer(house, of, attachments=[file])
    assert (refused.status_code, "Attachments cannot be sent by SMS" in refused.text) == (409, True)
    with Tenancy(house.settings) as tenancy:
        tenancy.add_inbox("shop", MAIL)
    answer = await _answer(house, await _asked(house, form("F1", SARA)), attachments=[file])
    assert answer.status_code == 202, answer.text
    stored = rows(house.settings, "SELECT state FROM record.decisions WHERE type = 'message.asked'")
    assert b'"bytes":307200' in bytes(stored[0][0])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "x", "via": "sms"}, 422),
        ({"text": "x", "via": "sms", "reason": " "}, 422),
        ({"text": " "}, 422),
        ({}, 422),
        ({"text": "x", "colour": "red"}, 422),
        ({"text": "x", "via": "SMS!", "reason": "y"}, 422),
        ({"text": "x", "seen": "asleep"}, 422),
        ({"text": "x", "undo_seconds": -1}, 422),
        ({"text": "x", "attachments": [{"content": "?"}]}, 422),
        ({"text": "x", "attachments": [{"content": "A" * 14_000_000}]}, 422),
        ({"text": "x", "attachments": [{"content": "A" * (16 << 20)}]}, 413),
    ],
)
async def test_what_does_not_fit_is_told(house: House, body: dict[str, Any], status: int) -> None:
    assert (await _post(house, f"conversations/{uuid4()}/messages", body)).status_code == status


async def test_taken_given_back_closed_and_opened_again(house: House) -> None:
    of = await _asked(house)
    taken = (await _post(house, f"conversations/{of}/take", key="t1")).json()["position"]
    assert (await _post(house, f"conversations/{of}/take", key="t1")).json()["position"] == taken
    refused = await _post(house, f"conversations/{of}/take", role="supervisor")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Another agent has taken this conversation.")
    assert (await _answer(house, of, role="supervisor")).status_code == 409
    over = await _post(house, f"conversations/{of}/take?over=true", role="supervisor")
    assert over.json()["position"] > taken
    for verb in ("release", "close", "reopen"):
        done = await _post(house, f"conversations/{of}/{verb}", role="supervisor")
        assert done.status_code == 202, done.text
    told = rows(house.settings, "SELECT type FROM record.decisions WHERE topic = 'cases' ORDER BY position")
    assert [one.partition(".")[2] for (one,) in told] == [
        *("opened", "taken", "taken", "released", "closed", "reopened"),
    ]


async def test_taken_back_and_nobody_in_doubt(house: House) -> None:
    of = await _asked(house)
    message_id = (await _answer(house, of, undo_seconds=30)).json()["message_id"]
    judged = await _post(house, f"messages/{message_id}/judge", {"judged": "arrived"})
    assert (judged.status_code, judged.json()["code"]) == (409, "refused")
    done = await _post(house, f"messages/{message_id}/withdraw", key="w1")
    assert done.status_code == 202
    assert (await _post(house, f"messages/{message_id}/withdraw", key="w1")).json() == done.json()
    assert (await house.get(f"/api/v1/messages/{message_id}")).json()["state"] == "withdrawn"
    assert (await _post(house, f"messages/{uuid4()}/withdraw")).status_code == 404


async def test_who_may_answer(house: House) -> None:
    of = await _asked(house)
    for role, status in (("integrator", 403), ("subscriber", 403), ("agent", 202), ("supervisor", 202)):
        assert (await _answer(house, of, role=role)).status_code == status, role
    assert (await _answer(house, of, tenant="rival")).status_code == 404
    assert (await _answer(house, str(uuid4()))).status_code == 404


async def test_more_answers_at_once_than_there_are_connections(house: House) -> None:
    of = await _asked(house)
    done = await asyncio.gather(*(_answer(house, of, f"n{n}", key=f"k{n}") for n in range(30)))
    assert {one.status_code for one in done} <= {202, 409}
    assert {one.json()["code"] for one in done if one.status_code == 409} <= {"refused", "conflict"}
    assert UUID(next(one for one in done if one.status_code == 202).json()["message_id"])
