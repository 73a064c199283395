from collections.abc import AsyncGenerator
from datetime import datetime

import pytest

from projections.generation import reading
from projections.search.projection import SEARCH
from projections.search.queries import found
from services.settings import Settings
from tests.projections.outgoing import asked
from tests.projections.story import TENANT, erasure, message, withdrawal
from tests.projections.tables import Tables, tables_of


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, SEARCH) as made:
        yield made


async def _found(
    tables: Tables, text: str, limit: int = 10, tenant: str = TENANT, address: str | None = None
) -> list[int]:
    """Positions."""
    async with tables.connection.transaction():
        await tables.connection.execute("SET LOCAL ROLE tamas_views")
        async with reading(tables.connection, SEARCH, tenant) as tx:
            return [hit.position for hit in await found(tx, tenant, text, limit=limit, address=address)]


HEARD = [
    message(1, 1, text="سفارش‌ من ۱۲۳۴۵ كجاست؟"),
    message(2, 2, text="Where is order INV-777?", address=2),
    asked(3, 1, text="سفارش شما فرستاده شد"),
    message(4, 4, text="سفارش", tenant="rival"),
]
QUESTIONS: list[tuple[str, list[int]]] = [
    ("سفارش", [3, 1]),
    ("سفار", [3, 1]),
    ("کجاست 12345", [1]),
    ("كجاست ١٢٣٤٥", [1]),
    ("سفارش نیست", []),
    ("ORDER inv-777", [2]),
    ("777", [2]),
    ("rder", []),
    ("subject 2", [2]),
    ("1@example.com", [3, 1]),
    ("mailto:2@example.com", [2]),
    ("example", [3, 2, 1]),
    ("xample.co", [3, 2, 1]),
    ("xample.c%", []),
    ("؟", []),
    ("'acme':*", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "positions"), QUESTIONS)
async def test_what_is_found(tables: Tables, text: str, positions: list[int]) -> None:
    await tables.fill([HEARD])
    assert await _found(tables, text) == positions


PARTS = ["+989121234567", "09121234567", "0912 123 4567", "98912123", "1234567", "۰۹۱۲۱۲۳۴۵۶۷", "tel:+989121234567"]


@pytest.mark.parametrize("text", PARTS)
async def test_a_number_is_found_by_any_part_of_it(tables: Tables, text: str) -> None:
    await tables.fill([HEARD, [asked(9, 9, address=9, who="tel:+989121234567")]])
    assert await _found(tables, text) == [9]


async def test_of_a_tenant_only_its_own_is_found(tables: Tables) -> None:
    await tables.fill([HEARD])
    assert await _found(tables, "سفارش", tenant="rival") == [4]
    async with tables.connection.transaction():
        await tables.connection.execute("SET LOCAL ROLE tamas_views")
        async with reading(tables.connection, SEARCH, TENANT) as tx:
            assert await found(tx, "rival", "سفارش", limit=5) == []


async def test_who_is_erased_is_not_found_and_nothing_of_them_is_left(tables: Tables) -> None:
    for batches in ([[*HEARD, erasure(5, 1)]], [[erasure(5, 1)], HEARD]):
        await tables.fill(batches)
        assert await _found(tables, "سفارش") == []
        assert await _found(tables, "1@example.com") == []
        cursor = await tables.connection.execute(
            "SELECT string_agg(e::text, '') || (SELECT string_agg(a::text, '') FROM search_g1.addresses AS a "
            "WHERE tenant = 'acme') FROM search_g1.entries AS e WHERE tenant = 'acme'"
        )
        row = await cursor.fetchone()
        assert row is not None
        assert "سفارش" not in row[0]
        assert "1@example.com" not in row[0]


async def test_what_was_withdrawn_is_not_found_and_a_mended_text_is(tables: Tables) -> None:
    first = message(1, 1, text="wrong")
    await tables.fill([[first, withdrawal(2, first)]])
    assert await _found(tables, "wrong") == []
    await tables.fill([[first, message(2, 1, text="right", revision=2)]])
    assert (await _found(tables, "wrong"), await _found(tables, "right")) == ([], [2])


@pytest.mark.parametrize("word", ["common", "rare", "example"])
async def test_pages_neither_miss_nor_repeat(tables: Tables, word: str) -> None:
    events = [message(n, n, text="common rare" if n % 500 == 0 else "common", address=n % 3) for n in range(1, 2501)]
    await tables.fill([events])
    seen: list[int] = []
    before: tuple[datetime, int] | None = None
    while True:
        async with reading(tables.connection, SEARCH, TENANT) as tx:
            page = await found(tx, TENANT, word, limit=400 if word != "rare" else 2, before=before)
        if not page:
            break
        seen += [hit.position for hit in page]
        before = (page[-1].effective_at, page[-1].position)
    assert seen == [n for n in range(2500, 0, -1) if word != "rare" or n % 500 == 0]


async def test_words_and_parts_are_looked_up_in_indexes(tables: Tables) -> None:
    await tables.fill([[message(n, n, text=f"word{n}", address=n) for n in range(1, 20_001)]])
    await tables.connection.execute("VACUUM ANALYZE search_g1.entries, search_g1.addresses")
    assert await _found(tables, "word77") == list(range(7799, 7789, -1))
    assert await _found(tables, "14321@exam") == [14321]
    assert await _scans(tables) == {"entries_by_words": True, "addresses_by_part": True}


async def _scans(tables: Tables) -> dict[str, bool]:
    await tables.connection.execute("SELECT pg_stat_force_next_flush()")
    cursor = await tables.connection.execute(
        "SELECT indexrelname, idx_scan > 0 FROM pg_stat_user_indexes "
        "WHERE indexrelname IN ('entries_by_words', 'addresses_by_part')"
    )
    return dict(await cursor.fetchall())
