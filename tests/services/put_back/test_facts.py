import asyncio
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest

from services.produce import abandon, producer
from services.put_back.tally import Tally
from services.record.append import Appender
from services.record.identity import EPOCH_POSITIONS, adopt
from services.settings import Settings
from services.topics import name_of
from tests.services.put_back.house import House, address, housed

COUNT, KEPT = 300, 180


def _line(tally: Tally, topic: str = "interactions") -> tuple[int, int, int, int]:
    line = tally.topics[topic]
    return line.read, line.already_there, line.put_back, sum(line.left_out.values())


async def _filled(house: House) -> list[UUID]:
    ids = await house.hear(*[(str(number), address(number % 23)) for number in range(COUNT)])
    await house.publish()
    return ids


async def test_what_was_lost_comes_back_in_its_order_and_a_second_run_finds_it_there(wired: Settings) -> None:
    async with housed(wired) as house:
        ids = await _filled(house)
        before = await house.rows()
        house.lose(KEPT)
        assert _line(await house.put_back()) == (COUNT - KEPT, 0, COUNT - KEPT, 0)
        after = await house.rows()
        assert [row.event_id for row in after] == ids
        assert [row.payload for row in after] == [row.payload for row in before]
        assert [(row.subject, row.occurred_at, row.inbox_id) for row in after] == [
            (row.subject, row.occurred_at, row.inbox_id) for row in before
        ]
        assert [row.position for row in after[KEPT:]] == [EPOCH_POSITIONS + n for n in range(COUNT - KEPT)]
        assert await house.is_whole()
        assert _line(await house.put_back()) == (COUNT - KEPT, COUNT - KEPT, 0, 0)
        # A provider sends again what it sent before.
        await house.hear(*[(str(number), address(number % 23)) for number in range(KEPT - 20, COUNT)])
        await house.publish()
        assert len(await house.rows()) == COUNT
        assert _line(await house.put_back()) == (COUNT - KEPT, COUNT - KEPT, 0, 0)


async def test_it_also_helps_later_and_beside_a_record_that_is_written(wired: Settings) -> None:
    async with housed(wired) as house:
        ids = await _filled(house)
        house.lose(KEPT)
        adopt(wired.record_url)
        again = list(range(KEPT, KEPT + 30))
        await house.hear(*[(str(number), address(number % 23)) for number in again])
        writing = asyncio.create_task(house.hear(*[(f"new {n}", address(n)) for n in range(50)]))
        assert _line(await house.put_back()) == (COUNT - KEPT, len(again), COUNT - KEPT - len(again), 0)
        new = await writing
        rows = await house.rows()
        assert len(rows) == COUNT + len(new)
        assert {row.event_id for row in rows} == {*ids, *new}
        assert await house.is_whole()


async def test_one_that_was_cut_short_is_finished_by_the_next(wired: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.put_back.wire._PAGE", 40)
    async with housed(wired) as house:
        ids = await _filled(house)
        house.lose(KEPT)
        with monkeypatch.context() as broken:
            commit, calls = Appender.commit, 0

            async def cut(*arguments: Any, **options: Any) -> None:
                nonlocal calls
                calls += 1
                if calls == 2:
                    raise psycopg.OperationalError("gone")
                await commit(*arguments, **options)

            broken.setattr(Appender, "commit", cut)
            with pytest.raises(psycopg.OperationalError):
                await house.put_back()
        assert _line(await house.put_back()) == (COUNT - KEPT, 40, COUNT - KEPT - 40, 0)
        assert [row.event_id for row in await house.rows()] == ids
        assert await house.is_whole()


async def test_twice_lost_and_an_older_copy_again(wired: Settings) -> None:
    """Both lives published the same events: each comes back once."""
    async with housed(wired) as house:
        ids = await _filled(house)
        house.lose(KEPT)
        await house.put_back()
        more = await house.hear(("later", address(1)))
        await house.publish()
        house.lose(KEPT - 50)
        lost = COUNT - KEPT
        tally = await house.put_back()
        assert _line(tally) == (50 + lost + lost + 1, lost, 50 + lost + 1, 0)
        rows = await house.rows()
        assert [row.event_id for row in rows] == [*ids, *more]
        assert rows[-1].position // EPOCH_POSITIONS == 2
        assert await house.is_whole()


async def test_where_nothing_was_lost_nothing_is_read(wired: Settings) -> None:
    async with housed(wired) as house:
        await _filled(house)
        assert (await house.put_back()).topics == {}


@pytest.mark.parametrize(
    ("headers", "value", "reason"),
    [
        ({}, b"{}", "something else writes"),
        ({"ce_type": b"tamas.interaction.danced.v1"}, b'{"type":"interaction.danced","version":1}', "this version"),
        ({"ce_type": b"tamas.receipt.reported.v1"}, None, "this version"),
        ({"ce_type": b"tamas.interaction.received.v1"}, b"", "too large for the broker"),
    ],
)
async def test_what_cannot_be_put_back_is_said(
    wired: Settings, headers: dict[str, bytes], value: bytes | None, reason: str
) -> None:
    async with housed(wired) as house:
        await house.hear(("1", address(1)), ("2", address(2)))
        await house.publish()
        event_id = uuid4()
        whole = {
            "ce_position": b"3",
            "ce_eventid": str(event_id).encode(),
            "ce_revision": b"1",
            "ce_tenant": b"acme",
            "ce_subject": str(uuid4()).encode(),
            "ce_source": b"/tenants/acme",
            "ce_time": b"2026-11-20T09:30:00Z",
            "ce_recordedat": b"2026-11-20T09:30:00Z",
        }
        told = {**whole, **headers} if headers else {}
        payload = (await house.rows())[0].payload if value is None else value
        sender = producer(wired, client_id="t")
        await sender.start()
        name = name_of(wired, "interactions")
        await sender.send_and_wait(name, payload, partition=0, headers=list(told.items()))
        await abandon(sender)
        house.lose(1)
        tally = await house.put_back()
        assert _line(tally)[2:] == (1, 1)
        ((told_reason, count),) = tally.topics["interactions"].left_out.items()
        assert (reason in told_reason, count) == (True, 1)
        assert event_id not in {row.event_id for row in await house.rows()}


async def test_the_parts_are_stored_apart_as_they_were(wired: Settings) -> None:
    async with housed(wired) as house:
        await house.hear(("1", address(1)), ("2", address(2)))
        before = house.run("SELECT data, octet_length(personal) FROM record.facts ORDER BY position")
        await house.publish()
        house.lose(1)
        await house.put_back()
        assert house.run("SELECT data, octet_length(personal) FROM record.facts ORDER BY position") == before
        assert b"salaam" not in bytes(before[1][0])  # type: ignore[arg-type]
        assert orjson.loads((await house.rows())[1].payload)["personal"]["text"] == "salaam 2"
