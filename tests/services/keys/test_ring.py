import pytest

from services.keys import ring as ring_module
from services.settings import Settings
from tests.services.keys.test_erasures import ringing

ALL = [("acme", f"tel:+9891200000{number:02}") for number in range(12)]


async def test_a_full_memory_gives_its_oldest_keys_together_with_new_ones(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_module, "_CACHED", 4)
    async with ringing(settings) as (made, _), ringing(settings) as (ring, _):
        ids = [(await made.subjects([pair]))[pair].address_id for pair in ALL]
        first = await ring.by_ids(ids[:4])
        again = await ring.by_ids(ids)
        assert again.keys() == set(ids)
        assert all(again[address_id] is first[address_id] for address_id in ids[:4])
        assert all(subject is not None and subject.address_id == address_id for address_id, subject in again.items())


async def test_a_full_memory_stays_as_large_whatever_comes_and_is_erased(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_module, "_CACHED", 4)
    async with ringing(settings) as (ring, _):
        subjects = await ring.subjects(ALL)
        await ring.by_ids([subject.address_id for subject in subjects.values()])
        for (tenant, address), subject in subjects.items():
            ring.drop(tenant, address, subject.address_id)
            assert max(len(ring._by_address), len(ring._pair_of), len(ring._by_id)) <= 4
        last = [*subjects.values()][-1]
        found = await ring.by_ids([last.address_id])
        assert list(found.values()) == [None]
