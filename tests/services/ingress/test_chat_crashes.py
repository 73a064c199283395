"""Acks and numbers while PostgreSQL is away, frozen or silent, and while edges are killed."""

import asyncio
import json
import signal
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
from tests.services.ingress.records import answer_of_an_agent


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
                await answer_of_an_agent(chats, f"chat:v.{sara.name}", f"a{n}")
                await sara.hears()
        before = chats.rows("SELECT address_id, number, event_id, position, ours FROM service.chat_lines ORDER BY 1, 2")
        chats.run("TRUNCATE service.chat_lines", "UPDATE service.chat_cursor SET position = 0")
    async with running_chats(settings, added=added) as again, visit(again, sara.name) as later:
        assert later.welcome["last"] == 10
    numbered = chats.rows("SELECT address_id, number, event_id, position, ours FROM service.chat_lines ORDER BY 1, 2")
    assert numbered == before


async def test_killed_between_the_hand_off_and_the_push_it_is_shown_once(settings: Settings) -> None:
    added, port = added_chat(settings), free_port()
    chats = Chats(settings, [f"http://127.0.0.1:{port}"], added.inbox.inbox_id, added.key or "")
    edge = await asyncio.to_thread(process.start, settings, f"127.0.0.1:{port}")
    async with visit(chats) as sara:
        await sara.writes("Where is my order?")
        edge.send_signal(signal.SIGSTOP)
        await answer_of_an_agent(chats, f"chat:v.{sara.name}", "On its way.")
        edge = await asyncio.to_thread(_killed, edge, settings, port)
    async with visit(chats, sara.name, after=1) as later:
        assert [(one["number"], one["text"]) for one in [await later.hears()]] == [(2, "On its way.")]
        assert await later.is_told_nothing()
    await asyncio.to_thread(_ended, edge)
    assert chats.count("SELECT count(*) FROM service.chat_lines") == 2


async def _listener(chats: Chats, visitor: str, wanted: int) -> list[tuple[int, str]]:
    """As the script does it: it goes on after the last number that it has."""
    found: list[tuple[int, str]] = []
    while len(found) < wanted:
        with suppress(OSError, ConnectionClosed, TimeoutError):
            async with visit(chats, visitor, after=found[-1][0] if found else 0) as here:
                while len(found) < wanted:
                    heard = await here.hears()
                    found.append((heard["number"], heard["text"]))
                    await here.socket.send(json.dumps({"t": "seen", "number": heard["number"]}))
        await asyncio.sleep(0.05)
    return found


async def test_answers_come_once_and_in_order_while_edges_are_killed(settings: Settings) -> None:
    added, port = added_chat(settings), free_port()
    chats = Chats(settings, [f"http://127.0.0.1:{port}"], added.inbox.inbox_id, added.key or "")
    edge = await asyncio.to_thread(process.start, settings, f"127.0.0.1:{port}")
    listening = asyncio.create_task(_listener(chats, "l" * 26, 40))
    for number in range(40):
        await answer_of_an_agent(chats, f"chat:v.{'l' * 26}", f"answer {number}")
        if number in (7, 19, 31):
            edge = await asyncio.to_thread(_killed, edge, settings, port)
    assert await asyncio.wait_for(listening, 60) == [(number + 1, f"answer {number}") for number in range(40)]
    async with visit(chats, "l" * 26, after=40) as later:
        await later.socket.send(json.dumps({"t": "seen", "number": 40}))
        await later.writes("all there")
    await asyncio.to_thread(_ended, edge)
    delivered = "type = 'receipt.reported' AND position('\"delivered\"'::bytea IN data) > 0"
    assert chats.count(f"SELECT count(*) FROM record.facts WHERE {delivered}") == 40
