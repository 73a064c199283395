import asyncio
import json

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services import database, topic_state, topics
from services.produce import connection
from services.record.errors import Fenced
from services.relay import app
from services.relay.cursor import claim
from services.relay.relay import Relay
from services.settings import Settings
from tests.services.relay.wire import INBOX, caught_up, check_whole, read_topic, relaying, until, writer


async def test_order_and_no_gap_with_concurrent_writers(wired: Settings) -> None:
    source = await writer(wired)
    async with relaying(wired) as relay:
        await asyncio.gather(*(source.write(500, group=size) for size in (1, 7, 40, 200)))
        await caught_up(relay, wired)
    records = await read_topic(wired)
    assert check_whole(records, source.written) == 0
    assert all(topics.partition_of(record.key, wired.topic_partitions) == record.partition for record in records)


async def test_a_record_is_a_cloudevent_in_the_clear(wired: Settings) -> None:
    source = await writer(wired, subjects=1)
    await source.write(1, text="کجاست؟")
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    (record,) = await read_topic(wired)
    assert record.key == str(source.subjects[0].address_id).encode()
    assert record.headers["ce_type"] == b"tamas.interaction.received.v1"
    assert record.headers["ce_source"] == f"/tenants/acme/inboxes/{INBOX}".encode()
    assert record.headers["ce_prevposition"] == b"0"
    assert json.loads(record.value)["personal"]["text"] == "کجاست؟"


async def test_goes_on_where_it_was(wired: Settings) -> None:
    source = await writer(wired)
    for _ in range(3):
        await source.write(100)
        async with relaying(wired) as relay:
            await caught_up(relay, wired)
    assert check_whole(await read_topic(wired), source.written) == 0


async def test_a_fact_above_the_brokers_limit_is_a_claim_check(wired: Settings) -> None:
    await topics.create(wired)
    admin = AIOKafkaAdminClient(**connection(wired))
    await admin.start()
    name = topics.name_of(wired, "interactions")
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "20000"})])
    await admin.close()
    while await topic_state.check(wired) != 20_000:  # noqa: ASYNC110 - the broker applies it a moment later
        await asyncio.sleep(0.05)
    source = await writer(wired, subjects=1)
    await source.write(50)
    await source.write(1, text="x" * 40_000)
    await source.write(50)
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    records = await read_topic(wired)
    assert check_whole(records, source.written) == 0
    (large,) = [record for record in records if not record.value]
    assert large.headers["ce_dataref"].decode() == f"{wired.public_url}/api/v1/events/{large.position}"


async def test_what_was_erased_is_published_without_its_personal_part(wired: Settings) -> None:
    source = await writer(wired, subjects=2)
    await source.write(4)
    async with database.pool(wired.keys_url) as pool, pool.connection() as held:
        await held.execute(
            "UPDATE keys.subjects SET wrapped = NULL WHERE address_id = %s", (source.subjects[0].address_id,)
        )
    async with relaying(wired) as relay:
        await caught_up(relay, wired)
    erased = str(source.subjects[0].address_id).encode()
    found = {(record.key == erased, "personal" in json.loads(record.value)) for record in await read_topic(wired)}
    assert found == {(True, False), (False, True)}


async def test_an_older_epoch_cannot_move_the_cursor(settings: Settings) -> None:
    async with database.pool(settings.record_url) as pool:
        old = await claim(pool, "p.", 1)
        new = await claim(pool, "p.", 2)
        with pytest.raises(Fenced):
            await old.move(5, {})
        await new.move(7, {})
        assert (await claim(pool, "p.", 3)).position == 7
        with pytest.raises(Fenced):
            await claim(pool, "p.", 2)


async def test_topics_that_are_not_as_configured_stop_it_with_a_sentence(wired: Settings) -> None:
    await topics.create(wired)
    other = wired.model_copy(update={"topic_partitions": 5})
    with pytest.raises(topics.TopicsMissing, match=r"has 3 partitions, TAMAS_TOPIC_PARTITIONS says 5: set it to 3"):
        await topic_state.check(other)
    with pytest.raises(topics.TopicsMissing, match="run `tamas topics create`"):
        await topic_state.check(wired.model_copy(update={"topic_prefix": "nowhere."}))
    source = await writer(wired)
    await source.write(1)
    stop = asyncio.Event()
    relays: list[Relay] = []
    running = asyncio.create_task(app.run(other, stop, stop.set, started=relays.append))
    await until(lambda: "TAMAS_TOPIC_PARTITIONS" in relays[0].status().detail if relays else False)
    assert not relays[0].status().ok
    stop.set()
    await running
