"""Acks and numbers while PostgreSQL is away, frozen or silent, and while edges are killed."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from services.embedded.process import free_port
from services.record.lock import TAKE_LOCK
from services.settings import Settings
from tests.services.ingress import process
from tests.services.ingress.chats import LINES, Chats, added_chat, running_chats, visit
from tests.services.ingress.gate import Gate, gate_before


@pytest.fixture
async def gated(settings: Settings) -> AsyncGenerator[tuple[Chats, Gate]]:
    async with gate_before(settings.record_url) as (gate, url), running_chats(settings, url=url) as chats:
        yield chats, gate
        gate.thaw()


async def test_nothing_is_acked_before_it_is_committed(gated: tuple[Chats, Gate]) -> None:
    chats, gate = gated
    async with visit(chats) as sara:
        await sara.writes("one")
        gate.freeze()
        await sara.tell("two")
        assert await sara.is_told_nothing()
        gate.thaw()
        assert (await sara.hears())["number"] == 2
        assert chats.count() == 2


async def test_a_frozen_record_closes_the_socket_and_the_repeat_is_new(gated: tuple[Chats, Gate]) -> None:
    chats, gate = gated
    async with visit(chats) as sara:
        await sara.writes("one")
        gate.freeze()
        message_id = await sara.tell("two")
        with pytest.raises(ConnectionClosed):
            await sara.hears()
        assert await sara.closing() == 1013
    gate.thaw()
    async with visit(chats, sara.name, after=1) as later:
        ack = await later.writes("two", message_id)
    assert (ack["t"], ack["number"], chats.count()) == ("ack", 2, 2)


async def test_a_commit_that_nobody_heard_of_is_known_when_it_is_repeated(gated: tuple[Chats, Gate]) -> None:
    chats, gate = gated
    async with visit(chats) as sara:
        await sara.writes("one")
        with psycopg.connect(chats.settings.record_url) as connection:
            connection.execute(TAKE_LOCK)
            message_id = await sara.tell("two")
            # Facts and commit are with the server now, which waits for the record's lock.
            await chats.until("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
            gate.freeze(asks=False)
        await chats.until(f"SELECT ({LINES}) = 2")
        with pytest.raises(ConnectionClosed):
            await sara.hears()
        assert await sara.closing() == 1013
    gate.thaw()
    async with visit(chats, sara.name, after=1) as later:
        line = await later.hears()
        assert (line["t"], line["number"], line["id"]) == ("message", 2, message_id)
        ack = await later.writes("two", message_id)
        assert (ack["t"], ack["number"]) == ("ack", 2)
    assert chats.count() == 2


async def test_while_the_record_is_away_nobody_is_let_in_and_later_everybody(gated: tuple[Chats, Gate]) -> None:
    chats, gate = gated
    async with visit(chats) as before:
        await before.writes("one")
    # On a socket of its own: an ack may come a moment before its sender's own look at the record has ended.
    async with visit(chats) as sara, visit(chats, before.name, after=1) as silent:
        gate.cut()
        message_id = await sara.tell("one")
        assert await sara.closing() == 1013
        async with visit(chats) as somebody:
            assert (somebody.welcome, await somebody.closing()) == ({}, 1013)
        gate.mend()
        await _let_in_again(chats)
        async with visit(chats, sara.name) as later:
            assert (await later.writes("one", message_id))["number"] == 1
        assert (await silent.writes("still here"))["number"] == 2


async def _let_in_again(chats: Chats) -> None:
    """Connections to the record are made again one by one; until then scripts try, as they do."""
    async with asyncio.timeout(30):
        while True:
            with suppress(ConnectionClosed):
                async with visit(chats) as somebody:
                    if somebody.welcome and await somebody.writes("hello"):
                        return
            await asyncio.sleep(0.1)


async def _persistent(chats: Chats, visitor: str, texts: list[str]) -> dict[str, int]:
    """As the script does it: whatever has no ack is sent again on the next connection."""
    waiting, numbers = {str(uuid4()): text for text in texts}, dict[str, int]()
    while waiting:
        with suppress(OSError, ConnectionClosed, TimeoutError):
            async with visit(chats, visitor, after=max(numbers.values(), default=0)) as here:
                for message_id, text in waiting.items():
                    await here.tell(text, message_id)
                while waiting:
                    heard = await here.hears()
                    if heard.get("id") in waiting:
                        numbers[waiting.pop(heard["id"])] = heard["number"]
        await asyncio.sleep(0.05)
    return numbers


async def test_an_edge_killed_at_any_moment_doubles_and_loses_nothing(settings: Settings) -> None:
    added = added_chat(settings)
    port = free_port()
    chats = Chats(settings, [f"http://127.0.0.1:{port}"], added.inbox.inbox_id, added.key or "")
    edge = await asyncio.to_thread(process.start, settings, f"127.0.0.1:{port}")
    texts = [f"line {n}" for n in range(25)]
    sending = asyncio.create_task(_persistent(chats, "k" * 26, texts))
    for reached in (3, 9):
        await chats.until(f"SELECT ({LINES}) >= {reached}")
        edge = await asyncio.to_thread(_killed, edge, settings, port)
    numbers = await asyncio.wait_for(sending, 60)
    async with visit(chats, "k" * 26) as later:
        thread = [await later.hears() for _ in texts]
    await asyncio.to_thread(_ended, edge)
    assert chats.count() == 25
    assert numbers == {one["text"]: one["number"] for one in thread}
    assert sorted(numbers.values()) == list(range(1, 26))


def _killed(edge: "subprocess.Popen[bytes]", settings: Settings, port: int) -> "subprocess.Popen[bytes]":
    _ended(edge)
    return process.start(settings, f"127.0.0.1:{port}")


def _ended(edge: "subprocess.Popen[bytes]") -> None:
    edge.kill()
    edge.communicate()


async def test_the_numbers_can_be_made_again_from_the_record(settings: Settings) -> None:
    added = added_chat(settings)
    async with running_chats(settings, added=added) as chats:
        async with visit(chats) as sara, visit(chats) as reza:
            for n in range(5):
                await sara.writes(f"s{n}")
                await reza.writes(f"r{n}")
        before = chats.rows("SELECT address_id, number, event_id, position FROM service.chat_lines ORDER BY 1, 2")
        chats.run("TRUNCATE service.chat_lines", "UPDATE service.chat_cursor SET position = 0")
    async with running_chats(settings, added=added) as again, visit(again, sara.name) as later:
        assert later.welcome["last"] == 5
    assert chats.rows("SELECT address_id, number, event_id, position FROM service.chat_lines ORDER BY 1, 2") == before
