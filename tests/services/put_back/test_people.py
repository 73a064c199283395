"""A key store restored with the record: addresses come back under their ids, and who was erased stays erased."""

from uuid import UUID, uuid4

import orjson
import pytest

from channels.contract import Blob
from services.blobs import BlobStore
from services.keys.erasures import hide
from services.record.erase import Certificate, erase
from services.settings import Settings
from tests.services.put_back.house import House, address, housed

HER, HIM = address(1), address(2)


async def _erased(house: House, whom: str) -> Certificate:
    return await erase(
        house.settings, house.record, house.keys, house.ring(), tenant="acme", address=whom, settled_seconds=0.1
    )


async def _personal(house: House) -> list[str | None]:
    told = [orjson.loads(row.payload).get("personal") for row in await house.rows()]
    return [None if one is None else one["address"] for one in told]


async def test_addresses_whose_keys_are_lost_have_new_ones_under_their_ids(wired: Settings) -> None:
    async with housed(wired) as house:
        blob = Blob(uuid4(), b"a picture of hers")
        await house.hear(("1", HIM))
        await house.hear(("2", HER), ("3", HIM), ("4", HER), blob=blob)
        await house.publish()
        before = [row.subject for row in await house.rows()]
        house.lose(1)
        house.run("DELETE FROM keys.subjects WHERE address_id = %s", before[1])
        tally = await house.put_back()
        assert tally.new_keys == {before[1]}
        assert [row.subject for row in await house.rows()] == before
        assert await _personal(house) == [HIM, HER, HIM, HER]
        assert await house.is_whole()
        # She writes on under the same id.
        await house.hear(("5", HER))
        assert (await house.rows())[-1].subject == before[1]


async def test_an_address_that_came_again_before_it_has_one_id(wired: Settings) -> None:
    async with housed(wired) as house:
        await house.hear(("1", HIM), ("2", HER), ("3", HER))
        await house.publish()
        lost = (await house.rows())[1].subject
        house.lose(1)
        house.run("DELETE FROM keys.subjects WHERE address_id = %s", lost)
        new = (await house.ring().subjects([("acme", HER)]))["acme", HER].address_id
        tally = await house.put_back()
        assert tally.new_keys == set()
        assert new != lost
        assert [row.subject for row in await house.rows()][1:] == [new, new]
        assert await _personal(house) == [HIM, HER, HER]
        assert await house.is_whole()


@pytest.mark.parametrize("half_done", [False, True])
async def test_who_was_erased_after_the_copy_is_erased_again(wired: Settings, *, half_done: bool) -> None:
    async with housed(wired) as house:
        await house.hear(("1", HER), ("2", HIM))
        copies = (
            house.run("SELECT * FROM record.raw"),
            house.run("SELECT * FROM keys.subjects WHERE lookup IS NOT NULL"),
        )
        await house.hear(("3", HER), ("4", HIM))
        await house.publish()
        certificate = await _erased(house, HER)
        await house.publish()
        house.lose(2)
        _restored(house, *copies)
        if half_done:
            house.run(
                "UPDATE keys.subjects SET erased_at = now(), lookup = %s WHERE address_id = %s",
                await house.ring().lookup("acme", f"\0erasing\0{HER}"),
                certificate.address_id,
            )
        assert await _personal(house) == [HER, HIM]
        tally = await house.put_back()
        assert (tally.erased_again, tally.not_yet_erased, tally.without_person) == (1, [], 1)
        assert await _personal(house) == [None, HIM, None, HIM, None]
        assert [row.type for row in await house.rows()][-1] == "address.erased"
        assert _kept(house, certificate.address_id) == (0, 1)
        assert await house.is_whole()
        again = await house.put_back()
        assert (again.erased_again, again.without_person, again.topics["customers"].put_back) == (0, 0, 0)


@pytest.mark.parametrize("half_done", [False, True])
async def test_who_was_erased_and_came_again_is_whole_as_somebody_new(wired: Settings, *, half_done: bool) -> None:
    async with housed(wired) as house:
        await house.hear(("1", HER))
        copies = house.run("SELECT * FROM record.raw"), house.run("SELECT * FROM keys.subjects")
        await house.publish()
        certificate = await _erased(house, HER)
        await house.hear(("2", HER), ("3", HER))
        await house.publish()
        new = (await house.rows())[-1].subject
        house.lose(1)
        house.run("DELETE FROM keys.subjects")
        _restored(house, *copies)
        if half_done:
            await hide(house.keys, house.ring(), "acme", HER)
        tally = await house.put_back()
        assert (tally.erased_again, tally.new_keys) == (1, {new})
        assert [row.subject for row in await house.rows()] == [certificate.address_id] * 2 + [new] * 2
        assert await _personal(house) == [None, None, HER, HER]
        assert _kept(house, certificate.address_id) == (0, 0)
        assert await house.is_whole()


