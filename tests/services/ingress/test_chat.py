"""Visitors at a real edge with a real record."""

import asyncio
import json
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest

from channels.contract import Origin
from services.ingress.chat_limits import BURST
from services.settings import Settings
from tests.services.ingress.chats import LINES, Chats, proof_of, running_chats, visit
from tests.services.ingress.records import answer_of_an_agent

VERIFIED = LINES + " AND position('\"verified\"'::bytea IN data) > 0"


@pytest.fixture
async def chats(settings: Settings) -> AsyncGenerator[Chats]:
    async with running_chats(settings, edges=2) as made:
        yield made


async def test_an_ack_tells_number_and_event_and_its_repeat_the_same(chats: Chats) -> None:
    async with visit(chats) as sara:
        assert sara.welcome == {"t": "welcome", "visitor": sara.name, "last": 0}
        message_id = str(uuid4())
        first, again = await sara.writes("سلام", message_id), await sara.writes("سلام", message_id)
        assert (first["t"], first["id"], first["number"]) == ("ack", message_id, 1)
        assert first == again
        key = f"chat:v.{sara.name}/{message_id}"
        assert UUID(first["event_id"]) == Origin("shop", "widget:Shop site").derive(key, "interaction.received")
        assert (await sara.writes("دوباره"))["number"] == 2
    assert chats.count() == chats.count("SELECT count(*) FROM record.raw") == 2
    async with visit(chats, sara.name, after=2, edge=1) as later:
        assert await later.writes("سلام", message_id) == first
    assert chats.count() == 2


async def test_an_ack_has_the_id_as_the_script_wrote_it(chats: Chats) -> None:
    async with visit(chats) as sara:
        message_id = uuid4()
        for written in (str(message_id).upper(), message_id.urn, f"{{{message_id}}}"):
            assert (await sara.writes("x", written))["id"] == written
    assert chats.count() == 1


async def test_a_message_that_is_sent_twice_at_once_is_acked_twice(chats: Chats) -> None:
    async with visit(chats) as sara:
        message_id = str(uuid4())
        for _ in range(3):
            await sara.tell("x", message_id)
        acks = [await sara.hears() for _ in range(3)]
        assert acks[0] == acks[1] == acks[2]
        assert await sara.is_told_nothing()
    assert chats.count() == 1


async def test_what_was_missed_comes_after_the_last_number_seen(chats: Chats) -> None:
    async with visit(chats) as sara:
        for text in ("one", "two", "three"):
            await sara.writes(text)
    async with visit(chats, sara.name, after=1, edge=1) as later:
        assert later.welcome["last"] == 3
        found = [await later.hears(), await later.hears()]
        assert [(one["t"], one["number"], one["from"], one["text"]) for one in found] == [
            ("message", 2, "visitor", "two"),
            ("message", 3, "visitor", "three"),
        ]
        assert all(one["occurred_at"].endswith("Z") and UUID(one["id"]) for one in found)
        assert await later.is_told_nothing()
    async with visit(chats, sara.name, after=99) as reset:
        assert (reset.welcome["last"], (await reset.hears())["number"]) == (3, 1)


async def test_a_long_thread_comes_whole(chats: Chats) -> None:
    async with visit(chats, "42", proof_of("42")) as sara:
        texts = [f"line {n}" for n in range(BURST)]
        for text in texts:
            await sara.tell(text)
        assert [(await sara.hears())["number"] for _ in texts] == list(range(1, BURST + 1))
    await answer_of_an_agent(chats, "chat:u.42@Shop%20site", *(f"answer {n}" for n in range(230)))
    async with visit(chats, "42", proof_of("42")) as later:
        found = [await later.hears() for _ in range(BURST + 230)]
    assert [one["number"] for one in found] == list(range(1, BURST + 231))
    assert [one["text"] for one in found] == texts + [f"answer {n}" for n in range(230)]


