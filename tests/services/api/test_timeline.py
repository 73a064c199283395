import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.channels.voice.requests import CHANNEL as CALLS
from tests.channels.voice.requests import missed_call, taken_call
from tests.services.api.house import ALI, NOON, House, message, receipt

MEMBERS = {
    "interaction_id", "event_id", "reference", "kind", "direction", "channel", "inbox_id", "address", "address_id",
    "conversation_id", "agent_id", "subject", "text", "attachments", "call", "delivery", "assurance", "occurred_at",
    "recorded_at", "position", "revision",
}  # fmt: skip


async def test_newest_first_with_every_member(house: House) -> None:
    await house.say("یک", "دو", "سه")
    head = await house.caught_up()
    answer = await house.get("/api/v1/timeline", "agent", address=ALI)
    page = answer.json()
    assert (answer.status_code, page["next"], page["position"]) == (200, None, head)
    assert [item["text"] for item in page["items"]] == ["سه", "دو", "یک"]
    assert 0 <= page["lag_seconds"] < 1
    first = page["items"][0]
    assert set(first) == MEMBERS
    assert (first["address"], first["inbox_id"], first["call"]) == (ALI, str(house.inboxes["shop"]), None)
    assert first["occurred_at"] == "2026-11-20T12:02:00Z"
    assert answer.headers["tamas-request-id"]


async def test_pages_neither_miss_nor_repeat(house: House) -> None:
    await house.say(*[f"m{number}" for number in range(7)])
    await house.caught_up()
    path, seen = "/api/v1/timeline?address=tel:%2B989121234567&limit=3&channel=sms/twilio", list[str]()
    while path:
        answer = await house.get(path)
        page = answer.json()
        seen += [item["text"] for item in page["items"]]
        assert answer.headers.get("link") == (f'<{page["next"]}>; rel="next"' if page["next"] else None)
        path = page["next"]
    assert seen == [f"m{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    "written", ["tel:+989121234567", "tel: 989121234567", "0912 123 4567", "+989121234567", "tel:۰۹۱۲۱۲۳۴۵۶۷"]
)
async def test_an_address_may_be_written_as_people_do(house: House, written: str) -> None:
    await house.say("here")
    await house.caught_up()
    assert len((await house.get("/api/v1/timeline", address=written)).json()["items"]) == 1


async def test_an_unknown_address_has_no_items(house: House) -> None:
    for address in ("tel:+989120000000", "nobody", "mailto:who@example.com"):
        answer = await house.get("/api/v1/timeline", address=address)
        assert (answer.status_code, answer.json()["items"], answer.json()["next"]) == (200, [], None)


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ({"kind": "form"}, ["form"]),
        ({"channel": "forms/web"}, ["form"]),
        ({"direction": "out"}, [None]),
        ({"direction": "in", "kind": "message"}, ["late", "early"]),
        ({"since": "2026-11-20T12:01:00Z", "direction": "in"}, ["late", "form"]),
        ({"until": "2026-11-20T15:31:00+03:30", "direction": "in"}, ["early"]),
    ],
)
async def test_filters(house: House, asked: dict[str, str], texts: list[str | None]) -> None:
    await house.hear([message("shop", "A", "early")])
    await house.hear([message("shop", "B", "form", at=NOON + timedelta(minutes=1), kind="form", channel="forms/web")])
    await house.hear([message("shop", "C", "late", at=NOON + timedelta(minutes=2))])
    await house.hear([receipt("shop", "OUT", "delivered", at=NOON + timedelta(minutes=3))])
    await house.caught_up()
    page = (await house.get("/api/v1/timeline", address=ALI, **asked)).json()
    assert [item["text"] for item in page["items"]] == texts


async def test_what_a_call_came_to(house: House) -> None:
    for requests, answer in ((missed_call(), "missed"), (taken_call(), "completed")):
        for request in requests:
            await house.hear([replace(one, occurred_at=one.occurred_at or NOON) for one in CALLS.parse(request)])
        await house.caught_up()
        (item,) = (await house.get("/api/v1/timeline", address=ALI, kind="call")).json()["items"]
        assert set(item) == MEMBERS
        assert (item["kind"], item["direction"], item["delivery"], item["text"]) == ("call", "in", None, "")
        assert item["call"]["state"] == answer
    assert item["call"]["duration_seconds"] == 53
    assert [(leg["first_leg"], leg["state"]) for leg in item["call"]["legs"]] == [
        (True, "completed"),
        (False, "completed"),
        (False, "canceled"),
    ]
    assert [one["media_type"] for one in item["attachments"]] == ["audio/wav"]
    detail = await house.get(f"/api/v1/interactions/{item['interaction_id']}", "agent")
    assert detail.json()["call"] == item["call"]


async def test_what_became_of_a_message_of_ours(house: House) -> None:
    await house.hear([receipt("shop", "OUT", "sent"), receipt("shop", "OUT", "delivered")])
    await house.caught_up()
    (item,) = (await house.get("/api/v1/timeline", address=ALI)).json()["items"]
    assert (item["direction"], item["delivery"]["state"]) == ("out", "delivered")
    assert datetime.fromisoformat(item["delivery"]["at"]) == NOON


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "bad_parameter"),
        ("address=", "bad_parameter"),
        ("address=x&limit=0", "bad_parameter"),
        ("address=x&limit=201", "bad_parameter"),
        ("address=x&cursor=nonsense", "bad_cursor"),
        ("address=x&cursor=%F0%9F%98%80", "bad_cursor"),
        ("address=x&since=2026-11-20T12:00:00", "bad_parameter"),
        ("address=x&kind=fax", "bad_parameter"),
        ("address=x&channel=%00", "bad_parameter"),
        ("address=x&min_position=99999999999999999999", "bad_parameter"),
    ],
)
async def test_what_is_not_right_is_named(house: House, query: str, code: str) -> None:
    answer = await house.get(f"/api/v1/timeline?{query}")
    body = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (400, code, 400)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:tamas:problem:{code}"
    assert body["request_id"] == answer.headers["tamas-request-id"]


async def test_min_position_waits_for_what_is_on_its_way(house: House) -> None:
    asked = asyncio.create_task(house.get("/api/v1/timeline", address=ALI, min_position=5))
    await asyncio.sleep(0.1)
    await house.say("one")
    answer = await asked
    assert [item["text"] for item in answer.json()["items"]] == ["one"]
    assert answer.json()["position"] >= 5


async def test_min_position_gives_up_after_two_seconds(house: House) -> None:
    began = asyncio.get_running_loop().time()
    answer = await house.get("/api/v1/timeline", address=ALI, min_position=10**9)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_there")
    assert int(answer.headers["retry-after"]) >= 1
    assert 1.9 < asyncio.get_running_loop().time() - began < 3