async def test_two_erasures_of_one_address_are_both_done_again(wired: Settings) -> None:
    async with housed(wired) as house:
        await house.hear(("1", HER))
        await hide(house.keys, house.ring(), "acme", HER)
        await house.hear(("2", HER))
        copies: list[list[tuple[object, ...]]] = [[], house.run("SELECT * FROM keys.subjects")]
        await house.publish()
        for _ in range(2):
            await _erased(house, HER)
        await house.publish()
        house.lose(2)
        _restored(house, *copies)
        tally = await house.put_back()
        assert tally.erased_again == 2
        assert await _personal(house) == [None] * 4
        assert house.run("SELECT FROM keys.subjects WHERE wrapped IS NOT NULL OR lookup IS NOT NULL") == []
        assert await house.is_whole()


async def test_who_is_on_the_wire_alone_stays_erased_too(wired: Settings) -> None:
    async with housed(wired) as house:
        await house.hear(("1", HIM), ("2", HER))
        await house.publish()
        certificate = await _erased(house, HER)
        await house.publish()
        house.lose(1)
        house.run("DELETE FROM keys.subjects WHERE address_id = %s", certificate.address_id)
        tally = await house.put_back()
        assert (tally.erased_again, tally.without_person, tally.new_keys) == (0, 1, set())
        assert await _personal(house) == [HIM, None, None]
        assert house.run("SELECT lookup, wrapped FROM keys.subjects WHERE erased_at IS NOT NULL") == [(None, None)]
        assert await house.is_whole()


async def test_an_erasure_that_only_the_key_store_knows_is_told(wired: Settings) -> None:
    async with housed(wired) as house:
        await house.hear(("1", HIM), ("2", HER))
        await house.publish()
        certificate = await _erased(house, HER)
        house.lose(1)
        tally = await house.put_back()
        assert (tally.without_person, tally.erased_again) == (1, 0)
        rows = await house.rows()
        assert [row.type for row in rows] == ["interaction.received", "interaction.received", "address.erased"]
        assert rows[-1].subject == certificate.address_id
        assert await _personal(house) == [HIM, None, None]
        assert await house.is_whole()


async def test_an_erasure_that_waits_for_a_parser_is_named_and_done_the_next_time(
    wired: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.record.erase._DRAIN_SECONDS", 0.1)
    async with housed(wired) as house:
        await house.hear(("1", HER))
        copies = house.run("SELECT * FROM record.raw"), house.run("SELECT * FROM keys.subjects")
        await house.publish()
        certificate = await _erased(house, HER)
        await house.publish()
        house.lose(1)
        _restored(house, *copies)
        monkeypatch.setattr("services.record.holders.names", _names_her)
        house.run(
            "INSERT INTO service.pending (raw_id, day, tenant, inbox_id) SELECT raw_id, day, tenant, inbox_id "
            "FROM record.raw"
        )
        tally = await house.put_back()
        assert (tally.erased_again, tally.not_yet_erased) == (0, [certificate.address_id])
        house.run("DELETE FROM service.pending")
        tally = await house.put_back()
        assert (tally.erased_again, tally.not_yet_erased) == (1, [])
        assert _kept(house, certificate.address_id) == (0, 0)


async def test_files_under_a_lost_key_do_not_open_and_a_repeat_mends_them(wired: Settings) -> None:
    async with housed(wired) as house:
        blob, blobs = Blob(uuid4(), b"a picture of hers"), BlobStore(wired.blob_url)
        await house.hear(("1", HIM))
        await house.hear(("2", HER), blob=blob)
        await house.publish()
        house.lose(1)
        house.run("DELETE FROM keys.subjects WHERE lookup = %s", await house.ring().lookup("acme", HER))
        await house.put_back()
        await house.hear(("2", HER), blob=blob)
        her = (await house.ring().subjects([("acme", HER)]))["acme", HER]
        assert await blobs.get("acme", her, blob.blob_id) == blob.content


def _names_her(*_: object) -> bool:
    return True


def _restored(house: House, raws: list[tuple[object, ...]], subjects: list[tuple[object, ...]]) -> None:
    """Requests and keys as a copy had them."""
    for raw in raws:
        house.run("INSERT INTO record.raw VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING", *raw)
    for subject in subjects:
        house.run("DELETE FROM keys.subjects WHERE address_id = %s", subject[1])
        house.run("INSERT INTO keys.subjects VALUES (%s, %s, %s, %s, %s, %s, %s)", *subject)


def _kept(house: House, address_id: UUID) -> tuple[object, object]:
    """Keys of the address, and raw requests of anybody."""
    keys = house.run("SELECT count(*) FROM keys.subjects WHERE address_id = %s AND wrapped IS NOT NULL", address_id)
    return keys[0][0], house.run("SELECT count(*) FROM record.raw")[0][0]