async def test_two_tabs_at_two_edges_see_the_same(chats: Chats) -> None:
    async with visit(chats) as first, visit(chats, first.name, edge=1) as second:
        ids = [[await tab.tell(f"{name} {n}") for n in range(10)] for tab, name in ((first, "a"), (second, "b"))]
        seen = [[await tab.hears() for _ in range(20)] for tab in (first, second)]
    for mine, heard in zip(ids, seen, strict=True):
        assert [one["number"] for one in heard] == list(range(1, 21))
        assert {one["id"] for one in heard if one["t"] == "ack"} == set(mine)
    assert [one["id"] for one in seen[0]] == [one["id"] for one in seen[1]]


async def test_two_tabs_that_send_the_same_message_both_get_its_ack(chats: Chats) -> None:
    async with visit(chats) as first, visit(chats, first.name, edge=1) as second:
        message_id = str(uuid4())
        acks = await asyncio.gather(first.writes("x", message_id), second.writes("x", message_id))
        assert acks[0] == acks[1]
        assert await first.is_told_nothing()
        assert await second.is_told_nothing()
    assert chats.count() == 1


async def test_an_agents_answer_comes_live_and_again_after_a_pause(chats: Chats) -> None:
    async with visit(chats) as sara, visit(chats) as somebody:
        await sara.writes("Where is my order?")
        await answer_of_an_agent(chats, f"chat:v.{sara.name}", "On its way.")
        answer = await sara.hears()
        assert (answer["t"], answer["number"], answer["from"], answer["text"]) == ("message", 2, "agent", "On its way.")
        assert await somebody.is_told_nothing()
    async with visit(chats, sara.name, after=1) as later:
        assert await later.hears() == answer


async def test_proven_visitors_and_strangers_have_threads_of_their_own(chats: Chats) -> None:
    async with visit(chats, "42", proof_of("42")) as sara:
        assert sara.welcome == {"t": "welcome", "visitor": "42", "last": 0}
        await sara.writes("secret")
    assert chats.count(VERIFIED) == 1
    for visitor, proof in (("42", None), ("42", proof_of("43")), ("42", "x"), (None, proof_of("42"))):
        async with visit(chats, visitor, proof) as forger:
            assert (forger.welcome, await forger.closing()) == ({}, 4401)
    async with visit(chats, "a" * 26) as stranger:
        assert stranger.welcome["last"] == 0
        await stranger.writes("open")
    assert chats.count(VERIFIED) == 1
    assert chats.count() == 2


async def test_what_cannot_be_read_is_told_and_the_socket_stays(chats: Chats) -> None:
    async with visit(chats) as sara:
        for frame in ("{", "[]", '{"t":"typing"}', b"\xff", '{"t":"hello"}'):
            await sara.socket.send(frame)
            assert (await sara.hears())["code"] == "malformed"
        error = await sara.writes("x" * 4001)
        assert (error["t"], error["code"], len(error["id"])) == ("error", "malformed", 36)
        assert "4001" in error["detail"]
        assert (await sara.writes("\0a\ud800b"))["number"] == 1
    assert chats.count() == chats.count("SELECT count(*) FROM record.raw") == 1
    async with visit(chats, sara.name) as later:
        assert (await later.hears())["text"] == "a�b"


async def test_who_writes_too_fast_has_to_wait(chats: Chats) -> None:
    async with visit(chats) as sara:
        for n in range(BURST + 20):
            await sara.tell(str(n))
        assert await sara.closing() == 4429
    assert BURST <= chats.count() < BURST + 20
    async with visit(chats, sara.name) as again:
        found = [await again.hears() for _ in range(chats.count())]
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))


async def test_the_first_frame_is_a_hello(chats: Chats) -> None:
    async with visit(chats, after=-1) as nobody:
        assert nobody.welcome["code"] == "malformed"
        assert await nobody.closing() == 1008


async def test_frames_have_a_limit(chats: Chats) -> None:
    async with visit(chats) as sara:
        await sara.socket.send(json.dumps({"t": "message", "text": "x" * 70_000}))
        assert await sara.closing() == 1009
