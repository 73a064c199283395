from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from projections.generation import reading
from projections.queues.projection import QUEUES
from projections.queues.queries import One, one, queue
from schemas.conversation import ConversationState
from services.settings import Settings
from tests.projections.conversations import answered, closed, conversation_id, joined, opened, reopened, taken
from tests.projections.story import TENANT, address_id, interaction_id
from tests.projections.tables import Tables, tables_of


@pytest.fixture
async def tables(settings: Settings) -> AsyncGenerator[Tables]:
    async with tables_of(settings, QUEUES) as made:
        yield made


async def _queue(tables: Tables, state: ConversationState, limit: int = 10) -> list[One]:
    async with reading(tables.connection, QUEUES, TENANT) as tx:
        return await queue(tx, TENANT, state, limit=limit)


async def test_what_waits_longest_comes_first_and_whose_turn_it_is(tables: Tables) -> None:
    await tables.fill([[opened(1, 1, 1), opened(2, 2, 2, brought="missed_call"), opened(3, 3, 3)], [answered(4, 1)]])
    waiting = await _queue(tables, "waiting")
    assert [(each.conversation_id, each.turn, each.waits_for) for each in waiting] == [
        (conversation_id(2), "ours", "call_back"),
        (conversation_id(3), "ours", "message"),
    ]
    (done,) = await _queue(tables, "answered")
    assert (done.conversation_id, done.turn, done.waits_for) == (conversation_id(1), "customer", None)
    assert (done.address_id, done.channel, done.interactions) == (address_id(1), "email/smtp", 1)


async def test_it_waits_again_after_another_message_and_is_gone_once_closed(tables: Tables) -> None:
    await tables.apply([opened(1, 1, 1), answered(2, 1), joined(3, 1, 2, number=2)])
    (waiting,) = await _queue(tables, "waiting")
    assert (waiting.position, waiting.interactions, waiting.last_interaction_id) == (3, 2, interaction_id(2))
    assert waiting.first_interaction_id == interaction_id(1)
    await tables.apply([closed(4, 1)])
    assert [len(await _queue(tables, state)) for state in ("waiting", "answered", "closed")] == [0, 0, 1]  # type: ignore[arg-type]


async def test_who_took_it_has_it_until_it_is_closed(tables: Tables) -> None:
    agent = UUID(int=7)
    await tables.apply([opened(1, 1, 1), taken(2, 1, agent)])
    await tables.apply([joined(3, 1, 2, number=2)])
    (waiting,) = await _queue(tables, "waiting")
    assert (waiting.taken_by, waiting.interactions) == (agent, 2)
    await tables.apply([closed(4, 1)])
    (done,) = await _queue(tables, "closed")
    assert done.taken_by is None


async def test_a_late_beginning_changes_nothing_of_what_is_now(tables: Tables) -> None:
    await tables.apply([joined(3, 1, 2, number=2)])
    assert await _queue(tables, "waiting") == []
    await tables.apply([opened(1, 1, 1)])
    (waiting,) = await _queue(tables, "waiting")
    assert (waiting.position, waiting.interactions, waiting.opened_position) == (3, 2, 1)


async def test_what_is_decided_again_after_a_restore_replaces_the_first_decision(tables: Tables) -> None:
    await tables.apply([opened(1, 1, 1), joined(2, 1, 2, number=2)])
    await tables.apply([opened(11, 1, 1), joined(12, 1, 2, number=2)])
    (waiting,) = await _queue(tables, "waiting")
    assert (waiting.opened_position, waiting.position, waiting.interactions) == (11, 12, 2)


async def test_pages_neither_miss_nor_repeat(tables: Tables) -> None:
    await tables.apply([opened(number, number, number) for number in range(1, 8)])
    seen: list[int] = []
    after = None
    while True:
        async with reading(tables.connection, QUEUES, TENANT) as tx:
            page = await queue(tx, TENANT, "waiting", limit=3, after=after)
        if not page:
            break
        seen += [each.opened_position for each in page]
        after = (page[-1].since_at, page[-1].opened_position)
    assert seen == list(range(1, 8))


async def test_another_tenants_is_not_found(tables: Tables) -> None:
    await tables.apply([opened(1, 1, 1, tenant="other")])
    async with reading(tables.connection, QUEUES, TENANT) as tx:
        assert await one(tx, TENANT, conversation_id(1)) is None


async def test_an_answer_that_did_not_arrive_is_named_until_there_is_another(tables: Tables) -> None:
    told = [opened(1, 1, 1), answered(2, 1), reopened(3, 1, UUID(int=9)), joined(4, 1, 2, number=2)]
    for batches in ([told], [[event] for event in reversed(told)]):
        await tables.fill(batches)
        (waiting,) = await _queue(tables, "waiting")
        assert (waiting.failed_message_id, waiting.position) == (UUID(int=9), 4)
    await tables.apply([answered(5, 1)])
    (done,) = await _queue(tables, "answered")
    assert done.failed_message_id is None
